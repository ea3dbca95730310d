"""How long what was refused for a while is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# Pauses are longer by up to a fifth, so that those who were refused together do not come back together.
_JITTER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a temporary refusal is tried again: pauses double from ``first`` to ``longest``, until ``give_up``."""

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)
    give_up: timedelta = timedelta(hours=12)

    def pause(self, attempt: int, row: int = 0) -> timedelta:
        """Return how long to wait after an attempt, counted from 1; longer for some rows than for others."""
        doubled: int = 2 ** min(attempt - 1, 20)
        plain = max(self.first, min(self.first * doubled, self.longest))
        return plain + plain / _JITTER * (hash((row, attempt)) % 1000 / 1000)  # of numbers: always the same


PATIENCE = Patience()
