"""Import: a file is read and staged, then merged in one transaction of the caller. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path

import sqlalchemy as sa

from subscribers.book import ListSettings
from subscribers.errors import InvalidValue
from subscribers.schema import execute, history, import_run
from subscribers.transfer.merging import Merge, prepare
from subscribers.transfer.opening import opened
from subscribers.transfer.planning import Decided, Outcome, counted, decided
from subscribers.transfer.quick import Addresses
from subscribers.transfer.refused import Refused
from subscribers.transfer.rows import Maker, Wanted
from subscribers.transfer.staging import Staging, staging_errors
from subscribers.transfer.table import Table, open_table
from subscribers.transfer.undoing import Undone, undo

_MOST_FAULTS = 100
_SHOWN = 5_000  # records between two looks at the clock

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong in a record; ``file`` names the list in an archive."""

    line: int
    problem: str
    file: str = ""


@dataclass(slots=True)
class Staged:
    """What was read of a file: rows beside the list, and what could not be read."""

    staging: Staging
    file: str
    invalid: int = 0
    duplicate: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The file to attach as `staging` before the transaction, on SQLite."""
        return self.staging.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did, or would do; its number where it was done. ``pending`` are those of the new who confirm."""

    number: int | None
    counts: dict[str, int]
    pending: int
    staged: Staged


class Importer:
    """The list, as files come into it."""

    def __init__(self, settings: ListSettings) -> None:
        self._settings = settings

    @contextmanager
    def stage(
        self, path: Path, wanted: Wanted, *, rejects: Path | None = None, progress: Progress | None = None
    ) -> Iterator[Staged]:
        """Read a file and yield its rows beside the list; at the end they are gone.

        ``progress`` gets the bytes that were read and all there are. ``rejects`` is written where a row is refused.
        Raises `UnusableFile` for a file that is no list of people.
        """
        with staging_errors(), ExitStack() as stack:
            sources = stack.enter_context(opened(path))
            tables = [open_table(source, wanted.mapping) for source in sources]
            for table in tables:
                stack.callback(table.lines.close)
            staged = Staged(Staging(), path.name)
            stack.callback(staged.staging.close)
            staged.notes.extend(table.note() for table in tables)
            with Refused(rejects, tables, path) as refused:
                reading = _Reading(self._settings, wanted, staged, refused, progress, tables)
                for table in tables:
                    reading.read(table)
            staged.duplicate = staged.staging.settle()
            yield staged

    def count(self, connection: sa.Connection, staged: Staged) -> Imported:
        """Return what `merge` would do, changing nothing."""
        tables = staged.staging.tables(connection)
        found = counted(connection, tables, decided(tables).subquery())
        return Imported(number=None, counts=_counts(staged, found), pending=found.pending, staged=staged)

    def merge(self, connection: sa.Connection, staged: Staged, *, actor: str, now: datetime) -> Imported:
        """Bring the staged rows on the list, all of them in this transaction, under a number of their own."""
        tables = staged.staging.tables(connection)
        prepare(connection)
        values = {"at": now, "actor": actor, "file": staged.file, "counts": "{}", "last_step": 0}
        begun = sa.insert(import_run).values(values).returning(import_run.c.number)
        number = int(execute(connection, begun).scalar_one())
        merge = Merge(
            dialect=connection.dialect.name, tables=tables, number=number, actor=actor, now=now
        )  # fmt: skip
        found = merge.run(connection)
        counts = _counts(staged, found)
        newest = sa.select(sa.func.coalesce(sa.func.max(history.c.id), 0)).scalar_subquery()
        done = sa.update(import_run).where(import_run.c.number == number)
        execute(connection, done.values(counts=json.dumps(counts), last_step=newest))
        return Imported(number=number, counts=counts, pending=found.pending, staged=staged)

    def undo(self, connection: sa.Connection, number: int, *, actor: str, now: datetime) -> Undone:
        """Take an import back; raise `ImportRefused` where it cannot be."""
        prepare(connection)
        return undo(connection, number, actor=actor, now=now)


class _Reading:
    """The way of each record of a file into the staging, or among what is refused."""

    def __init__(
        self, settings: ListSettings, wanted: Wanted, staged: Staged, refused: Refused,
        progress: Progress | None, tables: Sequence[Table],
    ) -> None:  # fmt: skip
        self._key = settings.hash_key
        self._wanted, self._staged, self._refused, self._progress = wanted, staged, refused, progress
        self._addresses = Addresses()
        self._total = sum(table.source.path.stat().st_size for table in tables)
        self._before = 0

    def read(self, table: Table) -> None:
        """Stage one list."""
        extra = None if table.delimiter else table.extra
        maker = Maker(table.layout, self._wanted, self._addresses, table.source.standing, extra)
        add, key, steps = self._staged.staging.add, self._key, maker.steps
        for number, (line, cells, problem) in enumerate(table.records):
            if not number % _SHOWN and self._progress is not None:
                self._progress(self._before + table.lines.place(), self._total)
            if not problem:
                try:
                    row, tags = maker.make(cells)
                    add(line, row, digest(key, row.address_key.encode(), sha256), tags, steps())
                except InvalidValue as error:
                    problem = str(error)
                else:
                    continue
            if any(cell.strip() for cell in cells):
                self._refuse(table, line, cells, problem)
        self._before += table.source.path.stat().st_size
        if self._progress is not None:
            self._progress(self._before, self._total)

    def _refuse(self, table: Table, line: int, cells: list[str], problem: str) -> None:
        self._staged.invalid += 1
        if len(self._staged.faults) < _MOST_FAULTS:
            file = table.source.name if table.source.member else ""
            self._staged.faults.append(Fault(line=line, problem=problem, file=file))
        self._refused.add(table, cells, problem)


def _counts(staged: Staged, found: Decided) -> dict[str, int]:
    named = {outcome.name.lower(): found.outcomes.get(outcome, 0) for outcome in Outcome}
    order = ("new", "known", "updated", "suppressed", "left")
    return {name: named[name] for name in order} | {"invalid": staged.invalid, "duplicate": staged.duplicate}
