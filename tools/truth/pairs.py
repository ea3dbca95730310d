"""True pairs of a paper and a summary of it: the project's own, and those beside the checkout where they are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from newsletter.errors import SummaryError
from newsletter.ingestion.files import read_file
from newsletter.models.papers import Paper, Section, SummaryOrigin
from newsletter.sample import sample_day_path
from newsletter.scripts import language_of
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.summaries.findings import Said
from newsletter.summaries.sources import Day

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
OWN_DIGEST = ROOT / "tests" / "data" / "digests" / "seed-form.md"
_HERE = Path(__file__).parent
#: Summaries of the shared digests that speak of another paper altogether, or of none; read one by one.
WRONG = frozenset((_HERE / "wrong.txt").read_text(encoding="utf-8").split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A paper, what is said of it, and the papers of its day."""

    paper: Paper
    said: Said
    day: Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Papers by day, and what others say of them."""

    days: Mapping[str, Sequence[Paper]]
    digests: Mapping[str, tuple[Section, ...]]  # by paper: a digest's sections

    @property
    def papers(self) -> list[Paper]:
        """All papers."""
        return [paper for papers in self.days.values() for paper in papers]


@cache
def corpus() -> Corpus:
    """Return the shared papers and digests, or the project's own sample where there are none."""
    return _shared() if (SHARED / "papers" / "papers.jsonl").exists() else own()


@cache
def own() -> Corpus:
    """Return the project's own sample day and digest."""
    digest = read_file(OWN_DIGEST)
    return Corpus(
        days={"2024-09-12": read_file(sample_day_path()).papers},
        digests={paper.id: paper.sections for paper in digest.papers},
    )


def _shared() -> Corpus:
    days: dict[str, list[Paper]] = defaultdict(list)
    with (SHARED / "papers" / "papers.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            days[record["day"]].append(
                Paper(
                    id=record["id"],
                    title=" ".join(record["title"].split()),
                    url=f"https://arxiv.org/abs/{record['id']}",
                    abstract=record["abstract"],
                    short_summary=record.get("ai_summary") or "",
                )
            )
    known = {paper.id for papers in days.values() for paper in papers}
    digests = {
        paper.id: paper.sections
        for path in sorted((SHARED / "digests").glob("*.md"))
        for paper in read_file(path).papers
        if paper.id in known and paper.sections
    }
    return Corpus(days=days, digests=digests)


def korean(known: Corpus) -> list[Pair]:
    """Return the pairs with a digest's Korean sections, without those that are known to be wrong."""
    return [
        pair
        for pair in _pairs(known, lambda paper: Said(sections=known.digests.get(paper.id, ()), language="ko"))
        if pair.paper.id not in WRONG
    ]


def short_summaries(known: Corpus) -> list[Pair]:
    """Return the pairs with the one-sentence summary that the papers' page gives, in English."""

    def said(paper: Paper) -> Said:
        text = paper.short_summary
        return Said(sections=(Section(heading="", text=text),) if text else (), language="en")

    return _pairs(known, said)


def excerpts(known: Corpus, *, told: bool) -> list[Pair]:
    """Return the pairs with our own excerpts. ``told`` says that they are; else they stand for a model's."""
    summarizer = ExtractiveSummarizer()

    def said(paper: Paper) -> Said:
        try:
            summary = summarizer.summarize(paper, "en")
        except SummaryError:
            return Said(sections=(), language="en")
        origin = SummaryOrigin.EXTRACT if told else SummaryOrigin.DIGEST
        language = language_of(paper.abstract)
        return Said(sections=summary.sections, language=language, origin=origin, exact=not told)

    return _pairs(known, said)


def _pairs(known: Corpus, say: object) -> list[Pair]:
    assert callable(say)
    pairs: list[Pair] = []
    for papers in known.days.values():
        day = Day(papers)
        for paper in papers:
            said = say(paper)
            if said.sections:
                pairs.append(Pair(paper=paper, said=said, day=day))
    return pairs
