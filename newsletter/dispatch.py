"""An issue on its way: handed to the provider, and concluded; gone on with after an interruption."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from newsletter import store
from newsletter.counting import so_many
from newsletter.database import Database
from newsletter.delivery import ledger, watch
from newsletter.delivery.breaker import THRESHOLD, Threshold
from newsletter.delivery.deadline import expected_end, waiting_at, why_late
from newsletter.delivery.limits import UNLIMITED, Limits
from newsletter.delivery.patience import PATIENCE, Patience
from newsletter.delivery.sender import Sending
from newsletter.errors import BreakerTripped, ProviderUnavailable, RenderError
from newsletter.letters import Identity
from newsletter.logs import INFO, tell
from newsletter.models.deliveries import Receipt, Recipient
from newsletter.models.issues import Letter, Turn
from newsletter.protocols import Provider
from newsletter.results import (
    RunResult,
    already_sent,
    held,
    not_sent,
    people,
    sent,
    summed,
    unreached,
    waits_for_a_hand,
)
from newsletter.states import STOPPED, Counts, IssueState
from newsletter.store import IssueRecord
from newsletter.templating.issue import Design
from subscribers.store import deliverable

if TYPE_CHECKING:
    from sqlalchemy import Connection

_Fault = ProviderUnavailable | BreakerTripped | RenderError  # what ends a send, and rejects nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """What is sent now: of ``before``, so many as ``number``, the last of them at ``end`` at the earliest."""

    record: IssueRecord
    was: IssueState
    letter: Letter
    before: Counts
    number: int
    end: datetime
    lessons: Sequence[str]


@dataclass(kw_only=True)
class Dispatcher:
    """Sends an edition's issues; what their letters are made with stands here too, for `planning` and `drafting`.

    ``report`` gets one line a step; ``progress`` is called with (receipts so far, all) after each answer;
    ``guard`` is entered with ``stop`` while messages go out: there a signal must not cut in, before and after
    it may. ``real_mail`` is whether letters go to people. ``limit`` bounds how many are written to now; with
    ``hold_at_cap`` what does not fit into a day waits for a person. ``turn`` is the scheduled send that this is: it
    has one issue, which is held where the limits do not let it end in time. With ``ask``, the operator's address, it
    becomes a draft that waits for a word. ``catch_up`` takes in what providers said of letters meanwhile, before any
    is sent.
    """

    edition: str
    database: Database
    provider: Provider
    design: Design
    identity: Identity
    connections: int
    clock: Callable[[], datetime]
    report: Callable[[str], None]
    real_mail: bool = True
    patience: Patience = PATIENCE
    wait: timedelta = timedelta()
    limit: int | None = None
    limits: Limits = UNLIMITED
    hold_at_cap: bool = False
    threshold: Threshold = THRESHOLD
    turn: Turn | None = None
    ask: str = ""
    catch_up: Callable[[], object] = lambda: None
    progress: Callable[[int, int], None] = lambda _done, _all: None
    stop: threading.Event = field(default_factory=threading.Event)
    guard: Callable[[threading.Event], AbstractContextManager[object]] = nullcontext

    def go_on(self, record: IssueRecord, *, dry_run: bool) -> RunResult:
        """Go on with an issue that exists, if its state allows it."""
        with self.database.read() as connection:
            counts = ledger.counts(connection, record.id)
        if record.state is IssueState.FINISHED:
            return RunResult.of(record, counts, already_sent(record, counts))
        if waits_for_a_hand(record):
            return RunResult.of(record, counts, not_sent(record))
        if dry_run:
            sentence = f"Issue {record.name} would go on: {so_many(counts.waiting, 'waiting')}."
            return RunResult.of(record, counts, sentence)
        self.report(f"resume    issue {record.name}, {counts.waiting} of {counts.prepared} waiting")
        return self.deliver(record)

    def deliver(self, record: IssueRecord) -> RunResult:
        """Send what is due of a planned issue, and say how it stands then."""
        self.catch_up()
        with self.database.read() as connection:  # it may look at all of them: not while others wait to write
            at = waiting_at(connection, record.id, self.limits.domains)
        with self.database.write(durable=True) as connection:
            begun = self._begin(connection, record, at)
        if isinstance(begun, RunResult):
            return begun
        record = begun.record
        if record.state is not begun.was:
            tell(INFO, "issue sending", issue=record.name, was=begun.was.value, waiting=begun.before.waiting)
        for lesson in begun.lessons:
            self.report(f"warning   {lesson}")
        self.report(self._forecast(begun.number, begun.end))
        fault: _Fault | None = None
        sending = self._sending(begun)
        try:
            with self.guard(self.stop):
                sending.run()
        except (ProviderUnavailable, BreakerTripped, RenderError) as error:
            fault = error
        return self._conclude(record, fault, used_up=sending.used_up)

    def _begin(
        self, connection: Connection, record: IssueRecord, at: Mapping[str, int]
    ) -> _Begun | RunResult:
        """Take up an issue of which so many wait ``at`` some domains, or return why nothing of it is sent."""
        record = store.find_issue(connection, record.edition, record.day, lock=True) or record
        before = ledger.counts(connection, record.id)
        if waits_for_a_hand(record):  # since this process looked at it
            return RunResult.of(record, before, not_sent(record))
        was = record.state
        if was is IssueState.APPROVED and self.turn is not None:
            now = self.clock()
            end = expected_end(connection, self.limits, before.waiting, at, now)
            why = why_late(before.waiting, end, now, self.turn.latest)
            if why:
                record = store.hold_issue(connection, record, why, self.clock())
                return RunResult.of(record, before, held(record), ok=False)
        lessons = watch.lessons(connection, record, self.threshold, self.clock())
        if was in {IssueState.APPROVED, IssueState.PAUSED}:
            record = store.move_issue(connection, record, IssueState.SENDING, self.clock())
        letter = ledger.load_letter(connection, record.id)
        number = before.waiting if self.limit is None else min(before.waiting, self.limit)
        others = before.waiting - number
        at = {domain: max(0, those - others) for domain, those in at.items()}
        end = expected_end(connection, self.limits, number, at, self.clock())
        return _Begun(
            record=record, was=was, letter=letter, before=before, number=number, end=end, lessons=lessons
        )

    def _sending(self, begun: _Begun) -> Sending:
        """Return what sends it, and tells the progress."""
        prepared = begun.before.prepared
        receipts = itertools.count(prepared - begun.before.waiting + 1)  # several threads take from it

        def count(_recipient: Recipient, _receipt: Receipt) -> None:
            self.progress(min(next(receipts), prepared), prepared)

        return Sending(
            database=self.database, provider=self.provider, issue=begun.record, letter=begun.letter,
            audience=deliverable(self.edition), links=self.identity.links, clock=self.clock,
            connections=self.connections, patience=self.patience, wait=self.wait, limit=self.limit,
            limits=self.limits, threshold=self.threshold, on_receipt=count, stop=self.stop,
        )  # fmt: skip

    def _forecast(self, number: int, end: datetime) -> str:
        """Say how many are written to, and where something bounds it, how fast and until when at the earliest."""
        line, now = f"send      {people(number)} by {self.provider.name}", self.clock()
        if self.limits.interval is not None:
            line += f", {float(f'{timedelta(minutes=1) / self.limits.interval:.4g}'):,.10g} a minute"
        if self.limits.interval is not None or end > now:
            line += f", to about {end:%Y-%m-%d %H:%M} UTC"
        cap = self.limits.cap(now.date())
        return line if cap is None else f"{line}; {cap:,} a day at most"

    def _conclude(self, record: IssueRecord, fault: _Fault | None, *, used_up: bool) -> RunResult:
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, record.edition, record.day, lock=True) or record
            was = record.state
            if was is IssueState.CANCELLED:
                ledger.cancel_waiting(connection, record.id)
            counts = ledger.counts(connection, record.id)
            if isinstance(fault, ProviderUnavailable) and not counts.waiting:
                fault = None  # by another connection, or by another process, everybody was written to all the same
            to, reason = self._concluded(counts, fault, used_up=used_up)
            if was is IssueState.SENDING and to is not was:  # else another process was faster
                record = store.move_issue(connection, record, to, self.clock(), reason)
        if record.state is not was:
            told = msgspec.to_builtins(counts)
            tell(
                INFO,
                f"issue {record.state.value}",
                issue=record.name,
                was=was.value,
                reason=record.reason,
                **told,
            )
        self.report(f"send      {summed(counts)}")
        in_vain = record.state is IssueState.FINISHED and not counts.accepted and unreached(counts)
        stopped = self.stop.is_set() and record.state is IssueState.SENDING
        ok = not fault and not stopped and not in_vain
        sentence = sent(record, counts, self.provider.name, stopped=self.stop.is_set(), used_up=used_up)
        return RunResult.of(record, counts, sentence, ok=ok)

    def _concluded(self, counts: Counts, fault: _Fault | None, *, used_up: bool) -> tuple[IssueState, str]:
        """Return the state that an issue is in after a send, and why."""
        if isinstance(fault, BreakerTripped):
            return IssueState.PAUSED, f"{STOPPED}: {fault}"
        if fault is not None:
            return IssueState.PAUSED, str(fault)
        if counts.waiting == 0:  # what is uncertain is held, and does not hinder
            return IssueState.FINISHED, ""
        if used_up and self.hold_at_cap:
            return IssueState.PAUSED, f"{STOPPED}: what the day (UTC) may send is used up"
        return IssueState.SENDING, ""
