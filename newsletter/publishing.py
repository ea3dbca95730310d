"""The use case that every door shares: run an edition's day to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from newsletter import store
from newsletter.collecting import Collector, candidates
from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.sender import Sending
from newsletter.errors import DatabaseError, IssueError, ProviderUnavailable, RenderError
from newsletter.letters import Identity, example_reader, make_letter
from newsletter.messages import compose
from newsletter.models import (
    Counts,
    DayKind,
    DayOfPapers,
    Issue,
    IssueState,
    Letter,
    Occasion,
    Receipt,
    Recipient,
    Rendered,
    Selection,
)
from newsletter.pipeline import make_issue
from newsletter.protocols import Provider, Summarizer
from newsletter.store import IssueRecord
from newsletter.templating.issue import Design, issue_json, render
from subscribers.store import deliverable

ROLL_UP_DAYS = 14  # how far back the best of what was not sent is looked for
ROLL_UP_PAPERS = 5
_NAMES = {kind: kind.value.replace("_", "-") for kind in DayKind}


class OnQuiet(Enum):
    """What an edition does with a day without papers."""

    SKIP = "skip"
    NOTE = "note"
    ROLL_UP = "roll-up"


class OnNotReady(Enum):
    """What an edition does with a day that is not complete, or came cut short."""

    WAIT = "wait"
    SEND = "send-what-is-there"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an edition takes, and what it does with days that are not as days should be."""

    selection: Selection
    carry_days: int = 3
    quiet: OnQuiet = OnQuiet.SKIP
    not_ready: OnNotReady = OnNotReady.WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended, in one object and one sentence. ``ok`` False means exit code 1."""

    edition: str
    sentence: str
    day: date | None = None
    kind: DayKind | None = None
    state: IssueState | None = None
    counts: Counts = field(default_factory=Counts)
    ok: bool = True

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
class Publisher:
    """One edition's run: collect, rank, summarise, render, plan, send.

    ``policy`` and ``language`` are the edition's; ``report`` gets one line a step; ``progress`` is called
    with (receipts so far, all) after each answer; ``guard`` is entered with ``stop`` while messages go out:
    there a signal must not cut in, before and after it may.
    """

    edition: str
    language: str
    policy: Policy
    database: Database
    collector: Collector
    history_days: int
    summarizer: Summarizer
    provider: Provider
    design: Design
    identity: Identity
    connections: int
    clock: Callable[[], datetime]
    report: Callable[[str], None]
    progress: Callable[[int, int], None] = lambda _done, _all: None
    stop: threading.Event = field(default_factory=threading.Event)
    guard: Callable[[threading.Event], AbstractContextManager[object]] = nullcontext

    def run(self, days: Sequence[date], *, dry_run: bool = False) -> RunResult:
        """Send the newest of ``days`` (newest first) that is not quiet; finish first what was begun before.

        A day that has an issue ends the search: older days were missed, not forgotten, and stay unsent.
        """
        earlier = [] if dry_run else self._finish_earlier(days)
        if self.stop.is_set():
            return earlier[-1]
        result = self._run_newest(days, dry_run=dry_run)
        failed = [each.sentence for each in earlier if not each.ok]
        return replace(result, ok=False, sentence=" ".join([result.sentence, *failed])) if failed else result

    def _run_newest(self, days: Sequence[date], *, dry_run: bool) -> RunResult:
        passed: list[RunResult] = []
        for day in days:
            with self.database.read() as connection:
                record = store.find_issue(connection, self.edition, day)
            if record is not None:
                return self._go_on(record, dry_run=dry_run)
            collected = self.collector.source.fetch(day) if dry_run else self.collector.collect(day)
            self._tell_warnings(collected)
            result = self._use(collected, dry_run=dry_run)
            if result is not None:
                return result
            passed.append(self._passed_by(collected))
            self.report(f"collect   {passed[-1].sentence}")
        if not passed:
            return self._result("There is no day to look at; nothing was sent.")
        if len(passed) > 1 and all(result.kind is DayKind.QUIET for result in passed):
            span = f"No papers on {days[-1]} to {days[0]} (quiet days); nothing was sent."
            return replace(passed[0], sentence=span)
        return passed[0]

    def _tell_warnings(self, collected: DayOfPapers) -> None:
        if collected.kind is not DayKind.FAILED:  # there the sentence says it
            for warning in collected.warnings:
                self.report(f"warning   {warning}")

    def _finish_earlier(self, days: Sequence[date]) -> list[RunResult]:
        """Go on with issues of other days; one that cannot go on does not keep the newest from going out."""
        with self.database.read() as connection:
            records = store.unfinished_issues(connection, self.edition)
        results: list[RunResult] = []
        for record in records:
            if record.day not in days[:1] and not self.stop.is_set():
                self.report(f"resume    issue {record.name} was begun earlier")
                results.append(self._deliver(record))
                self.report(f"resume    {results[-1].sentence}")
        return results

    def _go_on(self, record: IssueRecord, *, dry_run: bool) -> RunResult:
        with self.database.read() as connection:
            counts = ledger.counts(connection, record.id)
        known = self._result("", record=record, counts=counts)
        if record.state is IssueState.FINISHED:
            return replace(
                known,
                sentence=f"Issue {record.name} is already sent ({counts.accepted} accepted); nothing was sent.",
            )
        if record.state in {IssueState.HELD, IssueState.CANCELLED, IssueState.DRAFT}:
            reason = f": {record.reason}" if record.reason else ""
            return replace(
                known, sentence=f"Issue {record.name} is {record.state.value}{reason}; nothing was sent."
            )
        if dry_run:
            return replace(known, sentence=f"Issue {record.name} would go on: {counts.waiting} are waiting.")
        self.report(f"resume    issue {record.name}, {counts.waiting} of {counts.prepared} are waiting")
        return self._deliver(record)

    def _use(self, collected: DayOfPapers, *, dry_run: bool) -> RunResult | None:
        """Make and send the issue of a collected day; None where the edition passes the day by."""
        day, kind = collected.day, collected.kind
        if kind is DayKind.FAILED:
            why = collected.warnings[-1] if collected.warnings else "no readable answer"
            sentence = f"{collected.source} failed for {day}: {why}; nothing was sent."
            return self._result(sentence, day=day, kind=kind, ok=False)
        if kind is DayKind.QUIET:
            return self._use_quiet(collected, dry_run=dry_run)
        occasion = Occasion.DAY
        if kind in {DayKind.NOT_READY, DayKind.CUT}:
            if self.policy.not_ready is OnNotReady.SKIP:
                return None
            if self.policy.not_ready is OnNotReady.WAIT or not collected.papers:
                sentence = f"{_unready(collected)}; nothing was sent, run again later."
                return self._result(sentence, day=day, kind=kind)
            occasion = Occasion.PARTIAL
        if not dry_run:
            again = [day - timedelta(days=back) for back in range(1, self.history_days + 1)]
            for warning in self.collector.collect_again(again):
                self.report(f"warning   {warning}")
        return self._make_and_send(
            collected, self.policy.selection, self.policy.carry_days, occasion, dry_run=dry_run
        )

    def _use_quiet(self, collected: DayOfPapers, *, dry_run: bool) -> RunResult | None:
        if self.policy.quiet is OnQuiet.SKIP:
            return None
        if self.policy.quiet is OnQuiet.NOTE:
            return self._make_and_send(collected, self.policy.selection, 0, Occasion.QUIET, dry_run=dry_run)
        few = replace(
            self.policy.selection, top=min(self.policy.selection.top or ROLL_UP_PAPERS, ROLL_UP_PAPERS)
        )
        return self._make_and_send(collected, few, ROLL_UP_DAYS, Occasion.ROLL_UP, dry_run=dry_run)

    def _passed_by(self, collected: DayOfPapers) -> RunResult:
        if collected.kind is DayKind.QUIET:
            sentence = f"{collected.day} is quiet: {collected.source} has no papers; nothing was sent."
        else:
            sentence = f"{_unready(collected)}; the day is skipped, nothing was sent."
        return self._result(sentence, day=collected.day, kind=collected.kind)

    def _make_and_send(
        self,
        collected: DayOfPapers,
        selection: Selection,
        carry_days: int,
        occasion: Occasion,
        *,
        dry_run: bool,
    ) -> RunResult:
        day = collected.day
        self.report(f"collect   {len(collected.papers)} papers of {day} from {collected.source}")
        with self.database.read() as connection:
            people = candidates(
                connection, self.edition, collected, carry_days=carry_days, as_of=self.clock()
            )
        issue = make_issue(
            collected, people, edition=self.edition, language=self.language, selection=selection,
            summarizer=self.summarizer, occasion=occasion,
        )  # fmt: skip
        carried = sum(entry.carried_from is not None for entry in issue.entries)
        more = f", {carried} of earlier days" if carried else ""
        self.report(f"rank      {len(issue.entries)} of {issue.collected} papers{more}, {issue.votes} votes")
        if not issue.entries and occasion is not Occasion.QUIET:
            why = (
                "no paper of the last days is left to send"
                if occasion is Occasion.ROLL_UP
                else "all were sent before"
            )
            return self._result(
                f"{day} has nothing new: {why}; nothing was sent.", day=day, kind=collected.kind
            )
        origins = sorted({entry.summary.origin.value for entry in issue.entries})
        self.report(f"summarise {', '.join(origins) or 'nothing'}")
        result = self._plan_and_send(issue, dry_run=dry_run)
        failed = [part.source for part in collected.parts if part.kind is DayKind.FAILED]
        if not failed:
            return result
        return replace(result, sentence=f"{result.sentence} It is without {', '.join(failed)}, which failed.")

    def _plan_and_send(self, issue: Issue, *, dry_run: bool) -> RunResult:
        with self.database.read() as connection:
            number = store.next_number(connection, self.edition)
            people = ledger.audience_size(connection, deliverable(self.edition))
        rendered = render(issue, replace(self.design, issue_number=number))
        self.report(
            f"render    {len(rendered.html.encode()):,} bytes of HTML, {len(rendered.text):,} characters of text"
        )
        name = f"{issue.day}/{self.edition}"
        if not people:
            return self._result(
                f"Nobody is subscribed to {self.edition}; nothing was sent (`newsletter subscribers add EMAIL`).",
                day=issue.day, kind=issue.kind,
            )  # fmt: skip
        if dry_run:
            sentence = f"Dry run: issue {name} would go to {_people(people)} by {self.provider.name}."
            return self._result(sentence, day=issue.day, kind=issue.kind)
        record = self._plan(issue, rendered)
        return self._deliver(record)

    def _plan(self, issue: Issue, rendered: Rendered) -> IssueRecord:
        """Freeze an issue; where another process planned it meanwhile, take that one."""
        letter = make_letter(rendered, issue, self.identity, self.clock())
        compose(letter, example_reader(letter, issue, self.identity))  # what cannot be composed is not frozen
        try:
            record, planned = self._freeze(issue, letter)
        except (IssueError, DatabaseError):
            with self.database.read() as connection:
                other = store.find_issue(connection, self.edition, issue.day)
            if other is None:
                raise
            return other
        self.report(f"plan      issue {record.name} is number {record.number}, {_people(planned)}")
        return record

    def _freeze(self, issue: Issue, letter: Letter) -> tuple[IssueRecord, int]:
        with self.database.write(durable=True, snapshot=True) as connection:
            record = store.create_issue(
                connection, edition=self.edition, day=issue.day, kind=issue.kind,
                document=issue_json(issue), warnings=issue.warnings, left_out=issue.left_out, now=letter.date,
            )  # fmt: skip
            planned = ledger.plan(connection, record.id, letter, deliverable(self.edition))
            if not planned:
                raise IssueError("lost its last subscriber while it was made", subject=f"issue {record.name}")
        return record, planned

    def _deliver(self, record: IssueRecord) -> RunResult:
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, record.edition, record.day, lock=True) or record
            if record.state in {IssueState.APPROVED, IssueState.PAUSED}:
                record = store.move_issue(connection, record, IssueState.SENDING, self.clock())
            letter = ledger.load_letter(connection, record.id)
            before = ledger.counts(connection, record.id)
        done = before.prepared - before.waiting

        def count(_recipient: Recipient, _receipt: Receipt) -> None:
            nonlocal done
            done += 1
            self.progress(min(done, before.prepared), before.prepared)

        sending = Sending(
            database=self.database, provider=self.provider, issue=record, letter=letter,
            audience=deliverable(self.edition), links=self.identity.links, clock=self.clock,
            connections=self.connections, on_receipt=count, stop=self.stop,
        )  # fmt: skip
        fault: ProviderUnavailable | RenderError | None = None
        try:
            with self.guard(self.stop):
                sending.run()
        except (ProviderUnavailable, RenderError) as error:
            fault = error
        return self._conclude(record, fault)

    def _conclude(self, record: IssueRecord, fault: ProviderUnavailable | RenderError | None) -> RunResult:
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, record.edition, record.day, lock=True) or record
            counts = ledger.counts(connection, record.id)
            if record.state is not IssueState.SENDING:
                pass  # another process that sends the same issue was faster
            elif fault is not None:
                record = store.move_issue(connection, record, IssueState.PAUSED, self.clock(), str(fault))
            elif counts.waiting == 0:  # what is uncertain is held, and does not hinder
                record = store.move_issue(connection, record, IssueState.FINISHED, self.clock())
        self.report(f"send      {_sum(counts)}")
        if fault is not None:
            sentence = (
                f"Issue {record.name} is paused: {fault}; {counts.waiting} are waiting, run again to go on."
            )
        elif self.stop.is_set():
            sentence = f"Issue {record.name} was stopped; {counts.waiting} are waiting, run again to go on."
        elif record.state is IssueState.FINISHED:
            accepted = f"{counts.accepted} of {counts.prepared} accepted by {self.provider.name}"
            sentence = f"Issue {record.name} of a {_NAMES[record.kind]} day is sent: {accepted}."
        else:
            sentence = (
                f"Issue {record.name} is not finished: {counts.waiting} are waiting, {counts.uncertain} are "
                "uncertain; run again to go on."
            )
        ok = fault is None and not self.stop.is_set()
        return self._result(sentence, record=record, counts=counts, ok=ok)

    def _result(
        self, sentence: str, *, record: IssueRecord | None = None, day: date | None = None, kind: DayKind | None = None,
        counts: Counts | None = None, ok: bool = True,
    ) -> RunResult:  # fmt: skip
        return RunResult(
            edition=self.edition,
            sentence=sentence,
            day=record.day if record else day,
            kind=record.kind if record else kind,
            state=record.state if record else None,
            counts=counts or Counts(),
            ok=ok,
        )


def _unready(collected: DayOfPapers) -> str:
    if collected.kind is DayKind.NOT_READY:
        return f"{collected.day} is not ready: {collected.source} has not closed it yet"
    return f"{collected.day} is cut: {collected.source} has more than it gave"


def _people(number: int) -> str:
    return f"{number} subscriber" if number == 1 else f"{number} subscribers"


def _sum(counts: Counts) -> str:
    parts = ("accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
    return f"{counts.prepared} prepared = " + " + ".join(f"{getattr(counts, part)} {part}" for part in parts)
