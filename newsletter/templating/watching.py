"""What tells that a file was changed: its time and its size, of all files below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator


def looked_at(path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield name, and time (ns) and size, of a file or of all below a folder, behind links too.

    What is hidden (an editor's own files) or cannot be looked at is left out.
    """
    if not os.path.isdir(path):  # noqa: PTH112  # strings: this runs for every letter, and four times a second
        yield from _file(path)
        return
    yield path, (0, 0)
    seen = set()
    for folder, inner, names in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back
            inner[:] = []
            continue
        seen.add(real)
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield from _file(os.path.join(folder, name))  # noqa: PTH118


def _file(path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:  # not there, or gone in the meantime: as good as none
        return
    yield path, (found.st_mtime_ns, found.st_size)
