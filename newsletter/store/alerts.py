"""Which alerts were sent, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from newsletter.store.tables import alert
from newsletter.store.upsert import insert_into

KEPT = timedelta(days=30)


def is_news(connection: Connection, name: str, now: datetime, *, again: timedelta) -> bool:
    """Put down that something is told now; False where it was told within ``again``, by any process."""
    connection.execute(delete(alert).where(alert.c.at < now - KEPT))
    written = (
        insert_into(connection, alert)
        .values(name=name, at=now)
        .on_conflict_do_update(index_elements=["name"], set_={"at": now}, where=alert.c.at <= now - again)
        .returning(alert.c.name)
    )
    return connection.execute(written).first() is not None


def was_not_told(connection: Connection, name: str) -> None:
    """Take back that something was told."""
    connection.execute(delete(alert).where(alert.c.name == name))
