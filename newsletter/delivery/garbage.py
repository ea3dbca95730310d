"""Garbage while an issue is sent: small values come and go by the thousand, and hardly any is part of a cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000  # new objects before they are looked at; the usual 700 or 2,000 cost a fifth of a send's time


@contextmanager
def seldom_looked_for() -> Iterator[None]:
    """Look for cycles seldom, and not at what was there before."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
