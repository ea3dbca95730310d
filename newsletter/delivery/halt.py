"""What ends a send before everybody was written to; all its threads look at the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.watch import Watch
from newsletter.states import IssueState

LOOK_SECONDS = 1.0  # between two looks whether the issue is still to be sent


@dataclass(slots=True, kw_only=True)
class Halt:
    """Halts a send where a thread failed, the issue was paused or cancelled elsewhere, or the watch tells that it must.

    ``stop`` is set from outside, and looked at beside.
    """

    database: Database
    issue_id: int
    watch: Watch
    clock: Callable[[], datetime]
    stop: threading.Event
    faults: list[BaseException] = field(default_factory=list)
    is_taken_away: bool = False  # the issue is paused or cancelled
    _looked: float = 0.0

    def is_called(self) -> bool:
        """Tell whether a thread failed; look, every second, whether the issue is paused or cancelled, or must stop."""
        if self.faults:
            return True
        if not self.is_taken_away and monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            with self.database.read() as connection:
                self.is_taken_away = ledger.state_of(connection, self.issue_id) is not IssueState.SENDING
                tripped = self.watch.look(connection)
            if tripped is not None:
                self.faults.append(tripped)
                return True
        return self.is_taken_away

    def come(self, moment: datetime) -> bool:
        """Wait until a moment; False where the send was stopped or halted before."""
        while (left := (moment - self.clock()).total_seconds()) > 0:
            if self.stop.wait(min(left, LOOK_SECONDS)) or self.is_called():
                return False
        return True
