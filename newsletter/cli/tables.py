"""Text in columns, aligned for letters of any script."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, islice, takewhile

import click

_PAGE = 1_000
_LEAST = 16  # columns without which a text says nothing
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


def beginning(text: str, columns: int) -> str:
    """Return as much of a text as has room."""
    if width(text) <= columns:
        return text
    taken = accumulate(map(width, text))
    room = sum(1 for _ in takewhile(lambda so_far: so_far < columns, taken))
    return f"{text[:room]}\N{HORIZONTAL ELLIPSIS}"


def _terminal() -> int:
    """Return the columns of the terminal that is written to, 0 where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[str] = frozenset()
) -> None:
    """Print rows in columns, a page in memory at a time; those named in ``right`` stand at the right.

    On a terminal the last column ends where the line does, if that leaves it enough.
    """
    rest = iter(rows)
    widths = [width(heading) for heading in headings]
    first = True
    while page := list(islice(rest, _PAGE)):
        widths = [
            max(known, *(width(row[place]) for row in page)) for place, known in enumerate(widths)
        ]  # a later page may be wider, never narrower
        lines: Iterable[Sequence[str]] = chain([headings] if first else [], page)
        left = _terminal() - sum(widths[:-1]) - 2 * len(widths[:-1])
        if left >= _LEAST and headings[-1] not in right:
            lines = ([*row[:-1], beginning(row[-1], left)] for row in lines)
        click.echo("\n".join(_line(headings, row, widths, right) for row in lines))
        first = False


def _line(headings: Sequence[str], row: Sequence[str], widths: Sequence[int], right: frozenset[str]) -> str:
    cells = (
        " " * (columns - width(cell)) + cell if heading in right else pad(cell, columns)
        for heading, cell, columns in zip(headings, row, widths, strict=True)
    )
    return "  ".join(cells).rstrip()
