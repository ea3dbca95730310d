"""Reads the Markdown digest of a day, in every form in which such digests were written.

A line is looked at once and only from its start, so the time grows with the length of the text, whatever
it holds. What no rule knows is a warning; a paper is never lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePath

from newsletter.errors import SourceError
from newsletter.ingestion.arxiv_ids import arxiv_url, paper_id
from newsletter.ingestion.clean import clean_paper, web_url
from newsletter.ingestion.merged import merge_papers
from newsletter.ingestion.parsed import ParsedFile, Warnings, first_date
from newsletter.ingestion.python_literals import literal, readable
from newsletter.models.papers import Paper, Section
from newsletter.scripts import language_of

_KEY_LIMIT = 200
_VIDEO = ("<div", "</div", "<video", "</video", "<source", "[watch video]")
_AVATAR = "/avatars/"  # digests carry those of commenters between papers; they are no pictures of the paper
_RULES = {"---", "***", "___"}
_MORE_BLANKS = re.compile(r"\n{3,}")


@dataclass(slots=True)
class _Value:
    """A section while its lines are read. A key without text takes the bullets below it."""

    heading: str
    lines: list[str]
    takes_bullets: bool = False


@dataclass(slots=True)
class _Draft:
    line: int
    title: str
    url: str
    image: str | None = None
    votes: str | None = None
    authors: list[str] | None = None
    sections: list[_Value] = field(default_factory=list)
    value: list[str] | None = None  # where a continuation line belongs


def parse_digest(text: str, *, name: str) -> ParsedFile:
    """Read a digest; ``name`` (its path) stands in messages. Raise `SourceError` if it holds no paper."""
    reader = _Reader(name)
    reader.read(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if not reader.drafts:
        raise SourceError(
            "the digest has no papers", subject=name, remedy="a paper starts with '### [Title](link)'"
        )
    drafted = [reader.paper(draft) for draft in reader.drafts]
    language = language_of(" ".join(section.text for paper in drafted for section in paper.sections))
    drafted = [replace(paper, sections_language=language if paper.sections else "") for paper in drafted]
    papers, repeated = merge_papers([drafted])
    for text_ in repeated:
        reader.warnings.add(f"{name}: {text_}")
    return ParsedFile(
        kind="digest",
        day=reader.day or first_date(PurePath(name).name),
        papers=papers,
        warnings=reader.warnings.all(),
    )


class _Reader:
    """Takes the lines of a digest one after the other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.day: date | None = None
        self.drafts: list[_Draft] = []
        self.warnings = Warnings()
        self._draft: _Draft | None = None

    def read(self, lines: Iterable[str]) -> None:
        for number, line in enumerate(lines, start=1):
            line = line.rstrip().replace("\\<", "<")  # written so that it opens no HTML tag
            if line.startswith("### ") or line == "###":
                self._draft = self._start(number, line[3:].strip())
                self.drafts.append(self._draft)
            elif line.startswith("## "):
                self._heading(number, line)
                self._draft = None
            elif line in _RULES:
                continue
            elif self._draft is None:
                if line:
                    self._warn(number, "the line stands before the first paper and is left out")
            else:
                self._inside(self._draft, number, line)

    def paper(self, draft: _Draft) -> Paper:
        """Make the paper of a draft."""
        sections = (
            Section(heading=value.heading, text=readable(_joined(value.lines))) for value in draft.sections
        )
        known = paper_id(draft.url, draft.title, f"line-{draft.line}")
        paper = Paper(
            id=known,
            title=draft.title,
            url=arxiv_url(known) or draft.url,
            authors=_authors(" ".join(draft.authors or ())),
            votes=self._votes(draft),
            image=draft.image,
            sections=tuple(sections),
            sources=("digest",),
        )
        return clean_paper(paper, lambda text: self._warn(draft.line, text))

    def _heading(self, number: int, line: str) -> None:
        day = first_date(line)
        if self.day is None:
            self.day = day
        elif day is not None and day != self.day:
            self._warn(number, f"a second day, {day}, begins; its papers are kept under {self.day}")

    def _start(self, number: int, text: str) -> _Draft:
        title, url = text, ""
        middle, end = text.rfind("]("), text.rfind(")")
        if text.startswith("[") and 0 < middle < end:
            title = text[1:middle].replace("\\[", "[").replace("\\]", "]")
            url = text[middle + 2 : end].strip().strip("<>").partition(" ")[0]
        else:
            self._warn(number, "the paper has no link of the form [Title](link)")
        return _Draft(line=number, title=title, url=url)

    def _inside(self, draft: _Draft, number: int, line: str) -> None:
        word, _, rest = line.partition(":")
        word = word.lower()
        if not line:
            self._blank(draft)
        elif line.startswith("!["):
            address = line[line.find("](") + 2 : line.rfind(")")]
            url = web_url(address)
            if address and not url and not address.startswith(_AVATAR):
                self._warn(
                    number, f"the picture's address {address[:40]!r} is not http or https; it is left out"
                )
            draft.image = draft.image or url
        elif word in {"vote", "votes"} and draft.votes is None:
            draft.votes, draft.value = rest.strip(), None
        elif word in {"author", "authors"} and draft.authors is None:
            draft.authors = draft.value = [rest.strip()]
        elif line.startswith(("- ", "* ", "+ ", "**")):
            self._bullet(draft, line)
        elif draft.value is not None:
            draft.value.append(line.strip())
        elif not line.lower().startswith(_VIDEO):
            self._warn(number, "the line belongs to nothing and is left out")

    def _blank(self, draft: _Draft) -> None:
        if draft.value is draft.authors:
            draft.value = None
        elif draft.value and draft.value[-1]:
            draft.value.append("")

    def _bullet(self, draft: _Draft, line: str) -> None:
        text = line if line.startswith("**") else line[2:].strip()
        heading, text = _key(text)
        last = draft.sections[-1] if draft.sections else None
        if not heading and last is not None and last.takes_bullets:
            last.lines.append(line)
            return
        value = _Value(heading, [text], takes_bullets=bool(heading) and not text)
        draft.sections.append(value)
        draft.value = value.lines

    def _votes(self, draft: _Draft) -> int | None:
        text = (draft.votes or "-").replace(",", "")
        if text == "-":
            return None
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
        self._warn(
            draft.line, f"the votes {text[:40]!r} are not a number; the paper counts as one without votes"
        )
        return None

    def _warn(self, number: int, text: str) -> None:
        self.warnings.add(f"{self.name}, line {number}: {text}")


def _joined(lines: list[str]) -> str:
    return _MORE_BLANKS.sub("\n\n", "\n".join(lines)).strip()


def _key(text: str) -> tuple[str, str]:
    """Split ``**Key**: text`` (or ``***Key***: text``, ``**Key:** text``); without a key it is empty."""
    stars = "***" if text.startswith("***") else "**"
    end = text.find(stars, len(stars), _KEY_LIMIT) if text.startswith(stars) else -1
    if end < 0:
        return "", text
    key, rest = text[len(stars) : end].strip(), text[end + len(stars) :].strip()
    if rest.startswith((":", "：")):
        return key, rest[1:].strip()
    if key.endswith((":", "：")):
        return key[:-1].strip(), rest
    return "", text


def _authors(text: str) -> tuple[str, ...]:
    """Split the names, keeping their order; a "+" that stood for more of them is none."""
    value = literal(text)
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        names = [str(name).strip() for name in value]
    elif text.startswith("["):  # a list that was cut
        names = [name.strip(" '\"") for name in text.strip("[]").split(",")]
    else:
        names = [name.strip() for name in text.split(",")]
    return tuple(name for name in names if any(character.isalnum() for character in name))
