"""The tables of the list, for SQLite and PostgreSQL alike, and the one way to them.

Numbers of subscribers and editions stand in links for good, so they are never used again (AUTOINCREMENT).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.errors import StoreError
from subscribers.models import AddressState, Change, SubscriptionState, Through

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# SQLite counts by itself only in a column that is called INTEGER.
_BigNumber = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def stored_time(value: datetime) -> int:
    """Return the number that a time is stored as."""
    if value.utcoffset() is None:
        raise ValueError(f"a naive time cannot be stored: {value!r}")
    return (value - _EPOCH) // _MICROSECOND


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware time, stored as microseconds since 1970 in UTC; a naive one is refused with ValueError."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """Return the number to store."""
        return None if value is None else stored_time(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time of a stored number."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class Code(sa.types.TypeDecorator[IntEnum]):
    """A member of one of several enums whose numbers differ, stored as its number."""

    impl = sa.SmallInteger
    cache_ok = True

    def __init__(self, *kinds: type[IntEnum]) -> None:
        super().__init__()
        self.kinds = kinds
        self._members = {int(member): member for kind in kinds for member in kind}

    def process_bind_param(self, value: IntEnum | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """Return the number to store."""
        if value is None:
            return None
        if not isinstance(value, self.kinds):
            raise TypeError(f"{value!r} is none of {[kind.__name__ for kind in self.kinds]}")
        return int(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> IntEnum | None:  # noqa: ARG002
        """Return the member of a stored number."""
        return None if value is None else self._members[value]


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

edition = sa.Table(
    "edition",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # printed in unsubscribe links
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("email", sa.Text),  # as typed, with an ASCII domain
    sa.Column("address_key", sa.Text, unique=True),
    sa.Column("address_hash", sa.LargeBinary(32), index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("state", Code(AddressState), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.CheckConstraint(  # erased is erased, and nobody else is without an address
        f"(state = {AddressState.ERASED:d}) = (email IS NULL)"
        " AND (email IS NULL) = (address_key IS NULL) AND (email IS NULL) = (address_hash IS NULL)",
        name="address_unless_erased",
    ),
    sqlite_autoincrement=True,
)

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subscriber_id", sa.ForeignKey(subscriber.c.id), nullable=False),
    sa.Column("edition_number", sa.ForeignKey(edition.c.number), nullable=False),
    sa.Column("state", Code(SubscriptionState), nullable=False),
    sa.Column("paused_until", UtcTime),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.UniqueConstraint("subscriber_id", "edition_number"),
    sa.Index(None, "edition_number", "subscriber_id", "state"),  # an edition in order, all in the index
    sqlite_autoincrement=True,
)

sa.Index(
    None, subscription.c.paused_until, sqlite_where=subscription.c.paused_until.is_not(None),
    postgresql_where=subscription.c.paused_until.is_not(None),
)  # fmt: skip

history = sa.Table(
    "history",
    metadata,
    sa.Column("id", _BigNumber, primary_key=True),
    sa.Column("subscriber_id", sa.ForeignKey(subscriber.c.id), nullable=False, index=True),
    sa.Column("subscription_id", sa.ForeignKey(subscription.c.id), index=True),  # NULL: of the address itself
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("from_state", Code(SubscriptionState, AddressState)),
    sa.Column("to_state", Code(SubscriptionState, AddressState), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("through", Code(Through), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

consent = sa.Table(
    "consent",
    metadata,
    sa.Column("id", _BigNumber, primary_key=True),
    sa.Column("subscription_id", sa.ForeignKey(subscription.c.id), nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("text_version", sa.Text, nullable=False),
    sa.Column("given_at", UtcTime, nullable=False),
    sa.Column("confirmed_at", UtcTime),
    sa.Column("network", sa.Text),
    sqlite_autoincrement=True,
)

suppression = sa.Table(  # stands apart from the subscriber and outlives erasure
    "suppression",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("address_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("lifted_at", UtcTime),  # by hand, with a reason; the row stays
    sa.Column("lifted_by", sa.Text, nullable=False, server_default=""),
    sa.Column("lifted_reason", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
sa.Index(
    "uq_suppression_address_hash_in_force", suppression.c.address_hash, unique=True,
    sqlite_where=suppression.c.lifted_at.is_(None), postgresql_where=suppression.c.lifted_at.is_(None),
)  # fmt: skip

tag = sa.Table(
    "tag",
    metadata,
    sa.Column("subscriber_id", sa.ForeignKey(subscriber.c.id), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Index(None, "tag", "subscriber_id"),
    sqlite_with_rowid=False,
)

import_run = sa.Table(
    "import_run",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),  # JSON
    sa.Column("last_step", sa.BigInteger, nullable=False),  # the newest history row of then: what came later
    sa.Column("undone_at", UtcTime),
    sa.Column("undone_by", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

import_change = sa.Table(  # what an import did, for taking it back; numbers of people, who may be gone since
    "import_change",
    metadata,
    sa.Column("id", _BigNumber, primary_key=True),
    sa.Column("import_number", sa.ForeignKey(import_run.c.number), nullable=False, index=True),
    sa.Column("kind", Code(Change), nullable=False),
    sa.Column("subscriber_id", sa.Integer, index=True),
    sa.Column("target", sa.BigInteger),  # the subscription, consent or suppression that it is about
    sa.Column("was", sa.SmallInteger),  # the state before
    sa.Column("was_until", sa.BigInteger),
    sa.Column("detail", sa.Text),  # what was filled in
    sqlite_autoincrement=True,
)


def execute(
    connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, object]] | None = None
) -> sa.CursorResult[Any]:
    """Run a statement of `store` or `records`, or once for each of some rows.

    What the driver raises comes out as `StoreError`.
    """
    try:
        return connection.execute(statement) if rows is None else connection.execute(statement, rows)
    except sa.exc.DBAPIError as error:
        said = str(error.orig).partition("\n")[0]  # further lines may quote the row: somebody's address
        raise StoreError(f"the database refused: {said}", subject="subscriber list") from error


def insert_unless_there(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, object] | Sequence[Mapping[str, object]]
) -> None:
    """Insert a row, or each of some hundred, unless one that must be the only one is there."""
    # Somebody else may insert the same row between our look and our insert; on PostgreSQL the error would
    # end the caller's transaction.
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    execute(connection, dialect.insert(table).values(values).on_conflict_do_nothing())
