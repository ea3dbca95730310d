"""Excerpting an abstract, and checking an entry, against finding the words of the same abstract."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.clock import medians
from newsletter.ingestion.files import read_file
from newsletter.models.papers import Section, SummaryOrigin
from newsletter.sample import sample_day_path
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.summaries.findings import Said
from newsletter.summaries.grounding import check
from newsletter.summaries.sources import Day
from tools.truth.pairs import OWN_DIGEST

EXTRACT_BOUND = 40
CHECK_BOUND = 30


def measure(runs: int = 31) -> Iterator[str]:
    """Yield the lines of the report."""
    papers = read_file(sample_day_path()).papers
    summarizer = ExtractiveSummarizer()

    def words() -> object:
        return [re.findall(r"\w+", paper.abstract) for paper in papers]

    ours, plain = medians(lambda: [summarizer.summarize(paper, "en") for paper in papers], words, runs=runs)
    each = f"{ours / len(papers) * 1000:.2f} ms an abstract"
    yield _line("excerpting", ours / plain, f"{each}; at most {EXTRACT_BOUND}")

    digest = {paper.id: paper.sections for paper in read_file(OWN_DIGEST).papers}
    excerpts = {paper.id: summarizer.summarize(paper, "en").sections for paper in papers}
    for name, sections, language, origin in (
        ("an excerpt", excerpts, "en", SummaryOrigin.EXTRACT),
        ("a digest's", digest, "ko", None),
    ):
        day = Day(papers)
        _check_all(sections, language, origin, day)  # reads the sources, once a day
        ours, plain = medians(
            lambda s=sections, la=language, o=origin, d=day: _check_all(s, la, o, d),  # type: ignore[misc]
            words,
            runs=runs,
        )
        fresh, _ = medians(
            lambda s=sections, la=language, o=origin: _check_all(s, la, o, Day(papers)),  # type: ignore[misc]
            words,
            runs=runs,
        )
        note = f"at most {CHECK_BOUND}; {fresh / plain:.1f} with reading the sources of the day"
        yield _line(f"checking {name}", ours / plain, note)


def _check_all(
    sections: dict[str, tuple[Section, ...]], language: str, origin: SummaryOrigin | None, day: Day
) -> object:
    return [
        check(Said(sections=each, language=language, origin=origin), day.source(paper_id), day)
        for paper_id, each in sections.items()
    ]


def _line(name: str, ratio: float, note: str) -> str:
    return f"{name:<20} {ratio:5.1f} x the words of the abstract by `re.findall` ({note})"
