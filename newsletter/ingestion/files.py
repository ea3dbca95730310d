"""Files of papers: what a file is, is told by its content; several files together are one source."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from newsletter.errors import InputError, SourceError
from newsletter.ingestion.daily_papers import page_of_day, parse_daily_papers
from newsletter.ingestion.digest import parse_digest
from newsletter.ingestion.feed import parse_feed
from newsletter.ingestion.json_feed import is_json_feed, parse_json_feed
from newsletter.ingestion.merged import merge_papers, without_votes
from newsletter.ingestion.parsed import ParsedFile
from newsletter.models.papers import DayKind, DayOfPapers
from newsletter.protocols import Source

__all__ = ["FileSource", "ParsedFile", "read_file"]

MEGABYTE = 1024 * 1024
MOST_BYTES = 32 * MEGABYTE
_REMEDY = (
    "give a digest (.md), the JSON of /api/daily_papers, an RSS, Atom or JSON feed, or an arXiv API answer"
)
_START = 4096
_FIRST_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9:_-]*)")
_DIGEST_HEADING = re.compile(r"^#{2,3} ", re.MULTILINE)


def read_file(path: Path) -> ParsedFile:
    """Read a file of papers, recognised by its content. Raise `InputError`, naming the path."""
    data = _bytes(path)
    try:
        parsed = _parse(data, str(path))
        return replace(parsed, papers=without_votes(parsed.papers))
    except SourceError as error:
        raise InputError(error.problem, subject=error.subject, remedy=error.remedy) from error


class FileSource(Source):
    """The papers of some files, read at once. ``day`` is given, else a file's own (the first), else today."""

    name = "file"

    def __init__(self, paths: Sequence[Path], *, day: date | None, clock: Callable[[], datetime]) -> None:
        self._taken_at = clock()
        self.files = tuple(read_file(path) for path in paths)
        own = next((file.day for file in self.files if file.day is not None), None)
        self.day = day or own or self._taken_at.date()

    def fetch(self, day: date) -> DayOfPapers:
        """Return the papers of all files, merged, as that day's."""
        papers, _ = merge_papers([file.papers for file in self.files])
        return DayOfPapers(
            source=self.name,
            day=day,
            kind=DayKind.COMPLETE,
            papers=papers,
            taken_at=self._taken_at,
            page=page_of_day(day) if any(file.kind == "huggingface" for file in self.files) else None,
            warnings=tuple(text for file in self.files for text in file.warnings),
        )


def _bytes(path: Path) -> bytes:
    subject = str(path)
    try:
        if path.is_dir():
            raise InputError("is a directory", subject=subject, remedy="name the files in it")
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(subject)
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError("there is no such file", subject=subject, remedy="check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({reason})", subject=subject, remedy="check the file") from error
    if len(data) > MOST_BYTES:  # a pipe has no size to ask for
        raise _too_large(subject)
    if not data.strip():
        raise InputError("the file is empty", subject=subject, remedy=_REMEDY)
    return data


def _too_large(subject: str) -> InputError:
    return InputError(
        f"is larger than {MOST_BYTES // MEGABYTE} MB",
        subject=subject,
        remedy="a day of papers is far smaller",
    )


def _parse(data: bytes, name: str) -> ParsedFile:
    text = _text(data)
    start = (data[:_START].decode("latin-1") if text is None else text[:_START]).lstrip()
    root = _FIRST_TAG.search(start) if start.startswith("<") else None
    if root and root.group(1).lower() == "html":
        raise SourceError("is an HTML page", subject=name, remedy=_REMEDY)
    if root:  # the bytes, because XML names its own encoding
        return parse_feed(data, name=name)
    if text is None:
        raise SourceError("is a binary file", subject=name, remedy=_REMEDY)
    if is_json_feed(start):
        return parse_json_feed(text.encode(), name=name)
    if start.startswith(("[", "{")):
        return parse_daily_papers(text.encode(), name=name)
    if _DIGEST_HEADING.search(text):
        return parse_digest(text, name=name)
    problem = "is a binary file" if "\x00" in text else "is not a file of papers"
    raise SourceError(problem, subject=name, remedy=_REMEDY)


def _text(data: bytes) -> str | None:
    """Return the text of UTF-8, or of UTF-16 with its mark, None for everything else."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
