"""Papers in, order out: pure, total, and independent of the order in which papers came."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import repeat
from typing import NamedTuple

from newsletter.models.issues import Selection
from newsletter.models.papers import Paper

_NEW_STYLE = re.compile(r"(\d{4})\.(\d{4,5})")
_OLD_STYLE = re.compile(r"[a-z-]+(?:\.[A-Z]{2})?/(\d{2})(\d{2})(\d{3})")
_FIRST_OLD_YEAR = 91  # old-style ids began in 1991: cs/0112017 is of 2001, hep-th/9108001 of 1991

_IdKey = tuple[int, int, int, str]
_Key = tuple[int, int, int, float, _IdKey, str, str]


class Reason(Enum):
    """Why a candidate stands where it does."""

    CHOSEN = "chosen"
    FILLED = "filled"  # too few votes, but there were too few papers
    TOO_FEW_VOTES = "too few votes"
    AFTER_TOP = "after the last place"
    NO_PLACE_LEFT = "no place left"  # a carried paper; today's come first
    SENT = "sent before"


class Tie(Enum):
    """What separated a candidate from the one before it that has as many votes."""

    SUBMISSION = "submission time"
    ID = "arXiv id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A paper that may stand in an issue: of its day, or carried from an earlier one; or sent already."""

    paper: Paper
    carried_from: date | None = None
    sent_on: date | None = None


class Ranked(NamedTuple):
    """A candidate in the ranking. ``place`` counts the chosen from 1; None for those left out.

    A tuple, because ten thousand are made for a day of that size.
    """

    candidate: Candidate
    place: int | None
    reason: Reason
    selection: Selection
    before: Candidate | None

    @property
    def tie(self) -> Tie | None:
        """What separated it from the candidate before it, where votes did not."""
        if self.before is None or self.before.paper.votes != self.candidate.paper.votes:
            return None
        same = self.before.paper.submitted_at == self.candidate.paper.submitted_at
        return Tie.ID if same else Tie.SUBMISSION


def rank(papers: Iterable[Paper]) -> list[Paper]:
    """Return the papers with most votes first.

    No votes come after 0 votes; ties go to the later submission (none known comes last), then to the newer
    arXiv id, then to old-style ids, then to all others by name.
    """
    return sorted(papers, key=ranking_key)


def choose(candidates: Iterable[Candidate], selection: Selection) -> list[Ranked]:
    """Return every candidate once, in ranking order, with its place in the issue or why it has none.

    Today's papers with ``min_votes`` take up to ``top`` places; carried ones fill those that are left (none is
    left where ``top`` is 0); then, while fewer than ``fill`` are chosen, today's with too few votes come in.
    Papers of a source without votes are not held to ``min_votes``, and are not carried. Nothing is sent twice.
    Each paper is expected once: of today where it is of several days.
    """
    ordered = sorted(candidates, key=lambda candidate: ranking_key(candidate.paper))
    reasons, today, carried, low = _apart(ordered, selection.min_votes)
    top, most = selection.top, selection.top or len(ordered)
    taken = set(today[:most])
    _mark(reasons, today[most:], Reason.AFTER_TOP)
    places = max(0, top - len(taken))
    taken.update(carried[:places])
    _mark(reasons, carried[places:], Reason.NO_PLACE_LEFT)
    missing = max(0, min(selection.fill, most) - len(taken))
    taken.update(low[:missing])
    _mark(reasons, low[:missing], Reason.FILLED)
    numbers: list[int | None] = [None] * len(ordered)
    for place, index in enumerate(sorted(taken), 1):
        numbers[index] = place
    return list(map(Ranked, ordered, numbers, reasons, repeat(selection), [None, *ordered]))


def _apart(ordered: list[Candidate], least: int) -> tuple[list[Reason], list[int], list[int], list[int]]:
    """Return what each candidate is worth by itself, and where today's, the carried and the low ones stand."""
    sent, chosen, too_few = Reason.SENT, Reason.CHOSEN, Reason.TOO_FEW_VOTES
    reasons: list[Reason] = []
    today: list[int] = []
    carried: list[int] = []
    low: list[int] = []
    for index, candidate in enumerate(ordered):
        paper, is_carried = candidate.paper, candidate.carried_from is not None
        if candidate.sent_on is not None:
            reasons.append(sent)
        elif (paper.votes or 0) >= least or not (paper.votable or is_carried):
            reasons.append(chosen)
            (carried if is_carried else today).append(index)
        else:
            reasons.append(too_few)
            if not is_carried:
                low.append(index)
    return reasons, today, carried, low


def _mark(reasons: list[Reason], places: list[int], reason: Reason) -> None:
    for place in places:
        reasons[place] = reason


def explain(ranked: Ranked) -> str:
    """Say in a few words why a candidate stands where it does."""
    candidate, paper = ranked.candidate, ranked.candidate.paper
    if candidate.sent_on is not None:
        return f"sent on {candidate.sent_on}"
    votes = "no votes" if paper.votes is None else f"{paper.votes} vote{'' if paper.votes == 1 else 's'}"
    if ranked.reason in {Reason.TOO_FEW_VOTES, Reason.FILLED}:
        told = (
            votes if paper.votes is None else f"too few votes: {paper.votes} of {ranked.selection.min_votes}"
        )
        told += ", taken to fill up" if ranked.reason is Reason.FILLED else ""
    else:
        told = votes
        told += f", tie broken by {ranked.tie.value}" if ranked.tie is not None else ""
        told += f", after the first {ranked.selection.top}" if ranked.reason is Reason.AFTER_TOP else ""
    told += f", carried from {candidate.carried_from}" if candidate.carried_from is not None else ""
    return f"{told}, no place left" if ranked.reason is Reason.NO_PLACE_LEFT else told


def ranking_key(paper: Paper) -> _Key:
    """Return what papers are sorted by: votes, submission, id; title and address make it total."""
    votes, submitted = paper.votes, paper.submitted_at
    return (
        votes is None,
        -(votes or 0),
        submitted is None,
        -submitted.timestamp() if submitted else 0.0,
        _id_key(paper.id),
        paper.title,
        paper.url,
    )


def _id_key(paper_id: str) -> _IdKey:
    if match := _NEW_STYLE.fullmatch(paper_id):
        return (0, -int(match[1]), -int(match[2]), paper_id)
    if match := _OLD_STYLE.fullmatch(paper_id):
        year, month, number = (int(part) for part in match.groups())
        century = 1900 if year >= _FIRST_OLD_YEAR else 2000
        return (1, -((century + year) * 100 + month), -number, paper_id)
    return (2, 0, 0, paper_id)
