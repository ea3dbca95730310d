"""The use case that every door shares: run an edition's day to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum

from newsletter import store
from newsletter.collecting import Collector, candidates
from newsletter.dispatch import Dispatcher
from newsletter.models.issues import Occasion, Selection
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from newsletter.pipeline import make_issue, refusals
from newsletter.planning import plan_and_send
from newsletter.protocols import Summarizer
from newsletter.results import RunResult

ROLL_UP_DAYS = 14  # how far back the best of what was not sent is looked for
ROLL_UP_PAPERS = 5


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
class Plan:
    """What an issue is made of: why, what is taken, and of how many days back."""

    occasion: Occasion
    selection: Selection
    carry_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an edition takes, and what it does with days that are not as days should be."""

    selection: Selection
    carry_days: int = 3
    quiet: OnQuiet = OnQuiet.SKIP
    not_ready: OnNotReady = OnNotReady.WAIT

    def plan(self, kind: DayKind) -> Plan | None:
        """Return what the issue of such a day is made of; None where none is made."""
        if kind is DayKind.COMPLETE:
            return Plan(occasion=Occasion.DAY, selection=self.selection, carry_days=self.carry_days)
        if kind in {DayKind.NOT_READY, DayKind.CUT} and self.not_ready is OnNotReady.SEND:
            return Plan(occasion=Occasion.PARTIAL, selection=self.selection, carry_days=self.carry_days)
        if kind is DayKind.QUIET and self.quiet is OnQuiet.NOTE:
            return Plan(occasion=Occasion.QUIET, selection=self.selection, carry_days=0)
        if kind is DayKind.QUIET and self.quiet is OnQuiet.ROLL_UP:
            few = replace(self.selection, top=min(self.selection.top or ROLL_UP_PAPERS, ROLL_UP_PAPERS))
            return Plan(occasion=Occasion.ROLL_UP, selection=few, carry_days=ROLL_UP_DAYS)
        return None


@dataclass(kw_only=True)
class Publisher:
    """One edition's run: collect, choose, summarise, and have the issue sent.

    ``policy`` and ``language`` are the edition's; ``history_days`` earlier days are observed again. ``summarizer``
    makes one for the papers among which a summary may fit another.
    """

    language: str
    policy: Policy
    collector: Collector
    history_days: int
    summarizer: Callable[[Sequence[Paper]], Summarizer]
    dispatcher: Dispatcher

    def run(self, days: Sequence[date], *, dry_run: bool = False) -> RunResult:
        """Send the newest of ``days`` (newest first) that is not quiet; finish first what was begun before.

        A day that has an issue ends the search: older days were missed, not forgotten, and stay unsent.
        """
        earlier = [] if dry_run else self._finish_earlier(days)
        if self.dispatcher.stop.is_set():
            return replace(earlier[-1], again=True, ok=False)
        result = self._run_newest(days, dry_run=dry_run)
        failed = [each.sentence for each in earlier if not each.ok]
        return replace(result, ok=False, sentence=" ".join([result.sentence, *failed])) if failed else result

    def _run_newest(self, days: Sequence[date], *, dry_run: bool) -> RunResult:
        passed: list[RunResult] = []
        for day in days:
            with self.dispatcher.database.read() as connection:
                record = store.find_issue(connection, self.dispatcher.edition, day)
            if record is not None:
                return _after(passed, self.dispatcher.go_on(record, dry_run=dry_run))
            collected = self.collector.source.fetch(day) if dry_run else self.collector.collect(day)
            self._tell_warnings(collected)
            result = self._use(collected, dry_run=dry_run)
            if result is not None:
                return result
            passed.append(self._passed_by(collected))
            self.dispatcher.report(f"collect   {passed[-1].sentence}")
        if not passed:
            return RunResult(
                edition=self.dispatcher.edition, sentence="There is no day to look at; nothing was sent."
            )
        if len(passed) > 1 and all(result.kind is DayKind.QUIET for result in passed):
            span = f"No papers on {days[-1]} to {days[0]} (quiet days); nothing was sent."
            return replace(_after(passed, passed[0]), sentence=span)
        return _after(passed, passed[0])

    def _tell_warnings(self, collected: DayOfPapers) -> None:
        if collected.kind is not DayKind.FAILED:  # there the sentence says it
            for warning in collected.warnings:
                self.dispatcher.report(f"warning   {warning}")

    def _finish_earlier(self, days: Sequence[date]) -> list[RunResult]:
        """Go on with issues of other days; one that cannot go on does not keep the newest from going out."""
        with self.dispatcher.database.read() as connection:
            records = store.unfinished_issues(connection, self.dispatcher.edition)
        results: list[RunResult] = []
        for record in records:
            if record.day not in days[:1] and not self.dispatcher.stop.is_set():
                self.dispatcher.report(f"resume    issue {record.name} was begun earlier")
                results.append(self.dispatcher.deliver(record))
                self.dispatcher.report(f"resume    {results[-1].sentence}")
        return results

    def _use(self, collected: DayOfPapers, *, dry_run: bool) -> RunResult | None:
        """Make and send the issue of a collected day; None where the edition passes the day by."""
        day, kind = collected.day, collected.kind
        if kind is DayKind.FAILED:
            why = collected.warnings[-1] if collected.warnings else "no readable answer"
            sentence = f"{collected.source} failed for {day}: {why}; nothing was sent."
            return self._unsent(sentence, collected, ok=False, again=True)
        plan = self.policy.plan(kind)
        may_wait = kind in {DayKind.NOT_READY, DayKind.CUT} and self.policy.not_ready is not OnNotReady.SKIP
        if may_wait and (plan is None or not collected.papers):
            sentence = f"{_unready(collected)}; nothing was sent, run again later."
            return self._unsent(sentence, collected, again=True)
        if plan is None:
            return None
        if kind is not DayKind.QUIET and not dry_run:
            again = [day - timedelta(days=back) for back in range(1, self.history_days + 1)]
            for warning in self.collector.collect_again(again):
                self.dispatcher.report(f"warning   {warning}")
        return self._make_and_send(collected, plan, dry_run=dry_run)

    def _passed_by(self, collected: DayOfPapers) -> RunResult:
        if collected.kind is DayKind.QUIET:
            sentence = f"{collected.day} is quiet: {collected.source} has no papers; nothing was sent."
        else:
            sentence = f"{_unready(collected)}; the day is skipped, nothing was sent."
        return self._unsent(sentence, collected)

    def _unsent(
        self, sentence: str, collected: DayOfPapers, *, ok: bool = True, again: bool = False
    ) -> RunResult:
        """Return the result of a day of which nothing was planned."""
        return RunResult(
            edition=self.dispatcher.edition, sentence=sentence, day=collected.day, kind=collected.kind, ok=ok,
            again=again,
        )  # fmt: skip

    def _make_and_send(self, collected: DayOfPapers, plan: Plan, *, dry_run: bool) -> RunResult:
        day = collected.day
        self.dispatcher.report(f"collect   {len(collected.papers)} papers of {day} from {collected.source}")
        with self.dispatcher.database.read() as connection:
            people = candidates(
                connection,
                self.dispatcher.edition,
                collected,
                carry_days=plan.carry_days,
                as_of=self.dispatcher.clock(),
            )
        issue = make_issue(
            collected, people, edition=self.dispatcher.edition, language=self.language, selection=plan.selection,
            summarizer=self.summarizer([each.paper for each in people]), occasion=plan.occasion,
        )  # fmt: skip
        carried = sum(entry.carried_from is not None for entry in issue.entries)
        more = f", {carried} of earlier days" if carried else ""
        self.dispatcher.report(
            f"rank      {len(issue.entries) - carried} of {issue.collected} papers{more}, {issue.votes} votes"
        )
        if not issue.entries and plan.occasion is not Occasion.QUIET:
            why = (
                "no paper of the last days is left to send"
                if plan.occasion is Occasion.ROLL_UP
                else "all were sent before"
            )
            return self._unsent(f"{day} has nothing new: {why}; nothing was sent.", collected)
        origins = sorted({entry.summary.origin.value for entry in issue.entries})
        self.dispatcher.report(f"summarise {', '.join(origins) or 'nothing'}")
        for sentence in refusals(issue):
            self.dispatcher.report(f"refuse    {sentence}")
        result = plan_and_send(self.dispatcher, issue, dry_run=dry_run)
        failed = [part.source for part in collected.parts if part.kind is DayKind.FAILED]
        if not failed:
            return result
        return replace(result, sentence=f"{result.sentence} It is without {', '.join(failed)}, which failed.")


def _after(passed: Sequence[RunResult], result: RunResult) -> RunResult:
    """Return the result of a search with the quiet days that it passed by; it says so."""
    quiet = tuple(each.day for each in passed if each.day and each.kind is DayKind.QUIET)
    if not quiet or result in passed:  # what was passed by says it itself
        return replace(result, quiet=quiet)
    what = "a quiet day" if len(quiet) == 1 else "quiet days"
    days = ", ".join(map(str, reversed(quiet)))
    return replace(result, quiet=quiet, sentence=f"No papers on {days} ({what}). {result.sentence}")


def _unready(collected: DayOfPapers) -> str:
    if collected.kind is DayKind.NOT_READY:
        return f"{collected.day} is not ready: {collected.source} has not closed it yet"
    return f"{collected.day} is cut: {collected.source} has more than it gave"
