"""Cells of a CSV that a spreadsheet cannot take for formulas, and lists of tags in one cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

# A cell that begins so is a formula to a spreadsheet; the apostrophes before it are counted, so that a name
# that really begins with one comes back as it was.
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_SIMPLE = re.compile(r"[^\",;|\[]*")


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet calculates."""
    return f"'{text}" if text and text[0] in "'=+-@\t\r" and _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def join_tags(tags: Iterable[str]) -> str:
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


def split_tags(cell: str) -> list[str]:
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
