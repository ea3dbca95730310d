"""The fast way to read the JSON of the daily papers API, for answers in which nothing is odd.

It decodes just the fields that are needed, straight from the bytes, and cleans a text only where a look at it finds
something to clean. For anything unusual it gives up, and `daily_papers` reads the answer the tolerant way, which the
tests hold beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from newsletter.ingestion.clean import clean_line, clean_text, web_url
from newsletter.models.papers import Paper

Count = Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
Id = Annotated[str, msgspec.Meta(pattern=r"^\d{4}\.\d{4,5}$")]
_THUMBNAILS = "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers"
THUMBNAIL = _THUMBNAILS + "/{}.png"
PAGES = "https://huggingface.co/papers"
DISCUSSION = "#community"  # where on a paper's page people comment
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[A-Za-z0-9._~/%+=@-]{0,500})?")


class Author(msgspec.Struct):
    name: str
    hidden: bool | None = False


class Organization(msgspec.Struct):
    fullname: str | None = None
    name: str | None = None


class _Paper(msgspec.Struct):
    id: Id
    title: str | None = None
    summary: str | None = None
    authors: list[Author] | None = None
    upvotes: Count | None = None
    published: datetime | None = msgspec.field(name="publishedAt", default=None)
    submitted: datetime | None = msgspec.field(name="submittedOnDailyAt", default=None)
    ai_summary: str | None = None
    ai_keywords: list[str] | None = None
    repository: str | None = msgspec.field(name="githubRepo", default=None)
    stars: Count | None = msgspec.field(name="githubStars", default=None)
    project: str | None = msgspec.field(name="projectPage", default=None)
    organization: Organization | None = None


class _Entry(msgspec.Struct):
    paper: _Paper
    title: str | None = None
    summary: str | None = None
    published: datetime | None = msgspec.field(name="publishedAt", default=None)
    thumbnail: str | None = None
    media: str | None = msgspec.field(name="mediaUrl", default=None)
    comments: Count | None = msgspec.field(name="numComments", default=None)
    organization: Organization | None = None


_ODD_SPACE = ("  ", " \n", "\n ", "\n\n", "\t")
_ESCAPE = re.compile(rb"\\[bfru]")
_SOURCES = ("huggingface",)
Read = tuple[Paper, datetime | None, datetime | None]
_DECODER = msgspec.json.Decoder(list[_Entry])


def read_plain(data: bytes, submission_times_end: datetime) -> list[Read] | None:
    """Return each paper with its day's time and its time of submission, None where anything is odd."""
    if b"\x7f" in data or _has_odd_escape(data):
        return None
    try:
        entries = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    read: list[Read] = []
    for entry in entries:
        try:
            inside, outside = _utc(entry.paper.submitted), _utc(entry.published)
            if outside is not None and outside >= submission_times_end:
                outside = None
            paper = _paper(entry, inside or outside)
        except OverflowError:  # year 1 or 9999, and its offset leads out of the calendar
            return None
        if paper is None:
            return None
        read.append((paper, inside, outside))
    return read


def _paper(entry: _Entry, submitted: datetime | None) -> Paper | None:
    data = entry.paper
    title = _line(data.title or entry.title or "")
    if not title:
        return None
    known = data.id
    organization = data.organization or entry.organization
    return Paper(
        id=known,
        title=title,
        url=f"https://arxiv.org/abs/{known}",
        abstract=_text(data.summary or entry.summary or ""),
        authors=_lines([author.name for author in data.authors or () if not author.hidden]),
        votes=data.upvotes,
        image=_image(entry, known),
        submitted_at=submitted,
        published_at=_utc(data.published),
        short_summary=_text(data.ai_summary).strip() if data.ai_summary else "",
        keywords=_lines(data.ai_keywords) if data.ai_keywords else (),
        page_url=f"{PAGES}/{known}",
        discussion_url=f"{PAGES}/{known}{DISCUSSION}",
        code_url=_url(data.repository),
        code_stars=data.stars,
        project_url=_url(data.project),
        organization=(_line(organization.fullname or organization.name or "") or None)
        if organization
        else None,
        comments=entry.comments,
        sources=_SOURCES,
    )


def _image(entry: _Entry, known: str) -> str:
    usual = f"{_THUMBNAILS}/{known}.png"
    if entry.thumbnail == usual:
        return usual
    thumbnail = _url(entry.thumbnail)
    if thumbnail:
        return thumbnail
    media = _url(entry.media)
    if media and media.startswith("https://") and media.partition("?")[0].lower().endswith(PICTURES):
        return media
    return usual


def _has_odd_escape(data: bytes) -> bool:
    """Tell whether JSON writes a character by its number, or a control character but line feed and tab.

    Without these, ASCII strings hold nothing that must be cleaned away.
    """
    if not _ESCAPE.search(data):
        return False
    parts = iter(data.split(b"\\"))  # it may be the b of an escaped \\beta
    next(parts)
    for part in parts:
        if not part:  # an escaped backslash; what follows it is plain
            next(parts, None)
        elif part[0] in b"bfru":
            return True
    return False


def _text(text: str) -> str:
    return text if text.isascii() or text.replace("\n", "").isprintable() else clean_text(text)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if line.isascii() or line.isprintable() else clean_line(line)


def _lines(texts: list[str]) -> tuple[str, ...]:
    """Return the texts as clean lines, without empty ones."""
    joined = "\n".join(texts)
    if (
        joined.isascii()
        and joined.count("\n") == len(texts) - 1
        and not any(odd in joined for odd in _ODD_SPACE)
    ):
        return tuple(texts) if joined[:1] not in " \n" and joined[-1] not in " \n" else _cleaned(texts)
    return _cleaned(texts)


def _cleaned(texts: list[str]) -> tuple[str, ...]:
    lines = [" ".join(text.split()) for text in texts]
    if not "".join(lines).isprintable():
        lines = [clean_line(line) for line in lines]
    return tuple(filter(None, lines))


def _url(url: str | None) -> str | None:
    if not url or _PLAIN_URL.fullmatch(url):
        return url or None
    return web_url(url)


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
