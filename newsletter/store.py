"""Papers, days, vote observations and issues: their SQL, all of it. Functions take the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from newsletter.database import NAMING_CONVENTION
from newsletter.errors import DatabaseError, IssueError
from newsletter.models import DayKind, DayOfPapers, IssueState, Paper, VoteCount
from subscribers.schema import UtcTime

metadata = MetaData(naming_convention=NAMING_CONVENTION)

installation = Table(
    "installation",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)
paper = Table(
    "paper",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("title", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON of the Paper without votes
    Column("updated_at", UtcTime, nullable=False),
)
source_day = Table(
    "source_day",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("taken_at", UtcTime, nullable=False),
    Column("page", Text),
    Column("warnings", Text, nullable=False),  # JSON list
)
source_day_paper = Table(
    "source_day_paper",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("paper_id", ForeignKey("paper.id"), primary_key=True),
    Column("position", Integer, nullable=False),
)
vote = Table(
    "vote",
    metadata,
    Column("paper_id", ForeignKey("paper.id"), primary_key=True),
    Column("taken_at", UtcTime, primary_key=True),
    Column("votes", Integer, nullable=False),
)
issue = Table(
    "issue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition", String(32), nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("kind", String(16), nullable=False),
    Column("document", LargeBinary, nullable=False),  # the object of issue.json
    Column("created_at", UtcTime, nullable=False),
    Column("approved_at", UtcTime),
    Column("sending_at", UtcTime),
    Column("finished_at", UtcTime),
    UniqueConstraint("edition", "day"),
    UniqueConstraint("edition", "number"),
    sqlite_autoincrement=True,
)
issue_paper = Table(
    "issue_paper",
    metadata,
    Column("issue_id", ForeignKey("issue.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("paper_id", String(255), nullable=False),
    Index(None, "paper_id"),
)

TRANSITIONS: dict[IssueState, frozenset[IssueState]] = {
    IssueState.DRAFT: frozenset({IssueState.APPROVED, IssueState.HELD, IssueState.CANCELLED}),
    IssueState.APPROVED: frozenset({IssueState.SENDING, IssueState.HELD, IssueState.CANCELLED}),
    IssueState.SENDING: frozenset({IssueState.PAUSED, IssueState.FINISHED, IssueState.CANCELLED}),
    IssueState.PAUSED: frozenset({IssueState.SENDING, IssueState.CANCELLED}),
    IssueState.FINISHED: frozenset({IssueState.SENDING}),  # deliveries that are sent again by hand
    IssueState.HELD: frozenset({IssueState.DRAFT, IssueState.APPROVED, IssueState.CANCELLED}),
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
    document: dict[str, Any]
    created_at: datetime
    sending_at: datetime | None
    finished_at: datetime | None

    @property
    def name(self) -> str:
        """The issue in commands and messages: DAY/EDITION."""
        return f"{self.day.isoformat()}/{self.edition}"


def get_setting(connection: Connection, name: str) -> str | None:
    """Return a fact about this installation, such as its secret's fingerprint."""
    return connection.execute(
        select(installation.c.value).where(installation.c.name == name)
    ).scalar_one_or_none()


def put_setting(connection: Connection, name: str, value: str) -> None:
    """Store a fact about this installation; it must not exist yet."""
    connection.execute(insert(installation).values(name=name, value=value))


def save_day(connection: Connection, collected: DayOfPapers) -> None:
    """Store a collected day: its kind, its papers, and one vote observation a paper.

    Collecting a day again updates its papers and adds observations; a failed collection never removes papers.
    """
    key = {"source": collected.source, "day": collected.day}
    day_row = {
        **key,
        "kind": collected.kind.value,
        "taken_at": collected.taken_at,
        "page": collected.page,
        "warnings": msgspec.json.encode(collected.warnings).decode(),
    }
    _upsert(connection, source_day, [day_row])
    if not collected.papers:
        return
    now = collected.taken_at
    _upsert(
        connection,
        paper,
        [
            {"id": p.id, "title": p.title, "document": _encode_paper(p), "updated_at": now}
            for p in collected.papers
        ],
    )
    observed = [
        {"paper_id": p.id, "taken_at": now, "votes": p.votes} for p in collected.papers if p.votes is not None
    ]
    _upsert(connection, vote, observed)
    in_day = (source_day_paper.c.source == collected.source, source_day_paper.c.day == collected.day)
    connection.execute(delete(source_day_paper).where(*in_day))
    connection.execute(
        insert(source_day_paper),
        [
            {**key, "paper_id": item.id, "position": position}
            for position, item in enumerate(collected.papers)
        ],
    )


def _upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; where the primary key exists, replace the other columns."""
    if not rows:
        return
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = build(table)
    replaced = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=replaced), list(rows)
    )


def load_day(connection: Connection, source: str, day: date) -> DayOfPapers | None:
    """Return a collected day with the votes as last observed, None if it was never collected."""
    found = connection.execute(
        select(source_day).where(source_day.c.source == source, source_day.c.day == day)
    ).one_or_none()
    if found is None:
        return None
    rows = connection.execute(
        select(paper.c.document, paper.c.id)
        .join(source_day_paper, source_day_paper.c.paper_id == paper.c.id)
        .where(source_day_paper.c.source == source, source_day_paper.c.day == day)
        .order_by(source_day_paper.c.position)
    ).all()
    latest = _latest_votes(connection, source, day)
    return DayOfPapers(
        source=source,
        day=day,
        kind=DayKind(found.kind),
        papers=tuple(_decode_paper(row.document, latest.get(row.id)) for row in rows),
        taken_at=found.taken_at,
        page=found.page,
        warnings=tuple(msgspec.json.decode(found.warnings, type=list[str])),
    )


def _latest_votes(connection: Connection, source: str, day: date) -> dict[str, int]:
    members = select(source_day_paper.c.paper_id).where(
        source_day_paper.c.source == source, source_day_paper.c.day == day
    )
    newest = (
        select(vote.c.paper_id, func.max(vote.c.taken_at).label("taken_at"))
        .where(vote.c.paper_id.in_(members))
        .group_by(vote.c.paper_id)
        .subquery()
    )
    joined = vote.join(
        newest, (vote.c.paper_id == newest.c.paper_id) & (vote.c.taken_at == newest.c.taken_at)
    )
    return {
        row.paper_id: row.votes
        for row in connection.execute(select(vote.c.paper_id, vote.c.votes).select_from(joined))
    }


def newest_day(connection: Connection) -> DayOfPapers | None:
    """Return the newest collected day that has papers."""
    row = connection.execute(
        select(source_day_paper.c.source, source_day_paper.c.day)
        .order_by(source_day_paper.c.day.desc(), source_day_paper.c.source)
        .limit(1)
    ).one_or_none()
    return load_day(connection, row.source, row.day) if row else None


def find_day(connection: Connection, day: date) -> DayOfPapers | None:
    """Return a collected day that has papers, from whichever source."""
    row = connection.execute(
        select(source_day_paper.c.source)
        .where(source_day_paper.c.day == day)
        .order_by(source_day_paper.c.source)
        .limit(1)
    ).scalar_one_or_none()
    return load_day(connection, row, day) if row else None


def vote_history(connection: Connection, paper_id: str) -> list[VoteCount]:
    """Return every observation of a paper's votes, oldest first."""
    rows = connection.execute(select(vote).where(vote.c.paper_id == paper_id).order_by(vote.c.taken_at))
    return [VoteCount(paper_id=row.paper_id, votes=row.votes, taken_at=row.taken_at) for row in rows]


def create_issue(
    connection: Connection, *, edition: str, day: date, kind: DayKind, document: dict[str, Any], now: datetime
) -> IssueRecord:
    """Store a new issue as approved; raise `IssueError` if the edition has one for that day."""
    if find_issue(connection, edition, day) is not None:
        raise IssueError("exists already", subject=f"issue {day}/{edition}")
    number = next_number(connection, edition)
    created = connection.execute(
        insert(issue).values(
            edition=edition, day=day, number=number, state=IssueState.APPROVED.value, kind=kind.value,
            document=msgspec.json.encode(document), created_at=now, approved_at=now,
        )
    )  # fmt: skip
    key = created.inserted_primary_key
    assert key is not None
    entries = [
        {"issue_id": key[0], "position": position, "paper_id": entry["id"]}
        for position, entry in enumerate(document["entries"])
    ]
    if entries:
        connection.execute(insert(issue_paper), entries)
    found = find_issue(connection, edition, day)
    assert found is not None
    return found


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


def find_issue(connection: Connection, edition: str, day: date) -> IssueRecord | None:
    """Return an edition's issue of a day."""
    row = connection.execute(
        select(issue).where(issue.c.edition == edition, issue.c.day == day)
    ).one_or_none()
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
        reason=row.reason, kind=DayKind(row.kind), document=msgspec.json.decode(row.document),
        created_at=row.created_at, sending_at=row.sending_at, finished_at=row.finished_at,
    )  # fmt: skip


def _encode_paper(item: Paper) -> bytes:
    return msgspec.json.encode(replace(item, votes=None))


def _decode_paper(document: bytes, votes: int | None) -> Paper:
    try:
        return replace(msgspec.json.decode(document, type=Paper), votes=votes)
    except msgspec.DecodeError as error:
        raise DatabaseError(f"a stored paper cannot be read ({error})", subject="table paper") from error
