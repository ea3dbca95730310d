"""What stands in a newsletter's database, asked of the file itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def stored(folder: Path, sql: str) -> list[Any]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(folder / "newsletter.db", timeout=30)) as connection:
        return connection.execute(sql).fetchall()
