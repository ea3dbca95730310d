"""The file of refused rows: the columns as they were, and what is wrong. Mended, it is imported like any other."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from subscribers.cells import plain_cell, safe_cell
from subscribers.errors import UnusableFile
from subscribers.transfer.systems import PROBLEM
from subscribers.transfer.table import Table, reject_columns
from subscribers.transfer.words import Standing
from subscribers.transfer.writing import check_new, whole

_NAMED = {Standing.LEFT: "unsubscribed", Standing.BOUNCED: "bounced"}


class Refused:
    """Takes refused rows; nothing is written where none is, or where nobody asked (``path`` None)."""

    def __init__(self, path: Path | None, tables: Sequence[Table], source: Path) -> None:
        self._path = path
        self._tables = tables
        self._stack = ExitStack()
        self._writer: Any = None
        self._places: dict[int, list[int]] = {}
        if path is None:
            return
        if path.exists() and source.exists() and os.path.samefile(path, source):  # noqa: PTH121
            raise UnusableFile("is the file to import", subject=str(path), remedy="choose another --rejects")
        check_new(path, option="--rejects")

    def __enter__(self) -> Refused:
        return self

    def __exit__(self, *cause: Any) -> None:
        self._stack.__exit__(*cause)

    def add(self, table: Table, cells: list[str], problem: str) -> None:
        """Write a row."""
        if self._path is None:
            return
        if self._writer is None:
            self._begin(self._path)
        places, width = self._places[id(table)], self._width
        row = [""] * width
        own = len(table.layout.columns)
        bare = table.layout.guarded and bool(table.delimiter)
        for place, cell in zip(places, cells, strict=False):
            row[place] = safe_cell(plain_cell(cell) if bare else cell)
        row[self._problem] = safe_cell(problem)
        if self._said is not None and table.source.standing is not None:
            row[self._said] = _NAMED[table.source.standing]
        self._writer.writerow([*row, *map(safe_cell, cells[own:])])

    def _begin(self, path: Path) -> None:
        columns = reject_columns(self._tables)
        self._said = None
        if any(table.source.standing is not None for table in self._tables):
            if "state" not in columns:
                columns.append("state")
            self._said = columns.index("state")
        columns.append(PROBLEM)
        self._problem = columns.index(PROBLEM)
        self._width = len(columns)
        for table in self._tables:
            self._places[id(table)] = _places(columns, table.layout.columns)
        file = self._stack.enter_context(whole(path, option="--rejects"))
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._stack.callback(text.detach)  # which writes the rest, and leaves the closing to `whole`
        self._writer = csv.writer(text, lineterminator="\n")
        self._writer.writerow(columns)


def _places(columns: Sequence[str], own: Sequence[str]) -> list[int]:
    """Return where the columns of a list stand among all; some lists have one name twice."""
    found: list[int] = []
    for name in own:
        same = [place for place, column in enumerate(columns) if column == name]
        found.append(next((place for place in same if place not in found), same[0]))
    return found
