"""Who got an issue and who did not: the rows of the ledger as people ask for them, and what is done about them.

Rows come by subscriber, a page in memory at a time. Addresses are not the ledger's: whoever shows a row asks the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, update

from newsletter.delivery.tables import delivery, delivery_problem
from newsletter.states import DeliveryOutcome, DeliveryState

_PAGE = 1_000
RETRIED = (DeliveryState.REJECTED,)
_ARRIVED = (DeliveryOutcome.DELIVERED, DeliveryOutcome.COMPLAINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A delivery; the last problem it had, if it had any (``cause`` empty: none)."""

    subscriber_id: int
    state: DeliveryState
    outcome: DeliveryOutcome
    attempt: int
    cause: str
    reply: str
    at: datetime | None
    not_before: datetime | None


def rows_of(
    connection: Connection, issue_id: int, states: Sequence[DeliveryState] = (), subscriber: int | None = None
) -> Iterator[DeliveryRow]:
    """Yield the deliveries of an issue, by subscriber; of some states, or of one subscriber, where that is asked."""
    after = 0
    while rows := connection.execute(_page(issue_id, states, subscriber, after)).all():
        for row in rows:
            yield DeliveryRow(
                subscriber_id=row.subscriber_id, state=DeliveryState(row.state), outcome=DeliveryOutcome(row.outcome),
                attempt=row.attempt, cause=row.cause or "", reply=row.reply or "", at=row.at, not_before=row.not_before,
            )  # fmt: skip
        after = rows[-1].subscriber_id


def _page(
    issue_id: int, states: Sequence[DeliveryState], subscriber: int | None, after: int
) -> Any:  # fmt: skip
    problem = delivery_problem
    newest = (
        select(func.max(problem.c.attempt))
        .where(problem.c.issue_id == delivery.c.issue_id, problem.c.subscriber_id == delivery.c.subscriber_id)
        .correlate(delivery)
        .scalar_subquery()
    )
    rows = (
        select(
            *delivery.c["subscriber_id", "state", "outcome", "attempt"],
            *problem.c["cause", "reply", "at", "not_before"],
        )
        .outerjoin(
            problem,
            and_(
                problem.c.issue_id == delivery.c.issue_id,
                problem.c.subscriber_id == delivery.c.subscriber_id,
                problem.c.attempt == newest,
            ),
        )
        .where(delivery.c.issue_id == issue_id, delivery.c.subscriber_id > after)
        .order_by(delivery.c.subscriber_id)
        .limit(_PAGE)
    )
    if states:
        rows = rows.where(delivery.c.state.in_([int(state) for state in states]))
    return rows if subscriber is None else rows.where(delivery.c.subscriber_id == subscriber)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """How many deliveries somebody decided about; ``gone`` are those of people who may not be written to any more."""

    moved: int
    gone: int = 0


def again(
    connection: Connection, issue_id: int, states: Sequence[DeliveryState], subscriber: int | None,
    audience: Select[Any],
) -> Resolved:  # fmt: skip
    """Let deliveries be tried again that ended otherwise; never those that were taken or may not be written to.

    One that was refused may have been taken at an earlier try of which only an event told. Whoever is not among the
    ``audience`` any more keeps what they have.
    """
    assert not set(states) - {*RETRIED, DeliveryState.UNCERTAIN}
    not_there = delivery.c.outcome.not_in([int(outcome) for outcome in _ARRIVED])
    chosen = [*_chosen(issue_id, states, subscriber), not_there]
    here = audience.where(audience.selected_columns.id == delivery.c.subscriber_id).exists()
    gone = select(func.count()).select_from(delivery).where(*chosen, ~here)
    return Resolved(
        gone=connection.execute(gone).scalar_one(),
        moved=_move(connection, [*chosen, here], DeliveryState.PENDING),
    )


def assume_sent(connection: Connection, issue_id: int, subscriber: int | None) -> Resolved:
    """Count what is uncertain as taken."""
    uncertain = _chosen(issue_id, [DeliveryState.UNCERTAIN], subscriber)
    return Resolved(moved=_move(connection, uncertain, DeliveryState.ACCEPTED))


def _chosen(
    issue_id: int, states: Sequence[DeliveryState], subscriber: int | None
) -> list[ColumnElement[bool]]:
    chosen = [delivery.c.issue_id == issue_id, delivery.c.state.in_([int(state) for state in states])]
    return chosen if subscriber is None else [*chosen, delivery.c.subscriber_id == subscriber]


def _move(connection: Connection, chosen: Sequence[ColumnElement[bool]], to: DeliveryState) -> int:
    return connection.execute(update(delivery).where(*chosen).values(state=int(to), claim_id=None)).rowcount
