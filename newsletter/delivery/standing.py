"""How everything stands, as values, and what of it needs a hand. Without SQL: two rooms fill it, and must agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.states import Counts, IssueState, goes_on_by_hand

OVERDUE = timedelta(
    hours=1
)  # what sends notices looks every few seconds, and puts off a failed one for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStanding:
    """An issue; ``at`` is when it came to an end, else began to be sent, else was made.

    ``dead_claims`` are open claims of processes that are gone.
    """

    edition: str
    day: date
    state: IssueState
    reason: str
    at: datetime
    counts: Counts
    dead_claims: int

    @property
    def name(self) -> str:
        """The issue in commands and messages: DAY/EDITION."""
        return f"{self.day.isoformat()}/{self.edition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStanding:
    """What is known of the newest scheduled send of an edition (``state`` as in `store.TurnState`)."""

    edition: str
    day: date
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesStanding:
    """Mails of the newsletter's own. ``overdue`` are those that wait since more than `OVERDUE`."""

    waiting: int
    overdue: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How everything stands.

    ``issues`` are the newest of each edition, those that are not at their end, and those of which deliveries are
    uncertain; the newest day first. ``readers`` counts those whom an edition may be written to now.
    """

    issues: tuple[IssueStanding, ...]
    turns: tuple[TurnStanding, ...]
    notices: NoticesStanding
    readers: tuple[tuple[str, int], ...]
    restored: datetime | None = None  # when the backup was made that nobody has acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that needs a hand, and the command for it."""

    sentence: str
    command: str


def needs(standing: Standing, due: Mapping[str, date | None]) -> Iterator[Need]:
    """Yield what needs a hand.

    ``due`` are the editions with a schedule, each with its newest local day that must be over by now: they go on by
    themselves where nothing but time is needed.
    """
    if standing.restored is not None:
        made = f"{standing.restored:%Y-%m-%d %H:%M} UTC"
        yield Need(
            sentence=f"The database was restored from a backup of {made}; nothing is sent.",
            command="newsletter backup restore --acknowledge",
        )
    for issue in standing.issues:
        yield from _of_issue(issue, scheduled=issue.edition in due)
    for turn in standing.turns:
        yield from _of_turn(turn, due.get(turn.edition))
    if standing.notices.overdue:
        yield Need(
            sentence=f"{_number(standing.notices.overdue, 'notice')} should have been sent an hour ago or earlier.",
            command="newsletter notices send",
        )
    for edition, number in standing.readers:
        if not number:
            yield Need(
                sentence=f"Nobody is subscribed to {edition}.",
                command=f"newsletter subscribers add EMAIL --edition {edition}",
            )
    if not standing.readers:
        yield Need(sentence="Nobody is subscribed.", command="newsletter subscribers add EMAIL")


def _of_turn(turn: TurnStanding, due: date | None) -> Iterator[Need]:
    if turn.state == "missed":
        yield Need(
            sentence=f"The send of {turn.edition} on {turn.day} was missed: {turn.reason.rstrip('.')}.",
            command=f"newsletter run --edition {turn.edition}",
        )
    elif due is not None and (turn.day < due or (turn.day == due and turn.state == "waiting")):
        yield Need(
            sentence=f"The send of {turn.edition} on {due} is over, and nobody looked since: something has to call it.",
            command="newsletter run --if-due",
        )


def _of_issue(issue: IssueStanding, *, scheduled: bool) -> Iterator[Need]:
    reason = f": {issue.reason.rstrip('.')}" if issue.reason else ""
    if goes_on_by_hand(issue.state, issue.reason):
        yield Need(
            sentence=f"Issue {issue.name} is {issue.state.value}{reason}; {issue.counts.waiting} are waiting.",
            command=f"newsletter issues {'approve' if issue.state is IssueState.DRAFT else 'resume'} {issue.name}",
        )
    elif issue.dead_claims:
        yield Need(
            sentence=f"Issue {issue.name} was left by a process that is gone; {issue.counts.waiting} are waiting.",
            command=f"newsletter run --edition {issue.edition}",
        )
    elif issue.state is IssueState.PAUSED and not scheduled:
        yield Need(
            sentence=f"Issue {issue.name} is paused{reason}; {issue.counts.waiting} are waiting.",
            command=f"newsletter run --edition {issue.edition}",
        )
    if issue.counts.uncertain:
        yield Need(
            sentence=f"Of {_number(issue.counts.uncertain, 'letter')} of issue {issue.name} nobody knows whether they"
            " were taken; where your provider posts events, these tell within a day.",
            command=f"newsletter deliveries resolve {issue.name} --resend (or --assume-sent)",
        )


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
