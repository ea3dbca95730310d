"""A ledger that was restored from a backup: it does not know what was sent since, so nothing is sent from it.

It is marked, until somebody acknowledges that. Then what was not settled in it is uncertain and held, whatever the
provider: the letters may have gone out after the backup was made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, and_, exists, func, insert, literal, select, update

from newsletter.delivery import notices
from newsletter.delivery.tables import claim_table, delivery, delivery_problem
from newsletter.errors import DatabaseError
from newsletter.states import DeliveryState, IssueState
from newsletter.store.installation import get_setting, put_setting, remove_setting
from newsletter.store.issues import newest_issue
from newsletter.store.tables import issue

_MARK = "restored"
_BACK = timedelta(days=4)  # as far as a run goes back for a day
_BEGUN = issue.c.state.not_in(
    [IssueState.FINISHED.value, IssueState.CANCELLED.value]
)  # a draft may be sent by now
_UNSETTLED = delivery.c.state.in_([int(DeliveryState.PENDING), int(DeliveryState.CLAIMED)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An issue that was begun when the backup was made, with the number of its unsettled deliveries."""

    name: str
    state: IssueState
    unsettled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What a restored database cannot know: issues that were begun, and by edition the days since its last issue.

    ``notices`` of the newsletter's own mails go out, perhaps again.
    """

    made: datetime
    begun: tuple[Begun, ...]
    since: dict[str, tuple[date, date]]
    notices: int

    @property
    def held(self) -> int:
        """How many deliveries wait for a decision once it is acknowledged."""
        return sum(issue.unsettled for issue in self.begun)


def mark(connection: Connection, made: datetime) -> None:
    """Mark a ledger as one of a backup; a mark that it has is of an earlier time, and stays."""
    put_setting(connection, _MARK, made.isoformat())


def made_at(connection: Connection) -> datetime | None:
    """Return when the backup was made that this ledger is from, None where it is no restored one."""
    found = get_setting(connection, _MARK)
    return datetime.fromisoformat(found).astimezone(UTC) if found is not None else None


def check(connection: Connection) -> None:
    """Raise `DatabaseError` for a restored ledger: before anything is sent from it a person has to look."""
    made = made_at(connection)
    if made is not None:
        raise DatabaseError(
            f"was restored from a backup of {made:%Y-%m-%d %H:%M} UTC, and does not know what was sent since; nothing "
            "is sent",
            subject="the database",
            remedy="`newsletter backup restore --acknowledge` lets it send again; add --sent DAY for each issue that "
            "went out since, or it is sent again",
        )  # fmt: skip


def begun(connection: Connection) -> list[Begun]:
    """Return the issues that were begun and not finished, oldest first."""
    number = func.count(delivery.c.subscriber_id)
    of_issue = and_(delivery.c.issue_id == issue.c.id, _UNSETTLED)
    rows = connection.execute(
        select(issue.c.day, issue.c.edition, issue.c.state, number)
        .outerjoin_from(issue, delivery, of_issue)
        .where(_BEGUN)
        .group_by(issue.c.id)
        .order_by(issue.c.day, issue.c.edition)
    )
    return [
        Begun(name=f"{day}/{edition}", state=IssueState(state), unsettled=unsettled)
        for day, edition, state, unsettled in rows
    ]


def doubts(connection: Connection, editions: Iterable[str], last: date) -> Doubts:
    """Return what may have been sent, up to a day, since the backup was made that a marked ledger is from."""
    made = made_at(connection)
    assert made is not None
    since = {}
    for edition in editions:
        newest = newest_issue(connection, edition, tuple(IssueState))
        first = newest.day + timedelta(days=1) if newest is not None else made.date() - _BACK
        if first <= last:
            since[edition] = first, last
    return Doubts(made=made, begun=tuple(begun(connection)), since=since, notices=notices.waiting(connection))


def acknowledge(connection: Connection, now: datetime) -> int:
    """Hold every unsettled delivery of an issue that was begun, and take the mark away; return how many are held."""
    chosen = and_(delivery.c.issue_id.in_(select(issue.c.id).where(_BEGUN)), _UNSETTLED)
    problem = delivery_problem.c
    noted = exists().where(
        problem.issue_id == delivery.c.issue_id, problem.subscriber_id == delivery.c.subscriber_id,
        problem.attempt == delivery.c.attempt,
    )  # fmt: skip
    reply = "the database was restored from a backup; it may have been sent since that was made"
    rows = select(
        delivery.c.issue_id, delivery.c.subscriber_id, delivery.c.attempt, literal(now, problem.at.type),
        literal("restored"), literal(reply),
    ).where(chosen, ~noted)  # fmt: skip
    columns = ["issue_id", "subscriber_id", "attempt", "at", "cause", "reply"]
    connection.execute(insert(delivery_problem).from_select(columns, rows))
    held = connection.execute(
        update(delivery).where(chosen).values(state=int(DeliveryState.UNCERTAIN), claim_id=None)
    ).rowcount
    connection.execute(update(claim_table).where(claim_table.c.closed_at.is_(None)).values(closed_at=now))
    remove_setting(connection, _MARK)
    return held
