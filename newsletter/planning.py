"""An issue is planned: rendered, looked over, and frozen with its audience in one transaction; then it is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from newsletter import store
from newsletter.counting import counted, so_many
from newsletter.delivery import ledger
from newsletter.delivery.notices import ask_operator
from newsletter.dispatch import Dispatcher
from newsletter.errors import DatabaseError, IssueError, RenderError
from newsletter.letters import example_reader, looked_over, make_letter
from newsletter.logs import INFO, tell
from newsletter.messages import compose
from newsletter.models.issues import Issue, Letter, Occasion
from newsletter.results import RunResult, people
from newsletter.settings.editions import DEFAULT_EDITION
from newsletter.states import IssueState
from newsletter.store import IssueRecord
from newsletter.templating.issue import issue_json, render
from newsletter.templating.lint.findings import Severity
from subscribers.standing import Standing
from subscribers.statistics import standings
from subscribers.store import deliverable, wake

WARNINGS = 3  # of lint that a run tells; `newsletter lint` tells them all


def plan_and_send(dispatcher: Dispatcher, issue: Issue, *, dry_run: bool) -> RunResult:
    """Render an issue, freeze it with its audience, and send it, or ask about it first."""
    edition = dispatcher.edition
    if not dry_run:
        with dispatcher.database.write() as connection:
            wake(connection, dispatcher.clock())
    with dispatcher.database.read() as connection:
        number = store.next_number(connection, edition)
        readers = ledger.audience_size(connection, deliverable(edition))
    rendered = render(issue, replace(dispatcher.design, issue_number=number))
    dispatcher.report(
        f"render    {len(rendered.html.encode()):,} bytes of HTML, {len(rendered.text):,} characters of text"
    )
    letter = make_letter(rendered, issue, dispatcher.identity, dispatcher.clock())
    look_over(dispatcher, issue, letter, whole=dry_run)
    unsent = RunResult(edition=edition, sentence="", day=issue.day, kind=issue.kind)
    if not readers:
        return replace(unsent, sentence=_nobody(dispatcher), again=True)
    if dry_run:
        to = f"{people(readers)} by {dispatcher.provider.name}"
        return replace(unsent, sentence=f"Dry run: issue {issue.day}/{edition} would go to {to}.")
    record = _plan(dispatcher, issue, letter)
    return _asked(dispatcher, record) if record.state is IssueState.DRAFT else dispatcher.deliver(record)


def _nobody(dispatcher: Dispatcher) -> str:
    """Say that an edition has no readers, and how it gets some."""
    edition = dispatcher.edition
    with dispatcher.database.read() as connection:
        pending = standings(connection).get(edition, Counter())[Standing.PENDING]
    where = "" if edition == DEFAULT_EDITION else f" --edition {edition}"
    waiting = f", {so_many(pending, 'pending')}" if pending else ""
    command = f"newsletter subscribers {'confirm --send' if pending else 'add EMAIL'}{where}"
    return f"Nobody is subscribed to {edition}{waiting}; nothing was sent (`{command}`)."


def look_over(dispatcher: Dispatcher, issue: Issue, letter: Letter, *, whole: bool = False) -> None:
    """Look the letter over: raise `RenderError` for an error of lint, report its first warnings.

    ``whole`` reports all that it finds: of a day that is not stored no other command tells it.
    """
    findings = looked_over(
        letter, issue, dispatcher.identity, postal_address=dispatcher.design.postal_address,
        real_mail=dispatcher.real_mail,
    )  # fmt: skip
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    told = findings if whole else [] if errors else findings[:WARNINGS]
    for finding in told:
        dispatcher.report(f"lint      {finding.rule}: {finding.what}")
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
        dispatcher.report(f"lint      {counted(len(findings) - WARNINGS, 'more warning')}; `{see}` tells all")


def _plan(dispatcher: Dispatcher, issue: Issue, letter: Letter) -> IssueRecord:
    """Freeze an issue; where another process planned it meanwhile, take that one."""
    compose(
        letter, example_reader(letter, issue, dispatcher.identity)
    )  # what cannot be composed is not frozen
    try:
        record, planned = _freeze(dispatcher, issue, letter)
    except (IssueError, DatabaseError):
        with dispatcher.database.read() as connection:
            other = store.find_issue(connection, dispatcher.edition, issue.day)
            if other is None and dispatcher.turn is not None:
                other = store.issue_of_turn(connection, dispatcher.edition, dispatcher.turn.day)
        if other is None:
            raise
        return other
    tell(INFO, "issue planned", issue=record.name, prepared=planned)
    dispatcher.report(f"plan      issue {record.name} is number {record.number}, {people(planned)}")
    return record


def _freeze(dispatcher: Dispatcher, issue: Issue, letter: Letter) -> tuple[IssueRecord, int]:
    edition, turn, ask = dispatcher.edition, dispatcher.turn, dispatcher.ask
    with dispatcher.database.write(durable=True, snapshot=True) as connection:
        record = store.create_issue(
            connection, edition=edition, day=issue.day, kind=issue.kind, document=issue_json(issue),
            warnings=issue.warnings, left_out=issue.left_out, now=letter.date, draft=turn is not None and ask != "",
            refused={entry.paper.id: entry.summary.refused for entry in issue.entries if entry.summary.refused},
        )  # fmt: skip
        planned = ledger.plan(connection, record.id, letter, deliverable(edition))
        if not planned:
            raise IssueError("lost its last subscriber while it was made", subject=f"issue {record.name}")
        if turn is not None:
            store.take_turn(connection, edition, turn, record.id, letter.date)
            if ask:
                store.keep_draft(connection, record.id, issue)
                ask_operator(connection, ask, record.id, turn, letter.date)
    return record, planned


def _asked(dispatcher: Dispatcher, record: IssueRecord) -> RunResult:
    """Say of a draft who is asked about it, and until when."""
    with dispatcher.database.read() as connection:
        counts = ledger.counts(connection, record.id)
    until = f" until {dispatcher.turn.deadline}" if dispatcher.turn is not None else ""
    sentence = (
        f"Issue {record.name} is a draft and waits for a word{until}; {dispatcher.ask} is asked by mail "
        f"(`newsletter issues approve {record.name}`)."
    )
    return RunResult.of(record, counts, sentence)
