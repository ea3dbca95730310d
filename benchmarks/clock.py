"""How things are timed: alternated, and by medians, so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter


def medians(first: Callable[[], object], second: Callable[[], object], *, runs: int) -> tuple[float, float]:
    """Return the median seconds of two things that are run in turn, after one run of each that does not count."""
    first()
    second()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for thing, taken in zip((first, second), times, strict=True):
            began = perf_counter()
            thing()
            taken.append(perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])
