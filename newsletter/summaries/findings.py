"""What the checks take and give: a summary as it is said, and what is found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from newsletter.models.papers import Section, SummaryOrigin
from newsletter.summaries import numbers, sentences, terms

_MOST_READ = 8_000  # characters of a section: far beyond any summary; bounds the work on hostile text


class Severity(Enum):
    """What a finding means."""

    ERROR = "error"
    WARNING = "warning"


class Check(Enum):
    """Every check, by the name under which its findings are told."""

    EMPTY_SOURCE = "empty-source"
    WRONG_PAPER = "wrong-paper"
    LATEX = "latex"
    WRONG_LANGUAGE = "wrong-language"
    EMPTY_SECTION = "empty-section"
    CUT_SECTION = "cut-section"
    PROMPT = "prompt"
    NUMBER = "number"
    UNIT = "unit"
    EXCHANGED = "exchanged"
    EXCERPT = "excerpt"
    SENTENCE = "sentence"
    NAME = "name"
    ACRONYM = "acronym"
    RESULT = "result"
    DIRECTION = "direction"
    LENGTH = "length"
    RENDERING = "rendering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault. ``text`` is the faulty text as it stands, in a section from ``start`` to ``end``.

    ``section`` counts from 0; it is None for a fault of the whole entry, whose ``text`` is empty. ``why`` is a
    sentence for people.
    """

    check: Check
    severity: Severity
    why: str
    text: str = ""
    section: int | None = None
    start: int = 0
    end: int = 0


def at(check: Check, severity: Severity, why: str, section: int, text: str, span: tuple[int, int]) -> Finding:
    """Return a finding at a place of a section's text."""
    start, end = span
    return Finding(
        check=check, severity=severity, why=why, text=text[start:end], section=section, start=start, end=end
    )


@dataclass(frozen=True, kw_only=True)
class Said:
    """A summary to be checked: its sections, the language that it should be in, and where it came from.

    ``origin`` is None for anybody's. ``exact`` is whether it was made from its source's text alone, by a model
    or by a person; ``prompt`` is the instruction that a model was given, for what it may have copied.
    """

    sections: Sequence[Section]
    language: str
    origin: SummaryOrigin | None = None
    exact: bool = False
    prompt: str = ""

    @cached_property
    def text(self) -> str:
        """All sections as one text."""
        return "\n".join(section.text for section in self.sections)

    @cached_property
    def english(self) -> bool:
        """Whether it is English, really: the script does not tell it from French."""
        return self.language == "en" and terms.is_english(self.text)

    @cached_property
    def sentences(self) -> list[list[tuple[int, str]]]:
        """The sentences of every section, each with the place where it begins."""
        return [sentences.placed(section.text[:_MOST_READ]) for section in self.sections]

    @cached_property
    def numbers(self) -> list[list[numbers.Number]]:
        """The numbers of every section."""
        return [numbers.find(section.text[:_MOST_READ]) for section in self.sections]
