"""`newsletter database`: the schema."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.config import load


@click.group(short_help="Look after the database's schema.")
def database() -> None:
    """Look after the database's schema. SQLite is migrated by itself; PostgreSQL only by `upgrade`."""


@database.command(short_help="Migrate to this program's schema.")
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Migrate the database to this program's schema; an SQLite file is copied first."""
    from newsletter.database import SCHEMA_REVISION, Database

    opened = Database(load(context.find_object(Path)).database_address())
    try:
        before = opened.revision()
        copy = opened.upgrade()
    finally:
        opened.close()
    if copy is not None:
        click.echo(f"The database as it was is kept in {copy}.")
    done = "has" if before == SCHEMA_REVISION else "now has"
    click.echo(f"{opened.name} {done} the schema {SCHEMA_REVISION}.")


@database.command(short_help="Print the schema's version.")
@click.pass_context
def show(context: click.Context) -> None:
    """Print the database's name and the version of its schema."""
    from newsletter.database import SCHEMA_REVISION, Database

    opened = Database(load(context.find_object(Path)).database_address())
    try:
        missing = opened.file is not None and not opened.file.is_file()
        schema = "there is no such file yet" if missing else f"schema {opened.revision() or 'none'}"
        click.echo(f"{opened.name}: {schema}, this program has {SCHEMA_REVISION}")
    finally:
        opened.close()
