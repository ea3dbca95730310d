"""SQLite files that nothing works with: whether one is whole, what it holds, and putting one out of the way."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import DatabaseError

_BESIDE = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file holds: its schema (empty: none), rows by table, the fingerprint of its secret (empty: none)."""

    schema: str
    counts: dict[str, int]
    fingerprint: str


def inspect(file: Path, name: str) -> FileFacts:
    """Check a file from end to end; raise `DatabaseError` (about ``name``) for one that is not whole."""
    try:
        with closing(sqlite3.connect(file)) as driver:
            ((verdict, *_), *_) = driver.execute("PRAGMA integrity_check(1)").fetchall()
            if verdict != "ok":
                raise DatabaseError(f"the database is damaged ({verdict})", subject=name)
            tables = [
                str(row[0])
                for row in driver.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
                )
            ]
            counts = {}
            for table in tables:
                quoted = table.replace('"', '""')
                ((counts[table],),) = driver.execute(f'SELECT count(*) FROM "{quoted}"')  # noqa: S608  # quoted
            return FileFacts(
                schema=_one(driver, tables, "alembic_version", "SELECT version_num FROM alembic_version"),
                counts=counts,
                fingerprint=_one(
                    driver, tables, "installation", "SELECT value FROM installation WHERE name = 'suppression_key'"
                ),
            )  # fmt: skip
    except sqlite3.Error as error:
        raise DatabaseError(f"the database is damaged ({error})", subject=name) from error


def _one(driver: sqlite3.Connection, tables: list[str], table: str, query: str) -> str:
    row = driver.execute(query).fetchone() if table in tables else None
    return str(row[0]) if row else ""


def is_there(file: Path) -> bool:
    """Whether there is a database, or a log that a new one of that name would take for its own."""
    return any(file.with_name(file.name + suffix).exists() for suffix in _BESIDE)


def fold(file: Path) -> None:
    """Put a database's log into its file; raise `DatabaseError` while another process uses it. A broken one stays."""
    if not file.is_file():
        return
    try:
        with closing(sqlite3.connect(file, timeout=1)) as driver:
            driver.execute("PRAGMA journal_mode=DELETE")  # refused while it is used
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise DatabaseError(
                "another process uses it", subject=str(file), remedy="stop it (`newsletter serve`, `run`)"
            ) from error


def set_aside(file: Path, target: Path) -> None:
    """Give a database another name, with its log where it still has one; its owner alone can read it from now on."""
    for suffix in _BESIDE:
        beside = file.with_name(file.name + suffix)
        if beside.exists():
            with suppress(OSError):  # another user's file keeps its mode
                beside.chmod(0o600)
            beside.rename(target.with_name(target.name + suffix))
