"""Works through events that were put down: the usual kinds in bulk, what touches the list one by one.

Events come late, twice and in any order. So each says only what is true from then on: a letter was accepted, its
outcome rises, an address is given up. Nothing is taken back by a later event, and what has no proof changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from newsletter.database import Database
from newsletter.delivery.consequences import Allowance, complained, count_bounces, give_up, prove
from newsletter.delivery.events import Claimed, EventState, is_waiting
from newsletter.delivery.proof import Concerned, concerned
from newsletter.delivery.tables import WAITING, event_table
from newsletter.errors import DatabaseError
from newsletter.logs import ERROR, INFO, tell
from newsletter.models.deliveries import EventKind
from newsletter.states import DeliveryOutcome
from subscribers.errors import StoreError
from subscribers.models import Through
from subscribers.requests import Requests
from subscribers.suppressions import Suppressions

PAGE = 2_000  # events a transaction: others wait for it
MOST_SERIOUS = 50  # of them that touch the list
GIVE_WAY_SECONDS = 0.02  # between two transactions
_OUTCOMES = {
    EventKind.DELIVERED: DeliveryOutcome.DELIVERED,
    EventKind.OPENED: DeliveryOutcome.DELIVERED,
    EventKind.OPENED_BY_MACHINE: DeliveryOutcome.DELIVERED,
    EventKind.CLICKED: DeliveryOutcome.DELIVERED,
    EventKind.HARD: DeliveryOutcome.BOUNCED,
    EventKind.SOFT: DeliveryOutcome.BOUNCED,
    EventKind.POLICY: DeliveryOutcome.BOUNCED,
    EventKind.COMPLAINT: DeliveryOutcome.COMPLAINED,
}
_SERIOUS = frozenset({EventKind.HARD, EventKind.SOFT, EventKind.COMPLAINT, EventKind.UNSUBSCRIBE})
_MARK = (
    update(event_table)
    .where(event_table.c.id == bindparam("number"))
    .values({name: bindparam(f"new_{name}") for name in ("state", "issue_id", "subscriber_id", "payload")})
)


@dataclass(slots=True, kw_only=True)
class Worked:
    """What became of events: those that changed or confirmed something, concern nobody, or were set aside."""

    worked: int = 0
    nobody: int = 0
    failed: int = 0

    def add(self, other: Worked) -> None:
        """Count another's too."""
        self.worked += other.worked
        self.nobody += other.nobody
        self.failed += other.failed

    @property
    def total(self) -> int:
        """All of them."""
        return self.worked + self.nobody + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An event that is worked now; ``about`` None concerns nobody."""

    number: int
    provider: str
    kind: EventKind
    at: datetime
    said: Claimed
    about: Concerned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Works events through, in this process or in several at once. ``allowance`` is of soft bounces."""

    database: Database
    people: Requests
    allowance: Allowance
    clock: Callable[[], datetime]

    def through(self, stop: threading.Event | None = None) -> Worked:
        """Work through all that waits, or until ``stop``; what fails by a fault of ours is set aside.

        Raises `DatabaseError` where it is the database that fails: then everything that is left waits on.
        """
        stop, done = stop or threading.Event(), Worked()
        with self.database.read() as connection:
            waits = is_waiting(connection)
        while waits and not stop.is_set():
            page = self._page()
            done.add(page)
            waits = page.total > 0 and not stop.wait(GIVE_WAY_SECONDS)
        if done.total:
            tell(INFO, "events worked", worked=done.worked, nobody=done.nobody, failed=done.failed)
        return done

    def _page(self) -> Worked:
        try:
            with self.database.write() as connection:
                return self._work(connection, PAGE)
        except Exception as error:
            if _is_the_databases(error):
                raise
        with self.database.read() as connection:
            numbers = list(connection.execute(_waiting(PAGE)).scalars())
        done = Worked()
        for number in numbers:  # one of them is to blame
            done.add(self._alone(number))
        return done

    def _alone(self, number: int) -> Worked:
        try:
            with self.database.write() as connection:
                return self._work(connection, 1, number)
        except Exception as error:
            if _is_the_databases(error):
                raise
            with self.database.write() as connection:
                aside = update(event_table).where(event_table.c.id == number, WAITING)
                connection.execute(aside.values(state=int(EventState.FAILED)))
            tell(ERROR, "event set aside", number=number, error=type(error).__name__)
            return Worked(failed=1)

    def _work(self, connection: Connection, limit: int, number: int | None = None) -> Worked:
        told = self._next(connection, limit, number)
        _mark(connection, told)
        proven = [(each, each.about) for each in told if each.about is not None]
        now = self.clock()
        for each, about in sorted(_serious(proven), key=lambda pair: pair[1].person):
            self._apply(connection, each, about, now)
        outcomes: dict[tuple[int, int], DeliveryOutcome] = {}
        for each, about in proven:
            if each.kind is not EventKind.UNKNOWN:
                place = (about.issue.id, about.person)
                outcome = _OUTCOMES.get(each.kind, DeliveryOutcome.UNKNOWN)
                outcomes[place] = max(outcome, outcomes.get(place, outcome))
        prove(connection, outcomes)
        return Worked(worked=len(proven), nobody=len(told) - len(proven))

    def _next(self, connection: Connection, limit: int, number: int | None) -> list[_Told]:
        """Take the next events, or one, with what they are proven to be about, and no more than enough serious ones."""
        rows = connection.execute(_waiting(limit, number).with_for_update(skip_locked=True)).all()
        claims = {row.id: _claimed(row.payload) for row in rows}
        proven, serious, told = concerned(connection, claims), 0, []
        for row in rows:
            kind, about = EventKind(row.kind), proven.get(row.id)
            if about is not None and kind in _SERIOUS:
                serious += 1
                if serious > MOST_SERIOUS:
                    continue
            told.append(
                _Told(
                    number=row.id,
                    provider=row.provider,
                    kind=kind,
                    at=row.at,
                    said=claims[row.id],
                    about=about,
                )
            )
        return told

    def _apply(self, connection: Connection, told: _Told, about: Concerned, now: datetime) -> None:
        """Do what an event says of a person; all events of a page are written down by now.

        What the person or the operator did since it happened is newer, and stands; a complaint is never too old.
        """
        actor, person = told.provider, about.person
        match told.kind:
            case EventKind.HARD if Suppressions.was_lifted(connection, person, told.at):
                pass
            case EventKind.HARD:
                give_up(connection, person, f"bounced: {told.said.reason}"[:200], actor=actor, now=now)
            case EventKind.COMPLAINT:
                complained(connection, person, actor=actor, now=now)
            case EventKind.UNSUBSCRIBE:
                edition = self.people.edition_number(connection, about.issue.edition)
                if not self.people.came_back(connection, about.key, edition, told.at):
                    self.people.leave(connection, about.key, edition, through=Through.EVENT, now=now)
            case _:
                self.people.find(connection, str(person), lock=True)
                count_bounces(connection, person, self.allowance, actor=actor, now=now)


def _waiting(limit: int, number: int | None = None) -> Any:
    own = event_table.c
    chosen = select(own.id, own.provider, own.kind, own.at, own.payload).where(WAITING)
    return (chosen if number is None else chosen.where(own.id == number)).order_by(own.id).limit(limit)


def _claimed(payload: bytes) -> Claimed:
    return msgspec.json.decode(payload, type=Claimed) if payload else Claimed()  # of somebody who is erased


def _serious(proven: Iterable[tuple[_Told, Concerned]]) -> list[tuple[_Told, Concerned]]:
    return [pair for pair in proven if pair[0].kind in _SERIOUS]


def _mark(connection: Connection, told: Sequence[_Told]) -> None:
    """Write down that events are worked, and whom they concern; who else they named is forgotten."""
    rows = [
        {
            "number": each.number,
            "new_state": int(EventState.NOBODY if each.about is None else EventState.WORKED),
            "new_issue_id": None if each.about is None else each.about.issue.id,
            "new_subscriber_id": None if each.about is None else each.about.person,
            "new_payload": each.said.worked(),
        }
        for each in told
    ]
    if rows:
        connection.execute(_MARK, rows)


def _is_the_databases(error: Exception) -> bool:
    """Say whether the database cannot work now, rather than that it refuses what it was given."""
    cause = error.__cause__ if isinstance(error, (DatabaseError, StoreError)) else error
    if isinstance(cause, DBAPIError):
        return isinstance(cause, (OperationalError, InterfaceError))
    return isinstance(error, (DatabaseError, StoreError))
