"""Reads the JSON of the Hugging Face Daily Papers API."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import PurePath
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from newsletter.errors import SourceError
from newsletter.ingestion.arxiv_ids import arxiv_url, paper_id
from newsletter.ingestion.clean import clean_line, clean_paper, web_url
from newsletter.ingestion.daily_papers_fast import (
    DISCUSSION,
    PAGES,
    PICTURES,
    THUMBNAIL,
    Author,
    Count,
    Organization,
    read_plain,
)
from newsletter.ingestion.merged import merge_papers
from newsletter.ingestion.parsed import ParsedFile, Warnings, first_date
from newsletter.models.papers import Paper

# Before this day the time outside `paper` was that of the submission, since then it is the paper's own.
_SUBMISSION_TIMES_END = datetime(2025, 3, 10, tzinfo=UTC)

T = TypeVar("T")


def page_of_day(day: date) -> str:
    """Return the address of the page on which people read that day's papers."""
    return f"https://huggingface.co/papers/date/{day.isoformat()}"


class _PaperData(msgspec.Struct):
    """Only the id must be there; the rest is read field by field, so that one odd value costs only itself."""

    id: Annotated[str, msgspec.Meta(pattern=r"\S")]
    title: Any = None
    summary: Any = None
    authors: Any = None
    upvotes: Any = None
    published: Any = msgspec.field(name="publishedAt", default=None)
    submitted: Any = msgspec.field(name="submittedOnDailyAt", default=None)
    ai_summary: Any = None
    ai_keywords: Any = None
    repository: Any = msgspec.field(name="githubRepo", default=None)
    stars: Any = msgspec.field(name="githubStars", default=None)
    project: Any = msgspec.field(name="projectPage", default=None)
    organization: Any = None


class _Entry(msgspec.Struct):
    paper: _PaperData
    title: Any = None
    summary: Any = None
    published: Any = msgspec.field(name="publishedAt", default=None)
    thumbnail: Any = None
    media: Any = msgspec.field(name="mediaUrl", default=None)
    comments: Any = msgspec.field(name="numComments", default=None)
    organization: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of the API. ``length`` counts its entries, the unreadable ones too."""

    length: int
    papers: tuple[Paper, ...]
    warnings: tuple[str, ...]
    day: date | None


def parse_daily_papers(data: bytes, *, name: str) -> ParsedFile:
    """Read a stored answer of the API; ``name`` (its path) stands in messages and may tell the day.

    Raise `SourceError` if it is not such an answer or holds no paper.
    """
    page = read_page(data, name=name)
    if not page.length:
        raise SourceError("the list has no papers", subject=name, remedy="take the file of another day")
    papers, repeated = merge_papers([page.papers])
    warnings = (*page.warnings, *(f"{name}: {text}" for text in repeated))
    return ParsedFile(kind="huggingface", day=page.day, papers=papers, warnings=warnings)


def read_page(data: bytes, *, name: str) -> Page:
    """Read one answer of the API, which may be empty. Raise `SourceError` if none of it can be used."""
    plain = read_plain(data, _SUBMISSION_TIMES_END)
    if plain is None:
        return read_tolerantly(data, name=name)
    day = _day([(inside, outside) for _, inside, outside in plain], name)
    return Page(length=len(plain), papers=tuple(paper for paper, _, _ in plain), warnings=(), day=day)


def read_tolerantly(data: bytes, *, name: str) -> Page:
    """Read one answer of the API field by field: what is odd costs only itself, and is a warning."""
    entries = _list(data, name)
    warnings = Warnings()
    papers: list[Paper] = []
    times: list[tuple[datetime | None, datetime | None]] = []
    for index, value in enumerate(entries):
        reader = _Reader(f"$[{index}]", name, warnings)
        try:
            entry = msgspec.convert(value, _Entry)
        except msgspec.ValidationError as error:
            reader.warn(_placed(error, reader.place), "; the entry is left out")
            continue
        inside = reader.time(entry.paper.submitted, ".paper.submittedOnDailyAt")
        outside = reader.time(entry.published, ".publishedAt")
        if outside is not None and outside >= _SUBMISSION_TIMES_END:
            outside = None
        times.append((inside, outside))
        papers.append(reader.paper(entry, inside or outside))
    if entries and not papers:
        raise SourceError(
            f"is not a list of daily papers: {warnings.all()[0].removeprefix(f'{name}: ').partition(';')[0]}",
            subject=name,
            remedy="expected the JSON of /api/daily_papers",
        )
    day = _day(times, name)
    return Page(length=len(entries), papers=tuple(papers), warnings=warnings.all(), day=day)


def _list(data: bytes, name: str) -> list[Any]:
    """Read the JSON; the standard reader tells line and column, and bears a lone surrogate in one title."""
    try:
        entries = json.loads(data)
    except json.JSONDecodeError as error:
        half = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        problem = "the JSON ends in the middle" if half else "is not valid JSON"
        raise SourceError(
            f"{problem} (line {error.lineno}, column {error.colno}: {error.msg})",
            subject=name,
            remedy="fetch it again",
        ) from error
    except (ValueError, RecursionError) as error:  # bytes that are no text, endless digits, endless nesting
        raise SourceError(f"is not usable JSON ({error})", subject=name, remedy="fetch it again") from error
    if not isinstance(entries, list):
        raise SourceError(
            f"is another JSON: a list of daily papers was expected, not {type(entries).__name__}",
            subject=name,
            remedy="expected the JSON of /api/daily_papers",
        )
    return entries


class _Reader:
    """Reads the fields of one entry; what has another type than expected is a warning."""

    def __init__(self, place: str, name: str, warnings: Warnings) -> None:
        self.place = place
        self._name = name
        self._warnings = warnings

    def warn(self, text: str, end: str = "; it is left out") -> None:
        self._warnings.add(f"{self._name}: {text}{end}")

    def value(self, value: Any, kind: type[T], where: str) -> T | None:
        if value is None:
            return None
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self.warn(_placed(error, self.place + where))
            return None

    def text(self, value: Any, where: str) -> str:
        return self.value(value, str, where) or ""

    def time(self, value: Any, where: str) -> datetime | None:
        text = self.text(value, where)
        try:
            if not text:
                return None
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.warn(f"{text[:40]!r} is not a time - at `{self.place}{where}`")
            return None

    def paper(self, entry: _Entry, submitted: datetime | None) -> Paper:
        data = entry.paper
        known = paper_id(data.id)
        page = known if arxiv_url(known) else quote(clean_line(data.id), safe="")
        paper = Paper(
            id=known,
            title=self.text(data.title, ".paper.title") or self.text(entry.title, ".title"),
            url=arxiv_url(known) or f"{PAGES}/{page}",
            abstract=self.text(data.summary, ".paper.summary") or self.text(entry.summary, ".summary"),
            authors=self.authors(data.authors),
            votes=self.value(data.upvotes, Count, ".paper.upvotes"),
            image=self.image(entry, page),
            submitted_at=submitted,
            published_at=self.time(data.published, ".paper.publishedAt"),
            short_summary=self.text(data.ai_summary, ".paper.ai_summary"),
            keywords=tuple(self.value(data.ai_keywords, list[str], ".paper.ai_keywords") or ()),
            page_url=f"{PAGES}/{page}",
            discussion_url=f"{PAGES}/{page}{DISCUSSION}",
            code_url=self.text(data.repository, ".paper.githubRepo"),
            code_stars=self.value(data.stars, Count, ".paper.githubStars"),
            project_url=self.text(data.project, ".paper.projectPage"),
            organization=self.organization(entry),
            comments=self.value(entry.comments, Count, ".numComments"),
            sources=("huggingface",),
        )
        return clean_paper(paper, lambda text: self.warn(text, ""))

    def authors(self, value: Any) -> tuple[str, ...]:
        people = self.value(value, list[Any], ".paper.authors") or []
        read = (self.value(person, Author, f".paper.authors[{index}]") for index, person in enumerate(people))
        return tuple(person.name for person in read if person and not person.hidden)

    def image(self, entry: _Entry, page: str) -> str:
        thumbnail = web_url(self.text(entry.thumbnail, ".thumbnail"))
        media = web_url(self.text(entry.media, ".mediaUrl"))
        if media and not (media.startswith("https://") and urlsplit(media).path.lower().endswith(PICTURES)):
            media = None
        return thumbnail or media or THUMBNAIL.format(page)

    def organization(self, entry: _Entry) -> str | None:
        inside = self.value(entry.paper.organization, Organization, ".paper.organization")
        known = inside or self.value(entry.organization, Organization, ".organization")
        return (known.fullname or known.name) if known else None


def _placed(error: msgspec.ValidationError, place: str) -> str:
    """Return msgspec's message with the place in the whole file instead of that in the part."""
    text, _, inner = str(error).partition(" - at `$")
    return f"{text} - at `{place}{inner.rstrip('`')}`"


def _day(times: list[tuple[datetime | None, datetime | None]], name: str) -> date | None:
    """Return the day of a file: what most entries say, else its name, else the old submission times."""
    inside = Counter(moment.date() for moment, _ in times if moment)
    if inside:
        return inside.most_common(1)[0][0]
    named = first_date(PurePath(name).name)
    outside = Counter(moment.date() for _, moment in times if moment)
    if named is None and outside.total() == len(times) > 0:
        return outside.most_common(1)[0][0]
    return named
