"""Facts about this installation, such as the fingerprint of its secret."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from newsletter.store.tables import installation
from newsletter.store.upsert import insert_into


def get_setting(connection: Connection, name: str) -> str | None:
    """Return a fact about this installation, such as its secret's fingerprint."""
    return connection.execute(
        select(installation.c.value).where(installation.c.name == name)
    ).scalar_one_or_none()


def put_setting(connection: Connection, name: str, value: str) -> str:
    """Store a fact about this installation unless it is there already; return what is stored then."""
    connection.execute(
        insert_into(connection, installation).values(name=name, value=value).on_conflict_do_nothing()
    )
    return get_setting(connection, name) or value


def remove_setting(connection: Connection, name: str) -> None:
    """Forget a fact about this installation."""
    connection.execute(delete(installation).where(installation.c.name == name))
