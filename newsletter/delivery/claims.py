"""Claims: pages of an issue's deliveries that one process holds while it sends them.

A claim is committed to disk before the network is touched. Claim numbers are never used again, so the number in a row
is its fence: a process that was taken for dead cannot settle a row that went to another claim.

Every function takes the caller's transaction. The list of subscribers comes in as a `Select` of the columns
``id, email, name, key, edition_number`` (`subscribers.store.deliverable`); no foreign key crosses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Select,
    Update,
    any_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from newsletter.delivery.tables import claim_table, delivery, delivery_problem
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import DeliveryState, IssueState
from newsletter.store.tables import issue


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


def claim(
    connection: Connection, issue_id: int, audience: Select[Any], *, owner: str, provider: str, exposure: Exposure,
    limit: int, after: int, now: datetime, among: Select[tuple[int]] | None = None, outside: bool = False,
) -> Claim | None:  # fmt: skip
    """Take up to ``limit`` due rows with a subscriber id above ``after``; None if there are none.

    Of those only that ``among`` has (a Select of the list's ``id``), or, with ``outside``, that it has not.
    Those who left between plan and claim become suppressed and are not among the rows. Needs a durable
    transaction: what is claimed must be on disk before the network is touched.
    """
    how = _how_to(audience, among, outside, connection.dialect.name)
    wanted: dict[str, Any] = {"issue": issue_id, "after": after, "now": now}
    found = connection.execute(how.find, wanted | {"limit": limit})
    if connection.dialect.name == "sqlite":
        lowest, highest, number = found.one()
        wanted["high"] = highest
    else:
        ids = found.scalars().all()
        lowest, highest, number = (ids[0], ids[-1], len(ids)) if ids else (0, 0, 0)
        wanted = {"issue": issue_id, "ids": ids}
    if not number:
        return None
    created = connection.execute(
        insert(claim_table).values(
            issue_id=issue_id, owner=owner, provider=provider, exposure=exposure.value, claimed_at=now, heartbeat=now,
            lowest=lowest, highest=highest,
        )
    )  # fmt: skip
    assert created.inserted_primary_key is not None
    claim_id: int = created.inserted_primary_key[0]
    connection.execute(how.take, wanted | {"claim": claim_id})
    held = {"issue": issue_id, "low": lowest, "high": highest, "claim": claim_id}
    rows = tuple(map(ClaimedRow._make, connection.execute(how.read, held).all()))
    if len(rows) < number:
        _suppress_others(connection, held, {row.subscriber_id for row in rows})
    if not rows:
        close(connection, claim_id, now)
    return Claim(id=claim_id, issue_id=issue_id, rows=rows, last=highest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """The statements of a claim: find what is due, take it, read it with what the list says."""

    find: Executable
    take: Update
    read: Select[Any]


@lru_cache(maxsize=16)  # they take longer to make than to execute for some rows
def _how_to(audience: Select[Any], among: Select[tuple[int]] | None, outside: bool, dialect: str) -> _How:
    is_sending = exists().where(issue.c.id == bindparam("issue"), issue.c.state == IssueState.SENDING.value)
    of_issue = delivery.c.issue_id == bindparam("issue")
    wanted = [is_sending, of_issue, delivery.c.subscriber_id > bindparam("after"), *is_due(bindparam("now"))]
    if among is not None:
        chosen = among.where(among.selected_columns[0] == delivery.c.subscriber_id).exists()
        wanted.append(~chosen if outside else chosen)
    due = select(delivery.c.subscriber_id).where(*wanted).order_by(delivery.c.subscriber_id)
    due = due.limit(bindparam("limit"))
    if dialect == "sqlite":  # nobody else writes now: what is due up to the last is what was found
        found = due.subquery().c.subscriber_id
        find = select(func.min(found), func.max(found), func.count())
        wanted.append(delivery.c.subscriber_id <= bindparam("high"))
    else:
        find = due.with_for_update(skip_locked=True, of=delivery)
        wanted = [of_issue, delivery.c.subscriber_id == any_(bindparam("ids", type_=ARRAY(Integer)))]
    taking = {
        "state": int(DeliveryState.CLAIMED), "claim_id": bindparam("claim"), "attempt": delivery.c.attempt + 1,
    }  # fmt: skip
    return _How(find=find, take=update(delivery).where(*wanted).values(taking), read=_people_of(audience))


def _suppress_others(connection: Connection, held: Mapping[str, int], present: Set[int]) -> None:
    """Take those out of a claim who left since the plan, and are not ``present`` on the list any more."""
    claimed = connection.execute(select(delivery.c.subscriber_id).where(*of_claim()), held).scalars()
    left = set(claimed).difference(present)
    gone = {"state": int(DeliveryState.SUPPRESSED), "claim_id": None, "attempt": delivery.c.attempt - 1}
    # By key: a range would go through all that lies between.
    of_left = delivery.c.issue_id == held["issue"], delivery.c.subscriber_id.in_(left)
    connection.execute(update(delivery).where(*of_left, delivery.c.claim_id == held["claim"]).values(gone))


def of_claim() -> tuple[ColumnElement[bool], ...]:
    """Return what is so of the rows of a claim, which is given as ``issue``, ``low``, ``high`` and ``claim``."""
    return (
        delivery.c.issue_id == bindparam("issue"),
        delivery.c.subscriber_id.between(bindparam("low"), bindparam("high")),
        delivery.c.claim_id == bindparam("claim"),
    )


def _people_of(audience: Select[Any]) -> Select[Any]:
    """Return what reads the rows of a claim, which is given as for `of_claim`.

    Materialized: SQLite's planner hands the range on to the list, and looks at all of it for each row.
    """
    mine = (
        select(delivery.c.subscriber_id, delivery.c.attempt)
        .where(*of_claim())
        .cte()
        .prefix_with("MATERIALIZED")
    )
    people = audience.subquery()
    return (
        select(*people.c["id", "email", "name", "key", "edition_number"], mine.c.attempt)
        .join(mine, mine.c.subscriber_id == people.c.id)
        .order_by(mine.c.subscriber_id)
    )


def is_due(now: datetime | BindParameter[Any]) -> tuple[ColumnElement[bool], ...]:
    """Return what is so of rows that may be claimed at a time."""
    held_back = exists().where(
        delivery_problem.c.issue_id == delivery.c.issue_id,
        delivery_problem.c.subscriber_id == delivery.c.subscriber_id,
        delivery_problem.c.not_before > now,
    )
    return delivery.c.state == DeliveryState.PENDING, ~held_back


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


def last_claims(connection: Connection, issue_id: int) -> Sequence[Any]:
    """Return the open claims of an issue and its newest one: rows of ``owner, heartbeat, closed_at``."""
    of_issue = claim_table.c.issue_id == issue_id
    newest = select(func.max(claim_table.c.id)).where(of_issue).scalar_subquery()
    return connection.execute(
        select(*claim_table.c["owner", "heartbeat", "closed_at"]).where(
            of_issue, or_(claim_table.c.closed_at.is_(None), claim_table.c.id == newest)
        )
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
    close(connection, claim_id, now)
    return len(doubtful)


def close(connection: Connection, claim_id: int, now: datetime) -> None:
    """Put down that nothing is held by a claim any more."""
    connection.execute(update(claim_table).where(claim_table.c.id == claim_id).values(closed_at=now))
