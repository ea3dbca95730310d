"""`/metrics`: the numbers of the newsletter for Prometheus, for those networks alone that may read them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from time import monotonic
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import __version__
from newsletter.delivery.gauges import Gauges, gauges
from newsletter.delivery.notices import NoticeState
from newsletter.delivery.outcomes import Outcomes
from newsletter.sqlite_file import SCHEMA_REVISION
from newsletter.states import Counts, IssueState
from newsletter.web.bounds import Network
from newsletter.web.exposition import CONTENT_TYPE, Gauge, exposition
from newsletter.web.site import Site
from subscribers.standing import Standing
from subscribers.statistics import standings

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEPT_SECONDS = 10.0
_SHARE = 20  # counting takes at most a twentieth of the time, however long the list is
_NOTHING = (Counts(), Outcomes())
_OUTCOMES = tuple(field.name for field in fields(Outcomes))
_STATES = tuple(field.name for field in fields(Counts) if field.name != "prepared")


class Metrics:
    """Answers Prometheus; what was counted is kept for a while."""

    def __init__(
        self, site: Site, allowed: Collection[Network], *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._site = site
        self._allowed = tuple(allowed)
        self._clock = clock
        self._text = ""
        self._until = float("-inf")
        self._counting = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/metrics", self.metrics)]

    async def metrics(self, request: Request) -> Response:
        """Give the numbers; to everybody else the page that is not there."""
        client = self._site.client(request)
        if client is None or not any(client in network for network in self._allowed):
            raise HTTPException(404)
        async with self._counting:  # who asks meanwhile gets the same answer
            if self._clock() >= self._until:
                began = self._clock()
                self._text = await self._site.read(lambda connection: self._counted(connection, began))
                took = self._clock() - began
                self._until = began + max(KEPT_SECONDS, _SHARE * took)
        return Response(self._text, headers={"Content-Type": CONTENT_TYPE})

    def _counted(self, connection: Connection, began: float) -> str:
        found, readers = gauges(connection), standings(connection)
        names = {*self._site.pages.look.editions, *found.deliveries, *readers}
        told = [*_of_issues(found, sorted(names)), *_of_people(found, readers, sorted(names)), *_of_process()]
        took = Gauge(
            name="newsletter_metrics_duration_seconds", help="How long counting these numbers took.",
            samples=(({}, self._clock() - began),),
        )  # fmt: skip
        return exposition([*told, took])


def _of_issues(found: Gauges, editions: list[str]) -> Iterator[Gauge]:
    yield Gauge(
        name="newsletter_issues", help="Issues by edition and state.",
        samples=tuple(
            ({"edition": edition, "state": state.value}, found.issues.get((edition, state), 0))
            for edition in editions for state in IssueState
        ),
    )  # fmt: skip
    yield Gauge(
        name="newsletter_deliveries", help="Deliveries of the newest issue of an edition, by state.",
        samples=tuple(
            ({"edition": edition, "state": state}, getattr(found.deliveries.get(edition, _NOTHING)[0], state))
            for edition in editions for state in _STATES
        ),
    )  # fmt: skip
    yield Gauge(
        name="newsletter_outcomes",
        help="Deliveries of the newest issue of an edition by what is known of them; nothing where nobody told.",
        samples=tuple(
            ({"edition": edition, "outcome": name}, number)
            for edition, (_, outcomes) in sorted(found.deliveries.items()) for name in _OUTCOMES
            if (number := getattr(outcomes, name)) is not None
        ),
    )  # fmt: skip
    yield Gauge(
        name="newsletter_last_finished_timestamp_seconds", help="When an issue of an edition was last finished.",
        samples=tuple(({"edition": edition}, at.timestamp()) for edition, at in sorted(found.finished.items())),
    )  # fmt: skip
    yield Gauge(
        name="newsletter_claims_open", help="Claims that a sending process holds, or left when it died.",
        samples=(({}, found.open_claims),),
    )  # fmt: skip


def _of_people(
    found: Gauges, readers: Mapping[str, Mapping[Standing, int]], editions: list[str]
) -> Iterator[Gauge]:
    yield Gauge(
        name="newsletter_subscribers", help="Subscriptions of an edition by state, as `subscribers stats` has them.",
        samples=tuple(
            ({"edition": edition, "state": state.value}, readers.get(edition, {}).get(state, 0))
            for edition in editions for state in Standing
        ),
    )  # fmt: skip
    yield Gauge(
        name="newsletter_notices", help="Mails of the newsletter's own by state; those settled are kept for 30 days.",
        samples=tuple(({"state": state.name.lower()}, found.notices.get(state, 0)) for state in NoticeState),
    )  # fmt: skip


def _of_process() -> Iterator[Gauge]:
    yield Gauge(
        name="newsletter_build_info", help="The version of the program and of its database; always 1.",
        samples=(({"version": __version__, "schema": SCHEMA_REVISION}, 1),),
    )  # fmt: skip
