"""What a person leaves behind in the tables of delivery, and how it goes when the person is erased.

A delivery is a number beside a number and stays: the counts of an issue are those that were sent. What servers,
providers and our own mail said of the person goes.
"""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.delivery.tables import delivery_problem, domain_time, event_table, notice_table
from newsletter.delivery.timing import domain_of
from newsletter.store.tables import issue, schedule_run
from subscribers.store import mailboxes
from subscribers.traces import Traces, sweep

WRITTEN = (issue.c.reason, issue.c.warnings, schedule_run.c.reason, delivery_problem.c.reply)
PAYLOADS = (event_table.c.payload, notice_table.c.payload)


def left_behind(connection: sa.Connection, subscriber_id: int) -> dict[str, int]:
    """Count what `forget` takes that is the person's own: replies of servers, events and notices."""
    return {
        "replies": _count(connection, delivery_problem, subscriber_id),
        "events": _count(connection, event_table, subscriber_id),
        "notices": _count(connection, notice_table, subscriber_id),
    }


def forget(connection: sa.Connection, subscriber_id: int, email: str) -> None:
    """Take a person's address and words out of the tables of delivery, and of others' rows that quote the address."""
    connection.execute(
        sa.update(delivery_problem).where(delivery_problem.c.subscriber_id == subscriber_id).values(reply="")
    )
    connection.execute(
        sa.update(event_table).where(event_table.c.subscriber_id == subscriber_id).values(payload=b"")
    )
    traces = Traces(email)
    own = sa.or_(
        notice_table.c.subscriber_id == subscriber_id,
        sa.func.lower(notice_table.c.address).in_(traces.needles()),
    )
    connection.execute(sa.delete(notice_table).where(own))
    others = mailboxes().subquery()
    shared = sa.exists().where(others.c.domain == domain_of(email), others.c.id != subscriber_id)
    connection.execute(sa.delete(domain_time).where(domain_time.c.domain == domain_of(email), ~shared))
    sweep(connection, traces, WRITTEN)
    for column in PAYLOADS:
        _sweep_bytes(connection, traces, column)


def _sweep_bytes(connection: sa.Connection, traces: Traces, column: sa.Column[bytes]) -> None:
    """Take an address out of a column of bytes, which are JSON; PostgreSQL finds them as it would escape them."""
    table, is_sqlite = column.table, connection.dialect.name == "sqlite"
    text = sa.cast(column, sa.Text) if is_sqlite else sa.func.encode(column, "escape")
    needles = [needle if is_sqlite else _escaped(needle) for needle in traces.needles()]
    quoted = [sa.func.lower(text).contains(needle, autoescape=True) for needle in needles]
    for number, payload in connection.execute(sa.select(table.c.id, column).where(sa.or_(*quoted))).all():
        without = traces.redact(payload.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        connection.execute(sa.update(table).where(table.c.id == number).values({column: without}))


def _escaped(text: str) -> str:
    """Return a text as PostgreSQL writes its bytes in the format "escape"."""
    return "".join(chr(byte) if byte < 128 else f"\\{byte:03o}" for byte in text.encode())


def _count(connection: sa.Connection, table: sa.Table, subscriber_id: int) -> int:
    counted = sa.select(sa.func.count()).select_from(table).where(table.c.subscriber_id == subscriber_id)
    return connection.execute(counted).scalar_one()
