"""An SQLite file as Python itself opens it, and the schema of this program: without an engine, which is slow."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

SCHEMA_REVISION = "0016"
BUSY_SECONDS = 30


def read_only_file(file: Path) -> sqlite3.Connection:
    """Connect so that nothing is written, not even beside the file where that is not possible."""
    log = file.with_name(f"{file.name}-wal")
    still = not os.access(file.parent, os.W_OK) and not log.exists()
    uri = f"file:{quote(os.fsencode(file.absolute()))}?mode=ro{'&immutable=1' if still else ''}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
