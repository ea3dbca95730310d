"""Cells of a CSV file that a spreadsheet opens as text, and the way back.

A cell that begins with one of a few signs is a formula to a spreadsheet, and may send the sheet to somebody
(https://owasp.org/www-community/attacks/CSV_Injection). An apostrophe before it makes it text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = frozenset("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")  # the last four are the full-width signs
_MARK = "'"
_SIMPLE = re.compile(r"[^\",;|\[]*")


def safe_cell(text: str) -> str:
    """Return a cell's text so that no spreadsheet computes it."""
    return _MARK + text if _is_formula(text) else text


def plain_cell(text: str) -> str:
    """Return what `safe_cell` was given."""
    return text[1:] if text.startswith(_MARK) and _is_formula(text) else text


def tags_cell(tags: Iterable[str]) -> str:
    """Return tags as one cell: a line of CSV in itself."""
    given = list(tags)
    if all(_SIMPLE.fullmatch(tag) for tag in given):
        return ",".join(given)
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(given)
    text = out.getvalue()
    if text[0] == "[" or ("," not in text and '"' not in text):  # would be read as JSON, or parted elsewhere
        text = ",".join('"' + tag.replace('"', '""') + '"' for tag in given)
    return text


def cell_tags(cell: str) -> list[str]:
    """Return the tags of a cell: parted by commas (else ; or |), in quotes where need be, or a JSON array."""
    text = cell.strip()
    if not text:
        return []
    if _SIMPLE.fullmatch(text):
        return [text]
    if text[0] == "[":
        import msgspec

        try:
            return [tag.strip() for tag in msgspec.json.decode(text, type=list[str]) if tag.strip()]
        except msgspec.MsgspecError:
            pass  # a tag that begins with a bracket
    delimiter = "," if "," in text or '"' in text else ";" if ";" in text else "|"
    found = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    return [tag.strip() for tag in found if tag.strip()]


def _is_formula(text: str) -> bool:
    """Whether it is one behind apostrophes and spaces, so that what had an apostrophe gets another one."""
    if text[:1].isalnum():  # nearly all
        return False
    return text.lstrip(f"{_MARK} ")[:1] in _FORMULA
