"""The tables of delivery: letters, claims, deliveries and their problems, events, notices."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from newsletter.database.schema import NAMING_CONVENTION
from subscribers.schema import UtcTime

metadata = MetaData(naming_convention=NAMING_CONVENTION)

letter_table = Table(
    "letter",
    metadata,
    Column("issue_id", Integer, primary_key=True, autoincrement=False),
    Column("variant", SmallInteger, primary_key=True, autoincrement=False),
    Column("bytes", LargeBinary, nullable=False),
)
claim_table = Table(
    "claim",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", Integer, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("provider", String(32), nullable=False),
    Column("exposure", String(8), nullable=False),
    Column("claimed_at", UtcTime, nullable=False),
    Column("heartbeat", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("lowest", Integer, nullable=False, server_default="0"),
    Column("highest", Integer, nullable=False, server_default="2147483647"),
    Index(None, "issue_id", "closed_at"),
    sqlite_autoincrement=True,
)
delivery = Table(
    "delivery",
    metadata,
    Column("issue_id", Integer, primary_key=True, autoincrement=False),
    Column("subscriber_id", Integer, primary_key=True, autoincrement=False),
    Column("variant", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("claim_id", Integer),
    Column("outcome", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
delivery_problem = Table(
    "delivery_problem",
    metadata,
    Column("issue_id", Integer, primary_key=True, autoincrement=False),
    Column("subscriber_id", Integer, primary_key=True, autoincrement=False),
    Column("attempt", SmallInteger, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("cause", String(32), nullable=False),
    Column("reply", Text, nullable=False),
    Column("not_before", UtcTime),
)
delivery_total = Table(
    "delivery_total",
    metadata,
    Column("issue_id", Integer, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, primary_key=True, autoincrement=False),
    Column("outcome", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
)
allowance = Table(
    "allowance",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("used", Integer, nullable=False),
)
domain_time = Table(  # how long the provider took, over all messages of an issue to a domain
    "domain_time",
    metadata,
    Column("issue_id", Integer, primary_key=True, autoincrement=False),
    Column("domain", String(255), primary_key=True),
    Column("messages", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("slowest", Float, nullable=False),
    sqlite_with_rowid=False,
)
event_table = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("issue_id", Integer),
    Column("subscriber_id", Integer),
    Column("at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    UniqueConstraint("provider", "event_id"),
    Index(None, "subscriber_id", "received_at"),
    Index(None, "issue_id", "kind"),
    sqlite_autoincrement=True,
)
notice_table = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subscriber_id", Integer),
    Column("address", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("claim_id", ForeignKey("claim.id")),
    Index(None, "subscriber_id"),
    sqlite_autoincrement=True,
)
WAITING = literal_column("event.state", SmallInteger) == literal_column("0")  # `events.EventState`
Index(
    "ix_event_waiting", event_table.c.id, sqlite_where=text("state = 0"), postgresql_where=text("state = 0")
)
OPEN = literal_column("state", SmallInteger) < literal_column(
    "2"
)  # pending or claimed: `notices.NoticeState`
Index(
    "ix_notice_open", notice_table.c.due, notice_table.c.id, sqlite_where=text("state < 2"),
    postgresql_where=text("state < 2"),
)  # fmt: skip
