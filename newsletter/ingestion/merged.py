"""Several lists of papers become one, in which every paper stands once; several sources become one source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from newsletter.errors import SourceError
from newsletter.ingestion.parsed import Warnings
from newsletter.models.papers import DayKind, DayOfPapers, DayPart, Paper
from newsletter.protocols import Source


def merge_papers(groups: Iterable[Sequence[Paper]]) -> tuple[tuple[Paper, ...], tuple[str, ...]]:
    """Merge papers on their id; return them in order of first occurrence, and the warnings.

    A paper in several groups is expected; a paper twice in one group is merged with a warning.
    """
    merged: dict[str, Paper] = {}
    warnings = Warnings()
    for group in groups:
        seen: set[str] = set()
        for paper in group:
            if paper.id in seen:
                warnings.add(f"paper {paper.id} is listed more than once; its entries are merged")
            seen.add(paper.id)
            known = merged.get(paper.id)
            merged[paper.id] = paper if known is None else _union(known, paper)
    return tuple(merged.values()), warnings.all()


def without_votes(papers: Sequence[Paper]) -> tuple[Paper, ...]:
    """Mark the papers of a source in which none has votes: they are not held to ``min_votes``."""
    if any(paper.votes is not None for paper in papers):
        return tuple(papers)
    return tuple(replace(paper, votable=False) for paper in papers)


class MergedSource:
    """Several sources as one: their papers merged, and what each of them said of the day.

    ``complete`` fills what the merged papers lack.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        complete: Callable[[Sequence[Paper]], tuple[tuple[Paper, ...], tuple[str, ...]]],
        clock: Callable[[], datetime],
    ) -> None:
        self._sources = tuple(sources)
        self._complete = complete
        self._clock = clock
        self.name = "+".join(source.name for source in self._sources)

    def fetch(self, day: date) -> DayOfPapers:
        """Ask every source; one that fails is a warning, all that fail are a failure."""
        taken_at = self._clock()
        found = [self._ask(source, day, taken_at) for source in self._sources]
        papers, _ = merge_papers([each.papers for each in found])
        papers, gaps = self._complete(papers)
        several = len(found) > 1
        return DayOfPapers(
            source=self.name,
            day=day,
            kind=_kind([each.kind for each in found]),
            papers=papers,
            taken_at=taken_at,
            page=next((each.page for each in found if each.page), None),
            warnings=(
                *(f"{each.source}: {text}" if several else text for each in found for text in each.warnings),
                *gaps,
            ),
            parts=tuple(
                DayPart(source=each.source, kind=each.kind, papers=len(each.papers), warnings=each.warnings)
                for each in found
            ),
        )

    def _ask(self, source: Source, day: date, taken_at: datetime) -> DayOfPapers:
        try:
            return source.fetch(day)
        except SourceError as error:
            return DayOfPapers(
                source=source.name,
                day=day,
                kind=DayKind.FAILED,
                papers=(),
                taken_at=taken_at,
                warnings=(str(error),),
            )


def _kind(kinds: Sequence[DayKind]) -> DayKind:
    """Return what the parts make of the whole day; it is quiet only where every source says so."""
    order = (DayKind.NOT_READY, DayKind.CUT, DayKind.COMPLETE, DayKind.FAILED)
    return next((kind for kind in order if kind in kinds), DayKind.QUIET)


def _union(first: Paper, other: Paper) -> Paper:
    """Return the first paper, completed by the other one; of two abstracts the longer one stays."""
    return replace(
        first,
        url=first.url or other.url,
        abstract=max(first.abstract, other.abstract, key=len),
        authors=first.authors or other.authors,
        votes=_known(first.votes, other.votes),
        votable=first.votable or other.votable,
        image=first.image or other.image,
        submitted_at=first.submitted_at or other.submitted_at,
        published_at=first.published_at or other.published_at,
        short_summary=first.short_summary or other.short_summary,
        keywords=first.keywords or other.keywords,
        pdf_url=first.pdf_url or other.pdf_url,
        page_url=first.page_url or other.page_url,
        discussion_url=first.discussion_url or other.discussion_url,
        code_url=first.code_url or other.code_url,
        code_stars=_known(first.code_stars, other.code_stars),
        project_url=first.project_url or other.project_url,
        organization=first.organization or other.organization,
        comments=_known(first.comments, other.comments),
        sections=first.sections or other.sections,
        sections_language=first.sections_language if first.sections else other.sections_language,
        sources=tuple(dict.fromkeys((*first.sources, *other.sources))),
    )


def _known(first: int | None, other: int | None) -> int | None:
    return other if first is None else first
