"""The schema: how its parts are named, the version that a database has, and its way to another (Alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from newsletter.errors import DatabaseError
from newsletter.sqlite_file import SCHEMA_REVISION

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def revision_of(connection: Connection) -> str | None:
    """Return the schema's version, None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_known(revision: str | None, name: str) -> None:
    """Refuse a database that a newer program made."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        if revision is not None:
            ScriptDirectory.from_config(_alembic()).get_revision(revision)
    except CommandError as error:
        raise DatabaseError(
            f"has the schema {revision}, which this program does not know (it has {SCHEMA_REVISION})",
            subject=name, remedy="use the version of the program that made it, or a newer one",
        ) from error  # fmt: skip


def migrate(connection: Connection, revision: str) -> None:
    """Bring the schema to a version, in the connection's transaction."""
    from alembic import command

    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _alembic() -> AlembicConfig:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
