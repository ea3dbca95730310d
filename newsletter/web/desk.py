"""Where the newest letter lies: made again when a file changes, taken by the page's requests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition, Event
from time import perf_counter

from newsletter.templating.watching import looked_at
from newsletter.web.making import Maker
from newsletter.web.proof import Proof, State

POLL = 0.25  # seconds between two looks at the files
_SETTLE = 0.05
_CARE = 10  # a look may take a tenth of the time at most, however large a folder is


class Desk:
    """The newest state, for many threads. A version is never given again, by another process neither."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._number = 0
        self._state = State(version=f"{self._run}-0")
        self._changed = Condition()
        self._closed = False

    def state(self) -> State:
        """Return the newest state."""
        with self._changed:
            return self._state

    def put(self, proof: Proof) -> None:
        """Lay down a letter; one that looks like the last is no news."""
        with self._changed:
            if self._state.fault or not proof.same_as(self._state.proof):
                self._next(proof, "")

    def fail(self, fault: str) -> None:
        """Say in one line why there is no newer letter; the last one stays."""
        with self._changed:
            if fault != self._state.fault:
                self._next(self._state.proof, fault)

    def _next(self, proof: Proof | None, fault: str) -> None:
        self._number += 1
        self._state = State(version=f"{self._run}-{self._number}", proof=proof, fault=fault)
        self._changed.notify_all()

    def wait(self, version: str, seconds: float) -> str | None:
        """Return the version when it is another than ``version``, the same one after a while, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._state.version != version, seconds)
            return None if self._closed else self._state.version

    def close(self) -> None:
        """Send everybody home who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def keep_fresh(desk: Desk, maker: Maker, stop: Event, explain: Callable[[Exception], str]) -> None:
    """Make the letter, and again after each change of a file that it hangs on, until ``stop``."""
    pause = POLL
    seen = look(maker.watched())
    make(desk, maker, explain)
    while not stop.wait(pause):
        started = perf_counter()
        now = look(maker.watched())
        pause = max(POLL, _CARE * (perf_counter() - started))
        if now == seen:
            continue
        while not stop.wait(_SETTLE) and (later := look(maker.watched())) != now:  # somebody is still writing
            now = later
        seen = now
        make(desk, maker, explain)


def make(desk: Desk, maker: Maker, explain: Callable[[Exception], str]) -> None:
    """Make the letter and lay it on the desk, or the one line about what is wrong."""
    try:
        proof = maker.make()
    except Exception as error:  # noqa: BLE001  # whatever it is, it stands in the page and the server goes on
        desk.fail(explain(error))
    else:
        desk.put(proof)


def look(paths: Sequence[Path]) -> dict[str, tuple[int, int]]:
    """Return time and size of every file that ``paths`` are or hold; hidden ones are left out.

    A path that is not there is told too, so that one that is asked for from now on counts as a change.
    """
    missing = {str(path): (-1, -1) for path in paths}
    return missing | {name: found for path in paths for name, found in looked_at(str(path))}
