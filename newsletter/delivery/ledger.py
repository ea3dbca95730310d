"""The ledger: one row for each (issue, subscriber), written before anything is sent, settled after each answer.

A row goes ``pending -> claimed -> accepted | rejected | uncertain | suppressed | cancelled``; who holds what is claimed
stands in `claims`.

Every function takes the caller's transaction. The list of subscribers comes in as a `Select` of the columns
``id, email, name, key, edition_number`` (`subscribers.store.deliverable`); no foreign key crosses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal,
    select,
    update,
)

from newsletter.delivery import claims
from newsletter.delivery.claims import Claim, ClaimedRow
from newsletter.delivery.tables import claim_table, delivery, delivery_problem, delivery_total, letter_table
from newsletter.errors import IssueError
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.models.issues import Letter
from newsletter.protocols import OnUncertain
from newsletter.states import Counts, DeliveryOutcome, DeliveryState, IssueState, counts_of
from newsletter.store.tables import issue

MOST_RESENDS = 2
_JITTER = (
    5  # pauses are longer by up to a fifth, so that those who were refused together do not come back together
)
_STATE_OF = {
    Outcome.ACCEPTED: DeliveryState.ACCEPTED,
    Outcome.REJECTED: DeliveryState.REJECTED,
    Outcome.UNCERTAIN: DeliveryState.UNCERTAIN,
    Outcome.RETRY: DeliveryState.PENDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a temporary refusal is tried again: pauses double from ``first`` to ``longest``, until ``give_up``."""

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)
    give_up: timedelta = timedelta(hours=12)

    def pause(self, attempt: int, row: int = 0) -> timedelta:
        """Return how long to wait after an attempt, counted from 1; longer for some rows than for others."""
        doubled: int = 2 ** min(attempt - 1, 20)
        plain = max(self.first, min(self.first * doubled, self.longest))
        return plain + plain / _JITTER * (hash((row, attempt)) % 1000 / 1000)  # of numbers: always the same


PATIENCE = Patience()


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


def settle(
    connection: Connection,
    held: Claim,
    row: ClaimedRow,
    receipt: Receipt,
    now: datetime,
    *,
    on_uncertain: OnUncertain,
    patience: Patience = PATIENCE,
) -> bool:
    """Write down a provider's answer; False if the row is no longer this claim's (another took it over).

    With `OnUncertain.RESEND` an uncertain one is sent again later, with the same Message-ID: once, because a server
    that takes letters and never says so would get them for good. A temporary refusal ends when ``patience`` does, as
    a rejection with the last reply.
    """
    state, again = _STATE_OF[receipt.outcome], False
    if receipt.outcome is Outcome.RETRY:
        first = _first_problem(connection, held.issue_id, row.subscriber_id)
        again = first is None or now - first < patience.give_up
        state = DeliveryState.PENDING if again else DeliveryState.REJECTED
    elif (
        receipt.outcome is Outcome.UNCERTAIN
        and on_uncertain is OnUncertain.RESEND
        and row.attempt < MOST_RESENDS
    ):
        again, state = True, DeliveryState.PENDING
    written = connection.execute(
        update(delivery)
        .where(
            delivery.c.issue_id == held.issue_id,
            delivery.c.subscriber_id == row.subscriber_id,
            delivery.c.claim_id == held.id,
            delivery.c.state == DeliveryState.CLAIMED,
        )
        .values(state=int(state))
    )
    if written.rowcount != 1:
        return False
    if receipt.outcome is not Outcome.ACCEPTED:
        not_before = now + patience.pause(row.attempt, row.subscriber_id) if again else None
        cause = receipt.outcome.value
        _problem(
            connection, held.issue_id, row.subscriber_id, row.attempt, now, cause, receipt.reply, not_before
        )
    return True


# What a batch is settled by; made once, because a statement takes longer to make than to execute for some rows.
_MINE = claims.of_claim()
_LOCK = select(delivery.c.subscriber_id).where(*_MINE).order_by(delivery.c.subscriber_id).with_for_update()
_ACCEPT = (
    update(delivery)
    .where(*_MINE, delivery.c.state == DeliveryState.CLAIMED)
    .values(state=int(DeliveryState.ACCEPTED))
)
_ACCEPTED = select(delivery.c.subscriber_id).where(*_MINE, delivery.c.state == DeliveryState.ACCEPTED)
_NAME = (
    update(claim_table).where(claim_table.c.id == bindparam("claim")).values(provider_id=bindparam("names"))
)


def settle_batch(
    connection: Connection,
    held: Claim,
    answers: Sequence[tuple[ClaimedRow, Receipt]],
    now: datetime,
    *,
    on_uncertain: OnUncertain,
    patience: Patience = PATIENCE,
) -> frozenset[int]:
    """Write down the answers to the first rows of a claim, in their order; return those that were still this claim's.

    The same as `settle` of each; those that were accepted are one statement. Such a one that an event settled
    meanwhile counts as this claim's. A claim of which nothing is left is closed.
    """
    # In the order in which events settle, so that neither waits for the other; SQLite has one lock for all.
    if answers and connection.dialect.name != "sqlite":
        first, last = answers[0][0].subscriber_id, answers[-1][0].subscriber_id
        connection.execute(_LOCK, _range_of(held, first, last))
    ours = {
        row.subscriber_id
        for row, receipt in answers
        if receipt.outcome is not Outcome.ACCEPTED
        and settle(connection, held, row, receipt, now, on_uncertain=on_uncertain, patience=patience)
    }
    accepted = [row.subscriber_id for row, receipt in answers if receipt.outcome is Outcome.ACCEPTED]
    if accepted:
        ours.update(_accept(connection, held, accepted, answers))
    if len(ours) == len(held.rows):
        claims.close(connection, held.id, now)
    return frozenset(ours)


def _accept(
    connection: Connection,
    held: Claim,
    accepted: Sequence[int],
    answers: Sequence[tuple[ClaimedRow, Receipt]],
) -> Sequence[int]:
    """Write down who was accepted, with the provider's names for it; return those that were this claim's."""
    range_of = _range_of(held, accepted[0], accepted[-1])
    number = connection.execute(_ACCEPT, range_of).rowcount
    names = " ".join(dict.fromkeys(receipt.provider_id for _, receipt in answers if receipt.provider_id))
    connection.execute(_NAME, {"claim": held.id, "names": names})
    if number == len(accepted):
        return accepted
    settled = connection.execute(_ACCEPTED, range_of).scalars()
    return sorted(set(accepted).intersection(settled))


def _range_of(held: Claim, first: int, last: int) -> Mapping[str, int]:
    return {"issue": held.issue_id, "low": first, "high": last, "claim": held.id}


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


def _first_problem(connection: Connection, issue_id: int, subscriber_id: int) -> datetime | None:
    """Return when a delivery began to be put off: since it last came to an end, if somebody let it begin again."""
    of_row = (
        delivery_problem.c.issue_id == issue_id,
        delivery_problem.c.subscriber_id == subscriber_id,
    )
    concluded = select(func.max(delivery_problem.c.attempt)).where(
        *of_row, delivery_problem.c.not_before.is_(None)
    )
    last = connection.execute(concluded).scalar() or 0
    return connection.execute(
        select(func.min(delivery_problem.c.at)).where(*of_row, delivery_problem.c.attempt > last)
    ).scalar()


def _problem(
    connection: Connection, issue_id: int, subscriber_id: int, attempt: int, now: datetime, cause: str, reply: str,
    not_before: datetime | None,
) -> None:  # fmt: skip
    connection.execute(
        insert(delivery_problem).values(
            issue_id=issue_id, subscriber_id=subscriber_id, attempt=attempt, at=now, cause=cause, reply=reply,
            not_before=not_before,
        )
    )  # fmt: skip
