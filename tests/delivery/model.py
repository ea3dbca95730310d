"""What the ledger must say, in plain Python: rows, claims and an issue, without SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.delivery import claims
from newsletter.delivery.patience import PATIENCE
from newsletter.delivery.processes import DEAD_AFTER
from newsletter.delivery.receipts import MOST_RESENDS
from newsletter.models.deliveries import Outcome
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import DeliveryState, IssueState

PENDING, CLAIMED = DeliveryState.PENDING, DeliveryState.CLAIMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One that a delivery had; ``not_before`` None where it came to an end."""

    at: datetime
    not_before: datetime | None
    doubtful: bool


@dataclass(slots=True)
class Row:
    """A delivery."""

    number: int
    state: DeliveryState = PENDING
    attempt: int = 0
    claim: int = 0
    problems: list[Problem] = field(default_factory=list)

    def is_due(self, now: datetime) -> bool:
        held_back = any(each.not_before and each.not_before > now for each in self.problems)
        return self.state is PENDING and not held_back

    def note(self, now: datetime, *, pause: bool, doubtful: bool) -> None:
        until = now + PATIENCE.pause(self.attempt, self.number) if pause else None
        self.problems.append(Problem(at=now, not_before=until, doubtful=doubtful))

    @property
    def put_off_since(self) -> datetime | None:
        """When it began to be put off, since it last came to an end."""
        ended = [index for index, each in enumerate(self.problems) if each.not_before is None]
        since = self.problems[ended[-1] + 1 :] if ended else self.problems
        return min((each.at for each in since), default=None)

    def settle(self, outcome: Outcome, now: datetime, *, resend: bool) -> None:
        match outcome:
            case Outcome.ACCEPTED:
                self.state = DeliveryState.ACCEPTED
            case Outcome.REJECTED:
                self.state = DeliveryState.REJECTED
                self.note(now, pause=False, doubtful=False)
            case Outcome.RETRY:
                since = self.put_off_since
                again = since is None or now - since < PATIENCE.give_up
                self.state = PENDING if again else DeliveryState.REJECTED
                self.note(now, pause=again, doubtful=False)
            case Outcome.UNCERTAIN:
                again = resend and self.attempt < MOST_RESENDS
                self.state = PENDING if again else DeliveryState.UNCERTAIN
                self.note(now, pause=again, doubtful=True)


@dataclass(slots=True, kw_only=True)
class Held:
    """A claim as its owner has it: how far it is, what is on its way. ``open`` is the ledger's word."""

    claim: claims.Claim
    heartbeat: datetime
    position: int = 0
    in_flight: bool = False
    taken: bool = False
    stopped: bool = False
    open: bool = True


@dataclass(slots=True, kw_only=True)
class Model:
    """One issue. ``here`` are those on the list; ``copies`` is how often the provider took a person's letter."""

    exposure: Exposure
    on_uncertain: OnUncertain
    here: set[int]
    state: IssueState = IssueState.APPROVED
    by_hand: bool = False
    rows: dict[int, Row] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    copies: Counter[int] = field(default_factory=Counter)

    @property
    def resends(self) -> bool:
        return self.on_uncertain is OnUncertain.RESEND

    def ordered(self, *states: DeliveryState) -> list[Row]:
        return [self.rows[number] for number in sorted(self.rows) if self.rows[number].state in states]

    def move(self, rows: Iterable[Row], state: DeliveryState) -> int:
        moved = list(rows)
        for row in moved:
            row.state, row.claim = state, 0
        return len(moved)

    def due(self, now: datetime, limit: int) -> list[Row]:
        if self.state is not IssueState.SENDING:
            return []
        return [row for row in self.ordered(PENDING) if row.is_due(now)][:limit]

    def take(self, rows: Iterable[Row], claim: int) -> list[Row]:
        """Claim rows; return those who are still on the list."""
        staying = []
        for row in rows:
            if row.number in self.here:
                row.state, row.claim, row.attempt = CLAIMED, claim, row.attempt + 1
                staying.append(row)
            else:
                row.state = DeliveryState.SUPPRESSED
        return staying

    def receive(self, number: int) -> None:
        """Let the provider take a letter: an exact one has it once, whatever comes."""
        self.copies[number] = 1 if self.exposure is Exposure.NONE else self.copies[number] + 1

    def end(self, held: Held, doubt: Exposure, now: datetime, *, resend: bool) -> None:
        """End a claim, with doubt about some of what it has not settled."""
        if not held.open:
            return
        held.open = False
        rows = [row for row in self.ordered(CLAIMED) if row.claim == held.claim.id]
        doubtful = {Exposure.NONE: [], Exposure.FIRST: rows[:1], Exposure.ALL: rows}[doubt]
        for row in rows:
            if row not in doubtful:
                row.attempt -= 1
                row.state = PENDING
                continue
            row.note(now, pause=False, doubtful=True)
            row.state = PENDING if resend else DeliveryState.UNCERTAIN

    def end_dead(self, now: datetime, *, resend: bool) -> None:
        """End the claims that were silent for too long."""
        for held in self.held:
            if now - held.heartbeat > DEAD_AFTER:
                self.end(held, self.exposure, now, resend=resend)
