"""Papers in, order out: pure, total, and independent of the order in which papers came."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.models import Paper, Selection

_NEW_STYLE = re.compile(r"(\d{4})\.(\d{4,5})")
_OLD_STYLE = re.compile(r"[a-z-]+(?:\.[A-Z]{2})?/(\d{2})(\d{2})(\d{3})")
_FIRST_OLD_YEAR = 91  # old-style ids began in 1991: cs/0112017 is of 2001, hep-th/9108001 of 1991

_IdKey = tuple[int, int, int, str]
_Key = tuple[int, int, int, float, _IdKey, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What an issue takes, and what it leaves and why; both in the order of the ranking."""

    chosen: tuple[Paper, ...]
    left_out: tuple[tuple[Paper, str], ...]


def rank(papers: Iterable[Paper]) -> list[Paper]:
    """Return the papers with most votes first.

    No votes come after 0 votes; ties go to the later submission (none known comes last), then to the newer
    arXiv id, then to old-style ids, then to all others by name.
    """
    return sorted(papers, key=_key)


def select(papers: Iterable[Paper], selection: Selection) -> Selected:
    """Return what an issue takes of the papers.

    Papers with fewer than ``min_votes`` stay out (not those of a source without votes), unless fewer than
    ``fill`` would remain: then the best of them come in. ``top`` bounds everything.
    """
    ranked = rank(papers)
    most = selection.top or len(ranked)
    worthy = [place for place, paper in enumerate(ranked) if _worthy(paper, selection)]
    others = [place for place, paper in enumerate(ranked) if not _worthy(paper, selection)]
    missing = max(0, min(selection.fill, most) - len(worthy))
    taken = {*worthy[:most], *others[:missing]}
    return Selected(
        chosen=tuple(paper for place, paper in enumerate(ranked) if place in taken),
        left_out=tuple(
            (paper, _reason(paper, selection)) for place, paper in enumerate(ranked) if place not in taken
        ),
    )


def _worthy(paper: Paper, selection: Selection) -> bool:
    return not paper.votable or (paper.votes or 0) >= selection.min_votes


def _reason(paper: Paper, selection: Selection) -> str:
    if _worthy(paper, selection):
        return f"after the first {selection.top}"
    if paper.votes is None:
        return "no votes"
    return f"too few votes: {paper.votes} of {selection.min_votes}"


def _key(paper: Paper) -> _Key:
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
