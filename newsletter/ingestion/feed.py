"""Reads RSS and Atom feeds, arXiv's among them, with feedparser."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import feedparser

from newsletter.errors import SourceError
from newsletter.ingestion.arxiv import arxiv_paper, is_arxiv, refuse_error, was_announced
from newsletter.ingestion.arxiv_ids import paper_id
from newsletter.ingestion.clean import clean_paper
from newsletter.ingestion.html_text import html_to_text
from newsletter.ingestion.merged import merge_papers, without_votes
from newsletter.ingestion.parsed import ParsedFile, Warnings
from newsletter.models.papers import Paper

_POINTS = re.compile(r"Points:\s*([0-9]{1,9})")
_COMMENTS = re.compile(r"# Comments:\s*([0-9]{1,9})")
_END = re.compile(rb"</(?:[a-z]+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_LABELS = ("Article URL:", "Comments URL:", "Points:", "# Comments:")  # what hnrss writes instead of a text


def parse_feed(data: bytes, *, name: str) -> ParsedFile:
    """Read an RSS or Atom feed, or an answer of the arXiv API; ``name`` stands in messages.

    Raise `SourceError` if it is none, has no papers, is arXiv's error, or declares entities.
    """
    feed = read_feed(data, name=name)
    if not feed.papers:
        raise SourceError("the feed has no papers", subject=name, remedy="take the feed of another day")
    return feed


def read_feed(data: bytes, *, name: str, announced: frozenset[str] | None = None) -> ParsedFile:
    """Read a feed that may have no papers; of arXiv's only what was ``announced`` as one of these, if given."""
    _refuse_entities(data, name)
    # A stream, because feedparser takes other values for addresses and file names too.
    parsed = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    fault = " ".join(str(parsed.get("bozo_exception", "")).split())[:200] if parsed.bozo else ""
    from_arxiv = is_arxiv(parsed.feed)
    if from_arxiv:
        refuse_error(parsed.feed, parsed.entries, name=name)
    if not parsed.entries and (fault or not parsed.get("version")):
        raise SourceError(
            f"is not a readable RSS or Atom feed ({fault or 'no feed element'})",
            subject=name,
            remedy="fetch it again or check its address",
        )
    warnings = Warnings()
    if fault:
        warnings.add(f"{name}: the feed is damaged ({fault}); papers behind that place may be missing")
    papers = [
        clean_paper(_paper(entry, from_arxiv=from_arxiv), lambda text: warnings.add(f"{name}: {text}"))
        for entry in parsed.entries
        if announced is None or was_announced(entry, announced)
    ]
    merged, repeated = merge_papers([papers])
    for text in repeated:
        warnings.add(f"{name}: {text}")
    return ParsedFile(
        kind="arxiv" if from_arxiv else "feed",
        day=_day(parsed.feed, from_arxiv=from_arxiv),
        papers=without_votes(merged),
        warnings=warnings.all(),
        whole=not fault or _END.search(data.replace(b"\x00", b"")) is not None,
    )


def _refuse_entities(data: bytes, name: str) -> None:
    lowered = data.lower().replace(b"\x00", b"")  # so that UTF-16 shows it too
    if b"<!doctype" in lowered and b"<!entity" in lowered:
        raise SourceError(
            "the feed declares XML entities, which can blow up a reader",
            subject=name,
            remedy="remove its DOCTYPE or use another feed",
        )


def _paper(entry: Mapping[str, Any], *, from_arxiv: bool) -> Paper:
    paper = arxiv_paper(entry) if from_arxiv else _any_paper(entry)
    return replace(paper, published_at=_time(_stamp(entry)))


def _any_paper(entry: Mapping[str, Any]) -> Paper:
    link, text = entry.get("link", ""), _plain(entry, "summary")
    points, comments = _POINTS.search(text), _COMMENTS.search(text)
    lines = text.split("\n")
    return Paper(
        id=paper_id(*_references(entry)),
        title=_plain(entry, "title"),
        url=link,
        abstract="\n".join(line for line in lines if not line.startswith(_LABELS)).strip(),
        authors=tuple(author.get("name", "") for author in entry.get("authors", ())),
        votes=int(points.group(1)) if points else None,
        comments=int(comments.group(1)) if comments else None,
        pdf_url=_pdf(entry),
        discussion_url=entry.get("comments") or None,
        sources=("feed",),
    )


def _pdf(entry: Mapping[str, Any]) -> str | None:
    found = (link.get("href") for link in entry.get("links", ()) if link.get("type") == "application/pdf")
    return next(filter(None, found), None)


def _references(entry: Mapping[str, Any]) -> tuple[str, ...]:
    links = (link.get("href", "") for link in entry.get("links", ()))
    return (entry.get("id", ""), entry.get("link", ""), *links, entry.get("title", ""))


def _plain(entry: Mapping[str, Any], key: str) -> str:
    value = str(entry.get(key) or "")
    kind = entry.get(f"{key}_detail", {}).get("type", "")
    return html_to_text(value) if "html" in kind else value


def _time(parts: Any) -> datetime | None:
    """Return feedparser's UTC time, None if it is missing or impossible."""
    try:
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def _stamp(part: Mapping[str, Any]) -> Any:
    """Return the time that a feed or an entry gives; `dict.get`, because feedparser warns of its own fallback."""
    assert isinstance(part, dict)
    return dict.get(part, "published_parsed") or dict.get(part, "updated_parsed")


def _day(feed: Mapping[str, Any], *, from_arxiv: bool) -> date | None:
    """Return the day a feed was made for; an answer of the arXiv API is of no day."""
    if from_arxiv and "opensearch_totalresults" in feed:
        return None
    made = _time(_stamp(feed))
    return made.date() if made else None
