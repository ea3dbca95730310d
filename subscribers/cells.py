"""Cells of a CSV file that a spreadsheet opens as text, and the way back.

A cell that begins with one of a few signs is a formula to a spreadsheet, and may send the sheet to somebody
(https://owasp.org/www-community/attacks/CSV_Injection). An apostrophe before it makes it text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA = frozenset("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")  # the last four are the full-width signs
_MARK = "'"


def safe_cell(text: str) -> str:
    """Return a cell's text so that no spreadsheet computes it."""
    return _MARK + text if _is_formula(text) else text


def plain_cell(text: str) -> str:
    """Return what `safe_cell` was given."""
    return text[1:] if text.startswith(_MARK) and _is_formula(text) else text


def tags_cell(tags: Iterable[str]) -> str:
    """Return tags in one cell: with commas between, one that holds a comma in double quotes."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(tags)
    return row.getvalue()


def cell_tags(text: str) -> tuple[str, ...]:
    """Return the tags of a cell, without spaces around them."""
    rows = csv.reader([text], skipinitialspace=True)
    return tuple(tag.strip() for row in rows for tag in row if tag.strip())


def _is_formula(text: str) -> bool:
    """Whether it is one behind apostrophes and spaces, so that what had an apostrophe gets another one."""
    if text[:1].isalnum():  # nearly all
        return False
    return text.lstrip(f"{_MARK} ")[:1] in _FORMULA
