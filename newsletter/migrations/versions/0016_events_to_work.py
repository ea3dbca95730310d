"""Events are put down first and worked through later; those of before are worked through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the state, an index of what waits, and one for figures."""
    op.add_column("event", sa.Column("state", sa.SmallInteger(), nullable=False, server_default="1"))
    op.create_index("ix_event_issue_id_kind", "event", ["issue_id", "kind"])
    waits = sa.text("state = 0")
    op.create_index("ix_event_waiting", "event", ["id"], sqlite_where=waits, postgresql_where=waits)
