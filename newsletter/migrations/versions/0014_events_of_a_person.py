"""Events of a person are counted: those of the last weeks decide whether an address is given up."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_event_subscriber_id_received_at", "event", ["subscriber_id", "received_at"])
