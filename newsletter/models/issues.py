"""Issues: what is chosen for them, how they are rendered, and the letter that is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from newsletter.models.papers import DayKind, Paper, Summary

# Private-use characters mark a placeholder in a letter; `templating` removes them from all content,
# so nothing that a source says can look like one.
PLACEHOLDER_OPEN = "\ue000"
PLACEHOLDER_CLOSE = "\ue001"


def placeholder(name: str) -> str:
    """Return the mark that stands in a letter where a recipient's value ``name`` goes."""
    return f"{PLACEHOLDER_OPEN}{name}{PLACEHOLDER_CLOSE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How many papers an issue takes: ``top`` 0 means all; fewer than ``fill`` are filled up to it."""

    top: int = 15
    min_votes: int = 2
    fill: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A paper in an issue. ``rank`` counts from 1 in sending order; ``carried_from`` is an earlier day's."""

    rank: int
    paper: Paper
    summary: Summary
    carried_from: date | None = None


class Occasion(Enum):
    """Why an issue is as it is."""

    DAY = "day"  # the papers of its day
    PARTIAL = "partial"  # its day was not complete, and was sent all the same
    QUIET = "quiet"  # its day has no papers; a note says so
    ROLL_UP = "roll-up"  # its day has no papers; the best of earlier days that were not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One edition's number for one day, before it is rendered.

    ``collected`` counts the day's papers, ``entries`` are those that were selected; ``left_out`` are the other
    candidates (paper id, why).
    """

    edition: str
    day: date
    language: str
    entries: tuple[Entry, ...]
    collected: int
    kind: DayKind = DayKind.COMPLETE
    occasion: Occasion = Occasion.DAY
    source_url: str | None = None
    warnings: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def votes(self) -> int:
        """The votes of all entries together."""
        return sum(entry.paper.votes or 0 for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An edition's scheduled send of a local day; nothing of it is begun after ``latest`` (of any zone)."""

    day: date
    latest: datetime

    @property
    def deadline(self) -> str:
        """``latest`` as people read it, with its zone."""
        return f"{self.latest:%Y-%m-%d %H:%M %Z}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An issue in every form. ``html`` and ``text`` hold placeholders; ``markdown`` is the archive form."""

    subject: str
    preheader: str
    html: str
    text: str
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An issue rendered once, frozen at planning: what every recipient gets but for placeholders.

    ``headers`` are the same for everybody. ``boundary`` and ``date`` are part of it, so that the bytes
    made from it are always the same.
    """

    subject: str
    html: str
    text: str
    language: str
    from_name: str
    from_address: str
    date: datetime
    boundary: str
    headers: tuple[tuple[str, str], ...] = ()
