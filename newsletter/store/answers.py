"""What the sources answered, for replays; what feeds said of themselves; and the pace towards a host."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from newsletter.store.tables import pace, raw_answer, remembered
from newsletter.store.upsert import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """An answer as it came."""

    url: str
    status: int
    body: bytes


def keep_answer(connection: Connection, day: date, answer: RawAnswer, now: datetime) -> None:
    """Store an answer that a day was made of."""
    body = zlib.compress(answer.body, 6)
    connection.execute(
        insert(raw_answer).values(day=day, url=answer.url, status=answer.status, taken_at=now, body=body)
    )


def answers_of(connection: Connection, day: date, as_of: datetime) -> dict[str, RawAnswer]:
    """Return the last answer of each address for a day, as they were at a time."""
    rows = connection.execute(
        select(raw_answer)
        .where(raw_answer.c.day == day, raw_answer.c.taken_at <= as_of)
        .order_by(raw_answer.c.taken_at, raw_answer.c.id)
    )
    return {
        row.url: RawAnswer(url=row.url, status=row.status, body=zlib.decompress(row.body)) for row in rows
    }


def forget_answers(connection: Connection, before: date) -> int:
    """Remove the answers for days before a date; return how many there were."""
    return connection.execute(delete(raw_answer).where(raw_answer.c.day < before)).rowcount


def recall(connection: Connection, url: str) -> tuple[str, str, bytes] | None:
    """Return what an address said of its content the last time: ETag, Last-Modified and the content."""
    row = connection.execute(select(remembered).where(remembered.c.url == url)).one_or_none()
    return None if row is None else (row.etag, row.last_modified, zlib.decompress(row.body))


def remember(connection: Connection, url: str, etag: str, last_modified: str, body: bytes) -> None:
    """Store what an address said of its content."""
    row = {"url": url, "etag": etag, "last_modified": last_modified, "body": zlib.compress(body, 6)}
    upsert(connection, remembered, [row])


def reserve_turn(connection: Connection, name: str, pause: timedelta, now: datetime) -> timedelta:
    """Take the next turn towards a host, over all processes; return how long to wait for it."""
    row = connection.execute(
        select(pace.c.free_at).where(pace.c.name == name).with_for_update()
    ).one_or_none()
    turn = now if row is None else max(now, min(row.free_at, now + 60 * pause))  # a clock that jumped back
    if row is None:
        upsert(connection, pace, [{"name": name, "free_at": turn + pause}])
    else:
        connection.execute(update(pace).where(pace.c.name == name).values(free_at=turn + pause))
    return turn - now
