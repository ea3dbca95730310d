"""The day: candidates in, an issue out. Choose, summarise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from newsletter.models.issues import Entry, Issue, Occasion, Selection
from newsletter.models.papers import DayOfPapers, SummaryOrigin
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


def refusals(issue: Issue) -> Iterator[str]:
    """Yield a sentence for each entry that has another summary than the first that was there, and why."""
    for entry in issue.entries:
        refused = entry.summary.refused
        if refused:
            first = refused[0]
            fault = f' "{first.text[:60]}"' if first.text else ""
            yield (
                f"{entry.paper.id}: its {first.origin.value} summary is not sent ({first.check}{fault}: {first.why}); "
                f"in its place stands {_PLACES[entry.summary.origin]}"
            )


_PLACES = {
    SummaryOrigin.DIGEST: "that of a digest",
    SummaryOrigin.EXTRACT: "an excerpt",
    SummaryOrigin.TITLE: "title and link",
}
