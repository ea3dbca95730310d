"""What a parser gives back, and the small things that all parsers share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from newsletter.models.papers import Paper

Kind = Literal["digest", "huggingface", "feed", "arxiv"]

_ISO_DATE = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """The papers of one file or answer, each id once. ``day`` is what it says of itself, if anything.

    It is not ``whole`` where it breaks off in the middle.
    """

    kind: Kind
    day: date | None
    papers: tuple[Paper, ...]
    warnings: tuple[str, ...] = ()
    whole: bool = True


class Warnings:
    """Collects warnings, at most ``limit`` of them: a broken file must not become a million lines."""

    def __init__(self, limit: int = 50) -> None:
        self._limit = limit
        self._kept: list[str] = []
        self._more = 0

    def add(self, text: str) -> None:
        """Keep a warning, on one line, without what no encoding can write (a file name may hold it)."""
        if len(self._kept) < self._limit:
            self._kept.append(" ".join(text.encode("utf-8", "replace").decode().split()))
        else:
            self._more += 1

    def all(self) -> tuple[str, ...]:
        """Return the warnings in order, the last one counting those that were too many."""
        more = (f"{self._more} more warnings of the same file are left out",) if self._more else ()
        return (*self._kept, *more)


def first_date(text: str) -> date | None:
    """Return the first ISO date in a text that exists in the calendar."""
    for match in _ISO_DATE.finditer(text):
        try:
            return date.fromisoformat(match.group())
        except ValueError:
            continue
    return None
