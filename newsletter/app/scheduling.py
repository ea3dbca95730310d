"""Puts the scheduled send of an edition together; a clock that begins at a given time; a thread that watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from newsletter.repeating import repeated

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.dispatch import Dispatcher
    from newsletter.publishing import Publisher
    from newsletter.schedule import Timetable
    from newsletter.scheduling import Scheduled

LOOK_SECONDS = 30.0
AGAIN_SECONDS = 600.0  # after a fault: a source is not asked more often than by a timer
_STOP_SECONDS = 0.2


def clock_from(begin: datetime) -> Callable[[], datetime]:
    """Return a clock that shows ``begin`` when it is first looked at, and goes on from there."""
    first: float | None = None

    def clock() -> datetime:
        nonlocal first
        now = monotonic()
        first = now if first is None else first
        return begin + timedelta(seconds=now - first)

    return clock


def scheduled(
    app: App,
    edition: str,
    table: Timetable,
    *,
    report: Callable[[str], None],
    progress: Callable[[int, int], None],
    guard: Callable[[Event], AbstractContextManager[object]],
    paths: Sequence[Path] = (),
    dry_run: bool = False,
) -> Scheduled:
    """Return an edition's scheduled send; files (``paths``) are read when something is due.

    ``guard`` is that of `Dispatcher`. A dry one can only read the database.
    """
    from newsletter.scheduling import Scheduled

    def dispatcher() -> Dispatcher:
        made = app.senders.dispatcher(edition, report=report, progress=progress, dry_run=dry_run)
        made.guard = guard
        return made

    def publisher() -> tuple[Publisher, Sequence[date]]:
        source = app.days.file_source(paths, None) if paths else None
        made = app.senders.publisher(edition, source, report=report, progress=progress, dry_run=dry_run)
        made.dispatcher.guard = guard
        return made, app.days.closed() if source is None else [source.day]

    return Scheduled(
        edition=edition, table=table, database=app.databases.open_read_only() if dry_run else app.databases.open(),
        clock=app.clock, dispatcher=dispatcher, publisher=publisher,
    )  # fmt: skip


def stopped_with(outer: Event, inner: Event) -> AbstractContextManager[None]:
    """Set ``inner`` when ``outer`` is set, while this lasts: a send's own fault must not stop what it is part of."""

    def look() -> None:
        if outer.is_set():
            inner.set()

    return repeated(look, _STOP_SECONDS)


@dataclass(kw_only=True)
class Watch:
    """Looks at the schedule again and again, in a thread of a server; says what it does, and faults once."""

    app: App
    tables: Mapping[str, Timetable]
    log: Callable[[str], None]
    complain: Callable[[str], None]
    _said: dict[str, str] = field(default_factory=dict)

    def run(self, stop: Event, wake: Event) -> None:  # noqa: ARG002  # it goes by the clock
        """Send what is due until ``stop``."""
        while not stop.is_set():
            calm = [self._look(edition, stop) for edition in self.tables if not stop.is_set()]
            stop.wait(LOOK_SECONDS if all(calm) else AGAIN_SECONDS)

    def _look(self, edition: str, stop: Event) -> bool:
        """Look at one edition; False where something is to be tried again."""
        from newsletter.app.alerting import Voices
        from newsletter.app.retention import roll_up_old
        from newsletter.errors import ConfigError, NewsletterError
        from newsletter.results import RunResult
        from subscribers.errors import SubscribersError

        send = scheduled(
            self.app, edition, self.tables[edition], report=self.log, progress=lambda _done, _all: None,
            guard=partial(stopped_with, stop),
        )  # fmt: skip
        voices = Voices(self.app, edition, self.complain)
        voices.follow(send)
        try:
            result = send.look()
            if result.state is not None and not stop.is_set():
                roll_up_old(self.app)
        except (ConfigError, NewsletterError, SubscribersError) as error:
            self._say(self.complain, edition, str(error))
            voices.ended(RunResult(edition=edition, sentence=str(error), ok=False))
            return False
        voices.ended(result, over=not result.again)
        self._say(self.log if result.ok else self.complain, edition, result.sentence)
        return result.ok and not result.again

    def _say(self, how: Callable[[str], None], edition: str, sentence: str) -> None:
        if self._said.get(edition) != sentence:
            how(sentence)
        self._said[edition] = sentence
