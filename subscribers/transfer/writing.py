"""A file that appears whole or not at all, and that only its owner can read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from subscribers.errors import UnusableFile


@contextmanager
def whole(path: Path, *, option: str) -> Iterator[BinaryIO]:
    """Yield a file that gets the name ``path`` at the end; ``option`` named it, for the error."""
    remedy = f"choose another {option}"
    try:
        check_new(path, option=option)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}-", dir=path.parent)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UnusableFile(f"cannot be written ({cause})", subject=str(path), remedy=remedy) from error
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_new(path, option=option)
        unfinished.rename(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UnusableFile(
            f"cannot be written ({error.strerror})", subject=str(path), remedy=remedy
        ) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def check_new(path: Path, *, option: str) -> None:
    """Raise `UnusableFile` for a name that is taken: nothing is written over."""
    if path.exists():
        problem = "is a folder" if path.is_dir() else "exists already, and nothing is written over"
        raise UnusableFile(problem, subject=str(path), remedy=f"choose another {option}")
