"""The ledger: one row for each (issue, subscriber), written before anything is sent, settled after each answer.

A row goes ``pending -> claimed -> accepted | rejected | uncertain | suppressed | cancelled``; who holds what is claimed
stands in `claims`, how an answer settles it in `receipts`.

Every function takes the caller's transaction. The list of subscribers comes in as a `Select` of the columns
``id, email, name, key, edition_number`` (`subscribers.store.deliverable`); no foreign key crosses.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, insert, literal, select, update

from newsletter.delivery import claims
from newsletter.delivery.tables import delivery, delivery_problem, delivery_total, letter_table
from newsletter.errors import IssueError
from newsletter.models.issues import Letter
from newsletter.states import Counts, DeliveryOutcome, DeliveryState, IssueState, counts_of
from newsletter.store.tables import issue


def plan(connection: Connection, issue_id: int, letter: Letter, audience: Select[Any]) -> int:
    """Freeze an issue: its letter and a pending row for each subscriber of ``audience``; return their number.

    The rows that are there are counted against those that the database says it took from the audience, in the same
    transaction; `IssueError` if they differ.
    """
    connection.execute(
        insert(letter_table).values(issue_id=issue_id, variant=0, bytes=msgspec.json.encode(letter))
    )
    people = audience.subquery()
    rows = select(
        literal(issue_id), people.c.id, literal(0), literal(int(DeliveryState.PENDING)), literal(0),
        literal(int(DeliveryOutcome.UNKNOWN)),
    )  # fmt: skip
    columns = ["issue_id", "subscriber_id", "variant", "state", "attempt", "outcome"]
    planning = insert(delivery).from_select(columns, rows).execution_options(preserve_rowcount=True)
    expected = connection.execute(planning).rowcount
    stored = select(func.count()).where(delivery.c.issue_id == issue_id)
    planned = connection.execute(stored).scalar_one()
    if planned != expected:
        raise IssueError(
            f"{planned} deliveries were planned for {expected} subscribers", subject=f"issue {issue_id}"
        )
    return planned


def audience_size(connection: Connection, audience: Select[Any]) -> int:
    """Count whom an audience would reach now."""
    return connection.execute(select(func.count()).select_from(audience.subquery())).scalar_one()


def is_planned(connection: Connection, issue_id: int, subscriber_id: int) -> bool:
    """Say whether an issue has a delivery for a subscriber."""
    row = select(delivery.c.state).where(
        delivery.c.issue_id == issue_id, delivery.c.subscriber_id == subscriber_id
    )
    return connection.execute(row).one_or_none() is not None


def letter_bytes(connection: Connection, issue_id: int) -> bytes:
    """Return the frozen letter of an issue as it is stored."""
    document: bytes | None = connection.execute(
        select(letter_table.c.bytes).where(letter_table.c.issue_id == issue_id, letter_table.c.variant == 0)
    ).scalar_one_or_none()
    if document is None:
        raise IssueError(
            "has no letter", subject=f"issue {issue_id}", remedy="restore a copy of the database"
        )
    return document


def replace_letter(connection: Connection, issue_id: int, letter: Letter) -> None:
    """Put another letter in the place of an issue's, of which nothing was sent."""
    of_issue = letter_table.update().where(letter_table.c.issue_id == issue_id)
    connection.execute(of_issue.values(bytes=msgspec.json.encode(letter)))


def load_letter(connection: Connection, issue_id: int) -> Letter:
    """Return the frozen letter of an issue."""
    return msgspec.json.decode(letter_bytes(connection, issue_id), type=Letter)


def has_due(connection: Connection, issue_id: int, now: datetime) -> bool:
    """Say whether there is something to claim now."""
    due = (
        select(delivery.c.subscriber_id).where(delivery.c.issue_id == issue_id, *claims.is_due(now)).limit(1)
    )
    return connection.execute(due).first() is not None


def next_due(connection: Connection, issue_id: int) -> datetime | None:
    """Return when the next row that is held back may be tried again, None if there is none."""
    held_back = (
        select(func.max(delivery_problem.c.not_before).label("due"))
        .join(
            delivery,
            and_(
                delivery.c.issue_id == delivery_problem.c.issue_id,
                delivery.c.subscriber_id == delivery_problem.c.subscriber_id,
            ),
        )
        .where(delivery_problem.c.issue_id == issue_id, delivery.c.state == DeliveryState.PENDING)
        .group_by(delivery_problem.c.subscriber_id)
        .subquery()
    )
    return connection.execute(select(func.min(held_back.c.due))).scalar()


def state_of(connection: Connection, issue_id: int) -> IssueState:
    """Return the state of an issue now: another process may have paused or cancelled it."""
    return IssueState(connection.execute(select(issue.c.state).where(issue.c.id == issue_id)).scalar_one())


def cancel_waiting(connection: Connection, issue_id: int) -> int:
    """Put down that what is not handed over yet never will be; return how many rows that concerns."""
    waiting = update(delivery).where(
        delivery.c.issue_id == issue_id, delivery.c.state == DeliveryState.PENDING
    )
    return connection.execute(waiting.values(state=int(DeliveryState.CANCELLED))).rowcount


def counts(connection: Connection, issue_id: int) -> Counts:
    """Count an issue's deliveries, those that are rolled up too; the parts add up to ``prepared``."""
    kept = (
        select(delivery.c.state, func.count())
        .where(delivery.c.issue_id == issue_id)
        .group_by(delivery.c.state)
    )
    rolled_up = select(delivery_total.c.state, delivery_total.c.number).where(
        delivery_total.c.issue_id == issue_id
    )
    by_state: Counter[int] = Counter()
    for state, number in (*connection.execute(kept), *connection.execute(rolled_up)):
        by_state[state] += number
    return counts_of(by_state)
