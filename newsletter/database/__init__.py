"""A database and its transactions; its engine, its schema, its file and its faults stand beside.

SQLite runs in WAL mode; a writing transaction begins with ``BEGIN IMMEDIATE`` (one that begins deferred and
writes later fails with "database is locked" in spite of the busy time-out). Driver errors leave this room as
`DatabaseError`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, text

from newsletter import sqlite_file
from newsletter.database import files
from newsletter.database.engine import BEGIN, file_of, make_engine
from newsletter.database.faults import fault, wrapped
from newsletter.database.schema import check_known, migrate, revision_of
from newsletter.errors import DatabaseError
from newsletter.settings.base import without_password
from newsletter.sqlite_file import SCHEMA_REVISION

Direct = Callable[[Mapping[str, "int | str | bytes | None"]], int]
_MIGRATION_LOCK = 0x6E657773  # any number that all processes know


class Database:
    """A database and its transactions. Open one a process; `close` it at the end."""

    def __init__(self, where: str | Path, *, read_only: bool = False) -> None:
        """Open nothing yet. ``where`` is an SQLite file or a URL.

        ``read_only`` (SQLite) promises that no byte of the file changes.
        """
        self.read_only = read_only
        self.engine = make_engine(where, read_only=read_only)
        self.file = file_of(where)
        self._turn = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self, *, staging: Path | None = None) -> Iterator[Connection]:
        """Run a transaction that only reads: one consistent view. ``staging`` as in `write`."""
        with wrapped(self.name), self.engine.connect() as connection:
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
        with wrapped(self.name), self.engine.connect() as connection:
            connection = connection.execution_options(**{BEGIN: "IMMEDIATE"})
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
        if not self._turn.acquire(timeout=sqlite_file.BUSY_SECONDS):
            raise fault("database is locked", self.name)
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
        with wrapped(self.name):
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
                raise fault(str(error), self.name) from error
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
        driver.execute("ATTACH DATABASE ? AS staging", (files.named(staging),))
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
            return revision_of(connection)

    def ensure_schema(self) -> None:
        """Make the schema this program's own, or say what to do.

        SQLite is migrated on the spot, after a copy; PostgreSQL only by `newsletter database upgrade`.
        """
        if self.file is not None and not self.read_only:
            files.make_folder(self.file.parent)
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
            before = revision_of(connection)
            if before == SCHEMA_REVISION:
                return None
            check_known(before, self.name)
            if before is not None and self.file is not None:
                copy = self.copy_to(self.file.with_name(f"{self.file.name}.before-{SCHEMA_REVISION}"))
            migrate(connection, SCHEMA_REVISION)
        return copy

    def copy_to(self, target: Path) -> Path:
        """Write a consistent copy of an SQLite database; a file of that name gets a time in its name.

        It appears whole, and only its owner can read it.
        """
        assert self.file is not None
        with wrapped(self.name):
            return files.copy(self.file, target)

    def compact(self) -> bool:
        """Rewrite an SQLite file and empty its log, so that neither holds what was deleted; PostgreSQL does it itself.

        Returns False where another process, for `files.COMPACT_SECONDS`, kept it from being done to the end.
        """
        if self.file is None:
            return True
        with wrapped(self.name):
            return files.compact(self.file)

    @property
    def name(self) -> str:
        """The database in messages: the file's path, or the URL without its password."""
        return (
            str(self.file)
            if self.file is not None
            else without_password(self.engine.url.render_as_string(hide_password=False))
        )
