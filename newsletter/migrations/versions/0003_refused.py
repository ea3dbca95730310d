"""Summaries of an issue's papers that were not sent, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("issue", sa.Column("refused", sa.Text(), server_default="{}", nullable=False))
