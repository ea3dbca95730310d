"""A claim says between which subscribers its rows are: to end it, not every row of the issue is looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns; the claims that there are may hold any rows."""
    op.add_column("claim", sa.Column("lowest", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("claim", sa.Column("highest", sa.Integer(), nullable=False, server_default="2147483647"))
