"""The pages of work that this process holds: claimed within the limits, kept alive, given back when they end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from newsletter.database import Database
from newsletter.delivery import claims, limits, timing
from newsletter.delivery.processes import process_name
from newsletter.errors import DatabaseError
from newsletter.protocols import Exposure, Provider
from newsletter.repeating import repeated
from subscribers.store import at_domains

if TYPE_CHECKING:
    from sqlalchemy import Select

CLAIM_SECONDS = 10.0
HEARTBEAT_SECONDS = 5.0
LANE_SECONDS = 0.1  # of work in a claim where domains have limits of their own: their turn must come in time


@dataclass(slots=True, kw_only=True)
class Page:
    """A claim and when its messages may go; ``handed`` counts those that the provider has answered.

    ``is_over`` says that the claim was closed with them.
    """

    claim: claims.Claim
    pace: limits.Pace
    domain: str | None
    handed: int = 0
    is_over: bool = False


@dataclass(kw_only=True)
class Pages:
    """Claims pages of one issue for several threads. ``limit`` bounds how many are written to."""

    database: Database
    issue_id: int
    audience: Select[Any]
    provider: Provider
    clock: Callable[[], datetime]
    connections: int
    limits: limits.Limits
    limit: int | None = None
    used_up: bool = False
    stopwatch: timing.Stopwatch = field(default_factory=timing.Stopwatch)
    _held: dict[int, Page] = field(default_factory=dict)
    _after: dict[str | None, int] = field(default_factory=dict)
    _rest_first: bool = False
    _empty: set[str | None] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seconds(self) -> float:
        """How much work a claim should hold; a whole request takes as long for a few as for many."""
        is_request = self.provider.exposure is Exposure.ALL
        return LANE_SECONDS if self.limits.domains and not is_request else CLAIM_SECONDS

    @property
    def may_take(self) -> bool:
        """Whether the limit and the day leave anything to take."""
        return self.limit != 0 and not self.used_up

    def begin_round(self) -> None:
        """Look everywhere again: what was put off may be due."""
        self._empty.clear()

    def take(self, size: int) -> Page | None:
        """Claim at most ``size``, in turn of a domain whose time it is and of the rest; None if neither has any."""
        with self._lock:
            now = self.clock()
            times = self._open_times(now)
            opened = sorted((name for name in times if times[name] <= now), key=times.__getitem__)
            lanes: list[str | None] = [*opened]
            if None not in self._empty:
                lanes.insert(0 if self._rest_first else len(lanes), None)
            self._rest_first = not self._rest_first
            return next((page for lane in lanes if (page := self._take(lane, size, now))), None)

    def opens(self) -> datetime | None:
        """Return when a domain has its turn, None if nothing waits for one."""
        with self._lock:
            return min(self._open_times(self.clock()).values(), default=None) if self.may_take else None

    def _open_times(self, now: datetime) -> dict[str, datetime]:
        waiting = [domain for domain in self.limits.domains if domain not in self._empty]
        if not waiting:
            return {}
        with self.database.read() as connection:
            return {domain: limits.opens(connection, domain, now) for domain in waiting}

    def _take(self, domain: str | None, size: int, now: datetime) -> Page | None:
        """Claim of a domain, or of the rest, behind what was claimed last, then from the start."""
        span = timedelta(seconds=LANE_SECONDS if domain else self.seconds)
        own = limits.fitting(self.limits.domains.get(domain) if domain else None, span)
        shared = limits.fitting(self.limits.interval, span / self.connections)
        size = min(bound for bound in (size, own, shared, self.limit) if bound is not None)
        after = self._after.get(domain, 0)
        page = self._claim(domain, size, after, now)
        if page is None and after and self.may_take:
            page = self._claim(domain, size, 0, now)  # others may have given something back
        if page is None:
            self._empty.add(domain)
            return None
        self._after[domain] = page.claim.last
        self._held[page.claim.id] = page
        if self.limit is not None:
            self.limit -= len(page.claim.rows)
        return page

    def _claim(self, domain: str | None, size: int, after: int, now: datetime) -> Page | None:
        if size == 0:
            return None
        narrowed = self.limits.domains if domain is None else (domain,)
        with self.database.write(durable=True) as transaction:
            left = limits.left_today(transaction, self.limits, now)
            self.used_up = left == 0
            if self.used_up:
                return None
            claim = claims.claim(
                transaction, self.issue_id, self.audience, owner=process_name(), provider=self.provider.name,
                exposure=self.provider.exposure, limit=size if left is None else min(size, left), after=after, now=now,
                among=at_domains(tuple(narrowed)) if narrowed else None, outside=domain is None,
            )  # fmt: skip
            if claim is None:
                return None
            pace = limits.take(transaction, self.limits, len(claim.rows), now, domain)
        return Page(claim=claim, pace=pace, domain=domain)

    def release(self, page: Page, doubt: Exposure) -> int:
        """End a claim; what it still holds goes back, or is in doubt: return how many are."""
        doubtful = unused = 0
        if not page.is_over:
            doubtful, unused = self._end(page, doubt)
        with self._lock:
            del self._held[page.claim.id]
            if self.limit is not None:
                self.limit += unused
        return doubtful

    def _end(self, page: Page, doubt: Exposure) -> tuple[int, int]:
        taken = page.pace.taken
        with self.database.write() as transaction:
            doubtful = claims.take_over(
                transaction, self.issue_id, page.claim.id, doubt, self.provider.on_uncertain, self.clock()
            )
            unused = max(0, len(page.claim.rows) - page.handed - doubtful)  # what is in doubt may be out
            if unused and self.limits.cap(taken.date()) is not None:
                limits.give_back(transaction, unused, taken)
                self.used_up = False
            times = self.stopwatch.take()
            if self.provider.exposure is not Exposure.ALL:  # in one request for many no message has a time
                timing.add(transaction, self.issue_id, times)
        return doubtful, unused

    def heartbeat(self) -> AbstractContextManager[None]:
        """Say of what is held, again and again while this lasts, that its owner is alive."""
        return repeated(self._beat, HEARTBEAT_SECONDS)

    def _beat(self) -> None:
        with suppress(DatabaseError), self.database.write() as transaction:  # the next beat tries again
            claims.beat(transaction, set(self._held), self.clock())
