"""Puts the scheduled send of an edition together; makes a clock that begins at a given time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.dispatch import Dispatcher
    from newsletter.publishing import Publisher
    from newsletter.schedule import Timetable
    from newsletter.scheduling import Scheduled

_LOOK_SECONDS = 0.2


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
) -> Scheduled:
    """Return an edition's scheduled send; files (``paths``) are read when something is due.

    ``guard`` is that of `Dispatcher`.
    """
    from newsletter.scheduling import Scheduled

    def dispatcher() -> Dispatcher:
        made = app.dispatcher(edition, report=report, progress=progress)
        made.guard = guard
        return made

    def publisher() -> tuple[Publisher, Sequence[date]]:
        source = app.file_source(paths, None) if paths else None
        made = app.publisher(edition, source, report=report, progress=progress)
        made.dispatcher.guard = guard
        return made, app.candidate_days() if source is None else [source.day]

    return Scheduled(
        edition=edition, table=table, database=app.database(), clock=app.clock, dispatcher=dispatcher,
        publisher=publisher,
    )  # fmt: skip


@contextmanager
def stopped_with(outer: Event, inner: Event) -> Iterator[None]:
    """Set ``inner`` when ``outer`` is set, while this lasts: a send's own fault must not stop what it is part of."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            if outer.is_set():
                inner.set()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
