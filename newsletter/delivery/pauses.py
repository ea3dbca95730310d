"""Pauses that a provider asks for: all connections keep one, and a send does not wait longer than it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from newsletter.errors import ProviderBusy


@dataclass(kw_only=True)
class Pauses:
    """When the provider takes something again. ``wait`` is how long it may go on taking nothing."""

    wait: timedelta
    clock: Callable[[], datetime]
    _until: datetime | None = None
    _since: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    @property
    def until(self) -> datetime | None:
        """When the next page may go, None where there is no pause."""
        return self._until

    def begin(self, busy: ProviderBusy) -> None:
        """Keep a pause; raise what asked for it where nothing was taken for too long."""
        with self._lock:
            now = self.clock()
            self._since = self._since or now
            until = now + timedelta(seconds=busy.seconds)
            self._until = max(until, self._until or until)
            if until - self._since > self.wait:
                raise busy

    def end(self) -> None:
        """Something was taken: what asks for a pause from now on is a new trouble."""
        self._since = None
