"""What became of the scheduled send of each local day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "schedule_run",
        sa.Column("edition", sa.String(32), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name="fk_schedule_run_issue_id_issue"),
        sa.PrimaryKeyConstraint("edition", "local_day", name="pk_schedule_run"),
        sa.UniqueConstraint("issue_id", name="uq_schedule_run_issue_id"),
    )
