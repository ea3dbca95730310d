"""A list as records under a layout, whatever its form: CSV with any delimiter, or our own JSON Lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from subscribers.errors import InvalidValue, UnusableFile
from subscribers.transfer.lines import CsvRecords, Lines, Record
from subscribers.transfer.opening import Source
from subscribers.transfer.systems import OWN_COLUMNS, PROBLEM, Field, Layout, header_score, recognised

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 30
_JSON = re.compile(r"\s*(\[\s*([\[\]{\"]|$)|\{\s*$)")  # a document that one line does not hold


@dataclass(slots=True)
class Extra:
    """What JSON Lines tell beyond the columns; of the record that was read last."""

    since: str = ""
    changed: str = ""
    text_version: str = ""
    network: str = ""
    suppression: str = ""
    steps: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class Table:
    """An opened list: what its columns are, and its records, which can be read once."""

    source: Source
    lines: Lines
    layout: Layout
    delimiter: str
    records: Iterator[Record]
    extra: Extra = field(default_factory=Extra)

    def note(self) -> str:
        """Return how the file is read, for people."""
        form = "JSON Lines" if not self.delimiter else f"CSV with {_DELIMITERS[self.delimiter]}"
        kind = f", an export of {self.layout.system}" if self.layout.system and not self.layout.own else ""
        text = f"{self.source.name}: read as {form} in {self.source.encoding_name}{kind}"
        if self.layout.own:
            text += ", our own export"
        if not self.layout.header:
            text += f", without a header (taken as {', '.join(self.layout.columns)})"
        if self.source.standing is not None:
            text += f"; its name says that all have {self.source.standing.name.lower()}"
        return text


def open_table(source: Source, mapping: Mapping[str, Field]) -> Table:
    """Open a list; raise `UnusableFile` where it has no records or no column of addresses."""
    lines = Lines(source.path, source.name, source.encoding)
    try:
        sample = _sample(lines)
        if not sample:
            raise UnusableFile(
                "holds no line with anything in it", subject=source.name, remedy="name another file"
            )
        if _JSON.match(sample[0]):
            raise UnusableFile(
                "is JSON, but not JSON Lines", subject=source.name,
                remedy='write an object a line, such as {"email": "ada@example.org"}, or a CSV',
            )  # fmt: skip
        if sample[0].lstrip().startswith("{"):
            return _json_table(source, lines, sample, mapping)
        return _csv_table(source, lines, sample, mapping)
    except InvalidValue as error:
        lines.close()
        raise UnusableFile(
            str(error), subject=source.name, remedy="" if error.remedy else "look at the first line"
        ) from error
    except BaseException:
        lines.close()
        raise


def _sample(lines: Lines) -> list[str]:
    """Return the first lines, without giving up their numbers; empty ones at the beginning are passed over."""
    found: list[str] = []
    while len(found) < _SAMPLE and (line := lines.read()):
        if found or line.strip('\0\r\n\t ,;|"'):
            found.append(line)
    else:
        if len(found) < _SAMPLE:
            lines.number -= 1  # the end was read as a line
    return found


def _csv_table(source: Source, lines: Lines, sample: list[str], mapping: Mapping[str, Field]) -> Table:
    first = sample[0].strip()
    if len(first) == len("sep=;") and first.lower().startswith("sep=") and first[-1] in _DELIMITERS:
        delimiter = first[-1]  # a line that Excel writes for itself
        lines.give_back(sample[1:])
    else:
        delimiter = _delimiter(sample)
        lines.give_back(sample)
    records = iter(CsvRecords(lines, delimiter))
    number, cells, problem = next(records, (0, [], "there is nothing but a separator"))
    if problem:
        raise UnusableFile(f"line {number}: {problem}", subject=source.name, remedy="mend the first line")
    layout = recognised(cells, mapping)
    if not layout.header:
        records = _with(first=(number, cells, problem), rest=records)
    return Table(source, lines, layout, delimiter, records)


def _with(first: Record, rest: Iterator[Record]) -> Iterator[Record]:
    yield first
    yield from rest


def _delimiter(sample: list[str]) -> str:
    """Return what parts the cells: what makes most of the header known, then what parts most rows alike."""

    def score(delimiter: str) -> tuple[int, int, int]:
        try:
            rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
        except csv.Error:
            rows = [line.split(delimiter) for line in sample]
        width = len(rows[0]) if rows else 0
        alike = sum(len(row) == width for row in rows) if width > 1 else 0
        return header_score(rows[0]) if rows else 0, alike, width

    return max(_DELIMITERS, key=score)


def _json_table(source: Source, lines: Lines, sample: list[str], mapping: Mapping[str, Field]) -> Table:
    if mapping:
        raise UnusableFile(
            "is JSON Lines, which has no columns to map", subject=source.name, remedy="leave --map out"
        )
    lines.give_back(sample)
    columns = tuple(column for column in OWN_COLUMNS)
    layout = recognised(columns, {})
    table = Table(source, lines, layout, "", iter(()))
    table.records = _json_records(lines, table.extra)
    return table


def _json_records(lines: Lines, extra: Extra) -> Iterator[Record]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    while line := lines.read():
        if line.isspace():
            continue
        try:
            given = decode(line)
            cells = _cells(given)
            _fill(extra, given)
        except (msgspec.MsgspecError, ValueError, TypeError, AttributeError) as error:
            cause = str(error).partition("(")[0].strip() or "broken"
            yield lines.number, [line.strip()], f"it is no line of our export: {cause}"
            continue
        problem = "it holds a NUL character" if "\\u0000" in line or "\0" in line else ""
        yield lines.number, cells, problem


def _cells(given: dict[str, Any]) -> list[str]:
    consent = given.get("consent") or {}
    tags = given.get("tags") or []
    flat = {
        "tags": msgspec.json.encode(tags).decode() if tags else "",
        "consent_source": consent.get("source"),
        "consent_given_at": consent.get("given_at"),
        "consent_confirmed_at": consent.get("confirmed_at"),
    }
    cells = [flat[name] if name in flat else given.get(name) for name in OWN_COLUMNS]
    if not all(cell is None or isinstance(cell, str) for cell in cells):
        raise TypeError("a value is no text")
    return [cell or "" for cell in cells]


def _fill(extra: Extra, given: dict[str, Any]) -> None:
    consent = given.get("consent") or {}
    extra.since = _text(given.get("since"))
    extra.changed = _text(given.get("changed"))
    extra.text_version = _text(consent.get("text_version"))
    extra.network = _text(consent.get("network"))
    extra.suppression = _text(given.get("suppression"))
    steps = given.get("history") or []
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise TypeError("history is no list of steps")
    extra.steps = steps


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("a value is no text")
    return value


def reject_columns(tables: Sequence[Table]) -> list[str]:
    """Return the columns of a file of refused rows: those of all lists, each as often as one list has it."""
    columns: list[str] = []
    for table in tables:
        own = [column for column in table.layout.columns if column != PROBLEM]
        for name in own:
            if columns.count(name) < own.count(name):
                columns.append(name)
    return columns
