"""What a driver reports, as `DatabaseError` with what to do about it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from newsletter.errors import DatabaseError
from subscribers.errors import StoreError


@contextmanager
def wrapped(name: str) -> Iterator[None]:
    """Raise `DatabaseError` for every fault of a driver; ``name`` is the database in messages."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise fault(str(getattr(error, "orig", None) or error), name) from error
    except StoreError as error:
        raise fault(error.problem, name) from error.__cause__
    except SQLAlchemyError as error:
        raise DatabaseError(str(error), subject="database") from error


def fault(cause: str, name: str) -> DatabaseError:
    """Return the error that says what a driver said, and what to do."""
    known = {
        "locked": "another process holds it; try again",
        "unable to open": "check that the folder exists and can be written",
        "readonly": _to_write(Path(name)),
        "not a database": "the file is something else; name another one in database.url",
        "malformed": "restore a copy of it",
        "disk is full": "make room on the disk",
        "onnection": "check that the server runs and that database.url is right",
    }
    remedy = next((remedy for sign, remedy in known.items() if sign in cause), "check database.url")
    return DatabaseError(cause, subject=name, remedy=remedy)


def _to_write(file: Path) -> str:
    """Return what keeps an SQLite file from being written: it, or its folder, where the log goes."""
    if os.access(file, os.W_OK, effective_ids=True):
        return f"its log goes beside it: make the folder {file.parent} writable for who runs this"
    return "make the file writable for who runs this"
