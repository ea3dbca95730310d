"""What becomes of a provider's answers: written down, told, counted; a process's send has one for all its threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from newsletter.database import Database
from newsletter.delivery import telling
from newsletter.delivery.breaker import Breaker, Threshold
from newsletter.delivery.claims import Claim, ClaimedRow
from newsletter.delivery.gone import Gone
from newsletter.delivery.patience import Patience
from newsletter.delivery.receipts import settle, settle_batch
from newsletter.errors import DatabaseError
from newsletter.logs import DEBUG, is_told
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.protocols import Exposure, Provider
from newsletter.store import IssueRecord


@dataclass(kw_only=True)
class Answers:
    """Takes the answers to one issue's letters; too many bad ones raise `BreakerTripped`."""

    database: Database
    issue: IssueRecord
    provider: Provider
    patience: Patience
    threshold: Threshold
    clock: Callable[[], datetime]
    on_receipt: Callable[[Recipient, Receipt], None]
    _gone: Gone = field(init=False)
    _breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        """Make what the threads share before they begin."""
        self._gone = Gone(database=self.database, actor=self.provider.name, clock=self.clock)
        batch = self.provider.batch_size if self.provider.exposure is Exposure.ALL else 1
        self._breaker = Breaker(self.threshold, batch=batch)

    def settle(self, claim: Claim, row: ClaimedRow, receipt: Receipt) -> bool:
        """Write down that a letter was not taken; False if the row is no longer this claim's."""
        with self.database.write() as transaction:
            ours = settle(
                transaction, claim, row, receipt, self.clock(),
                on_uncertain=self.provider.on_uncertain, patience=self.patience,
            )  # fmt: skip
        if ours and receipt.hard:
            self._give_up([receipt])
        return ours

    def count(
        self,
        claim: Claim,
        row: ClaimedRow,
        person: Recipient,
        receipt: Receipt,
        seconds: float,
        *,
        ours: bool,
    ) -> None:
        """Tell an answer that is written down, and take it into account if it is ``ours``."""
        telling.answered(self.issue, claim, row, receipt, seconds, ours=ours)
        if ours:
            self.on_receipt(person, receipt)
            self._gone.count(receipt)
            self._breaker.count(receipt)

    def take_batch(
        self, claim: Claim, people: Sequence[Recipient], receipts: Sequence[Receipt], seconds: float
    ) -> bool:
        """Write down, tell and count the answers to the first of some, all of them at once.

        Return whether that is the end of the claim, of which nothing is left then.
        """
        answers = list(zip(claim.rows, receipts, strict=False))
        try:
            ours = self._settle_batch(claim, answers)
        except DatabaseError:  # the answers are nowhere else: without them all of it is in doubt
            ours = self._settle_batch(claim, answers)
        self._give_up([receipt for receipt in receipts if receipt.hard and receipt.subscriber_id in ours])
        for accepted, run in groupby(zip(answers, people, strict=False), key=_is_accepted):
            listed = list(run)
            if accepted and not is_told(DEBUG):
                self._count_accepted([each for each in listed if each[1].subscriber_id in ours])
                continue
            for (row, receipt), person in listed:
                self.count(claim, row, person, receipt, seconds, ours=row.subscriber_id in ours)
        return len(ours) == len(claim.rows)

    def _settle_batch(self, claim: Claim, answers: Sequence[tuple[ClaimedRow, Receipt]]) -> frozenset[int]:
        with self.database.write() as transaction:
            return settle_batch(
                transaction, claim, answers, self.clock(),
                on_uncertain=self.provider.on_uncertain, patience=self.patience,
            )  # fmt: skip

    def _give_up(self, refused: Sequence[Receipt]) -> None:
        """Give addresses up, for good: not with the deliveries, because events lock a person first."""
        if refused:
            with self.database.write() as transaction:
                for receipt in refused:
                    self._gone.refused(transaction, receipt)

    def _count_accepted(self, listed: Sequence[_Answered]) -> None:
        for (_, receipt), person in listed:
            self.on_receipt(person, receipt)
        if listed:
            self._gone.count(listed[0][0][1], len(listed))
            self._breaker.count_accepted(len(listed))

    def end(self) -> None:
        """Say that nothing more comes."""
        self._gone.end()


_Answered = tuple[tuple[ClaimedRow, Receipt], Recipient]


def _is_accepted(answered: _Answered) -> bool:
    return answered[0][1].outcome is Outcome.ACCEPTED
