"""Text in columns, aligned for letters of any script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain, islice

import click

_PAGE = 1_000
_UNSEEN = {"Mn", "Me", "Cf", "Cc"}


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(letter) in _UNSEEN
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )


def pad(text: str, columns: int) -> str:
    """Fill a text with spaces up to a width."""
    return text + " " * (columns - width(text))


def ending(text: str, columns: int = 27) -> str:
    """Return the end of a domain that is wider than its column: seven numbers beside it still fit a terminal."""
    return text if len(text) <= columns else f"\N{HORIZONTAL ELLIPSIS}{text[1 - columns :]}"


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[str] = frozenset()
) -> None:
    """Print rows in columns, a page in memory at a time; those named in ``right`` stand at the right."""
    rest = iter(rows)
    widths = [width(heading) for heading in headings]
    first = True
    while page := list(islice(rest, _PAGE)):
        widths = [
            max(known, *(width(row[place]) for row in page)) for place, known in enumerate(widths)
        ]  # a later page may be wider, never narrower
        lines = chain([headings] if first else [], page)
        click.echo("\n".join(_line(headings, row, widths, right) for row in lines))
        first = False


def _line(headings: Sequence[str], row: Sequence[str], widths: Sequence[int], right: frozenset[str]) -> str:
    cells = (
        " " * (columns - width(cell)) + cell if heading in right else pad(cell, columns)
        for heading, cell, columns in zip(headings, row, widths, strict=True)
    )
    return "  ".join(cells).rstrip()
