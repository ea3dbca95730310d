"""What became of an issue's letters after they were taken, as far as anybody said: events, returned mails, leavings.

What nobody told is None, never 0: most servers say nothing, and an issue without events is not one that went well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from newsletter import states, store
from newsletter.delivery.tables import delivery, delivery_total, event_table
from newsletter.models.deliveries import EventKind
from newsletter.states import Counts, DeliveryOutcome, DeliveryState
from newsletter.store import IssueRecord
from subscribers.statistics import leavers

_TOLD_ELSEWHERE = (EventKind.QUEUED, EventKind.DEFERRED, EventKind.DELIVERED)  # one or more for every letter
Kinds = Counter[tuple[DeliveryState, DeliveryOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Deliveries by the worst that is proven of them, so that each counts once; None where nobody told.

    ``no_word`` are accepted, and nothing came since. ``unsubscribed`` are the people who left the edition between
    this issue and its next one, by themselves; None before it was sent.
    """

    delivered: int | None = None
    bounced: int | None = None
    complained: int | None = None
    no_word: int = 0
    unsubscribed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """An issue in all. ``events``: of how many deliveries each kind of event came, those alone that came."""

    counts: Counts
    outcomes: Outcomes
    events: Mapping[str, int]


def reach(connection: Connection, record: IssueRecord) -> Reach:
    """Return what became of an issue, rolled up or not."""
    counts, outcomes = standing(connection, record)
    return Reach(counts=counts, outcomes=outcomes, events=events(connection, record.id))


def standing(connection: Connection, record: IssueRecord) -> tuple[Counts, Outcomes]:
    """Return the same without the events: what a monitor asks for."""
    kinds, told = tally(connection, record.id), known(connection, record.id)
    gone = left_after(connection, record)
    left = None if gone is None else _people(connection, gone)
    return counts_of(kinds), outcomes_of(kinds, told, left)


def tally(connection: Connection, issue_id: int) -> Kinds:
    """Count an issue's deliveries by state and outcome, those that are rolled up too."""
    own, total = delivery.c, delivery_total.c
    kept = select(own.state, own.outcome, func.count()).where(own.issue_id == issue_id)
    rolled_up = select(total.state, total.outcome, total.number).where(total.issue_id == issue_id)
    found: Kinds = Counter()
    for state, outcome, number in (
        *connection.execute(kept.group_by(own.state, own.outcome)), *connection.execute(rolled_up),
    ):  # fmt: skip
        found[DeliveryState(state), DeliveryOutcome(outcome)] += number
    return found


def counts_of(kinds: Kinds) -> Counts:
    """Return the counts by state."""
    by_state: Counter[int] = Counter()
    for (state, _), number in kinds.items():
        by_state[state] += number
    return states.counts_of(by_state)


def known(connection: Connection, issue_id: int) -> frozenset[str]:
    """Return what somebody told of an issue: "bounced" and "complained" with any word, "delivered" with such a one."""
    told = select(exists().where(event_table.c.issue_id == issue_id))
    good = exists().where(event_table.c.issue_id == issue_id, event_table.c.kind == EventKind.DELIVERED.value)
    names = {"bounced", "complained"} if connection.execute(told).scalar_one() else set()
    return frozenset(
        names | ({"delivered"} if names and connection.execute(select(good)).scalar_one() else set())
    )


def outcomes_of(kinds: Kinds, told: frozenset[str], unsubscribed: int | None) -> Outcomes:
    """Return the outcomes; what stands in the ledger is known, whatever has become of the event."""
    by_outcome: Counter[DeliveryOutcome] = Counter()
    for (_, outcome), number in kinds.items():
        by_outcome[outcome] += number
    delivered, bounced, complained = (
        by_outcome[each]
        for each in (DeliveryOutcome.DELIVERED, DeliveryOutcome.BOUNCED, DeliveryOutcome.COMPLAINED)
    )
    some = "bounced" in told or delivered + bounced + complained > 0
    return Outcomes(
        delivered=delivered if delivered or "delivered" in told else None,
        bounced=bounced if some else None,
        complained=complained if some else None,
        no_word=kinds[DeliveryState.ACCEPTED, DeliveryOutcome.UNKNOWN],
        unsubscribed=unsubscribed,
    )


def left_after(connection: Connection, record: IssueRecord) -> Select[tuple[int]] | None:
    """Return a Select of the ``id`` of who left between an issue and its edition's next; None before it was sent."""
    if record.sending_at is None:
        return None
    return leavers(record.edition, since=record.sending_at, until=store.next_sent_at(connection, record))


def events(connection: Connection, issue_id: int) -> dict[str, int]:
    """Return of how many deliveries of an issue each kind of event came, however often it did."""
    own = event_table.c
    rows = connection.execute(
        select(own.kind, func.count(own.subscriber_id.distinct()).label("n"))
        .where(own.issue_id == issue_id, own.kind.in_(_kinds_shown()))
        .group_by(own.kind)
    )
    found = {row.kind: row.n for row in rows}
    return {kind: found[kind] for kind in _kinds_shown() if found.get(kind)}


def added(several: Iterable[Outcomes]) -> Outcomes:
    """Add up the outcomes of several issues; what was told of some counts, what was told of none is None."""
    every = list(several)
    return Outcomes(**{each.name: _sum(every, each.name) for each in fields(Outcomes)})


def _sum(every: list[Outcomes], name: str) -> Any:
    told = [value for each in every if (value := getattr(each, name)) is not None]
    return sum(told) if told else Outcomes.__dataclass_fields__[name].default


def _kinds_shown() -> list[str]:
    return [kind.value for kind in EventKind if kind not in _TOLD_ELSEWHERE]


def _people(connection: Connection, gone: Select[tuple[int]]) -> int:
    return connection.execute(select(func.count(gone.subquery().c.id.distinct()))).scalar_one()
