"""How long a test may take: `make torture` runs at full length what the suite runs a short form of."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields

TORTURE = bool(os.environ.get("TORTURE"))


def length(short: int, full: int) -> int:
    """Return how many rounds a test makes."""
    return full if TORTURE else short


def tell(line: str, end: str = "\n") -> None:
    """Say what a full run came to; it shows with `pytest -s`."""
    if TORTURE:
        print(line, end=end, file=sys.stderr, flush=True)


@dataclass(slots=True)
class Tally:
    """What the rounds of a test together came to: a dataclass of counts."""

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, each.name):,} {each.name}" for each in fields(self))
