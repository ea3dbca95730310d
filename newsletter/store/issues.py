"""Issues: their life, their papers, their place in an edition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from newsletter.errors import IssueError
from newsletter.models.papers import DayKind, Refusal
from newsletter.states import IssueState
from newsletter.store.tables import issue, issue_paper

PAGE = 500  # ids in one statement
TRANSITIONS: dict[IssueState, frozenset[IssueState]] = {
    IssueState.DRAFT: frozenset({IssueState.APPROVED, IssueState.HELD, IssueState.CANCELLED}),
    IssueState.APPROVED: frozenset({IssueState.SENDING, IssueState.HELD, IssueState.CANCELLED}),
    IssueState.SENDING: frozenset(
        {IssueState.PAUSED, IssueState.FINISHED, IssueState.HELD, IssueState.CANCELLED}
    ),
    IssueState.PAUSED: frozenset(
        {IssueState.SENDING, IssueState.PAUSED, IssueState.HELD, IssueState.CANCELLED}
    ),  # again, for another reason
    IssueState.FINISHED: frozenset({IssueState.SENDING}),  # deliveries that are sent again by hand
    IssueState.HELD: frozenset(
        {IssueState.DRAFT, IssueState.APPROVED, IssueState.SENDING, IssueState.CANCELLED}
    ),
    IssueState.CANCELLED: frozenset(),
}
_STAMPS = {
    IssueState.APPROVED: "approved_at",
    IssueState.SENDING: "sending_at",
    IssueState.FINISHED: "finished_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord:
    """An issue as it is stored. ``document`` is the object of ``issue.json``."""

    id: int
    edition: str
    day: date
    number: int
    state: IssueState
    reason: str
    kind: DayKind
    warnings: tuple[str, ...]
    left_out: dict[str, str]
    refused: dict[str, tuple[Refusal, ...]]
    document: dict[str, Any]
    created_at: datetime
    sending_at: datetime | None
    finished_at: datetime | None

    @property
    def name(self) -> str:
        """The issue in commands and messages: DAY/EDITION."""
        return f"{self.day.isoformat()}/{self.edition}"


def create_issue(
    connection: Connection,
    *,
    edition: str,
    day: date,
    kind: DayKind,
    document: dict[str, Any],
    now: datetime,
    warnings: tuple[str, ...] = (),
    left_out: Iterable[tuple[str, str]] = (),
    refused: Mapping[str, Sequence[Refusal]] | None = None,
    draft: bool = False,
) -> IssueRecord:
    """Store a new issue as approved, or as a ``draft``; with what was left out and why, ``refused`` summaries by paper.

    Raise `IssueError` if the edition has an issue of that day.
    """
    if find_issue(connection, edition, day) is not None:
        raise IssueError("exists already", subject=f"issue {day}/{edition}")
    number = next_number(connection, edition)
    created = connection.execute(
        insert(issue).values(
            edition=edition, day=day, number=number, kind=kind.value,
            state=(IssueState.DRAFT if draft else IssueState.APPROVED).value,
            warnings=msgspec.json.encode(warnings).decode(), left_out=msgspec.json.encode(dict(left_out)).decode(),
            refused=msgspec.json.encode(refused or {}).decode(), document=msgspec.json.encode(document),
            created_at=now, approved_at=None if draft else now,
        )
    )  # fmt: skip
    key = created.inserted_primary_key
    assert key is not None
    issue_papers(connection, key[0], document)
    found = find_issue(connection, edition, day)
    assert found is not None
    return found


def issue_papers(connection: Connection, issue_id: int, document: Mapping[str, Any]) -> None:
    """Put down which papers an issue has."""
    entries = [
        {"issue_id": issue_id, "position": position, "paper_id": entry["id"]}
        for position, entry in enumerate(document["entries"])
    ]
    if entries:
        connection.execute(insert(issue_paper), entries)


def next_number(connection: Connection, edition: str) -> int:
    """Return the number that an edition's next issue gets, counting from 1."""
    highest = connection.execute(select(func.max(issue.c.number)).where(issue.c.edition == edition)).scalar()
    return (highest or 0) + 1


def move_issue(
    connection: Connection, record: IssueRecord, to: IssueState, now: datetime, reason: str = ""
) -> IssueRecord:
    """Move an issue to another state; raise `IssueError` where its life has no such step."""
    if to not in TRANSITIONS[record.state]:
        raise IssueError(
            f"is {record.state.value} and cannot become {to.value}", subject=f"issue {record.name}"
        )
    values: dict[str, Any] = {"state": to.value, "reason": reason}
    stamp = _STAMPS.get(to)
    if stamp is not None and getattr(record, stamp, None) is None:
        values[stamp] = now
    moved = connection.execute(
        update(issue).where(issue.c.id == record.id, issue.c.state == record.state.value).values(**values)
    )
    if moved.rowcount != 1:
        raise IssueError(
            "was changed by another process", subject=f"issue {record.name}", remedy="look at it again"
        )
    found = find_issue(connection, record.edition, record.day)
    assert found is not None
    return found


def find_issue(connection: Connection, edition: str, day: date, *, lock: bool = False) -> IssueRecord | None:
    """Return an edition's issue of a day; ``lock`` keeps others from changing it until the transaction ends."""
    wanted = select(issue).where(issue.c.edition == edition, issue.c.day == day)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _record(row) if row is not None else None


def issue_by_id(connection: Connection, number: int) -> IssueRecord:
    """Return the issue with an id; raise `IssueError` if there is none."""
    row = connection.execute(select(issue).where(issue.c.id == number)).one_or_none()
    if row is None:
        raise IssueError("does not exist", subject=f"issue with id {number}")
    return _record(row)


def newest_issue(connection: Connection, edition: str, states: Collection[IssueState]) -> IssueRecord | None:
    """Return an edition's issue of the latest day that is in one of some states."""
    wanted = select(issue).where(
        issue.c.edition == edition, issue.c.state.in_([each.value for each in states])
    )
    row = connection.execute(wanted.order_by(issue.c.day.desc()).limit(1)).one_or_none()
    return _record(row) if row is not None else None


def issue_editions(connection: Connection) -> list[str]:
    """Return the editions that have issues, by name."""
    return list(connection.execute(select(issue.c.edition).distinct().order_by(issue.c.edition)).scalars())


def issues_on(connection: Connection, day: date) -> list[IssueRecord]:
    """Return the issues of a day, of every edition."""
    rows = connection.execute(select(issue).where(issue.c.day == day).order_by(issue.c.edition))
    return [_record(row) for row in rows]


def all_issues(connection: Connection, edition: str | None, limit: int) -> list[IssueRecord]:
    """Return the newest issues, of one edition or of all."""
    wanted = select(issue) if edition is None else select(issue).where(issue.c.edition == edition)
    rows = connection.execute(wanted.order_by(issue.c.day.desc(), issue.c.edition).limit(limit))
    return [_record(row) for row in rows]


def sent_issues(connection: Connection, edition: str | None, limit: int) -> list[IssueRecord]:
    """Return the newest issues that were begun to be sent, of one edition or of all."""
    wanted = select(issue).where(issue.c.sending_at.is_not(None))
    if edition is not None:
        wanted = wanted.where(issue.c.edition == edition)
    rows = connection.execute(wanted.order_by(issue.c.day.desc(), issue.c.edition).limit(limit))
    return [_record(row) for row in rows]


def next_sent_at(connection: Connection, record: IssueRecord) -> datetime | None:
    """Return when an edition's next issue began to be sent, whatever its day; None while there is none."""
    after = select(func.min(issue.c.sending_at)).where(
        issue.c.edition == record.edition, issue.c.sending_at > record.sending_at
    )
    return connection.execute(after).scalar()


def sent_before(connection: Connection, record: IssueRecord, now: datetime) -> IssueRecord | None:
    """Return the issue of the same edition that began to be sent last before one, which may not have begun yet."""
    before = select(issue).where(
        issue.c.edition == record.edition,
        issue.c.id != record.id,
        issue.c.sending_at < (record.sending_at or now),
    )
    row = connection.execute(before.order_by(issue.c.sending_at.desc()).limit(1)).one_or_none()
    return _record(row) if row is not None else None


def unfinished_issues(connection: Connection, edition: str) -> list[IssueRecord]:
    """Return the issues of an edition that were begun and are not finished, oldest first."""
    states = (IssueState.APPROVED.value, IssueState.SENDING.value, IssueState.PAUSED.value)
    rows = connection.execute(
        select(issue).where(issue.c.edition == edition, issue.c.state.in_(states)).order_by(issue.c.day)
    )
    return [_record(row) for row in rows]


def _record(row: Row[Any]) -> IssueRecord:
    return IssueRecord(
        id=row.id, edition=row.edition, day=row.day, number=row.number, state=IssueState(row.state),
        reason=row.reason, kind=DayKind(row.kind),
        warnings=msgspec.json.decode(row.warnings, type=tuple[str, ...]),
        left_out=msgspec.json.decode(row.left_out, type=dict[str, str]),
        refused=msgspec.json.decode(row.refused, type=dict[str, tuple[Refusal, ...]]),
        document=msgspec.json.decode(row.document),
        created_at=row.created_at, sending_at=row.sending_at, finished_at=row.finished_at,
    )  # fmt: skip


def sent_papers(
    connection: Connection, edition: str, ids: Collection[str], *, but_on: date, as_of: datetime
) -> dict[str, date]:
    """Return which of these papers an edition had sent at a time, and on what day.

    A paper counts as sent once its issue is being sent. The issue of the day ``but_on`` does not count.
    """
    found: dict[str, date] = {}
    for page in batched(ids, PAGE):
        rows = connection.execute(
            select(issue_paper.c.paper_id, func.min(issue.c.day).label("day"))
            .join(issue, issue.c.id == issue_paper.c.issue_id)
            .where(
                issue_paper.c.paper_id.in_(page),
                issue.c.edition == edition,
                issue.c.day != but_on,
                issue.c.sending_at <= as_of,
            )
            .group_by(issue_paper.c.paper_id)
        )
        found |= {row.paper_id: row.day for row in rows}
    return found


def issues_of(connection: Connection, paper_id: str) -> dict[str, date]:
    """Return in which edition's issue, of what day, a paper was sent."""
    rows = connection.execute(
        select(issue.c.edition, func.min(issue.c.day).label("day"))
        .join(issue_paper, issue_paper.c.issue_id == issue.c.id)
        .where(issue_paper.c.paper_id == paper_id, issue.c.sending_at.is_not(None))
        .group_by(issue.c.edition)
        .order_by(issue.c.edition)
    )
    return {row.edition: row.day for row in rows}


def left_out_of(connection: Connection, paper_id: str) -> dict[str, str]:
    """Return the issues (DAY/EDITION) that a paper was a candidate for in vain, and why, oldest first."""
    pattern = f"%{msgspec.json.encode(paper_id).decode()}:%"
    rows = connection.execute(
        select(issue.c.edition, issue.c.day, issue.c.left_out)
        .where(issue.c.left_out.like(pattern))
        .order_by(issue.c.day, issue.c.edition)
    )
    found = {f"{row.day}/{row.edition}": msgspec.json.decode(row.left_out).get(paper_id) for row in rows}
    return {name: reason for name, reason in found.items() if reason is not None}


def batched(ids: Collection[str], size: int) -> Iterator[list[str]]:
    """Yield the ids in lists of at most ``size``."""
    every = list(ids)
    for start in range(0, len(every), size):
        yield every[start : start + size]
