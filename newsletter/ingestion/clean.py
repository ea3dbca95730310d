"""What a source says becomes safe plain text: the one place that every parser passes its papers through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from newsletter.ingestion.arxiv_ids import arxiv_url
from newsletter.models.papers import Paper, Section

# Control characters, lone surrogates, noncharacters, and the two marks of a letter's placeholders
# (`newsletter.models.issues.PLACEHOLDER_OPEN`): none of them is text.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000\ue001\ufffe\uffff]")
_NOT_IN_URL = re.compile(r"[\s<>\"\\^`{|}]")
_LONGEST_URL = 2048
LONG_TITLE = 300  # characters, more than any title that was ever collected
LONG_SUMMARY = 20_000


def clean_text(text: str) -> str:
    """Return text of several lines without anything that is not text; line ends become ``\\n``."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(text: str) -> str:
    """Return text as one line: line ends and runs of white space become one space."""
    return " ".join(_UNWANTED.sub("", " ".join(text.split())).split())


def web_url(url: str | None) -> str | None:
    """Return the address if it is an http or https one with a host, else None."""
    url = (url or "").strip()
    if not url or len(url) > _LONGEST_URL or _NOT_IN_URL.search(url) or _UNWANTED.search(url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return url if usable else None


def clean_paper(paper: Paper, warn: Callable[[str], None]) -> Paper:
    """Return the paper with clean text and only http and https addresses.

    A paper without a usable address gets its arXiv one; without that too it is kept, and ``warn`` is told.
    """
    url = web_url(paper.url) or arxiv_url(paper.id) or ""
    if not url:
        warn(f"paper {paper.id} has no http or https address; it is kept without a link")
    title = clean_line(paper.title)
    if not title:
        warn(f"paper {paper.id} has no title; its id stands in for it")
    image = web_url(paper.image)
    if paper.image and not image:
        warn(
            f"paper {paper.id} has {paper.image[:40]!r} for a picture, no http or https address; it goes without"
        )
    if len(title) > LONG_TITLE:
        warn(
            f"paper {paper.id} has a title of {len(title):,} characters; HTML shows a part of it, plain text all"
        )
    said = sum(len(section.text) for section in paper.sections)
    if said > LONG_SUMMARY:
        warn(
            f"paper {paper.id} has a summary of {said:,} characters; HTML shows a part of it, plain text all"
        )
    sections = (
        Section(heading=clean_line(section.heading), text=clean_text(section.text))
        for section in paper.sections
    )
    return replace(
        paper,
        title=title or paper.id,
        url=url,
        abstract=clean_text(paper.abstract),
        authors=_lines(paper.authors),
        image=image,
        short_summary=clean_text(paper.short_summary).strip(),
        keywords=_lines(paper.keywords),
        pdf_url=web_url(paper.pdf_url),
        page_url=web_url(paper.page_url),
        discussion_url=web_url(paper.discussion_url),
        code_url=web_url(paper.code_url),
        project_url=web_url(paper.project_url),
        organization=clean_line(paper.organization or "") or None,
        sections=tuple(section for section in sections if section.text.strip()),
    )


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in map(clean_line, texts) if line)
