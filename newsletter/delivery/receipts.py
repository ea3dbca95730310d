"""Receipts are written down: a provider's answers settle the rows that a claim holds, and say why where they must.

`settling` writes the usual one down faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from newsletter.delivery import claims
from newsletter.delivery.claims import Claim, ClaimedRow
from newsletter.delivery.patience import PATIENCE, Patience
from newsletter.delivery.tables import claim_table, delivery, delivery_problem
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.protocols import OnUncertain
from newsletter.states import DeliveryState

MOST_RESENDS = 2
_STATE_OF = {
    Outcome.ACCEPTED: DeliveryState.ACCEPTED,
    Outcome.REJECTED: DeliveryState.REJECTED,
    Outcome.UNCERTAIN: DeliveryState.UNCERTAIN,
    Outcome.RETRY: DeliveryState.PENDING,
}


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
