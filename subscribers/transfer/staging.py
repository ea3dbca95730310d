"""Rows of an import in an SQLite file of their own, until one short transaction takes them over.

The file is for the time of the import, and only its owner can read it. On SQLite the list's own connection attaches it
(schema `staging`); on PostgreSQL its tables are copied into temporary ones before anything is locked.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from subscribers.errors import StoreError
from subscribers.transfer.rows import Row, Step

SCHEMA = "staging"
_BATCH = 5_000
_KEY = 16  # bytes of a subscriber's key, see `subscribers.schema`
_ROW_COLUMNS = ("n", "line", "key", "address_hash", *Row._fields, "person", "steps")


@contextmanager
def staging_errors() -> Iterator[None]:
    """Say in our own words what keeps rows from being staged, such as a full disk."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"the rows could not be staged ({error})", subject=tempfile.gettempdir(), remedy="make room there"
        ) from error


class Tables:
    """The staged tables as SQLAlchemy knows them."""

    def __init__(self, schema: str | None) -> None:
        big, text, small = sa.BigInteger, sa.Text, sa.SmallInteger
        kinds: dict[str, Any] = {
            "email": text, "address_key": text, "name": text, "language": text, "edition": text, "consent": text,
            "text_version": text, "network": text, "cause": text, "key": sa.LargeBinary,
            "address_hash": sa.LargeBinary, "standing": small, "state": small, "address": small, "suppress": small,
            "steps": small,
        }  # fmt: skip
        metadata = sa.MetaData(schema=schema)
        self.row = sa.Table(
            "staged_row", metadata,
            *(sa.Column(name, kinds.get(name, big), primary_key=name == "n") for name in _ROW_COLUMNS),
        )  # fmt: skip
        self.tag = sa.Table("staged_tag", metadata, sa.Column("n", big), sa.Column("tag", text))
        self.step = sa.Table(
            "staged_step", metadata, sa.Column("n", big),
            *(
                sa.Column(name, {"actor": text, "reason": text, "at": big, "seq": big}.get(name, small))
                for name in Step._fields
            ),
        )  # fmt: skip
        plan = (
            "outcome edition_number subscriber_id subscription_id joins leaves confirms moves suppresses fills_name "
            "fills_language fills_tags state_was until_was address_was"
        )
        self.plan = sa.Table(
            "staged_plan", metadata, sa.Column("n", big, primary_key=True),
            *(sa.Column(name, big) for name in plan.split()),
        )  # fmt: skip

    @property
    def filled(self) -> tuple[sa.Table, ...]:
        """The tables that come from the file; the plan is made beside the list."""
        return self.row, self.tag, self.step


class Staging:
    """A file that rows are put into; `close` takes it away."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="newsletter-import-"))
        self.path = self._folder / "staging.db"
        self._database = sqlite3.connect(self.path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("PRAGMA cache_size=-16000")
        dialect = sa.create_engine("sqlite://").dialect
        for table in (*Tables(None).filled, Tables(None).plan):
            self._database.execute(str(sa.schema.CreateTable(table).compile(dialect=dialect)))
        self._database.execute("BEGIN")
        marks = ",".join("?" * len(_ROW_COLUMNS))
        self._insert = f"INSERT INTO staged_row ({','.join(_ROW_COLUMNS)}) VALUES ({marks})"  # noqa: S608
        self._rows: list[tuple[Any, ...]] = []
        self._tags: list[tuple[int, str]] = []
        self._keys = b""
        self.count = 0

    def add(
        self, line: int, row: Row, address_hash: bytes, tags: Sequence[str], steps: Sequence[Step] = ()
    ) -> None:
        """Keep a row."""
        self.count = n = self.count + 1
        start = len(self._rows) * _KEY
        if not start:
            self._keys = secrets.token_bytes(_KEY * _BATCH)
        key = self._keys[start : start + _KEY]
        self._rows.append((n, line, key, address_hash, *row, n, len(steps)))
        for tag in tags:
            self._tags.append((n, tag))
        if steps:
            marks = ",".join("?" * (1 + len(Step._fields)))
            self._database.executemany(
                f"INSERT INTO staged_step VALUES ({marks})",  # noqa: S608  # question marks alone
                [(n, *step) for step in steps],
            )
        if len(self._rows) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._database.executemany(self._insert, self._rows)
        self._database.executemany("INSERT INTO staged_tag VALUES (?, ?)", self._tags)
        self._rows.clear()
        self._tags.clear()

    def settle(self) -> int:
        """Make rows about the same person agree, and return how many were doubles; nothing can be added then.

        Of doubles (one address and edition) the first stays, with the strictest word that any of them says.
        """
        self._flush()
        run = self._database.execute
        run("CREATE INDEX staged_person ON staged_row (address_key, edition, n)")
        run(
            "CREATE TEMP TABLE many AS SELECT address_key, min(n) AS person, max(standing) AS standing"
            " FROM staged_row GROUP BY address_key HAVING count(*) > 1"
        )
        run("CREATE UNIQUE INDEX temp.many_key ON many (address_key)")
        run(
            "CREATE TEMP TABLE doubled AS SELECT address_key, edition, min(n) AS n FROM staged_row"
            " GROUP BY address_key, edition HAVING count(*) > 1"
        )
        self._agree()
        run(
            "CREATE TEMP TABLE gone AS SELECT r.n, d.n AS kept FROM doubled d"
            " CROSS JOIN staged_row r ON r.address_key = d.address_key AND r.edition = d.edition AND r.n != d.n"
        )
        run("CREATE UNIQUE INDEX temp.gone_n ON gone (n)")
        run(
            "UPDATE staged_tag SET n = (SELECT kept FROM gone WHERE gone.n = staged_tag.n)"
            " WHERE n IN (SELECT n FROM gone)"
        )
        run("DELETE FROM staged_step WHERE n IN (SELECT n FROM gone)")
        doubles = run("DELETE FROM staged_row WHERE n IN (SELECT n FROM gone)").rowcount
        run("CREATE INDEX staged_tag_n ON staged_tag (n)")
        run("CREATE INDEX staged_step_n ON staged_step (n)")
        run("COMMIT")
        run("ANALYZE")
        self._database.close()
        return doubles

    def _agree(self) -> None:
        """Give doubles the strictest state, and all rows of a person one name, language and state of the address."""
        run = self._database.execute
        run(  # the row itself whose word is the strictest lends its states
            "UPDATE staged_row AS r SET (standing, state, paused_until) ="
            " (SELECT s.standing, s.state, s.paused_until FROM staged_row s WHERE s.address_key = r.address_key"
            " AND s.edition = r.edition ORDER BY s.standing DESC, s.n LIMIT 1)"
            " WHERE r.n IN (SELECT n FROM doubled)"
        )
        run(
            "UPDATE staged_row AS r SET person = m.person, (address, suppress, cause) ="
            " (SELECT max(s.address), max(s.suppress), (SELECT t.cause FROM staged_row t WHERE"
            " t.address_key = r.address_key ORDER BY t.standing DESC, t.n LIMIT 1)"
            " FROM staged_row s WHERE s.address_key = r.address_key),"
            " name = coalesce((SELECT s.name FROM staged_row s WHERE s.address_key = r.address_key AND s.name != ''"
            " ORDER BY s.n LIMIT 1), ''),"
            " language = (SELECT s.language FROM staged_row s WHERE s.address_key = r.address_key"
            " AND s.language IS NOT NULL ORDER BY s.n LIMIT 1)"
            " FROM many m WHERE m.address_key = r.address_key"
        )

    def tables(self, connection: sa.Connection) -> Tables:
        """Return the staged tables as a connection of the list sees them; PostgreSQL gets them copied."""
        if connection.dialect.name == "sqlite":
            return Tables(SCHEMA)
        tables = Tables(None)
        for table in (*tables.filled, tables.plan):
            temporary = str(sa.schema.CreateTable(table).compile(dialect=connection.dialect))
            connection.execute(
                sa.text(temporary.replace("CREATE TABLE", "CREATE TEMPORARY TABLE") + " ON COMMIT DROP")
            )
        driver: Any = connection.connection.dbapi_connection
        for table in tables.filled:
            names = ",".join(column.name for column in table.columns)
            with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in self._read(table.name, names):
                    copy.write_row(row)
        connection.execute(sa.text("CREATE INDEX ON staged_tag (n)"))
        connection.execute(sa.text("CREATE INDEX ON staged_step (n)"))
        for table in tables.filled:
            connection.execute(sa.text(f"ANALYZE {table.name}"))
        return tables

    def _read(self, table: str, names: str) -> Iterator[tuple[Any, ...]]:
        reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            yield from reader.execute(f"SELECT {names} FROM {table}")  # noqa: S608  # names of our own
        finally:
            reader.close()

    def close(self) -> None:
        """Take the file away."""
        self._database.close()
        shutil.rmtree(self._folder, ignore_errors=True)
