"""What became of each local day's scheduled send of an edition: one row a day, which only one issue can have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, func, select, update

from newsletter.errors import IssueError
from newsletter.models.issues import Turn
from newsletter.states import IssueState
from newsletter.store.issues import IssueRecord, issue_by_id, move_issue
from newsletter.store.tables import issue, schedule_run
from newsletter.store.upsert import insert_into


class TurnState(Enum):
    """What became of a turn. What has its issue is told by that."""

    WAITING = "waiting"  # it was tried in vain, and is tried again until it is too late
    PLANNED = "planned"  # it has its issue
    HELD = "held"  # its issue was not begun in time, or could not be
    NOTHING = "nothing"  # there was nothing to send
    MISSED = "missed"  # nothing was planned in time


_UNFINISHED = (
    IssueState.DRAFT.value,
    IssueState.APPROVED.value,
    IssueState.SENDING.value,
    IssueState.PAUSED.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """A turn as it is stored; ``latest`` is UTC."""

    edition: str
    day: date
    latest: datetime
    issue_id: int | None
    state: TurnState
    reason: str


def find_turn(connection: Connection, edition: str, day: date) -> TurnRecord | None:
    """Return what is known of an edition's turn of a local day."""
    row = connection.execute(
        select(schedule_run).where(schedule_run.c.edition == edition, schedule_run.c.local_day == day)
    ).one_or_none()
    return _record(row) if row is not None else None


def last_turn(connection: Connection, edition: str) -> date | None:
    """Return the newest local day of which something is known."""
    newest = select(func.max(schedule_run.c.local_day)).where(schedule_run.c.edition == edition)
    return connection.execute(newest).scalar()


def waiting_turns(connection: Connection, edition: str) -> list[TurnRecord]:
    """Return the turns that are to be tried again, oldest first."""
    rows = select(schedule_run).where(
        schedule_run.c.edition == edition, schedule_run.c.state == TurnState.WAITING.value
    )
    return [_record(row) for row in connection.execute(rows.order_by(schedule_run.c.local_day))]


def unfinished_turns(connection: Connection, edition: str) -> list[tuple[TurnRecord, IssueRecord]]:
    """Return the turns whose issues are not finished, with these, oldest first."""
    rows = connection.execute(
        select(schedule_run)
        .join(issue, issue.c.id == schedule_run.c.issue_id)
        .where(schedule_run.c.edition == edition, issue.c.state.in_(_UNFINISHED))
        .order_by(schedule_run.c.local_day)
    ).all()
    return [(_record(row), issue_by_id(connection, row.issue_id)) for row in rows]


def newest_turns(
    connection: Connection, editions: Collection[str], limit: int
) -> list[tuple[TurnRecord, IssueRecord | None]]:
    """Return the newest turns of some editions with their issues, newest first."""
    rows = connection.execute(
        select(schedule_run)
        .where(schedule_run.c.edition.in_(editions))
        .order_by(schedule_run.c.local_day.desc(), schedule_run.c.edition)
        .limit(limit)
    ).all()
    return [
        (_record(row), issue_by_id(connection, row.issue_id) if row.issue_id is not None else None)
        for row in rows
    ]


def issue_of_turn(connection: Connection, edition: str, day: date) -> IssueRecord | None:
    """Return the issue of a turn, if it has one."""
    turn = find_turn(connection, edition, day)
    return issue_by_id(connection, turn.issue_id) if turn and turn.issue_id is not None else None


def take_turn(connection: Connection, edition: str, turn: Turn, issue_id: int, now: datetime) -> None:
    """Put down the issue of a turn; raise `IssueError` where it has one, or is over."""
    if not _put(connection, edition, turn, now, issue_id=issue_id, state=TurnState.PLANNED.value, reason=""):
        raise IssueError(
            "has its issue, or was given up, by another process",
            subject=f"the send of {edition} on {turn.day}",
        )


def turn_of(connection: Connection, issue_id: int) -> TurnRecord | None:
    """Return the turn of an issue, if it has one."""
    row = connection.execute(select(schedule_run).where(schedule_run.c.issue_id == issue_id)).one_or_none()
    return _record(row) if row is not None else None


def put_turn(
    connection: Connection, edition: str, turn: Turn, state: TurnState, reason: str, now: datetime
) -> bool:
    """Put down how a turn stands; False where it has an issue or is over, and stays as it is."""
    return _put(connection, edition, turn, now, issue_id=None, state=state.value, reason=reason)


def hold_issue(connection: Connection, record: IssueRecord, reason: str, now: datetime) -> IssueRecord:
    """Hold an issue that is too late, and its turn."""
    connection.execute(
        update(schedule_run)
        .where(schedule_run.c.issue_id == record.id)
        .values(state=TurnState.HELD.value, reason=reason, at=now)
    )
    return move_issue(connection, record, IssueState.HELD, now, reason)


def _put(connection: Connection, edition: str, turn: Turn, now: datetime, **values: str | int | None) -> bool:
    row: Mapping[str, Any] = {"latest": turn.latest, "at": now, **values}
    statement = insert_into(connection, schedule_run).values(edition=edition, local_day=turn.day, **row)
    putting = statement.on_conflict_do_update(
        index_elements=list(schedule_run.primary_key), set_=dict(row),
        where=schedule_run.c.state == TurnState.WAITING.value,
    )  # fmt: skip
    return connection.execute(putting.execution_options(preserve_rowcount=True)).rowcount == 1


def _record(row: Any) -> TurnRecord:
    return TurnRecord(
        edition=row.edition, day=row.local_day, latest=row.latest, issue_id=row.issue_id, state=TurnState(row.state),
        reason=row.reason,
    )  # fmt: skip
