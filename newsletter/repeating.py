"""Something that is done again and again beside something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def repeated(act: Callable[[], object], seconds: float) -> Iterator[None]:
    """Do something every so many seconds, in a thread of its own, while this lasts; the first time after the first."""
    ended = Event()

    def work() -> None:
        while not ended.wait(seconds):
            act()

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
