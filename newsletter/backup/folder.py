"""Where backups are written: unfinished ones under a name of their own, whole ones kept for a number of turns."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from newsletter.errors import InputError

_UNFINISHED = ".newsletter-backup-"
_OWN = re.compile(r"newsletter-\d{8}T\d{12}Z\.tar\.gz(\.age)?")


def name_of(made: datetime, *, sealed: bool) -> str:
    """Return the name that a backup gets by itself."""
    return f"newsletter-{made:%Y%m%dT%H%M%S%f}Z.tar.gz{'.age' if sealed else ''}"


def backups_in(folder: Path) -> list[Path]:
    """Return the backups of a folder that have a name of ours, oldest first."""
    return sorted(path for path in folder.glob("newsletter-*") if _OWN.fullmatch(path.name))


def rotate(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest backups of a folder that have a name of ours; return what was removed."""
    removed = backups_in(folder)[:-keep]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Make a folder for unfinished things that nobody else can look into; what killed processes left is removed."""
    _sweep(folder)
    work = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(handle)


@contextmanager
def arriving(target: Path) -> Iterator[BinaryIO]:
    """Give a file that takes its place whole and on the disk, for its owner alone, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    handle, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield file
            file.flush()
            os.fsync(file.fileno())
            check_new(target)
            Path(unfinished).rename(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    sync(target.parent)


def check_new(target: Path) -> None:
    """Raise `InputError` for a name that is taken."""
    if target.exists():
        raise InputError(
            "exists already", subject=str(target), remedy="nothing is written over; name another"
        )


def sync(folder: Path) -> None:
    """Wait until the disk has a folder's names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what processes left unfinished that are gone: those that live hold a lock on it."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):  # it lives, is another user's, or has gone meanwhile
            handle = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)
