"""Collecting: a day from its source into the store, earlier days again for their votes, and who is a candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from newsletter import store
from newsletter.database import Database
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from newsletter.protocols import Source
from newsletter.ranker import Candidate

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAYS_BACK = 4
FAILURES = 2  # of earlier days, before the rest is left for the next time


def closed_days(now: datetime, closes_at: time) -> list[date]:
    """Return the source days that are closed at ``now`` (UTC), newest first, at most 4 days back."""
    newest = now.date() if now.timetz().replace(tzinfo=None) >= closes_at else now.date() - timedelta(days=1)
    return [newest - timedelta(days=back) for back in range(DAYS_BACK + 1)]


@dataclass(kw_only=True)
class Collector:
    """Fetches days and stores them with the answers that they were made of.

    ``history`` gives earlier days again (each is tried once), None where the sources cannot; ``taken`` hands
    over the answers since it was last called; they are kept for ``keep_days``.
    """

    database: Database
    source: Source
    clock: Callable[[], datetime]
    history: Source | None = None
    taken: Callable[[], list[store.RawAnswer]] = list
    keep_days: int = 0

    def collect(self, day: date) -> DayOfPapers:
        """Fetch a day and store it."""
        collected = self.source.fetch(day)
        self._save(collected)
        return collected

    def collect_again(self, days: Sequence[date]) -> list[str]:
        """Observe the votes of earlier days again; return warnings, in one line for all that failed."""
        failed: list[str] = []
        reason = ""
        if self.history is None:
            return failed
        for day in days:
            collected = self.history.fetch(day)
            if collected.kind is DayKind.FAILED:
                failed.append(day.isoformat())
                reason = reason or (collected.warnings[-1] if collected.warnings else "no readable answer")
                if len(failed) >= FAILURES:
                    failed[-1] += " and before"
                    break
                continue
            self._save(self._united(collected))
        return [f"not collected again: {', '.join(failed)} ({reason})"] if failed else []

    def _united(self, fresh: DayOfPapers) -> DayOfPapers:
        """Return the day under the source it is known by, with the papers that another source gave it."""
        with self.database.read() as connection:
            known = store.find_day(connection, fresh.day)
        if known is None:
            return fresh
        ids = {paper.id for paper in fresh.papers}
        others = tuple(paper for paper in known.papers if paper.id not in ids)
        return replace(fresh, source=known.source, papers=(*fresh.papers, *others), parts=known.parts)

    def _save(self, collected: DayOfPapers) -> None:
        now = self.clock()
        with self.database.write() as connection:
            store.save_day(connection, collected)
            for answer in self.taken():  # taken off the network's hands even where none is kept
                if self.keep_days:
                    store.keep_answer(connection, collected.day, answer, now)
            store.forget_answers(connection, now.date() - timedelta(days=self.keep_days))


def candidates(
    connection: Connection, edition: str, collected: DayOfPapers, *, carry_days: int, as_of: datetime
) -> list[Candidate]:
    """Return who may stand in an edition's issue of a day: its papers, and those of earlier days not sent.

    A paper that the edition sent before, on another day, is among them and says when.
    """
    earlier = (
        store.find_day(connection, collected.day - timedelta(days=back)) for back in range(1, carry_days + 1)
    )
    return with_history(
        connection, edition, collected, [day for day in earlier if day is not None], as_of=as_of
    )


def with_history(
    connection: Connection,
    edition: str,
    today: DayOfPapers,
    earlier: Sequence[DayOfPapers],
    *,
    as_of: datetime,
) -> list[Candidate]:
    """Return the candidates of a day and of given earlier days (newest first), with what was sent already."""
    found: dict[str, tuple[Paper, date | None]] = {paper.id: (paper, None) for paper in today.papers}
    for day in earlier:
        for paper in day.papers:
            found.setdefault(paper.id, (paper, day.day))
    sent = store.sent_papers(connection, edition, found, but_on=today.day, as_of=as_of)
    return [
        Candidate(paper=paper, carried_from=day, sent_on=sent.get(key)) for key, (paper, day) in found.items()
    ]
