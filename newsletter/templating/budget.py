"""Keeps a letter under the size at which Gmail cuts it, by telling less of the papers further down.

The plans stand on a ladder, from the widest to the narrowest: lines become titles, from the end; full entries
become lines and those titles; titles are only counted ("and 12 more"). Only where the lead weighs too much by itself
its sections are shortened, as far as they must. What a plan folds stays whole in the text part and in
Markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import overload

from newsletter.errors import RenderError

LENGTH = 180  # characters of whole sentences that a section below the lead keeps
LINES = 6  # entries of one line after the full ones
_LEAST = 300  # bytes: no entry that is shown weighs less


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many entries are told in full, in a line, and by title; the rest are counted."""

    full: int
    lines: int
    titles: int
    rest: int = 0
    lead_length: int = 0  # characters of whole sentences that each section of the lead keeps; 0 is all

    @property
    def shown(self) -> int:
        """How many entries stand in the HTML."""
        return self.full + self.lines + self.titles


class Ladder(Sequence[Plan]):
    """All plans for ``total`` entries of which ``full`` (0: all) are told in full, widest first.

    A ``brief`` letter has titles alone.
    """

    def __init__(self, total: int, full: int, *, brief: bool = False, lead_length: int = 0) -> None:
        self.total = total
        self._full = 0 if brief else total if full <= 0 else min(full, total)
        self._lines = 0 if brief or full <= 0 else min(LINES, total - self._full)
        self._least = min(self._full, 1)
        self._lead_length = lead_length

    def __len__(self) -> int:
        return self._folds + max(self.total, 1)

    @property
    def _folds(self) -> int:
        """How many steps fold lines and full entries; each step after them counts one title less."""
        return self._lines + 2 * max(self._full - 1, 0)

    @overload
    def __getitem__(self, index: int) -> Plan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Plan]: ...
    def __getitem__(self, index: int | slice) -> Plan | Sequence[Plan]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        full, lines = self._full, self._lines - index
        if lines < 0:  # no line is left: full entries become lines, and when one is left, those become titles
            full = max(self._full + lines, self._least)
            lines = self._full - full - max(-lines - (self._full - self._least), 0)
        rest = max(index - self._folds, 0)
        lines = max(lines, 0)
        titles = self.total - full - lines - rest
        return Plan(full=full, lines=lines, titles=titles, rest=rest, lead_length=self._lead_length)

    def first_of(self, most: int) -> int:
        """Return the index of the widest plan that shows at most ``most`` entries."""
        return 0 if self.total <= most else self._folds + self.total - max(most, self._least)


Make = Callable[[Plan], str]
Weigh = Callable[[str], int]


def fit(total: int, full: int, make: Make, weigh: Weigh, max_bytes: int, *, brief: bool = False) -> str:
    """Return the widest letter that weighs at most ``max_bytes``; it is made a few times only.

    Raises `RenderError` where even the lead by itself, shortened, weighs more.
    """
    narrowest = ""
    for lead_length in (0, LENGTH):
        ladder = Ladder(total, full, brief=brief, lead_length=lead_length)
        low = ladder.first_of(max_bytes // _LEAST)
        letter = make(ladder[low])
        if weigh(letter) <= max_bytes:
            return _longer_lead(ladder[low], letter, make, weigh, max_bytes) if lead_length else letter
        narrowest = make(ladder[len(ladder) - 1])
        if weigh(narrowest) <= max_bytes:
            return _widest(ladder, low, narrowest, make, weigh, max_bytes)
    raise RenderError(
        f"the letter weighs {weigh(narrowest):,} bytes with its first paper alone, more than {max_bytes:,}",
        remedy="allow more bytes or shorten the texts that stand in every letter",
    )


def _longer_lead(plan: Plan, best: str, make: Make, weigh: Weigh, max_bytes: int) -> str:
    """Return the letter whose lead keeps as much as fits."""
    low, high = plan.lead_length, max_bytes
    while high - low > LENGTH:
        middle = (low + high) // 2
        letter = make(replace(plan, lead_length=middle))
        if weigh(letter) <= max_bytes:
            low, best = middle, letter
        else:
            high = middle
    return best


def _widest(ladder: Ladder, low: int, best: str, make: Make, weigh: Weigh, max_bytes: int) -> str:
    """Return the widest letter that fits, of the plans between ``low``, which does not, and the last, ``best``."""
    high = len(ladder) - 1
    while high - low > 1:
        middle = (low + high) // 2
        letter = make(ladder[middle])
        if weigh(letter) <= max_bytes:
            high, best = middle, letter
        else:
            low = middle
    return best
