"""Suppressions are lifted, not deleted; pauses that end are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Keep who lifted a suppression and why; one is in force for an address at a time."""
    with op.batch_alter_table("suppression", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("lifted_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("lifted_by", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("lifted_reason", sa.Text(), nullable=False, server_default=""))
        batch.drop_constraint("uq_suppression_address_hash", type_="unique")
    op.create_index(
        "uq_suppression_address_hash_in_force",
        "suppression",
        ["address_hash"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index(
        "ix_subscription_paused_until",
        "subscription",
        ["paused_until"],
        sqlite_where=sa.text("paused_until IS NOT NULL"),
        postgresql_where=sa.text("paused_until IS NOT NULL"),
    )
    op.create_index("ix_subscriber_address_hash", "subscriber", ["address_hash"])
