"""Reads JSON feeds (https://jsonfeed.org/version/1.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from newsletter.errors import SourceError
from newsletter.ingestion.arxiv_ids import paper_id
from newsletter.ingestion.clean import clean_paper
from newsletter.ingestion.html_text import html_to_text
from newsletter.ingestion.merged import merge_papers, without_votes
from newsletter.ingestion.parsed import ParsedFile, Warnings
from newsletter.models.papers import Paper

_VERSION = re.compile(r'"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org')


class _Author(msgspec.Struct):
    name: str = ""


class _Item(msgspec.Struct):
    id: str | int | float
    url: str = ""
    external_url: str = ""
    title: str = ""
    summary: str = ""
    content_text: str = ""
    content_html: str = ""
    image: str | None = None
    date_published: str = ""
    authors: list[_Author] = []
    author: _Author | None = None
    tags: list[str] = []


class _Feed(msgspec.Struct):
    items: list[msgspec.Raw]


def is_json_feed(start: str) -> bool:
    """Tell from the beginning of a text whether it is a JSON feed."""
    return start.startswith("{") and _VERSION.search(start) is not None


def parse_json_feed(data: bytes, *, name: str) -> ParsedFile:
    """Read a JSON feed; raise `SourceError` if it cannot be read or has no papers."""
    feed = read_json_feed(data, name=name)
    if not feed.papers:
        raise SourceError("the feed has no papers", subject=name, remedy="take the feed of another day")
    return feed


def read_json_feed(data: bytes, *, name: str) -> ParsedFile:
    """Read a JSON feed that may have no papers; one bad item is a warning."""
    warnings = Warnings()
    papers: list[Paper] = []
    try:
        items = msgspec.json.decode(data, type=_Feed).items
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(
            f"is not a readable JSON feed ({error})", subject=name, remedy="fetch it again"
        ) from error
    for number, raw in enumerate(items):
        try:
            item = msgspec.json.decode(raw, type=_Item)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            warnings.add(f"{name}, item {number + 1}: left out ({error})")
            continue
        papers.append(clean_paper(_paper(item), lambda text: warnings.add(f"{name}: {text}")))
    merged, repeated = merge_papers([papers])
    for text in repeated:
        warnings.add(f"{name}: {text}")
    return ParsedFile(kind="feed", day=None, papers=without_votes(merged), warnings=warnings.all())


def _paper(item: _Item) -> Paper:
    link = item.external_url or item.url
    text = item.summary or item.content_text or html_to_text(item.content_html)
    authors = item.authors or ([item.author] if item.author else [])
    return Paper(
        id=paper_id(item.external_url, item.url, str(item.id)),
        title=html_to_text(item.title),
        url=link,
        abstract=text,
        authors=tuple(author.name for author in authors if author.name),
        image=item.image,
        published_at=_time(item.date_published),
        keywords=tuple(item.tags),
        sources=("feed",),
    )


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # it may leave the calendar on the way to UTC
        return None
