"""Days of papers: where they come from, those that are stored, and who may stand in an issue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.app.network import Network
from newsletter.errors import InputError, SourceError
from newsletter.models.papers import DayKind

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.collecting import Collector
    from newsletter.ingestion.files import FileSource
    from newsletter.models.papers import DayOfPapers
    from newsletter.protocols import Source
    from newsletter.ranker import Candidate


class Days:
    """Collects days and finds them again."""

    def __init__(self, app: App) -> None:
        self._app = app

    def file_source(self, paths: Sequence[Path], day: date | None) -> FileSource:
        """Return the files of ``--from`` as a source; raises `InputError` for a file that cannot be used."""
        from newsletter.ingestion.files import FileSource

        return FileSource(paths, day=day, clock=self._app.clock)

    def collector(self, source: Source | None = None, *, dry_run: bool = False) -> Collector:
        """Return what collects days: from the configured sources, or from ``source`` (files) alone."""
        from newsletter.collecting import Collector

        databases, clock, own = self._app.databases, self._app.clock, self._app.settings.sources
        database = databases.open_read_only() if dry_run else databases.open()
        if source is not None:
            return Collector(database=database, source=source, clock=clock)
        network = Network(own, clock=clock, database=None if dry_run else database)
        return Collector(
            database=database, source=network.source(), clock=clock, history=network.history(), taken=network.taken,
            keep_days=own.keep_raw_days,
        )  # fmt: skip

    def closed(self) -> list[date]:
        """Return the closed days that a run without ``--day`` looks at, newest first."""
        from newsletter.collecting import closed_days

        closes_at = time.fromisoformat(self._app.settings.sources.huggingface.closes_at)
        return closed_days(self._app.clock(), closes_at)

    def stored(self, day: date | None, *, looking: bool = False) -> DayOfPapers | None:
        """Return a collected day that has papers, the newest without ``day``."""
        from newsletter import store

        database = self._app.databases.find(looking=looking)
        if database is None:
            return None
        with database.read() as connection:
            return store.newest_day(connection) if day is None else store.find_day(connection, day)

    def candidates(self, edition: str, collected: DayOfPapers) -> list[Candidate]:
        """Return who may stand in an edition's issue of a collected day, as things are now."""
        from newsletter.app import now
        from newsletter.collecting import candidates

        database = self._app.databases.open_read_only()
        carry_days = self._app.settings.edition(edition).carry_days
        with database.read() as connection:
            return candidates(connection, edition, collected, carry_days=carry_days, as_of=now())

    def for_preview(self, paths: Sequence[Path], day: date | None) -> DayOfPapers:
        """Return the day to preview: the files, else a collected day, else the bundled one, else fetched."""
        from newsletter.sample import SAMPLE_DAY, sample_day_path

        if paths:
            source = self.file_source(paths, day)
            return source.fetch(source.day)
        found = self.stored(day)
        if found is not None:
            return found
        if day in {None, SAMPLE_DAY}:
            sample = self.file_source([sample_day_path()], SAMPLE_DAY)
            return sample.fetch(SAMPLE_DAY)
        assert day is not None
        return self._fetched(day)

    def _fetched(self, day: date) -> DayOfPapers:
        """Return a day from the configured sources, remembering nothing; raise an error where it has no papers."""
        from newsletter.app import now

        collected = Network(self._app.settings.sources, clock=now).source().fetch(day)
        if not collected.papers:
            reason = collected.warnings[-1] if collected.warnings else f"the day is {collected.kind.value}"
            error = SourceError if collected.kind is DayKind.FAILED else InputError
            raise error(
                f"no papers could be had: {reason}",
                subject=str(day),
                remedy="choose another day, or look at papers of a file: `newsletter preview --from FILE`",
            )
        return collected
