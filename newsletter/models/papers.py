"""Papers, the days they come in, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum


class DayKind(Enum):
    """What a source's day turned out to be."""

    COMPLETE = "complete"
    QUIET = "quiet"  # closed, and nobody submitted a paper
    NOT_READY = "not_ready"  # not closed yet, or in the future
    CUT = "cut"  # the source has more than it gave
    FAILED = "failed"  # no readable answer after retries


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a summary: ``What's New`` and its text. A heading may be empty (plain bullets)."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as its sources describe it.

    ``id`` is the arXiv id without version (``2409.06820``), or the source's own id for others.
    ``votes`` is the count at the time the day was taken, None where it is not known; ``votable`` is whether
    any of its sources has votes at all (a paper of one that has none is not held to ``min_votes``).
    ``page_url`` is where its source shows it, ``discussion_url`` where people talk about it.
    ``authors`` keep the source's order. ``sections`` is a summary that came with the paper (a digest), written in
    ``sections_language`` as far as the digest's script tells.
    """

    id: str
    title: str
    url: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    votes: int | None = None
    votable: bool = True
    image: str | None = None
    submitted_at: datetime | None = None
    published_at: datetime | None = None
    short_summary: str = ""
    keywords: tuple[str, ...] = ()
    pdf_url: str | None = None
    page_url: str | None = None
    discussion_url: str | None = None
    code_url: str | None = None
    code_stars: int | None = None
    project_url: str | None = None
    organization: str | None = None
    comments: int | None = None
    sections: tuple[Section, ...] = ()
    sections_language: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPart:
    """What one of several merged sources gave: its kind of day, how many papers, and its warnings."""

    source: str
    kind: DayKind
    papers: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfPapers:
    """What one source (or several, merged) gave for one day.

    ``page`` is where the source shows all of it. ``parts`` tells the sources of a merged day apart.
    """

    source: str
    day: date
    kind: DayKind
    papers: tuple[Paper, ...]
    taken_at: datetime
    page: str | None = None
    warnings: tuple[str, ...] = ()
    parts: tuple[DayPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCount:
    """The votes of a paper, observed at a time."""

    paper_id: str
    votes: int
    taken_at: datetime


class SummaryOrigin(Enum):
    """Where a summary came from."""

    DIGEST = "digest"  # it came with the paper, in a digest
    EXTRACT = "extract"  # the paper's own sentences
    TITLE = "title"  # nothing could be said: title and link only


class PaperKind(Enum):
    """What a paper mainly gives to its readers."""

    BENCHMARK = "benchmark"
    DATASET = "dataset"
    MODEL = "model"
    METHOD = "method"
    SURVEY = "survey"
    SYSTEM = "system"
    THEORY = "theory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a summary is not sent: where it came from, the check it failed, the faulty text (may be empty), why."""

    origin: SummaryOrigin
    check: str
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is said of a paper. ``lead`` is one sentence for places that show one line (may be empty).

    ``kind`` is None when unsure; ``result`` is the paper's own sentence with its main result, empty if it has
    none. ``refused`` are the summaries that were not good enough to be this one.
    """

    origin: SummaryOrigin
    sections: tuple[Section, ...]
    lead: str = ""
    language: str = "en"
    kind: PaperKind | None = None
    result: str = ""
    refused: tuple[Refusal, ...] = ()
