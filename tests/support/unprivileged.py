"""Doing something as an ordinary user, also where the tests run as root (who may read and write everything)."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def public_folder() -> Iterator[Path]:
    """Make a folder that every user can look into."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be `nobody` for a while, if this is root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
