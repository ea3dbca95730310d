"""Several lists of papers become one, in which every paper stands once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from newsletter.ingestion.parsed import Warnings
from newsletter.models import Paper


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
        code_url=first.code_url or other.code_url,
        code_stars=_known(first.code_stars, other.code_stars),
        project_url=first.project_url or other.project_url,
        organization=first.organization or other.organization,
        comments=_known(first.comments, other.comments),
        sections=first.sections or other.sections,
        sources=tuple(dict.fromkeys((*first.sources, *other.sources))),
    )


def _known(first: int | None, other: int | None) -> int | None:
    return other if first is None else first
