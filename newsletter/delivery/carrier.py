"""What each thread of a send does: take a page, hand it to the provider, settle each answer, give back what is left."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from time import monotonic

from newsletter.database import Database
from newsletter.delivery import telling
from newsletter.delivery.answers import Answers
from newsletter.delivery.halt import Halt
from newsletter.delivery.pages import Page, Pages
from newsletter.delivery.pauses import Pauses
from newsletter.delivery.recipients import Recipients
from newsletter.delivery.settling import Settling, settling
from newsletter.errors import BreakerTripped, ProviderBusy, ProviderUnavailable, RenderError
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, Provider
from newsletter.store import IssueRecord

FIRST_CLAIM = 20


@dataclass(slots=True, kw_only=True)
class Carrier:
    """Carries an issue's letters to the provider; the threads of a send share it, each on a connection of its own.

    ``unconnected`` is why threads had none.
    """

    database: Database
    provider: Provider
    issue: IssueRecord
    letter: Letter
    recipients: Recipients
    pages: Pages
    pauses: Pauses
    answers: Answers
    halt: Halt
    unconnected: list[ProviderUnavailable] = field(default_factory=list)

    def work(self) -> None:
        """Send page after page, in a thread, until there is none; what goes wrong halts all of them."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # a thread's fault is raised by `Sending.run`
            self.halt.faults.append(error)

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
                self.unconnected.append(error)  # no fault while other threads have a connection
                return
            size = FIRST_CLAIM
            while page is not None:
                size = self._send_page(connection, accepting, page, size)
                page = self._next_page(size)

    def _next_page(self, size: int) -> Page | None:
        """Claim a page, if need be when a domain has its turn; None when there is nothing left to do."""
        while not (self.halt.stop.is_set() or self.halt.is_called()):
            until = self.pauses.until
            if until is not None and not self.halt.come(until):
                return None
            page = self.pages.take(size)
            if page is not None:
                telling.taken(self.issue, page.claim)
                if self.pauses.until == until:
                    return page
                self._release(page, Exposure.NONE)  # a pause began meanwhile, and is not spent with a claim
                continue
            opens = self.pages.opens()
            if opens is None:
                return None
            self.halt.come(opens)
        return None

    def _send_page(self, connection: Connection, accepting: Settling, page: Page, size: int) -> int:
        """Send a page and end it; return how many the next one should have."""
        began = monotonic()
        try:
            self._send(connection, accepting, page)
        except ProviderBusy as error:
            if page.handed:
                self.pauses.end()
            try:
                self.pauses.begin(error)  # first: what is given back is for nobody else to take meanwhile
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
        self.pauses.end()
        if page.domain is not None:
            return size
        rate = len(page.claim.rows) / max(monotonic() - began, 1e-3)
        return max(1, min(self.provider.batch_size, int(rate * self.pages.seconds)))

    def _doubt_of(self, error: Exception) -> Exposure:
        """Return what a fault leaves in doubt: of its own nothing, but the breaker may trip where another one hides."""
        hidden = error.__context__ if isinstance(error, BreakerTripped) else None
        is_known = hidden is None or isinstance(hidden, (ProviderUnavailable, RenderError))
        return Exposure.NONE if is_known else self.provider.exposure

    def _send(self, connection: Connection, accepting: Settling, page: Page) -> None:
        people = list(map(self.recipients.of, page.claim.rows))
        if self.provider.exposure is Exposure.ALL:
            self._send_batch(connection, page, people)
            return
        # Where each waits for its moment, none is named to the server before it.
        groups = [[person] for person in people] if page.pace.steps else [people]
        answers = chain.from_iterable(connection.send(self.letter, group) for group in groups)
        receipts = self.pages.stopwatch.timed(people, answers)
        for number, (row, person) in enumerate(zip(page.claim.rows, people, strict=True)):
            if page.pace.steps and not self.halt.come(page.pace.moment(number)):
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
                else self.answers.settle(page.claim, row, receipt)
            )
            self.answers.count(page.claim, row, person, receipt, seconds, ours=ours)
            if self.halt.stop.is_set() or not ours or self.halt.is_called():
                return

    def _send_batch(self, connection: Connection, page: Page, people: Sequence[Recipient]) -> None:
        """Send a page in as few requests as it takes, and settle all of it at once, whatever ends it."""
        if page.pace.steps and not self.halt.come(page.pace.moment(0)):
            return
        receipts: list[Receipt] = []
        began = monotonic()
        try:
            for receipt in connection.send(self.letter, people):
                receipts.append(receipt)  # noqa: PERF402  # those before a fault count
        finally:
            page.handed = len(receipts)
            page.is_over = self.answers.take_batch(page.claim, people, receipts, monotonic() - began)
        if len(receipts) != len(people):
            raise RuntimeError(
                f"{self.provider.name} gave {len(receipts)} receipts for {len(people)} recipients"
            )

    def _release(self, page: Page, doubt: Exposure) -> None:
        """End a claim; what it still holds goes back, or is in doubt."""
        telling.released(self.issue, page.claim, self.pages.release(page, doubt))
