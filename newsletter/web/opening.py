"""Puts the web door together from the parts of the newsletter."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from threading import Event

from newsletter.app import App, now
from newsletter.app.receiving import Working, work
from newsletter.app.scheduling import Watch
from newsletter.app.serving import public_url
from newsletter.app.theming import theme
from newsletter.protocols import EventReader
from newsletter.schedule import Timetable
from newsletter.web.bounds import SignUpLimits, networks
from newsletter.web.forms import FormKeys
from newsletter.web.pages import Look, Pages, spoken
from newsletter.web.server import Drain, Server, address_of
from newsletter.web.site import Site
from newsletter.web.subscription import subscription
from newsletter.web.writing import Writer
from subscribers.models import Through


def opened(
    app: App,
    listening: socket.socket,
    *,
    log: Callable[[str], None],
    complain: Callable[[str], None],
    tables: Mapping[str, Timetable],
    readers: Mapping[str, EventReader],
) -> Server:
    """Return the server on a socket, which sends by ``tables`` too; raises `ConfigError` for unusable settings.

    ``readers`` are those of the providers whose events it takes.
    """
    settings, database, wake = app.settings, app.databases.open(), Event()
    look = Look(
        newsletter=settings.theme.name,
        postal_address=settings.sender.postal_address,
        theme=theme(app.config),
        public_url=public_url(app) or address_of(listening),
        editions={name: own.language for name, own in settings.editions.items()},
    )
    people = app.people.requests()
    writer = Writer[tuple[bytes, int]](
        database,
        lambda connection, links: people.leave_all(connection, links, through=Through.ONE_CLICK, now=now()),
    )
    site = Site(
        pages=Pages(spoken(look)),
        database=database,
        people=people,
        links=app.keys.links(),
        forms=FormKeys(app.keys.forms()),
        settings=settings.web,
        proxies=networks(settings.web.trusted_proxies, "web.trusted_proxies"),
        limits=SignUpLimits(
            per_network=settings.web.signups_per_network, per_minute=settings.web.signups_per_minute
        ),
        writer=writer,
        wake=wake.set,
        clock=now,
    )
    working = Working(work=work(app))
    drains: dict[str, Drain] = {"mail of its own": app.senders.correspondence(complain), "events": working}
    if tables:
        drains["what the schedule says"] = Watch(app=app, tables=tables, log=log, complain=complain)
    return Server(
        listening,
        subscription(site, networks(settings.web.metrics, "web.metrics"), readers, working.arrived.set, log),
        writer,
        drains=drains,
        wake=wake,
        complain=complain,
    )
