"""Programs that run beside a check, and are ended with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = 10  # seconds that a program has to end by itself


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process at the end, by force where it does not go."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
