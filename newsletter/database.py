"""The engine, transactions, and the schema's version.

SQLite runs in WAL mode; a writing transaction begins with ``BEGIN IMMEDIATE`` (one that begins deferred and
writes later fails with "database is locked" in spite of the busy time-out). Driver errors leave this room as
`DatabaseError`.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    QueuePool,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from newsletter.errors import ConfigError, DatabaseError
from newsletter.settings.base import without_password
from newsletter.sqlite_file import BUSY_SECONDS as BUSY_SECONDS
from newsletter.sqlite_file import SCHEMA_REVISION as SCHEMA_REVISION
from newsletter.sqlite_file import read_only_file
from subscribers.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
COMPACT_SECONDS = 10
_BEGIN = "newsletter_begin"
Direct = Callable[[Mapping[str, "int | str | bytes | None"]], int]
_MIGRATION_LOCK = 0x6E657773  # any number that all processes know


class Database:
    """A database and its transactions. Open one a process; `close` it at the end."""

    def __init__(self, where: str | Path, *, read_only: bool = False) -> None:
        """Open nothing yet. ``where`` is an SQLite file or a URL.

        ``read_only`` (SQLite) promises that no byte of the file changes.
        """
        self.read_only = read_only
        self.engine = _make_engine(where, read_only=read_only)
        self.file = _file(where)
        if self.file is not None and not read_only:
            event.listen(self.engine, "do_connect", partial(_make_private, self.file))
        self._turn = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self, *, staging: Path | None = None) -> Iterator[Connection]:
        """Run a transaction that only reads: one consistent view. ``staging`` as in `write`."""
        with _wrapped(self.name), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with self._beside(connection, staging):
                yield connection

    @contextmanager
    def write(
        self, *, durable: bool = False, snapshot: bool = False, staging: Path | None = None
    ) -> Iterator[Connection]:
        """Run a writing transaction: committed at the end, rolled back on an error.

        ``durable`` waits until the disk has it (a claim before the network is touched); without it a power
        loss, not a crash of the process, may lose the last commits. ``snapshot`` sees one state of everything,
        as SQLite always does. ``staging`` names an SQLite file whose tables are then in the schema `staging`; on
        another database it is left alone.
        """
        with _wrapped(self.name), self.engine.connect() as connection:
            connection = connection.execution_options(**{_BEGIN: "IMMEDIATE"})
            if self.is_sqlite:
                driver: Any = connection.connection.dbapi_connection
                driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            elif snapshot:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with self._beside(connection, staging), self._in_turn(), connection.begin():
                yield connection

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for this process's other threads: SQLite has one writer, and who finds it busy sleeps too long."""
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise DatabaseError("database is locked", subject=self.name, remedy=_remedy("locked", self.name))
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def direct(self, statement: Executable) -> Iterator[Direct]:
        """Give a statement that commits by itself each time it is called, on a connection that is its own.

        Not durable: a power loss, not a crash of the process, may lose the last commits. It returns the number of
        rows; its values must be of the driver's own types.
        """
        compiled = statement.compile(dialect=self.engine.dialect)  # type: ignore[attr-defined]
        sql, names = str(compiled), compiled.positiontup
        with _wrapped(self.name):
            pooled = self.engine.raw_connection()
            pooled.detach()
        driver: Any = pooled.dbapi_connection
        faults: Any = self.engine.dialect.dbapi.Error  # type: ignore[union-attr]

        turn: AbstractContextManager[object] = self._turn if self.is_sqlite else nullcontext()

        def run(values: Mapping[str, int | str | bytes | None]) -> int:
            try:
                with turn:
                    done = driver.execute(sql, [values[name] for name in names] if names else values)
            except faults as error:
                raise DatabaseError(
                    str(error), subject=self.name, remedy=_remedy(str(error), self.name)
                ) from error
            return int(done.rowcount)

        try:
            if self.is_sqlite:
                driver.execute("PRAGMA synchronous=NORMAL")
            else:
                driver.autocommit = True
                driver.execute("SET synchronous_commit TO OFF")
            yield run
        finally:
            driver.close()

    @contextmanager
    def _beside(self, connection: Connection, staging: Path | None) -> Iterator[None]:
        """Attach a file for the time of a transaction: SQLite does it only before one begins."""
        if staging is None or not self.is_sqlite:
            yield
            return
        driver: Any = connection.connection.dbapi_connection
        driver.execute("ATTACH DATABASE ? AS staging", (_named(staging),))
        try:
            yield
        finally:
            connection.rollback()  # of a reader; a writer has committed by now
            driver.execute("DETACH DATABASE staging")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def revision(self) -> str | None:
        """Return the schema's version, None for an empty database."""
        with self.read() as connection:
            return _revision(connection)

    def ensure_schema(self) -> None:
        """Make the schema this program's own, or say what to do.

        SQLite is migrated on the spot, after a copy; PostgreSQL only by `newsletter database upgrade`.
        """
        if self.file is not None and not self.read_only:
            _make_folder(self.file.parent)
        found = self.revision()
        if found == SCHEMA_REVISION:
            return
        if not self.is_sqlite or self.read_only:
            state = (
                "is empty"
                if found is None
                else f"has the schema {found}, this program needs {SCHEMA_REVISION}"
            )
            raise DatabaseError(
                f"the database {state}", subject=self.name, remedy="run `newsletter database upgrade`"
            )
        self.upgrade()

    def upgrade(self) -> Path | None:
        """Migrate to this program's schema; return the copy that was made before (SQLite with content).

        Of several processes at once one migrates, the others wait for it.
        """
        copy = None
        with self.write(durable=True) as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            before = _revision(connection)
            if before == SCHEMA_REVISION:
                return None
            check_known(before, self.name)
            if before is not None and self.file is not None:
                copy = self.copy_to(self.file.with_name(f"{self.file.name}.before-{SCHEMA_REVISION}"))
            _migrate(connection)
        return copy

    def copy_to(self, target: Path) -> Path:
        """Write a consistent copy of an SQLite database; a file of that name gets a time in its name.

        It appears whole, and only its owner can read it.
        """
        assert self.file is not None
        if target.exists():
            target = target.with_name(f"{target.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        handle, unfinished = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        os.close(handle)
        try:
            with _wrapped(self.name), closing(sqlite3.connect(self.file)) as source:
                source.execute("VACUUM INTO ?", (_named(unfinished),))
            Path(unfinished).rename(target)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        return target

    def compact(self) -> bool:
        """Rewrite an SQLite file and empty its log, so that neither holds what was deleted; PostgreSQL does it itself.

        Returns False where another process, for `COMPACT_SECONDS`, kept it from being done to the end.
        """
        if self.file is None:
            return True
        with _wrapped(self.name), closing(sqlite3.connect(self.file, timeout=COMPACT_SECONDS)) as driver:
            driver.isolation_level = None
            try:
                driver.execute("VACUUM")
                ((blocked, *_),) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise
                return False
        return not blocked

    @property
    def name(self) -> str:
        """The database in messages: the file's path, or the URL without its password."""
        return (
            str(self.file)
            if self.file is not None
            else without_password(self.engine.url.render_as_string(hide_password=False))
        )


_DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}


def _file(where: str | Path) -> Path | None:
    """Return the SQLite file that is meant, None for other databases and for one in memory."""
    if isinstance(where, Path):
        return where
    url = make_url(where)
    named = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database)) if named else None


def _named(file: str | Path) -> str:
    """Return a file's name as SQLite takes it: in UTF-8, whatever the locale."""
    return os.fsencode(file).decode()


def _make_engine(where: str | Path, *, read_only: bool) -> Engine:
    try:
        url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)
        if url.get_backend_name() != "sqlite":
            engine = create_engine(url)
        elif read_only and url.database not in {None, "", ":memory:"}:
            engine = create_engine(
                "sqlite://", creator=lambda: read_only_file(Path(str(url.database))), poolclass=QueuePool
            )
        else:
            engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
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
    return engine


def _on_sqlite_connect(driver: Any, _record: object) -> None:
    driver.isolation_level = None  # we begin transactions ourselves
    driver.execute("PRAGMA foreign_keys=ON")


def _make_private(file: Path, *_: object) -> None:
    """Make a new file that its owner alone can read, for addresses stand in it; its log gets the same mode."""
    with suppress(OSError):  # it is there, or the driver says what is wrong
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _on_writable_connect(driver: Any, _record: object) -> None:
    driver.execute("PRAGMA journal_mode=WAL")


def _on_sqlite_begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")


@contextmanager
def _wrapped(name: str) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = str(getattr(error, "orig", None) or error)
        raise DatabaseError(cause, subject=name, remedy=_remedy(cause, name)) from error
    except StoreError as error:
        raise DatabaseError(error.problem, subject=name, remedy=_remedy(error.problem, name)) from (
            error.__cause__
        )
    except SQLAlchemyError as error:
        raise DatabaseError(str(error), subject="database") from error


def _remedy(cause: str, name: str) -> str:
    known = {
        "locked": "another process holds it; try again",
        "unable to open": "check that the folder exists and can be written",
        "readonly": _to_write(Path(name)),
        "not a database": "the file is something else; name another one in database.url",
        "malformed": "restore a copy of it",
        "disk is full": "make room on the disk",
        "onnection": "check that the server runs and that database.url is right",
    }
    return next((remedy for sign, remedy in known.items() if sign in cause), "check database.url")


def _to_write(file: Path) -> str:
    """Return what keeps an SQLite file from being written: it, or its folder, where the log goes."""
    if os.access(file, os.W_OK, effective_ids=True):
        return f"its log goes beside it: make the folder {file.parent} writable for who runs this"
    return "make the file writable for who runs this"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"the folder cannot be made ({error.strerror})", subject=str(folder), remedy="check database.url"
        ) from error


def _revision(connection: Connection) -> str | None:
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


def _migrate(connection: Connection) -> None:
    from alembic import command

    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, SCHEMA_REVISION)


def _alembic() -> AlembicConfig:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
