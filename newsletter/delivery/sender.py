"""The loop that sends: claim a page, hand it to the provider, settle each answer, while something is due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any

from newsletter.database import Database
from newsletter.delivery import claims, garbage, ledger, telling
from newsletter.delivery.answers import Answers
from newsletter.delivery.breaker import THRESHOLD, Threshold
from newsletter.delivery.limits import UNLIMITED, Limits
from newsletter.delivery.owners import resolve_dead_claims
from newsletter.delivery.pages import Page, Pages
from newsletter.delivery.pauses import Pauses
from newsletter.delivery.processes import DEAD_AFTER, is_dead, is_here
from newsletter.delivery.recipients import Links, Recipients
from newsletter.delivery.settling import Settling, settling
from newsletter.delivery.watch import Watch
from newsletter.errors import (
    BreakerTripped,
    DatabaseError,
    ProviderBusy,
    ProviderUnavailable,
    RenderError,
)
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, Provider
from newsletter.states import IssueState
from newsletter.store import IssueRecord

if TYPE_CHECKING:
    from sqlalchemy import Select

FIRST_CLAIM = 20
HEARTBEAT_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between two looks whether the issue is still to be sent


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
    patience: ledger.Patience = ledger.PATIENCE
    wait: timedelta = timedelta()
    limit: int | None = None
    limits: Limits = UNLIMITED
    threshold: Threshold = THRESHOLD
    on_receipt: Callable[[Recipient, Receipt], None] = lambda _recipient, _receipt: None
    stop: threading.Event = field(default_factory=threading.Event)
    _faults: list[BaseException] = field(default_factory=list)
    _unconnected: list[ProviderUnavailable] = field(default_factory=list)
    _looked: float = 0.0
    _halted: bool = False

    @cached_property
    def _pages(self) -> Pages:
        return Pages(
            database=self.database, issue_id=self.issue.id, audience=self.audience, provider=self.provider,
            clock=self.clock, connections=self.connections, limits=self.limits, limit=self.limit,
        )  # fmt: skip

    @cached_property
    def _answers(self) -> Answers:
        return Answers(
            database=self.database, issue=self.issue, provider=self.provider, patience=self.patience,
            threshold=self.threshold, clock=self.clock, on_receipt=self.on_receipt,
        )  # fmt: skip

    @cached_property
    def _recipients(self) -> Recipients:
        return Recipients(
            edition=self.issue.edition,
            day=self.issue.day,
            links=self.links,
            from_address=self.letter.from_address,
        )

    @cached_property
    def _pauses(self) -> Pauses:
        return Pauses(wait=self.wait, clock=self.clock)

    @cached_property
    def _watch(self) -> Watch:
        return Watch(issue_id=self.issue.id, threshold=self.threshold)

    @property
    def used_up(self) -> bool:
        """Whether it ended because the day has no more messages to give."""
        return self._pages.used_up

    def run(self) -> None:
        """Send until nothing is due within ``wait``; raise `ProviderUnavailable` when the provider as a whole refuses.

        Rows that were not handed over are pending again in every case.
        """
        # Made here, because from Python 3.12 on two threads could make one each.
        _ = self._pages, self._recipients, self._answers, self._pauses, self._watch
        self._take_over_dead()
        with self._heartbeat(), garbage.seldom_looked_for():
            connected = self._round(self.connections)
            while connected and not self._faults and (self._may_go_on() or self._inherits()):
                connected = self._round(1 if self._unconnected else self.connections)
        self._answers.end()
        if self._halted:
            self._settle_cancelled()
        if self._faults:
            raise self._faults[0]
        if not connected:
            raise self._unconnected[-1]

    def _round(self, connections: int) -> bool:
        """Send what is due now; False where none of the connections could be had."""
        self._pages.begin_round()
        before = len(self._unconnected)
        threads = [threading.Thread(target=self._guarded_work) for _ in range(connections - 1)]
        for thread in threads:
            thread.start()
        self._guarded_work()
        for thread in threads:
            thread.join()
        return len(self._unconnected) - before < connections

    def _may_go_on(self) -> bool:
        """Wait until something is due again; False where that is too far away, or the issue is halted."""
        if not self._pages.may_take:
            return False
        with self.database.read() as connection:
            if ledger.has_due(connection, self.issue.id, self.clock()):
                # what a thread gave back that found no connection, or what another process is about to take
                return not self.stop.wait(0.1) and not self._is_halted()
            due = ledger.next_due(connection, self.issue.id)
        if due is None:
            return False
        while not self.stop.is_set() and not self._is_halted():
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
        while known and not self.stop.is_set() and not self._is_halted():
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

    def _is_halted(self) -> bool:
        """Tell whether a thread failed; look, every second, whether the issue is paused or cancelled, or must stop."""
        if self._faults:
            return True
        if not self._halted and monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            with self.database.read() as connection:
                self._halted = ledger.state_of(connection, self.issue.id) is not IssueState.SENDING
                tripped = self._watch.look(connection)
            if tripped is not None:
                self._faults.append(tripped)
                return True
        return self._halted

    def _settle_cancelled(self) -> None:
        """Where the issue was cancelled, so is what this process gave back."""
        with self.database.write() as transaction:
            if ledger.state_of(transaction, self.issue.id) is IssueState.CANCELLED:
                ledger.cancel_waiting(transaction, self.issue.id)

    def _guarded_work(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # a thread's fault is raised by `run`
            self._faults.append(error)

    def _work(self) -> None:
        page = self._next_page(min(FIRST_CLAIM, self.provider.batch_size))
        if page is None:
            return
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self.provider.connect())
                accepting = stack.enter_context(settling(self.database))
            except BaseException as error:
                self._release(page, Exposure.NONE)
                if not isinstance(error, ProviderUnavailable):
                    raise
                telling.unavailable(self.issue, page.claim, error)
                self._unconnected.append(error)  # no fault while other threads have a connection
                return
            size = FIRST_CLAIM
            while page is not None:
                size = self._send_page(connection, accepting, page, size)
                page = self._next_page(size)

    def _next_page(self, size: int) -> Page | None:
        """Claim a page, if need be when a domain has its turn; None when there is nothing left to do."""
        while not (self.stop.is_set() or self._is_halted()):
            until = self._pauses.until
            if until is not None and not self._come(until):
                return None
            page = self._pages.take(size)
            if page is not None:
                telling.taken(self.issue, page.claim)
                if self._pauses.until == until:
                    return page
                self._release(page, Exposure.NONE)  # a pause began meanwhile, and is not spent with a claim
                continue
            opens = self._pages.opens()
            if opens is None:
                return None
            self._come(opens)
        return None

    def _send_page(self, connection: Connection, accepting: Settling, page: Page, size: int) -> int:
        """Send a page and end it; return how many the next one should have."""
        began = monotonic()
        try:
            self._send(connection, accepting, page)
        except ProviderBusy as error:
            if page.handed:
                self._pauses.end()
            try:
                self._pauses.begin(error)  # first: what is given back is for nobody else to take meanwhile
            finally:
                self._release(page, Exposure.NONE)
                telling.unavailable(self.issue, page.claim, error)
            return size
        except (ProviderUnavailable, BreakerTripped, RenderError) as error:
            self._release(page, self._doubt_of(error))
            if isinstance(error, ProviderUnavailable):
                telling.unavailable(self.issue, page.claim, error)
            raise
        except BaseException:
            self._release(page, self.provider.exposure)
            raise
        self._release(page, Exposure.NONE)
        self._pauses.end()
        if page.domain is not None:
            return size
        rate = len(page.claim.rows) / max(monotonic() - began, 1e-3)
        return max(1, min(self.provider.batch_size, int(rate * self._pages.seconds)))

    def _doubt_of(self, error: Exception) -> Exposure:
        """Return what a fault leaves in doubt: of its own nothing, but the breaker may trip where another one hides."""
        hidden = error.__context__ if isinstance(error, BreakerTripped) else None
        is_known = hidden is None or isinstance(hidden, (ProviderUnavailable, RenderError))
        return Exposure.NONE if is_known else self.provider.exposure

    def _send(self, connection: Connection, accepting: Settling, page: Page) -> None:
        people = list(map(self._recipients.of, page.claim.rows))
        if self.provider.exposure is Exposure.ALL:
            self._send_batch(connection, page, people)
            return
        # Where each waits for its moment, none is named to the server before it.
        groups = [[person] for person in people] if page.pace.steps else [people]
        answers = chain.from_iterable(connection.send(self.letter, group) for group in groups)
        receipts = self._pages.stopwatch.timed(people, answers)
        for number, (row, person) in enumerate(zip(page.claim.rows, people, strict=True)):
            if page.pace.steps and not self._come(page.pace.moment(number)):
                return
            answer = next(receipts, None)
            if answer is None:
                raise RuntimeError(
                    f"{self.provider.name} gave {number} receipts for {len(people)} recipients"
                )
            receipt, seconds = answer
            page.handed += 1
            ours = (
                accepting.accept(page.claim, row)
                if receipt.outcome is Outcome.ACCEPTED
                else self._answers.settle(page.claim, row, receipt)
            )
            self._answers.count(page.claim, row, person, receipt, seconds, ours=ours)
            if self.stop.is_set() or not ours or self._is_halted():
                return

    def _send_batch(self, connection: Connection, page: Page, people: Sequence[Recipient]) -> None:
        """Send a page in as few requests as it takes, and settle all of it at once, whatever ends it."""
        if page.pace.steps and not self._come(page.pace.moment(0)):
            return
        receipts: list[Receipt] = []
        began = monotonic()
        try:
            for receipt in connection.send(self.letter, people):
                receipts.append(receipt)  # noqa: PERF402  # those before a fault count
        finally:
            page.handed = len(receipts)
            page.is_over = self._answers.take_batch(page.claim, people, receipts, monotonic() - began)
        if len(receipts) != len(people):
            raise RuntimeError(
                f"{self.provider.name} gave {len(receipts)} receipts for {len(people)} recipients"
            )

    def _release(self, page: Page, doubt: Exposure) -> None:
        """End a claim; what it still holds goes back, or is in doubt."""
        telling.released(self.issue, page.claim, self._pages.release(page, doubt))

    def _come(self, moment: datetime) -> bool:
        """Wait until a moment; False where the send was stopped or halted before."""
        while (left := (moment - self.clock()).total_seconds()) > 0:
            if self.stop.wait(min(left, LOOK_SECONDS)) or self._is_halted():
                return False
        return True

    @contextmanager
    def _heartbeat(self) -> Iterator[None]:
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(HEARTBEAT_SECONDS):
                with (
                    suppress(DatabaseError),
                    self.database.write() as transaction,
                ):  # the next beat tries again
                    claims.beat(transaction, self._pages.ids, self.clock())

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
