"""Keeps a letter under the size at which Gmail cuts it, by telling less of the papers further down.

The plans stand on a ladder, from the widest to the narrowest: full entries become lines, from the end;
lines become titles; titles are only counted ("and 12 more"); at the very last the lead keeps one line.
What a plan folds stays whole in the text part and in Markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

from newsletter.errors import RenderError

LINES = 6  # entries of one line after the full ones
_LEAST = 300  # bytes: no entry that is shown weighs less


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many entries are told in full, in a line, and by title; the rest are counted."""

    full: int
    lines: int
    titles: int
    rest: int = 0
    whole_lead: bool = True

    @property
    def shown(self) -> int:
        """How many entries stand in the HTML."""
        return self.full + self.lines + self.titles


class Ladder(Sequence[Plan]):
    """All plans for ``total`` entries of which ``full`` (0: all) are told in full, widest first."""

    def __init__(self, total: int, full: int) -> None:
        self.total = total
        self._full = total if full <= 0 else min(full, total)
        self._lines = 0 if full <= 0 else min(LINES, total - self._full)

    def __len__(self) -> int:
        return self._full + self._folded + self.total if self.total else 1

    @property
    def _folded(self) -> int:
        return max(self._full - 1, 0) + self._lines

    @overload
    def __getitem__(self, index: int) -> Plan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Plan]: ...
    def __getitem__(self, index: int | slice) -> Plan | Sequence[Plan]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index < self._full or not self.total:
            lines = self._lines + index
            full = self._full - index
            return Plan(full=full, lines=lines, titles=self.total - full - lines)
        index -= self._full - 1  # 1 and up: lines that became titles
        if index <= self._folded:
            lines = self._folded - index
            return Plan(full=1, lines=lines, titles=self.total - 1 - lines)
        rest = min(index - self._folded, self.total - 1)
        whole = index - self._folded < self.total
        return Plan(full=1, lines=0, titles=self.total - 1 - rest, rest=rest, whole_lead=whole)

    def first_of(self, most: int) -> int:
        """Return the index of the widest plan that shows at most ``most`` entries."""
        return 0 if self.total <= most else self._full + self._folded + self.total - max(most, 1) - 1


def fit(ladder: Ladder, make: Callable[[Plan], str], max_bytes: int) -> str:
    """Return the widest letter that weighs at most ``max_bytes`` in UTF-8; it is made a few times only.

    Raises `RenderError` where even the lead by itself weighs more.
    """
    low = ladder.first_of(max_bytes // _LEAST)
    letter = make(ladder[low])
    if _weight(letter) <= max_bytes:
        return letter
    high = len(ladder) - 1
    best = make(ladder[high])
    if _weight(best) > max_bytes:
        raise RenderError(
            f"the letter weighs {_weight(best):,} bytes with its first paper alone, more than {max_bytes:,}",
            remedy="allow more bytes or shorten the texts that stand in every letter",
        )
    while high - low > 1:
        middle = (low + high) // 2
        letter = make(ladder[middle])
        if _weight(letter) <= max_bytes:
            high, best = middle, letter
        else:
            low = middle
    return best


def _weight(letter: str) -> int:
    return len(letter.encode())
