"""What an SQLite file needs: its folder, a mode that is private, copies, compaction."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from newsletter.errors import DatabaseError

COMPACT_SECONDS = 10


def named(file: str | Path) -> str:
    """Return a file's name as SQLite takes it: in UTF-8, whatever the locale."""
    return os.fsencode(file).decode()


def make_folder(folder: Path) -> None:
    """Make the folder that a file is to stand in."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"the folder cannot be made ({error.strerror})", subject=str(folder), remedy="check database.url"
        ) from error


def make_private(file: Path, *_: object) -> None:
    """Make a new file that its owner alone can read, for addresses stand in it; its log gets the same mode."""
    with suppress(OSError):  # it is there, or the driver says what is wrong
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def copy(file: Path, target: Path) -> Path:
    """Write a consistent copy of a file, whole at once and for its owner alone; one that is there stays as it is."""
    if target.exists():
        target = target.with_name(f"{target.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    handle, unfinished = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    try:
        with closing(sqlite3.connect(file)) as source:
            source.execute("VACUUM INTO ?", (named(unfinished),))
        Path(unfinished).rename(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    return target


def compact(file: Path) -> bool:
    """Rewrite a file and empty its log; return False where another process kept it from being done to the end."""
    with closing(sqlite3.connect(file, timeout=COMPACT_SECONDS)) as driver:
        driver.isolation_level = None
        try:
            driver.execute("VACUUM")
            ((blocked, *_),) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            return False
    return not blocked
