"""Choosing among 10,000 candidates against a plain `sorted` with the same keys."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from benchmarks.clock import medians
from newsletter.models.issues import Selection
from newsletter.models.papers import Paper
from newsletter.ranker import Candidate, choose, ranking_key

BOUND = 1.5
MIDNIGHT = datetime(2026, 1, 7, tzinfo=UTC)


def measure(runs: int = 31) -> str:
    """Return the line of the report."""
    source = random.Random(7)
    papers = [
        Paper(
            id=f"2601.{number:05}", title=f"Paper {number}", url=f"https://arxiv.org/abs/2601.{number:05}",
            votes=source.randrange(60), submitted_at=MIDNIGHT,
        )
        for number in range(10_000)
    ]  # fmt: skip
    source.shuffle(papers)
    candidates = [Candidate(paper=paper) for paper in papers]
    selection = Selection()
    ours, plain = medians(
        lambda: choose(candidates, selection), lambda: sorted(papers, key=ranking_key), runs=runs
    )
    times = f"{ours * 1000:.1f} ms against {plain * 1000:.1f}"
    return f"ranking     {ours / plain:5.2f} x a plain `sorted` of 10,000 papers ({times}; at most {BOUND})"
