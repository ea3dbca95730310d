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
    """Yield a file that takes the place of ``path`` at the end; ``option`` named it, for the error."""
    remedy = f"choose another {option}"
    if path.is_dir():
        raise UnusableFile("is a folder", subject=str(path), remedy=remedy)
    try:
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
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UnusableFile(
            f"cannot be written ({error.strerror})", subject=str(path), remedy=remedy
        ) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
