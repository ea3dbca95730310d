"""The day: papers in, an issue out. Rank, select, summarise."""

from __future__ import annotations

from newsletter import ranker
from newsletter.models import DayOfPapers, Entry, Issue, Selection
from newsletter.protocols import Summarizer


def make_issue(
    collected: DayOfPapers, *, edition: str, language: str, selection: Selection, summarizer: Summarizer
) -> Issue:
    """Make an edition's issue of a collected day."""
    chosen = ranker.select(collected.papers, selection).chosen
    entries = tuple(
        Entry(rank=rank, paper=paper, summary=summarizer.summarize(paper, language))
        for rank, paper in enumerate(chosen, 1)
    )
    return Issue(
        edition=edition,
        day=collected.day,
        language=language,
        entries=entries,
        collected=len(collected.papers),
        kind=collected.kind,
        source_url=collected.page,
        warnings=collected.warnings,
    )
