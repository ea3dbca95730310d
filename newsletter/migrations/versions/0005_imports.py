"""Imports have numbers, and what they did is kept for taking it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables; the history is found by its subscription too, or deleting one would read all of it."""
    op.create_table(
        "import_run",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("number", name="pk_import_run"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("import_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("target", sa.BigInteger(), nullable=True),
        sa.Column("was", sa.SmallInteger(), nullable=True),
        sa.Column("was_until", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_number"], ["import_run.number"], name="fk_import_change_import_number_import_run"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_change"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_change_import_number", "import_change", ["import_number"])
    op.create_index("ix_import_change_subscriber_id", "import_change", ["subscriber_id"])
    op.create_index("ix_history_subscription_id", "history", ["subscription_id"])
