"""The rounds of a send: all threads send what is due, and again what comes due, or is left by a process that died."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any

from newsletter.database import Database
from newsletter.delivery import claims, garbage, ledger
from newsletter.delivery.answers import Answers
from newsletter.delivery.breaker import THRESHOLD, Threshold
from newsletter.delivery.carrier import Carrier
from newsletter.delivery.halt import LOOK_SECONDS, Halt
from newsletter.delivery.limits import UNLIMITED, Limits
from newsletter.delivery.owners import resolve_dead_claims
from newsletter.delivery.pages import Pages
from newsletter.delivery.patience import PATIENCE, Patience
from newsletter.delivery.pauses import Pauses
from newsletter.delivery.processes import DEAD_AFTER, is_dead, is_here
from newsletter.delivery.recipients import Links, Recipients
from newsletter.delivery.watch import Watch
from newsletter.models.deliveries import Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Provider
from newsletter.states import IssueState
from newsletter.store import IssueRecord

if TYPE_CHECKING:
    from sqlalchemy import Select


@dataclass(kw_only=True)
class Sending:
    """One issue being sent by this process. ``stop`` ends it after the message that is in flight.

    What was refused for a while is tried again within ``wait``; another process may pause or cancel the issue.
    ``limit`` bounds how many are written to.
    """

    database: Database
    provider: Provider
    issue: IssueRecord
    letter: Letter
    audience: Select[Any]
    links: Links
    clock: Callable[[], datetime]
    connections: int = 1
    patience: Patience = PATIENCE
    wait: timedelta = timedelta()
    limit: int | None = None
    limits: Limits = UNLIMITED
    threshold: Threshold = THRESHOLD
    on_receipt: Callable[[Recipient, Receipt], None] = lambda _recipient, _receipt: None
    stop: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def _pages(self) -> Pages:
        return Pages(
            database=self.database, issue_id=self.issue.id, audience=self.audience, provider=self.provider,
            clock=self.clock, connections=self.connections, limits=self.limits, limit=self.limit,
        )  # fmt: skip

    @cached_property
    def _pauses(self) -> Pauses:
        return Pauses(wait=self.wait, clock=self.clock)

    @cached_property
    def _halt(self) -> Halt:
        watch = Watch(issue_id=self.issue.id, threshold=self.threshold)
        return Halt(
            database=self.database, issue_id=self.issue.id, watch=watch, clock=self.clock, stop=self.stop
        )

    @cached_property
    def _answers(self) -> Answers:
        return Answers(
            database=self.database, issue=self.issue, provider=self.provider, patience=self.patience,
            threshold=self.threshold, clock=self.clock, on_receipt=self.on_receipt,
        )  # fmt: skip

    @cached_property
    def _carrier(self) -> Carrier:
        recipients = Recipients(
            edition=self.issue.edition,
            day=self.issue.day,
            links=self.links,
            from_address=self.letter.from_address,
        )
        return Carrier(
            database=self.database, provider=self.provider, issue=self.issue, letter=self.letter, recipients=recipients,
            pages=self._pages, pauses=self._pauses, answers=self._answers, halt=self._halt,
        )  # fmt: skip

    @property
    def used_up(self) -> bool:
        """Whether it ended because the day has no more messages to give."""
        return self._pages.used_up

    def run(self) -> None:
        """Send until nothing is due within ``wait``; raise `ProviderUnavailable` when the provider as a whole refuses.

        Rows that were not handed over are pending again in every case.
        """
        self._take_over_dead()
        halt, unconnected = self._halt, self._carrier.unconnected
        with self._pages.heartbeat(), garbage.seldom_looked_for():
            connected = self._round(self.connections)
            while connected and not halt.faults and (self._may_go_on() or self._inherits()):
                connected = self._round(1 if unconnected else self.connections)
        self._answers.end()
        if halt.is_taken_away:
            self._settle_cancelled()
        if halt.faults:
            raise halt.faults[0]
        if not connected:
            raise unconnected[-1]

    def _round(self, connections: int) -> bool:
        """Send what is due now; False where none of the connections could be had."""
        self._pages.begin_round()
        before = len(self._carrier.unconnected)
        threads = [threading.Thread(target=self._carrier.work) for _ in range(connections - 1)]
        for thread in threads:
            thread.start()
        self._carrier.work()
        for thread in threads:
            thread.join()
        return len(self._carrier.unconnected) - before < connections

    def _may_go_on(self) -> bool:
        """Wait until something is due again; False where that is too far away, or the issue is halted."""
        if not self._pages.may_take:
            return False
        with self.database.read() as connection:
            if ledger.has_due(connection, self.issue.id, self.clock()):
                # what a thread gave back that found no connection, or what another process is about to take
                return not self.stop.wait(0.1) and not self._halt.is_called()
            due = ledger.next_due(connection, self.issue.id)
        if due is None:
            return False
        while not self.stop.is_set() and not self._halt.is_called():
            left = due - self.clock()
            if left <= timedelta():
                return True
            if left > self.wait:  # also where the clock was set back meanwhile
                return False
            self.stop.wait(min(left.total_seconds(), LOOK_SECONDS))
        return False

    def _inherits(self) -> bool:
        """Take over what a process elsewhere left; see first, within ``wait``, whether it is only silent.

        A container that is started again is elsewhere: without this its last claim would lie until the next run.
        """
        if self.wait < DEAD_AFTER or not self._pages.may_take:
            return False
        began, known = monotonic(), {claim.id: claim.heartbeat for claim in self._claims_elsewhere()}
        while known and not self.stop.is_set() and not self._halt.is_called():
            silent = [claim for claim in self._claims_elsewhere() if known.get(claim.id) == claim.heartbeat]
            if any(is_dead(claim.owner, claim.heartbeat, self.clock()) for claim in silent):
                self._take_over_dead()
                return True
            if not silent or monotonic() - began > 2 * DEAD_AFTER.total_seconds():
                return False
            self.stop.wait(LOOK_SECONDS)
        return False

    def _take_over_dead(self) -> None:
        own = self.provider
        resolve_dead_claims(self.database, self.issue, self.clock(), own.on_uncertain, own.name)

    def _claims_elsewhere(self) -> list[Any]:
        with self.database.read() as connection:
            held = claims.open_claims(connection, self.issue.id)
        return [claim for claim in held if not is_here(claim.owner)]

    def _settle_cancelled(self) -> None:
        """Where the issue was cancelled, so is what this process gave back."""
        with self.database.write() as transaction:
            if ledger.state_of(transaction, self.issue.id) is IssueState.CANCELLED:
                ledger.cancel_waiting(transaction, self.issue.id)
