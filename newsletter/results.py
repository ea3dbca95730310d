"""How a run ended: in one object, and in one sentence about its issue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from newsletter.counting import counted, so_many
from newsletter.logs import WARNING, tell
from newsletter.models.papers import DayKind
from newsletter.states import Counts, IssueState, goes_on_by_hand
from newsletter.store import IssueRecord

_NAMES = {kind: kind.value.replace("_", "-") for kind in DayKind}
_WORDS = {IssueState.DRAFT: "approve", IssueState.HELD: "approve", IssueState.PAUSED: "resume"}


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

    @classmethod
    def of(cls, record: IssueRecord, counts: Counts, sentence: str, *, ok: bool = True) -> RunResult:
        """Return how a run of an issue ended."""
        by_hand = record.state is not IssueState.DRAFT and goes_on_by_hand(record.state, record.reason)
        return cls(
            edition=record.edition, sentence=sentence, day=record.day, kind=record.kind, state=record.state,
            counts=counts, ok=ok, by_hand=by_hand,
        )  # fmt: skip

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


def waits_for_a_hand(record: IssueRecord) -> bool:
    """Whether an issue goes on only when somebody says so, or never."""
    return goes_on_by_hand(record.state, record.reason) or record.state is IssueState.CANCELLED


def held(record: IssueRecord) -> str:
    """Say, and log, that an issue was held."""
    tell(WARNING, "issue held", issue=record.name, reason=record.reason)
    return (
        f"Issue {record.name} is held: {record.reason}; `newsletter issues resume {record.name}` has it sent all the"
        " same."
    )


def not_sent(record: IssueRecord) -> str:
    """Say that an issue waits for a hand, and for which word."""
    reason = f": {record.reason}" if record.reason else ""
    word = _WORDS.get(record.state)
    remedy = f" (`newsletter issues {word} {record.name}`)" if word else ""
    return f"Issue {record.name} is {record.state.value}{reason}; nothing was sent{remedy}."


def already_sent(record: IssueRecord, counts: Counts) -> str:
    """Say that an issue was finished before."""
    rest = f", {unreached(counts)}" if unreached(counts) else ""
    return f"Issue {record.name} is already sent ({counts.accepted} accepted{rest}); nothing was sent."


def sent(record: IssueRecord, counts: Counts, provider: str, *, stopped: bool, used_up: bool) -> str:
    """Say how an issue stands after a send, that was ``stopped``, or ``used_up`` what the day has."""
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
        return f"{issue} {_finished(record, counts, provider)}."
    if stopped:
        return f"{issue} was stopped; {waiting}, run again to go on."
    if used_up:
        return (
            f"{issue} has used up what the day (UTC) may send; {waiting}, the next run after midnight UTC "
            "goes on."
        )
    return (
        f"{issue} is not finished: {waiting}, {so_many(counts.uncertain, 'uncertain')}; run again to go on."
    )


def _finished(record: IssueRecord, counts: Counts, provider: str) -> str:
    rest, tells = unreached(counts), f"`newsletter deliveries list {record.name}` tells all"
    if not counts.accepted:
        why = rest or f"{counts.suppressed} have left, or are not written to any more"
        return f"reached nobody: {why}; {tells}"
    accepted = f"{counts.accepted} of {counts.prepared} accepted by {provider}"
    return f"of a {_NAMES[record.kind]} day is sent: {accepted}" + (f", {rest}; {tells}" if rest else "")


def unreached(counts: Counts) -> str:
    """Say how many were refused, and of how many nobody knows; empty where there are none."""
    parts = {"rejected": counts.rejected, "uncertain": counts.uncertain}
    return ", ".join(f"{number} {part}" for part, number in parts.items() if number)


def summed(counts: Counts) -> str:
    """Say what became of all deliveries, as a sum."""
    parts = ("accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
    return f"{counts.prepared} prepared = " + " + ".join(f"{getattr(counts, part)} {part}" for part in parts)


def people(number: int) -> str:
    """Say how many are written to."""
    return counted(number, "subscriber")
