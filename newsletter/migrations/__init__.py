"""The history of the schema, one for both packages (Alembic). `newsletter.database.schema` runs it."""
