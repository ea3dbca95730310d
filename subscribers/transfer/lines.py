"""Lines of a text, counted and bounded, and records of them: each with the line that it begins in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from subscribers.errors import UnusableFile

LONGEST_LINE = 1_000_000
_LONGEST_RECORD = 200_000  # in quotes, over several lines
_BROKEN_QUOTES = 100  # so many may look for their end in later lines
_NEVER_CLOSED = "a quotation mark opens a cell and none closes it"

Record = tuple[int, list[str], str]
"""The line, the cells, and what is wrong with them (empty: nothing so far)."""


class Lines:
    """The lines of a file, ``\\n`` for every kind of line end; some can be given back."""

    def __init__(self, path: Path, name: str, encoding: str) -> None:
        self.name = name
        self.number = 0
        self._file: TextIO = path.open(encoding=encoding, errors="replace", newline=None)
        self._returned: list[str] = []

    def read(self) -> str:
        """Return the next line, empty at the end; raise `UnusableFile` for an endless one."""
        self.number += 1
        if self._returned:
            return self._returned.pop()
        line = self._file.readline(LONGEST_LINE)
        if len(line) >= LONGEST_LINE:
            problem = f"line {self.number:,} has more than {LONGEST_LINE:,} characters"
            raise UnusableFile(problem, subject=self.name, remedy="a list has a line for each person")
        return line

    def give_back(self, lines: list[str]) -> None:
        """Read these lines again."""
        self._returned.extend(reversed(lines))
        self.number -= len(lines)

    def place(self) -> int:
        """Return how many bytes were read so far."""
        return self._file.buffer.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CsvRecords:
    """The records of a CSV as the `csv` module reads them; a broken one costs its own line alone."""

    def __init__(self, lines: Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._broken = 0
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        lines, delimiter = self._lines, self._delimiter
        while line := lines.read():
            number = lines.number
            if '"' not in line:
                text = line.removesuffix("\n")
                if not text or text.isspace():
                    continue
                cells, problem = text.split(delimiter), ""
            else:
                cells, problem = self._quoted(line)
            if "\0" in line and not problem:
                problem = "it holds a NUL character"
            yield number, cells, problem

    def _quoted(self, line: str) -> tuple[list[str], str]:
        """Read a record that has quotes, with the lines that belong to it."""
        self._taken = []
        try:
            cells = next(csv.reader(self._rest(line), delimiter=self._delimiter, strict=True))
        except (csv.Error, StopIteration):
            self._broken += 1
            self._lines.give_back(self._taken)
            return line.removesuffix("\n").split(self._delimiter), _NEVER_CLOSED
        if any("\0" in more for more in self._taken):
            return cells, "it holds a NUL character"
        return cells, ""

    def _rest(self, line: str) -> Iterator[str]:
        yield line
        size = len(line)
        # A file in which every line has a broken quote would be read over and over.
        bound = _LONGEST_RECORD if self._broken < _BROKEN_QUOTES else 0
        while size < bound:
            more = self._lines.read()
            if not more:
                self._lines.number -= 1
                return
            self._taken.append(more)
            size += len(more)
            yield more
        raise csv.Error(_NEVER_CLOSED)
