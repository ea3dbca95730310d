"""Collected days, their papers, and every observation of votes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, select

from newsletter.errors import DatabaseError
from newsletter.models.papers import DayKind, DayOfPapers, DayPart, Paper, VoteCount
from newsletter.store.tables import paper, source_day, source_day_paper, vote
from newsletter.store.upsert import upsert


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
        "parts": msgspec.json.encode(collected.parts).decode(),
    }
    upsert(connection, source_day, [day_row])
    if not collected.papers:
        return
    now = collected.taken_at
    upsert(
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
    upsert(connection, vote, observed)
    in_day = (source_day_paper.c.source == collected.source, source_day_paper.c.day == collected.day)
    connection.execute(delete(source_day_paper).where(*in_day))
    connection.execute(
        insert(source_day_paper),
        [
            {**key, "paper_id": item.id, "position": position}
            for position, item in enumerate(collected.papers)
        ],
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
        warnings=msgspec.json.decode(found.warnings, type=tuple[str, ...]),
        parts=msgspec.json.decode(found.parts, type=tuple[DayPart, ...]),
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
        select(source_day_paper.c.day).order_by(source_day_paper.c.day.desc()).limit(1)
    ).one_or_none()
    return find_day(connection, row.day) if row else None


def find_day(connection: Connection, day: date) -> DayOfPapers | None:
    """Return a collected day that has papers; of several collections the one that was taken last."""
    row = connection.execute(
        select(source_day.c.source)
        .where(
            source_day.c.day == day,
            exists().where(
                source_day_paper.c.source == source_day.c.source, source_day_paper.c.day == source_day.c.day
            ),
        )
        .order_by(source_day.c.taken_at.desc(), source_day.c.source)
        .limit(1)
    ).scalar_one_or_none()
    return load_day(connection, row, day) if row else None


def stored_days(connection: Connection) -> list[date]:
    """Return the days that have papers, oldest first."""
    rows = connection.execute(
        select(source_day_paper.c.day).distinct().order_by(source_day_paper.c.day)
    ).scalars()
    return list(rows)


def find_paper(connection: Connection, paper_id: str) -> tuple[Paper, tuple[date, ...]] | None:
    """Return a paper with its votes as last observed, and the days on which it was collected."""
    row = connection.execute(select(paper.c.document).where(paper.c.id == paper_id)).one_or_none()
    if row is None:
        return None
    days = connection.execute(
        select(source_day_paper.c.day)
        .where(source_day_paper.c.paper_id == paper_id)
        .distinct()
        .order_by(source_day_paper.c.day)
    ).scalars()
    history = vote_history(connection, paper_id)
    return _decode_paper(row.document, history[-1].votes if history else None), tuple(days)


def vote_history(connection: Connection, paper_id: str) -> list[VoteCount]:
    """Return every observation of a paper's votes, oldest first."""
    rows = connection.execute(select(vote).where(vote.c.paper_id == paper_id).order_by(vote.c.taken_at))
    return [VoteCount(paper_id=row.paper_id, votes=row.votes, taken_at=row.taken_at) for row in rows]


def _encode_paper(item: Paper) -> bytes:
    return msgspec.json.encode(replace(item, votes=None))


def _decode_paper(document: bytes, votes: int | None) -> Paper:
    try:
        return replace(msgspec.json.decode(document, type=Paper), votes=votes)
    except msgspec.DecodeError as error:
        raise DatabaseError(f"a stored paper cannot be read ({error})", subject="table paper") from error
