"""The engine: made for an SQLite file or a URL, its connections set up as this program uses them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from newsletter import sqlite_file
from newsletter.database.files import make_private
from newsletter.errors import ConfigError

BEGIN = "newsletter_begin"  # the option of a connection that says how its transactions begin


def make_engine(where: str | Path, *, read_only: bool) -> Engine:
    """Return the engine for an SQLite file or a URL; raise `ConfigError` where it is of no use."""
    try:
        url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)
        if url.get_backend_name() != "sqlite":
            engine = create_engine(url)
        elif read_only and url.database not in {None, "", ":memory:"}:
            engine = create_engine(
                "sqlite://",
                creator=lambda: sqlite_file.read_only_file(Path(str(url.database))),
                poolclass=QueuePool,
            )
        else:
            engine = create_engine(
                url, connect_args={"timeout": sqlite_file.BUSY_SECONDS, "check_same_thread": False}
            )
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigError(
            f"is no database URL that can be used ({error})", subject="database.url",
            remedy="write sqlite:///FILE or postgresql://USER@HOST/NAME",
        ) from error  # fmt: skip
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"needs the package {error.name!r}", subject="database.url",
            remedy="pip install 'daily-papers-newsletter[postgres]'",
        ) from error  # fmt: skip
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
        if not read_only:
            event.listen(engine, "connect", _on_writable_connect)
            if (file := file_of(where)) is not None:
                event.listen(engine, "do_connect", partial(make_private, file))
    return engine


def file_of(where: str | Path) -> Path | None:
    """Return the SQLite file that is meant, None for other databases and for one in memory."""
    if isinstance(where, Path):
        return where
    url = make_url(where)
    named = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database)) if named else None


def _on_sqlite_connect(driver: Any, _record: object) -> None:
    driver.isolation_level = None  # we begin transactions ourselves
    driver.execute("PRAGMA foreign_keys=ON")


def _on_writable_connect(driver: Any, _record: object) -> None:
    driver.execute("PRAGMA journal_mode=WAL")


def _on_sqlite_begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get(BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")
