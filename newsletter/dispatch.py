"""An issue on its way: planned once, handed to the provider, concluded; gone on with after an interruption."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from newsletter import store
from newsletter.counting import counted, so_many
from newsletter.database import Database
from newsletter.delivery import ledger, watch
from newsletter.delivery.breaker import THRESHOLD, Threshold
from newsletter.delivery.deadline import expected_end, waiting_at, why_late
from newsletter.delivery.limits import UNLIMITED, Limits
from newsletter.delivery.notices import ask_operator
from newsletter.delivery.patience import PATIENCE, Patience
from newsletter.delivery.sender import Sending
from newsletter.errors import BreakerTripped, DatabaseError, IssueError, ProviderUnavailable, RenderError
from newsletter.letters import Identity, example_reader, looked_over, make_letter
from newsletter.logs import INFO, WARNING, tell
from newsletter.messages import compose
from newsletter.models.deliveries import Receipt, Recipient
from newsletter.models.issues import Issue, Letter, Occasion, Turn
from newsletter.models.papers import DayKind
from newsletter.protocols import Provider
from newsletter.settings.editions import DEFAULT_EDITION
from newsletter.states import STOPPED, Counts, IssueState, goes_on_by_hand
from newsletter.store import IssueRecord
from newsletter.templating.issue import Design, issue_json, render
from newsletter.templating.lint.findings import Severity
from subscribers.standing import Standing
from subscribers.statistics import standings
from subscribers.store import deliverable, wake

WARNINGS = 3  # of lint that a run tells; `newsletter lint` tells them all
_Fault = ProviderUnavailable | BreakerTripped | RenderError  # what ends a send, and rejects nobody
_NAMES = {kind: kind.value.replace("_", "-") for kind in DayKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended, in one object and one sentence. ``ok`` False means exit code 1.

    ``again``: nothing was sent, and what kept it from that may be gone the next time. ``by_hand``: its issue goes on
    when somebody says so. ``late`` says what was not finished in time, ``quiet`` are the days without papers.
    """

    edition: str
    sentence: str
    day: date | None = None
    kind: DayKind | None = None
    state: IssueState | None = None
    counts: Counts = field(default_factory=Counts)
    ok: bool = True
    again: bool = False
    by_hand: bool = False
    late: str = ""
    quiet: tuple[date, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``run --json`` prints."""
        return {
            "day": self.day.isoformat() if self.day else None,
            "edition": self.edition,
            "kind": self.kind.value if self.kind else None,
            "state": self.state.value if self.state else None,
            "counts": msgspec.to_builtins(self.counts),
            "sentence": self.sentence,
        }


@dataclass(kw_only=True)
class Dispatcher:
    """Sends an edition's issues.

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

    def plan_and_send(self, issue: Issue, *, dry_run: bool) -> RunResult:
        """Render an issue, freeze it with its audience, and send it."""
        if not dry_run:
            with self.database.write() as connection:
                wake(connection, self.clock())
        with self.database.read() as connection:
            number = store.next_number(connection, self.edition)
            people = ledger.audience_size(connection, deliverable(self.edition))
        rendered = render(issue, replace(self.design, issue_number=number))
        self.report(
            f"render    {len(rendered.html.encode()):,} bytes of HTML, {len(rendered.text):,} characters of text"
        )
        letter = make_letter(rendered, issue, self.identity, self.clock())
        self.lint(issue, letter, whole=dry_run)
        name = f"{issue.day}/{self.edition}"
        if not people:
            return self.result(self._nobody(), day=issue.day, kind=issue.kind, again=True)
        if dry_run:
            sentence = f"Dry run: issue {name} would go to {_people(people)} by {self.provider.name}."
            return self.result(sentence, day=issue.day, kind=issue.kind)
        record = self._plan(issue, letter)
        return self._asked(record) if record.state is IssueState.DRAFT else self.deliver(record)

    def _nobody(self) -> str:
        """Say that an edition has no readers, and how it gets some."""
        with self.database.read() as connection:
            pending = standings(connection).get(self.edition, Counter())[Standing.PENDING]
        where = "" if self.edition == DEFAULT_EDITION else f" --edition {self.edition}"
        waiting = f", {so_many(pending, 'pending')}" if pending else ""
        command = f"newsletter subscribers {'confirm --send' if pending else 'add EMAIL'}{where}"
        return f"Nobody is subscribed to {self.edition}{waiting}; nothing was sent (`{command}`)."

    def lint(self, issue: Issue, letter: Letter, *, whole: bool = False) -> None:
        """Look the letter over: raise `RenderError` for an error of lint, report its first warnings.

        ``whole`` reports all that it finds: of a day that is not stored no other command tells it.
        """
        findings = looked_over(
            letter, issue, self.identity, postal_address=self.design.postal_address,
            real_mail=self.real_mail,
        )  # fmt: skip
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        told = findings if whole else [] if errors else findings[:WARNINGS]
        for finding in told:
            self.report(f"lint      {finding.rule}: {finding.what}")
        usual = issue.occasion in {Occasion.DAY, Occasion.PARTIAL}
        see = (
            f"newsletter lint --day {issue.day} --edition {issue.edition}"
            if usual
            else "newsletter templates check"
        )
        if errors:
            others = f", and it has {counted(len(errors) - 1, 'more error')}" if errors[1:] else ""
            raise RenderError(
                f"not sent, because {errors[0].what} ({errors[0].rule}){others}",
                subject=f"issue {issue.day}/{issue.edition}",
                remedy="all of it stands above" if whole else f"`{see}` tells all",
            )  # fmt: skip
        if len(findings) > len(told):
            self.report(f"lint      {counted(len(findings) - WARNINGS, 'more warning')}; `{see}` tells all")

    def _plan(self, issue: Issue, letter: Letter) -> IssueRecord:
        """Freeze an issue; where another process planned it meanwhile, take that one."""
        compose(letter, example_reader(letter, issue, self.identity))  # what cannot be composed is not frozen
        try:
            record, planned = self._freeze(issue, letter)
        except (IssueError, DatabaseError):
            with self.database.read() as connection:
                other = store.find_issue(connection, self.edition, issue.day)
                if other is None and self.turn is not None:
                    other = store.issue_of_turn(connection, self.edition, self.turn.day)
            if other is None:
                raise
            return other
        tell(INFO, "issue planned", issue=record.name, prepared=planned)
        self.report(f"plan      issue {record.name} is number {record.number}, {_people(planned)}")
        return record

    def _freeze(self, issue: Issue, letter: Letter) -> tuple[IssueRecord, int]:
        with self.database.write(durable=True, snapshot=True) as connection:
            record = store.create_issue(
                connection, edition=self.edition, day=issue.day, kind=issue.kind,
                document=issue_json(issue), warnings=issue.warnings, left_out=issue.left_out, now=letter.date,
                draft=self.turn is not None and self.ask != "",
                refused={entry.paper.id: entry.summary.refused for entry in issue.entries if entry.summary.refused},
            )  # fmt: skip
            planned = ledger.plan(connection, record.id, letter, deliverable(self.edition))
            if not planned:
                raise IssueError("lost its last subscriber while it was made", subject=f"issue {record.name}")
            if self.turn is not None:
                store.take_turn(connection, self.edition, self.turn, record.id, letter.date)
                if self.ask:
                    store.keep_draft(connection, record.id, issue)
                    ask_operator(connection, self.ask, record.id, self.turn, letter.date)
        return record, planned

    def _asked(self, record: IssueRecord) -> RunResult:
        with self.database.read() as connection:
            counts = ledger.counts(connection, record.id)
        until = f" until {self.turn.deadline}" if self.turn is not None else ""
        sentence = (
            f"Issue {record.name} is a draft and waits for a word{until}; {self.ask} is asked by mail "
            f"(`newsletter issues approve {record.name}`)."
        )
        return self.result(sentence, record=record, counts=counts)

    def deliver(self, record: IssueRecord) -> RunResult:
        """Send what is due of a planned issue, and say how it stands then."""
        self.catch_up()
        with self.database.read() as connection:  # it may look at all of them: not while others wait to write
            at = waiting_at(connection, record.id, self.limits.domains)
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, record.edition, record.day, lock=True) or record
            before = ledger.counts(connection, record.id)
            if waits_for_a_hand(record):  # since this process looked at it
                return self._not_sent(record, before)
            was = record.state
            if was is IssueState.APPROVED and self.turn is not None:
                now, number = self.clock(), before.waiting
                end = expected_end(connection, self.limits, number, at, now)
                why = why_late(number, end, now, self.turn.latest)
                if why:
                    record = store.hold_issue(connection, record, why, self.clock())
                    return self.result(held(record), record=record, counts=before, ok=False)
            lessons = watch.lessons(connection, record, self.threshold, self.clock())
            if was in {IssueState.APPROVED, IssueState.PAUSED}:
                record = store.move_issue(connection, record, IssueState.SENDING, self.clock())
            letter = ledger.load_letter(connection, record.id)
            number = before.waiting if self.limit is None else min(before.waiting, self.limit)
            others = before.waiting - number
            at = {domain: max(0, those - others) for domain, those in at.items()}
            end = expected_end(connection, self.limits, number, at, self.clock())
        if record.state is not was:
            tell(INFO, "issue sending", issue=record.name, was=was.value, waiting=before.waiting)
        for lesson in lessons:
            self.report(f"warning   {lesson}")
        self.report(self._forecast(number, end))

        receipts = itertools.count(before.prepared - before.waiting + 1)  # several threads take from it

        def count(_recipient: Recipient, _receipt: Receipt) -> None:
            self.progress(min(next(receipts), before.prepared), before.prepared)

        sending = Sending(
            database=self.database, provider=self.provider, issue=record, letter=letter,
            audience=deliverable(self.edition), links=self.identity.links, clock=self.clock,
            connections=self.connections, patience=self.patience, wait=self.wait, limit=self.limit,
            limits=self.limits, threshold=self.threshold, on_receipt=count, stop=self.stop,
        )  # fmt: skip
        fault: _Fault | None = None
        try:
            with self.guard(self.stop):
                sending.run()
        except (ProviderUnavailable, BreakerTripped, RenderError) as error:
            fault = error
        return self._conclude(record, fault, used_up=sending.used_up)

    def _forecast(self, number: int, end: datetime) -> str:
        """Say how many are written to, and where something bounds it, how fast and until when at the earliest."""
        line, now = f"send      {_people(number)} by {self.provider.name}", self.clock()
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
        self.report(f"send      {_sum(counts)}")
        in_vain = record.state is IssueState.FINISHED and not counts.accepted and _unreached(counts)
        stopped = self.stop.is_set() and record.state is IssueState.SENDING
        ok = not fault and not stopped and not in_vain
        sentence = self._sentence(record, counts, used_up=used_up)
        return self.result(sentence, record=record, counts=counts, ok=ok)

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

    def _sentence(self, record: IssueRecord, counts: Counts, *, used_up: bool) -> str:
        """Say how an issue stands after a send."""
        issue, waiting = f"Issue {record.name}", so_many(counts.waiting, "waiting")
        if record.state is IssueState.PAUSED:
            remedy = (
                f"`newsletter issues resume {record.name}` goes on"
                if waits_for_a_hand(record)
                else "run again to go on"
            )
            return f"{issue} is paused: {record.reason}; {waiting}, {remedy}."
        if record.state is IssueState.CANCELLED:
            return f"{issue} is cancelled; {counts.cancelled} were not written to."
        if record.state is IssueState.FINISHED:
            if not counts.accepted:
                why = _unreached(counts) or f"{counts.suppressed} have left, or are not written to any more"
                return f"{issue} reached nobody: {why}; `newsletter deliveries list {record.name}` tells all."
            accepted = f"{counts.accepted} of {counts.prepared} accepted by {self.provider.name}"
            rest = _unreached(counts)
            tells = f", {rest}; `newsletter deliveries list {record.name}` tells all" if rest else ""
            return f"{issue} of a {_NAMES[record.kind]} day is sent: {accepted}{tells}."
        if self.stop.is_set():
            return f"{issue} was stopped; {waiting}, run again to go on."
        if used_up:
            return (
                f"{issue} has used up what the day (UTC) may send; {waiting}, the next run after midnight UTC "
                "goes on."
            )
        return f"{issue} is not finished: {waiting}, {so_many(counts.uncertain, 'uncertain')}; run again to go on."

    def go_on(self, record: IssueRecord, *, dry_run: bool) -> RunResult:
        """Go on with an issue that exists, if its state allows it."""
        with self.database.read() as connection:
            counts = ledger.counts(connection, record.id)
        known = self.result("", record=record, counts=counts)
        if record.state is IssueState.FINISHED:
            rest = f", {_unreached(counts)}" if _unreached(counts) else ""
            sent = f"already sent ({counts.accepted} accepted{rest})"
            return replace(known, sentence=f"Issue {record.name} is {sent}; nothing was sent.")
        if waits_for_a_hand(record):
            return self._not_sent(record, counts)
        if dry_run:
            return replace(
                known, sentence=f"Issue {record.name} would go on: {so_many(counts.waiting, 'waiting')}."
            )
        self.report(f"resume    issue {record.name}, {counts.waiting} of {counts.prepared} waiting")
        return self.deliver(record)

    def _not_sent(self, record: IssueRecord, counts: Counts) -> RunResult:
        reason = f": {record.reason}" if record.reason else ""
        word = {IssueState.DRAFT: "approve", IssueState.HELD: "approve", IssueState.PAUSED: "resume"}.get(
            record.state
        )
        remedy = f" (`newsletter issues {word} {record.name}`)" if word else ""
        sentence = f"Issue {record.name} is {record.state.value}{reason}; nothing was sent{remedy}."
        return self.result(sentence, record=record, counts=counts)

    def result(
        self, sentence: str, *, record: IssueRecord | None = None, day: date | None = None, kind: DayKind | None = None,
        counts: Counts | None = None, ok: bool = True, again: bool = False,
    ) -> RunResult:  # fmt: skip
        """Return a result of this edition; of an issue where there is one."""
        return RunResult(
            edition=self.edition,
            sentence=sentence,
            day=record.day if record else day,
            kind=record.kind if record else kind,
            state=record.state if record else None,
            counts=counts or Counts(),
            ok=ok,
            again=again,
            by_hand=record is not None
            and record.state is not IssueState.DRAFT
            and goes_on_by_hand(record.state, record.reason),
        )


def held(record: IssueRecord) -> str:
    """Say, and log, that an issue was held."""
    tell(WARNING, "issue held", issue=record.name, reason=record.reason)
    return (
        f"Issue {record.name} is held: {record.reason}; `newsletter issues resume {record.name}` has it sent all the"
        " same."
    )


def waits_for_a_hand(record: IssueRecord) -> bool:
    """Whether an issue goes on only when somebody says so, or never."""
    return goes_on_by_hand(record.state, record.reason) or record.state is IssueState.CANCELLED


def _unreached(counts: Counts) -> str:
    """Say how many were refused, and of how many nobody knows; empty where there are none."""
    parts = {"rejected": counts.rejected, "uncertain": counts.uncertain}
    return ", ".join(f"{number} {part}" for part, number in parts.items() if number)


def _people(number: int) -> str:
    return counted(number, "subscriber")


def _sum(counts: Counts) -> str:
    parts = ("accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
    return f"{counts.prepared} prepared = " + " + ".join(f"{getattr(counts, part)} {part}" for part in parts)
