"""Notices are found by what is due, and by whom they are for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both indexes."""
    open_ones = sa.text("state < 2")
    op.create_index(
        "ix_notice_open", "notice", ["due", "id"], sqlite_where=open_ones, postgresql_where=open_ones
    )
    op.create_index("ix_notice_subscriber_id", "notice", ["subscriber_id"])
