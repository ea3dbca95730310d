"""Events that providers post: who reads them, and what works them through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from newsletter.delivery import events
from newsletter.delivery.consequences import Allowance
from newsletter.delivery.working import Work, Worked
from newsletter.settings.base import duration

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.protocols import EventReader

_STOP_SECONDS = 0.5  # between two looks whether the server ends
_LOOK_SECONDS = 30.0  # between two looks for what another process put down


def event_readers(app: App) -> dict[str, EventReader]:
    """Return those whose events are taken, by name; raise `ConfigError` for settings that prove nothing."""
    readers: list[EventReader] = []
    sendgrid = app.settings.provider.sendgrid
    if sendgrid.webhook_key:
        from newsletter.providers.sendgrid_events import SendGridEvents

        readers.append(SendGridEvents(key=sendgrid.webhook_key, max_age=duration(sendgrid.events_max_age)))
    ses = app.settings.provider.ses
    if ses.topic:
        from newsletter.app.ses import ses_events

        readers.append(ses_events(ses))
    postmark = app.settings.provider.postmark
    if postmark.webhook_secret:
        from newsletter.app.postmark import postmark_events

        readers.append(postmark_events(postmark))
    return {reader.name: reader for reader in readers}


def allowance(app: App) -> Allowance:
    """Return how many soft bounces an address may have, of whatever source."""
    own = app.settings.inbox
    return Allowance(bounces=own.soft_bounces, within=timedelta(days=own.soft_days))


def work(app: App) -> Work:
    """Return what works events through."""
    return Work(
        database=app.databases.open(), people=app.people.requests(), allowance=allowance(app), clock=app.clock
    )


def work_again(app: App) -> Worked:
    """Work through what waits, and what was set aside before."""
    with app.databases.open().write() as connection:
        events.try_again(connection)
    return work(app).through()


def counted(app: App) -> list[events.OfKind]:
    """Return how many events came, by provider and kind."""
    with app.databases.open_to_look().read() as connection:
        return events.tally(connection)


def newest(app: App, limit: int) -> list[dict[str, Any]]:
    """Return the newest events as JSON has them."""
    with app.databases.open_to_look().read() as connection:
        return events.newest(connection, limit)


def forget_old(app: App) -> None:
    """Take away events that have served their time."""
    keep, database = app.settings.delivery.keep, app.databases.open()
    while True:
        with database.read() as connection:
            numbers = events.old_events(connection, app.clock(), duration(keep) if keep else None)
        if not numbers:
            return
        with database.write() as connection:
            events.forget(connection, numbers)


@dataclass(kw_only=True)
class Working:
    """Works events through in a thread of a server, whenever ``arrived`` is set."""

    work: Work
    arrived: Event = field(default_factory=Event)

    def run(self, stop: Event, wake: Event) -> None:  # noqa: ARG002  # which is about mail
        """Work until ``stop``."""
        looked = -_LOOK_SECONDS
        while not stop.is_set():
            if self.arrived.wait(_STOP_SECONDS) or monotonic() - looked >= _LOOK_SECONDS:
                self.arrived.clear()
                looked = monotonic()
                self.work.through(stop)
