"""The sources' answers, what feeds said of themselves, the pace towards a host; parts of a day, warnings of an issue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and columns."""
    op.add_column("source_day", sa.Column("parts", sa.Text(), server_default="[]", nullable=False))
    op.add_column("issue", sa.Column("warnings", sa.Text(), server_default="[]", nullable=False))
    op.add_column("issue", sa.Column("left_out", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "raw_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_answer")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_raw_answer_day_taken_at"), "raw_answer", ["day", "taken_at"])
    op.create_table(
        "remembered",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_remembered")),
    )
    op.create_table(
        "pace",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pace")),
    )
