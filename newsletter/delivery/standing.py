"""How everything stands, as values, and what of it needs a hand. Without SQL: two rooms fill it, and must agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.counting import counted, so_many
from newsletter.states import Counts, IssueState, goes_on_by_hand

OVERDUE = timedelta(
    hours=1
)  # what sends notices looks every few seconds, and puts off a failed one for longer

_ON_THEIR_WAY = (IssueState.APPROVED, IssueState.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStanding:
    """An issue; ``at`` is when it came to an end, else began to be sent, else was made.

    ``dead_claims`` are open claims of processes that are gone. ``at_work``: a process that lives holds letters of it,
    or held the last ones and waits until it may try again.
    """

    edition: str
    day: date
    state: IssueState
    reason: str
    at: datetime
    counts: Counts
    dead_claims: int
    at_work: bool

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
            sentence=f"The database was restored from a backup of {made}; nothing is sent. Add --sent DAY for each"
            " issue that went out since, or it is sent again.",
            command="newsletter backup restore --acknowledge",
        )
    looked_at = {turn.edition: turn.day for turn in standing.turns}
    for issue in standing.issues:
        must_be_over = due.get(issue.edition)
        over = must_be_over is not None and looked_at.get(issue.edition, date.min) <= must_be_over
        yield from _of_issue(issue, scheduled=issue.edition in due, over=over)
    for turn in standing.turns:
        yield from _of_turn(turn, due.get(turn.edition))
    if standing.notices.overdue:
        yield Need(
            sentence=f"{counted(standing.notices.overdue, 'notice')} should have been sent an hour ago or earlier.",
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


def _of_issue(issue: IssueStanding, *, scheduled: bool, over: bool) -> Iterator[Need]:
    """Yield what an issue needs; ``scheduled`` where its edition is, ``over`` where the newest such send is over."""
    reason = f": {issue.reason.rstrip('.')}" if issue.reason else ""
    waiting, run = so_many(issue.counts.waiting, "waiting"), f"newsletter run --edition {issue.edition}"
    if goes_on_by_hand(issue.state, issue.reason):
        yield Need(
            sentence=f"Issue {issue.name} is {issue.state.value}{reason}; {waiting}.",
            command=f"newsletter issues {'approve' if issue.state is IssueState.DRAFT else 'resume'} {issue.name}",
        )
    elif issue.dead_claims:
        yield Need(sentence=f"Issue {issue.name} was left by a process that is gone; {waiting}.", command=run)
    elif issue.state is IssueState.PAUSED:
        then = " The schedule tries again; this tries now." if scheduled else ""
        yield Need(sentence=f"Issue {issue.name} is paused{reason}; {waiting}.{then}", command=run)
    elif (
        issue.state in _ON_THEIR_WAY
        and issue.counts.waiting
        and not issue.at_work
        and (over or not scheduled)
    ):
        yield Need(sentence=f"Issue {issue.name} is not sent to its end; {waiting}.", command=run)
    if issue.counts.uncertain:
        yield _of_uncertain(issue)


def _of_uncertain(issue: IssueStanding) -> Need:
    one = issue.counts.uncertain == 1
    taken, again = ("it was", "it") if one else ("they were", "them")
    resolve = f"newsletter deliveries resolve {issue.name}"
    return Need(
        sentence=f"Of {counted(issue.counts.uncertain, 'letter')} of issue {issue.name} nobody knows whether {taken}"
        f" taken; where your provider posts events, these tell within a day. `{resolve} --resend` sends {again} again,"
        f" `{resolve} --assume-sent` counts {again} as taken.",
        command=f"newsletter deliveries list {issue.name} --state uncertain",
    )
