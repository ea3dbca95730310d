"""Alembic's entry: it migrates on the connection that `newsletter.database.schema` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from newsletter.migrations.tables import TABLES

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=TABLES, transactional_ddl=False)
with context.begin_transaction():
    context.run_migrations()
