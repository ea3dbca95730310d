"""Gives up addresses whose server says that they are not there, once it has shown that it takes others.

A relay that is set up wrongly says so of everybody; then nobody is given up, and the breaker ends the send.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from newsletter.database import Database
from newsletter.models.deliveries import Outcome, Receipt
from subscribers.models import AddressState
from subscribers.suppressions import Suppressions

MOST_REASON = 200  # characters of a reply that are kept as the reason
FEW = 2
LATELY = 5  # answers among which one was an acceptance


@dataclass(kw_only=True)
class Gone:
    """What one process's send learned of addresses. ``actor`` is the provider's name."""

    database: Database
    actor: str
    clock: Callable[[], datetime]
    _lately: deque[bool] = field(default_factory=lambda: deque(maxlen=LATELY))
    _waiting: list[Receipt] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refused(self, transaction: Connection, receipt: Receipt) -> None:
        """Take a hard refusal down: the address is given up now, or when the server takes another one."""
        with self._lock:
            if not any(self._lately):
                self._waiting.append(receipt)
                return
        self._give_up(transaction, receipt)

    def count(self, receipt: Receipt, times: int = 1) -> None:
        """Take an answer into account, that was given for so many."""
        accepted = receipt.outcome is Outcome.ACCEPTED
        with self._lock:
            self._lately.extend([accepted] * min(times, LATELY))
            waiting = self._waiting if accepted else []
            if waiting:
                self._waiting = []
        if waiting:
            with self.database.write() as transaction:
                for each in waiting:
                    self._give_up(transaction, each)

    def end(self) -> None:
        """Give up the few that a send without any acceptance ends with: of two, a server need not be wrong."""
        if len(self._waiting) <= FEW:
            with self.database.write() as transaction:
                for each in self._waiting:
                    self._give_up(transaction, each)

    def _give_up(self, transaction: Connection, receipt: Receipt) -> None:
        Suppressions.happened(
            transaction, receipt.subscriber_id, AddressState.BOUNCED, reason=receipt.reply[:MOST_REASON],
            actor=self.actor, now=self.clock(),
        )  # fmt: skip
