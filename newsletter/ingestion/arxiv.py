"""What is special about arXiv's feeds and API answers; `newsletter.ingestion.feed` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from newsletter.errors import SourceError
from newsletter.ingestion.arxiv_ids import arxiv_url, paper_id
from newsletter.models.papers import Paper

_ANNOUNCEMENT = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*\S+\s*(?:Abstract:\s*)?", re.IGNORECASE)


def is_arxiv(feed: Mapping[str, Any]) -> bool:
    """Return whether a feed (as feedparser gives it) comes from arXiv: a feed, an answer, or an error."""
    for address in (feed.get("id"), feed.get("link")):
        try:
            host = urlsplit(address or "").hostname or ""
        except ValueError:
            continue
        if host == "arxiv.org" or host.endswith(".arxiv.org"):
            return True
    return str(feed.get("title", "")).lower().startswith("feed error for query")


def refuse_error(feed: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], *, name: str) -> None:
    """Raise `SourceError`, quoting arXiv, if the answer is an error dressed as a feed."""
    first = entries[0] if entries else {}
    in_feed = str(feed.get("title", "")).lower().startswith("feed error for query")
    in_entry = first.get("title") == "Error" and "arxiv.org/api/errors" in str(first.get("id", ""))
    if in_feed or in_entry:
        said = str(first.get("summary") or feed.get("subtitle") or feed.get("title"))[:300]
        raise SourceError(
            f"arXiv answered with an error: {said}", subject=name, remedy="check the query or the ids"
        )


def arxiv_paper(entry: Mapping[str, Any]) -> Paper:
    """Make a paper of one entry of an arXiv feed or answer, in plain text already."""
    known = paper_id(entry.get("id", ""), entry.get("link", ""), entry.get("title", ""))
    names = [author.get("name", "") for author in entry.get("authors", ())]
    if len(names) == 1 and entry.get("id", "").startswith("oai:"):  # a feed's one dc:creator holds them all
        names = names[0].split(",")
    return Paper(
        id=known,
        title=entry.get("title", ""),
        url=arxiv_url(known) or entry.get("link", ""),
        abstract=_ANNOUNCEMENT.sub("", entry.get("summary", ""), count=1).strip(),
        authors=tuple(names),
        sources=("arxiv",),
    )


def was_announced(entry: Mapping[str, Any], wanted: frozenset[str]) -> bool:
    """Tell whether a feed's entry was announced as one of ``wanted``; what says nothing of it was."""
    said = str(entry.get("arxiv_announce_type", "")).lower()
    return not said or said in wanted or (said == "replace-cross" and "replace" in wanted)
