"""`newsletter database`: the schema and the file."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.run import tidy
from newsletter.cli.shared import open_app
from newsletter.config import load
from newsletter.errors import DatabaseError, InputError

RETRY = "stop it (`newsletter serve`, `run`), or try again when it is done"


@click.group(short_help="Look after the database.")
def database() -> None:
    """Look after the database's schema and file. SQLite is migrated by itself; PostgreSQL only by `upgrade`."""


@database.command(short_help="Migrate to this program's schema.")
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Migrate the database to this program's schema; an SQLite file is copied first."""
    from newsletter.database import Database
    from newsletter.sqlite_file import SCHEMA_REVISION

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
    from newsletter.database import Database
    from newsletter.sqlite_file import SCHEMA_REVISION

    opened = Database(load(context.find_object(Path)).database_address())
    try:
        missing = opened.file is not None and not opened.file.is_file()
        schema = "there is no such file yet" if missing else f"schema {opened.revision() or 'none'}"
        click.echo(f"{opened.name}: {schema}, this program has {SCHEMA_REVISION}")
    finally:
        opened.close()


@database.command(short_help="Take what was deleted out of the file.")
@click.pass_context
def compact(context: click.Context) -> None:
    """Rewrite an SQLite file, so that nothing of what was deleted is left in it, and it takes no more room than needed.

    Of issues older than `delivery.keep` only counts stay. `subscribers erase` rewrites the file by itself; this is for
    when another process kept it from doing so.
    """
    from newsletter.database import Database
    from newsletter.sqlite_file import SCHEMA_REVISION

    opened = Database(load(context.find_object(Path)).database_address())
    try:
        if opened.file is None:
            click.echo(f"{opened.name}: the server takes out what was deleted by itself (autovacuum).")
            return
        if not opened.file.is_file():
            raise InputError(
                "there is no such file yet", subject=opened.name, remedy="nothing has to be done"
            )
        if opened.revision() == SCHEMA_REVISION:
            with open_app(context) as app:
                tidy(app, click.echo)
        before = opened.file.stat().st_size
        if not opened.compact():
            raise DatabaseError("another process uses it", subject=opened.name, remedy=RETRY)
        click.echo(f"{opened.name} has {opened.file.stat().st_size:,} bytes, before it had {before:,}.")
    finally:
        opened.close()
