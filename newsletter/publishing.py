"""The use cases that every door shares: preview an issue; run the day to its end."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec

from newsletter import messages, store
from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.recipients import Links, recipient
from newsletter.delivery.sender import Sending
from newsletter.errors import IssueError, ProviderUnavailable
from newsletter.models import (
    Counts,
    DayKind,
    DayOfPapers,
    Issue,
    IssueState,
    Letter,
    Receipt,
    Recipient,
    Rendered,
    Selection,
)
from newsletter.pipeline import make_issue
from newsletter.protocols import Provider, Source, Summarizer
from newsletter.store import IssueRecord
from newsletter.templating.issue import Design, fill, issue_json, render
from subscribers.store import deliverable

DAYS_BACK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends: what stands in the From line, the list's headers and the foot."""

    newsletter: str
    from_name: str
    from_address: str
    postal_address: str
    links: Links


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


def closed_days(now: datetime, closes_at: time) -> list[date]:
    """Return the source days that are closed at ``now`` (UTC), newest first, at most 4 days back."""
    newest = now.date() if now.timetz().replace(tzinfo=None) >= closes_at else now.date() - timedelta(days=1)
    return [newest - timedelta(days=back) for back in range(DAYS_BACK + 1)]


def make_letter(rendered: Rendered, issue: Issue, identity: Identity, now: datetime) -> Letter:
    """Return the letter that is frozen: content, sender, and the headers that are the same for everybody."""
    domain = identity.links.message_domain
    name = hashlib.sha256(f"{issue.edition} {issue.day} {domain}".encode()).hexdigest()
    feedback_sender = domain.replace(".", "-")[-15:].strip("-").rjust(5, "x")
    return Letter(
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        language=issue.language,
        from_name=identity.from_name,
        from_address=identity.from_address,
        date=now,
        boundary=f"=_{name[:24]}",
        headers=(
            ("List-Id", f"{identity.newsletter} <{issue.edition}.{domain}>"),
            ("Precedence", "bulk"),
            ("Feedback-ID", f"{issue.day:%Y%m%d}:{issue.edition}:daily:{feedback_sender}"),
        ),
    )


def preview_files(issue: Issue, design: Design, identity: Identity, now: datetime) -> dict[str, bytes]:
    """Return the files of a preview: the mail as one example reader would get it, in every form."""
    rendered = render(issue, design)
    letter = make_letter(rendered, issue, identity, now)
    row = ledger.ClaimedRow(
        subscriber_id=0, email="reader@example.org", name="", key=bytes(16), edition_number=1, attempt=1
    )
    reader = recipient(row, edition=issue.edition, day=issue.day, links=identity.links)
    document = msgspec.json.format(msgspec.json.encode(issue_json(issue)), indent=2)
    return {
        "issue.html": fill(letter.html, reader.values, html=True).encode(),
        "issue.txt": fill(letter.text, reader.values, html=False).encode(),
        "issue.md": rendered.markdown.encode(),
        "issue.eml": messages.compose(letter, reader),
        "issue.json": document + b"\n",
    }


@dataclass(kw_only=True)
class Publisher:
    """One edition's run: collect, rank, summarise, render, plan, send.

    ``selection`` and ``language`` are the edition's; ``report`` gets one line a step; ``progress`` is called
    with (receipts so far, all) after each answer; ``guard`` is entered with ``stop`` while messages go out:
    there a signal must not cut in, before and after it may.
    """

    edition: str
    language: str
    selection: Selection
    database: Database
    source: Source
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
        if not dry_run:
            interrupted = self._finish_earlier(days)
            if interrupted is not None:
                return interrupted
        result = self._result("there is no day to look at")
        for day in days:
            with self.database.read() as connection:
                record = store.find_issue(connection, self.edition, day)
            if record is not None:
                return self._go_on(record, dry_run=dry_run)
            collected = self.source.fetch(day)
            if collected.kind is not DayKind.FAILED:  # there the sentence says it
                for warning in collected.warnings:
                    self.report(f"warning   {warning}")
            if not dry_run:
                with self.database.write() as connection:
                    store.save_day(connection, collected)
            result = self._use(collected, dry_run=dry_run)
            if collected.kind is not DayKind.QUIET:
                return result
            self.report(f"collect   {result.sentence}")
        if len(days) > 1:
            return replace(
                result, sentence=f"No papers on {days[-1]} to {days[0]} (quiet days); nothing was sent."
            )
        return result

    def _finish_earlier(self, days: Sequence[date]) -> RunResult | None:
        """Go on with issues of other days; return the result that ends this run, if one was interrupted."""
        with self.database.read() as connection:
            records = store.unfinished_issues(connection, self.edition)
        for record in records:
            if record.day not in days[:1]:
                self.report(f"resume    issue {record.name} was begun earlier")
                result = self._deliver(record)
                if not result.ok:
                    return result
                self.report(f"resume    {result.sentence}")
        return None

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

    def _use(self, collected: DayOfPapers, *, dry_run: bool) -> RunResult:
        day, kind = collected.day, collected.kind
        if kind is DayKind.FAILED:
            why = collected.warnings[-1] if collected.warnings else "no readable answer"
            sentence = f"{collected.source} failed for {day}: {why}; nothing was sent."
            return self._result(sentence, day=day, kind=kind, ok=False)
        if kind is DayKind.QUIET:
            return self._result(f"{day} is quiet: {collected.source} has no papers.", day=day, kind=kind)
        if kind in {DayKind.NOT_READY, DayKind.CUT}:
            state = "is not complete yet" if kind is DayKind.NOT_READY else "came cut short"
            sentence = f"{day} {state} at {collected.source}; nothing was sent, run again later."
            return self._result(sentence, day=day, kind=kind)
        self.report(f"collect   {len(collected.papers)} papers of {day} from {collected.source}")
        issue = make_issue(
            collected, edition=self.edition, language=self.language, selection=self.selection,
            summarizer=self.summarizer,
        )  # fmt: skip
        self.report(f"rank      {len(issue.entries)} of {issue.collected} papers, {issue.votes} votes")
        origins = sorted({entry.summary.origin.value for entry in issue.entries})
        self.report(f"summarise {', '.join(origins)}")
        return self._plan_and_send(issue, dry_run=dry_run)

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
        now = self.clock()
        letter = make_letter(rendered, issue, self.identity, now)
        with self.database.write(durable=True) as connection:
            planned_by_another = store.find_issue(connection, self.edition, issue.day)
            if planned_by_another is not None:
                return planned_by_another
            record = store.create_issue(
                connection, edition=self.edition, day=issue.day, kind=issue.kind,
                document=issue_json(issue), now=now,
            )  # fmt: skip
            planned = ledger.plan(connection, record.id, letter, deliverable(self.edition))
            if not planned:
                raise IssueError("lost its last subscriber while it was made", subject=f"issue {record.name}")
        self.report(f"plan      issue {record.name} is number {record.number}, {_people(planned)}")
        return record

    def _deliver(self, record: IssueRecord) -> RunResult:
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, record.edition, record.day) or record
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
        fault: ProviderUnavailable | None = None
        try:
            with self.guard(self.stop):
                sending.run()
        except ProviderUnavailable as error:
            fault = error
        return self._conclude(record, fault)

    def _conclude(self, record: IssueRecord, fault: ProviderUnavailable | None) -> RunResult:
        with self.database.write(durable=True) as connection:
            counts = ledger.counts(connection, record.id)
            record = store.find_issue(connection, record.edition, record.day) or record
            if record.state is not IssueState.SENDING:
                pass  # another process that sends the same issue was faster
            elif fault is not None:
                record = store.move_issue(connection, record, IssueState.PAUSED, self.clock(), str(fault))
            elif counts.waiting == 0 and counts.uncertain == 0:
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
            sentence = f"Issue {record.name} is sent: {accepted}."
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


def _people(number: int) -> str:
    return f"{number} subscriber" if number == 1 else f"{number} subscribers"


def _sum(counts: Counts) -> str:
    parts = ("accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
    return f"{counts.prepared} prepared = " + " + ".join(f"{getattr(counts, part)} {part}" for part in parts)
