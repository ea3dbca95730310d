"""The day: candidates in, an issue out. Choose, summarise."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.models import DayOfPapers, Entry, Issue, Occasion, Selection
from newsletter.protocols import Summarizer
from newsletter.ranker import Candidate, choose, explain


def make_issue(
    collected: DayOfPapers,
    candidates: Iterable[Candidate] | None = None,
    *,
    edition: str,
    language: str,
    selection: Selection,
    summarizer: Summarizer,
    occasion: Occasion = Occasion.DAY,
) -> Issue:
    """Make an edition's issue of a collected day; without ``candidates`` of that day's papers alone."""
    if candidates is None:
        candidates = [Candidate(paper=paper) for paper in collected.papers]
    ranking = choose(candidates, selection)
    chosen = [ranked for ranked in ranking if ranked.place is not None]
    entries = tuple(
        Entry(
            rank=rank,
            paper=ranked.candidate.paper,
            summary=summarizer.summarize(ranked.candidate.paper, language),
            carried_from=ranked.candidate.carried_from,
        )
        for rank, ranked in enumerate(chosen, 1)
    )
    return Issue(
        edition=edition,
        day=collected.day,
        language=language,
        entries=entries,
        collected=len(collected.papers),
        kind=collected.kind,
        occasion=occasion,
        source_url=collected.page,
        warnings=collected.warnings,
        left_out=tuple(
            (ranked.candidate.paper.id, explain(ranked)) for ranked in ranking if ranked.place is None
        ),
    )
