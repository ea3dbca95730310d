"""The ledger: one row for each (issue, subscriber), written before anything is sent, settled after each answer.

A row goes ``pending -> claimed -> accepted | rejected | uncertain | suppressed | cancelled``. A claim is
committed to disk before the network is touched. Claim numbers are never used again, so the number in a row
is its fence: a process that was taken for dead cannot settle a row that went to another claim.

Every function takes the caller's transaction. The list of subscribers comes in as a `Select` of the columns
``id, email, name, key, edition_number`` (`subscribers.store.deliverable`); no foreign key crosses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    any_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from newsletter.delivery.processes import DEAD_AFTER as DEAD_AFTER
from newsletter.delivery.tables import claim_table, delivery, delivery_problem, delivery_total, letter_table
from newsletter.errors import IssueError
from newsletter.models import Counts, DeliveryOutcome, DeliveryState, IssueState, Letter, Outcome, Receipt
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import counts_of
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


class ClaimedRow(NamedTuple):
    """A delivery that this process holds, with what the list says of the subscriber now.

    A tuple, and not a dataclass, because there are as many of them as there are readers.
    """

    subscriber_id: int
    email: str
    name: str
    key: bytes
    edition_number: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A page of deliveries that one owner sends. ``last`` is the highest subscriber id it looked at."""

    id: int
    issue_id: int
    rows: tuple[ClaimedRow, ...]
    last: int


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


def claim(
    connection: Connection, issue_id: int, audience: Select[Any], *, owner: str, provider: str, exposure: Exposure,
    limit: int, after: int, now: datetime, among: Select[tuple[int]] | None = None, outside: bool = False,
) -> Claim | None:  # fmt: skip
    """Take up to ``limit`` due rows with a subscriber id above ``after``; None if there are none.

    Of those only that ``among`` has (a Select of the list's ``id``), or, with ``outside``, that it has not.
    Those who left between plan and claim become suppressed and are not among the rows. Needs a durable
    transaction: what is claimed must be on disk before the network is touched.
    """
    is_sending = exists().where(issue.c.id == issue_id, issue.c.state == IssueState.SENDING.value)
    wanted = [is_sending, delivery.c.issue_id == issue_id, delivery.c.subscriber_id > after, *_is_due(now)]
    if among is not None:
        chosen = among.where(among.selected_columns[0] == delivery.c.subscriber_id).exists()
        wanted.append(~chosen if outside else chosen)
    due = (
        select(delivery.c.subscriber_id)
        .where(*wanted)
        .order_by(delivery.c.subscriber_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=delivery)
    )
    ids = connection.execute(due).scalars().all()
    if not ids:
        return None
    created = connection.execute(
        insert(claim_table).values(
            issue_id=issue_id, owner=owner, provider=provider, exposure=exposure.value, claimed_at=now, heartbeat=now,
            lowest=ids[0], highest=ids[-1],
        )
    )  # fmt: skip
    assert created.inserted_primary_key is not None
    claim_id: int = created.inserted_primary_key[0]
    if (
        connection.dialect.name == "sqlite"
    ):  # nobody else writes now: what is due up to the last is what was found
        chosen_ids = and_(*wanted, delivery.c.subscriber_id <= ids[-1])
    else:
        chosen_ids = and_(
            delivery.c.issue_id == issue_id, delivery.c.subscriber_id == any_(literal(ids, ARRAY(Integer)))
        )
    taking = {"state": int(DeliveryState.CLAIMED), "claim_id": claim_id, "attempt": delivery.c.attempt + 1}
    connection.execute(update(delivery).where(chosen_ids).values(taking))
    held = {"issue": issue_id, "low": ids[0], "high": ids[-1], "claim": claim_id}
    rows = tuple(map(ClaimedRow._make, connection.execute(_people_of(audience), held).all()))
    if len(rows) < len(ids):
        left = set(ids).difference(row.subscriber_id for row in rows)
        gone = {"state": int(DeliveryState.SUPPRESSED), "claim_id": None, "attempt": delivery.c.attempt - 1}
        of_claim = (delivery.c.issue_id == issue_id, delivery.c.claim_id == claim_id)
        connection.execute(update(delivery).where(*of_claim, delivery.c.subscriber_id.in_(left)).values(gone))
    if not rows:
        _close(connection, claim_id, now)
    return Claim(id=claim_id, issue_id=issue_id, rows=rows, last=ids[-1])


@lru_cache(maxsize=16)  # it takes longer to make than to execute for some rows
def _people_of(audience: Select[Any]) -> Select[Any]:
    """Return what reads the rows of a claim, which is given as ``issue``, ``low``, ``high`` and ``claim``.

    Materialized: SQLite's planner hands the range on to the list, and looks at all of it for each row.
    """
    mine = (
        select(delivery.c.subscriber_id, delivery.c.attempt)
        .where(
            delivery.c.issue_id == bindparam("issue"),
            delivery.c.subscriber_id.between(bindparam("low"), bindparam("high")),
            delivery.c.claim_id == bindparam("claim"),
        )
        .cte()
        .prefix_with("MATERIALIZED")
    )
    people = audience.subquery()
    return (
        select(*people.c["id", "email", "name", "key", "edition_number"], mine.c.attempt)
        .join(mine, mine.c.subscriber_id == people.c.id)
        .order_by(mine.c.subscriber_id)
    )


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
    if answers:  # in the order in which events settle, so that neither waits for the other
        settled = delivery.c.subscriber_id.between(answers[0][0].subscriber_id, answers[-1][0].subscriber_id)
        locked = select(delivery.c.subscriber_id).where(
            delivery.c.issue_id == held.issue_id, settled, delivery.c.claim_id == held.id
        )
        connection.execute(locked.order_by(delivery.c.subscriber_id).with_for_update())
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
        _close(connection, held.id, now)
    return frozenset(ours)


def _accept(
    connection: Connection,
    held: Claim,
    accepted: Sequence[int],
    answers: Sequence[tuple[ClaimedRow, Receipt]],
) -> Sequence[int]:
    """Write down who was accepted, with the provider's names for it; return those that were this claim's."""
    among = (
        delivery.c.issue_id == held.issue_id,
        delivery.c.subscriber_id.between(accepted[0], accepted[-1]),
        delivery.c.claim_id == held.id,
    )
    taken = update(delivery).where(*among, delivery.c.state == DeliveryState.CLAIMED)
    number = connection.execute(taken.values(state=int(DeliveryState.ACCEPTED))).rowcount
    names = " ".join(dict.fromkeys(receipt.provider_id for _, receipt in answers if receipt.provider_id))
    connection.execute(update(claim_table).where(claim_table.c.id == held.id).values(provider_id=names))
    if number == len(accepted):
        return accepted
    settled = select(delivery.c.subscriber_id).where(*among, delivery.c.state == DeliveryState.ACCEPTED)
    return sorted(set(accepted).intersection(connection.execute(settled).scalars()))


def has_due(connection: Connection, issue_id: int, now: datetime) -> bool:
    """Say whether there is something to claim now."""
    due = select(delivery.c.subscriber_id).where(delivery.c.issue_id == issue_id, *_is_due(now)).limit(1)
    return connection.execute(due).first() is not None


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    held_back = exists().where(
        delivery_problem.c.issue_id == delivery.c.issue_id,
        delivery_problem.c.subscriber_id == delivery.c.subscriber_id,
        delivery_problem.c.not_before > now,
    )
    return delivery.c.state == DeliveryState.PENDING, ~held_back


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


def _close(connection: Connection, claim_id: int, now: datetime) -> None:
    connection.execute(update(claim_table).where(claim_table.c.id == claim_id).values(closed_at=now))


def beat(connection: Connection, claim_ids: Iterable[int], now: datetime) -> None:
    """Say that the owner of these claims is alive."""
    ids = list(claim_ids)
    if ids:
        connection.execute(update(claim_table).where(claim_table.c.id.in_(ids)).values(heartbeat=now))


def open_claims(connection: Connection, issue_id: int) -> Sequence[Any]:
    """Return the open claims of an issue: rows of ``id, owner, heartbeat, exposure, provider``."""
    return connection.execute(
        select(*claim_table.c["id", "owner", "heartbeat", "exposure", "provider"])
        .where(claim_table.c.issue_id == issue_id, claim_table.c.closed_at.is_(None))
        .order_by(claim_table.c.id)
    ).all()


def take_over(
    connection: Connection, issue_id: int, claim_id: int, exposure: Exposure, on_uncertain: OnUncertain, now: datetime
) -> int:  # fmt: skip
    """End a claim, of a dead owner or one's own; return how many of its open rows may have been written to.

    ``exposure`` says which these are. They are noted, and sent again with the same Message-ID or held as uncertain.
    The others were never handed over: they go back, and the attempt does not count.
    """
    still_open = connection.execute(
        select(claim_table.c.lowest, claim_table.c.highest)
        .where(claim_table.c.id == claim_id, claim_table.c.closed_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if still_open is None:
        return 0  # another process took it over
    held = (
        delivery.c.issue_id == issue_id,
        delivery.c.subscriber_id.between(still_open.lowest, still_open.highest),
        delivery.c.claim_id == claim_id,
        delivery.c.state == DeliveryState.CLAIMED,
    )
    rows = connection.execute(
        select(delivery.c.subscriber_id, delivery.c.attempt)
        .where(*held)
        .order_by(delivery.c.subscriber_id)
        .with_for_update()
    ).all()
    state = DeliveryState.UNCERTAIN if on_uncertain is OnUncertain.HOLD else DeliveryState.PENDING
    doubtful = {Exposure.NONE: rows[:0], Exposure.FIRST: rows[:1], Exposure.ALL: rows}[exposure]
    if doubtful:
        reply = "the process ended before the answer was written down"
        problems = [
            {
                "issue_id": issue_id, "subscriber_id": row.subscriber_id, "attempt": row.attempt, "at": now,
                "cause": "crash", "reply": reply, "not_before": None,
            }
            for row in doubtful
        ]  # fmt: skip
        connection.execute(insert(delivery_problem), problems)
        first = delivery.c.subscriber_id <= doubtful[-1].subscriber_id
        connection.execute(update(delivery).where(*held, first).values(state=int(state)))
    back = {"state": int(DeliveryState.PENDING), "claim_id": None, "attempt": delivery.c.attempt - 1}
    connection.execute(update(delivery).where(*held).values(back))
    _close(connection, claim_id, now)
    return len(doubtful)


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
