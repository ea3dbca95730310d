"""The tables of papers, days, issues and the sources' answers. Their queries stand beside them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from newsletter.database.schema import NAMING_CONVENTION
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
    Column("parts", Text, nullable=False, server_default="[]"),  # JSON list of DayPart
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
    Column("warnings", Text, nullable=False, server_default="[]"),  # JSON list
    Column("left_out", Text, nullable=False, server_default="{}"),  # JSON: paper id -> why
    Column("refused", Text, nullable=False, server_default="{}"),  # JSON: paper id -> summaries not sent, why
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
schedule_run = Table(
    "schedule_run",
    metadata,
    Column("edition", String(32), primary_key=True),
    Column("local_day", Date, primary_key=True),
    Column("latest", UtcTime, nullable=False),
    Column("issue_id", ForeignKey("issue.id"), unique=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
draft = Table(
    "draft",
    metadata,
    Column("issue_id", ForeignKey("issue.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # the `Issue` before it was edited
)
issue_edit = Table(
    "issue_edit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", ForeignKey("issue.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
)
alert = Table(  # what was told, and when: so that it is not told again and again
    "alert",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("at", UtcTime, nullable=False),
)
raw_answer = Table(
    "raw_answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False),
    Column("url", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("taken_at", UtcTime, nullable=False),
    Column("body", LargeBinary, nullable=False),  # zlib
    Index(None, "day", "taken_at"),
    sqlite_autoincrement=True,
)
remembered = Table(
    "remembered",
    metadata,
    Column("url", Text, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("last_modified", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # zlib
)
pace = Table(
    "pace",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("free_at", UtcTime, nullable=False),
)
