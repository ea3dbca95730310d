"""Import and export as the tests call them: bytes or a file in, counts out; the list as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from subscribers.requests import Requests
from subscribers.schema import metadata
from subscribers.subscriptions import ListSettings, SubscriberList
from subscribers.suppressions import Suppressions
from subscribers.transfer.exporting import Picked, export_csv, export_jsonl
from subscribers.transfer.importing import Imported, Importer
from subscribers.transfer.rows import Wanted
from subscribers.transfer.systems import check_mapping
from subscribers.transfer.undoing import Undone

SETTINGS = ListSettings(hash_key=b"a key for tests only")
NOW = datetime(2024, 9, 12, 8, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[1] / "data" / "transfer"
RESULT = ["new", "known", "updated", "suppressed", "left", "invalid", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The list of one database, with files going in and out."""

    engine: sa.Engine
    folder: Path
    importer: Importer = field(default_factory=lambda: Importer(SETTINGS))
    people: SubscriberList = field(default_factory=lambda: SubscriberList(SETTINGS))
    requests: Requests = field(default_factory=lambda: Requests(SETTINGS))
    suppressions: Suppressions = field(default_factory=lambda: Suppressions(SETTINGS))

    def bring(
        self, content: bytes | str | Path, *, name: str = "people.csv", consent: str = "", edition: str | None = None,
        mapping: Iterable[str] = (), tags: tuple[str, ...] = (), rejects: Path | None = None, dry: bool = False,
    ) -> Imported:  # fmt: skip
        """Import a file, or bytes as one, leaving out the lines that are wrong."""
        path = content if isinstance(content, Path) else self.folder / name
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        wanted = Wanted(
            edition=edition or "daily", everybody=edition is not None, editions=frozenset({"daily", "weekly"}),
            tags=tags, consent=consent, mapping=check_mapping(mapping),
        )  # fmt: skip
        with (
            self.importer.stage(path, wanted, rejects=rejects) as staged,
            self.beside(staged.path) as connection,
        ):
            if dry:
                return self.importer.count(connection, staged)
            return self.importer.merge(connection, staged, actor="operator", now=NOW)

    @contextmanager
    def beside(self, staging: Path) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction, on SQLite with the staged rows attached."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            sqlite = connection.dialect.name == "sqlite"
            if sqlite:
                driver.execute("ATTACH DATABASE ? AS staging", (str(staging),))
            try:
                with connection.begin():
                    yield connection
            finally:
                if sqlite:
                    driver.execute("DETACH DATABASE staging")

    def undo(self, number: int) -> Undone:
        """Take an import back."""
        with self.engine.begin() as connection:
            return self.importer.undo(connection, number, actor="operator", now=NOW)

    def csv(self, picked: Picked | None = None) -> bytes:
        """Return the list as CSV."""
        with self.engine.connect() as connection:
            return b"".join(export_csv(connection, picked or Picked()))

    def jsonl(self, picked: Picked | None = None) -> bytes:
        """Return the list as JSON Lines."""
        with self.engine.connect() as connection:
            return b"".join(export_jsonl(connection, picked or Picked()))

    def rows(self) -> list[dict[str, Any]]:
        """Return the list as JSON Lines tell it."""
        return [json.loads(line) for line in self.jsonl().splitlines()]

    def states(self) -> dict[str, str]:
        """Return the state of each person, as export tells it."""
        return {row["email"]: row["state"] for row in self.rows()}

    def content(self) -> dict[str, list[Any]]:
        """Return everything in the tables of the list, but for what imports keep for themselves."""
        skipped = {"import_run", "import_change"}
        with self.engine.connect() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(sa.select(table)).all()))
                for table in metadata.sorted_tables
                if table.name not in skipped
            }


def counts(imported: Imported) -> dict[str, int]:
    """Return what an import counted, without what was zero."""
    assert list(imported.counts) == RESULT
    return {name: count for name, count in imported.counts.items() if count}


def problems(imported: Imported) -> dict[int, str]:
    """Return what is wrong by the line it is in."""
    return {fault.line: fault.problem for fault in imported.staged.faults}
