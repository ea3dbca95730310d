"""The gallery's issues: the bundled sample day, a digest in Korean, and days that are written down in ``days/``."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

from newsletter.ingestion.files import FileSource
from newsletter.models.issues import Entry, Issue, Selection
from newsletter.models.papers import Paper, PaperKind, Section, Summary, SummaryOrigin
from newsletter.pipeline import make_issue
from newsletter.sample import SAMPLE_DAY, sample_day_path
from newsletter.summaries.chain import SummaryChain
from newsletter.summaries.digest import DigestSummarizer
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.summaries.gate import Gate

DAYS = Path(__file__).parent / "days"
DIGEST = Path(__file__).parents[2] / "tests/data/digests/seed-form.md"
NOW = datetime(2025, 11, 24, 7, 30, tzinfo=UTC)
_HEADINGS = {
    "whats_new": "What's New",
    "technical_details": "Technical Details",
    "performance_highlights": "Performance Highlights",
}
_PAPER = frozenset(field.name for field in fields(Paper))


@cache
def sample() -> Issue:
    """Return the issue of the bundled day, as `newsletter preview` makes it."""
    return _from_file(sample_day_path(), "en", Selection())


@cache
def korean() -> Issue:
    """Return the issue of the digest of the same day in Korean; that 31 papers were posted is invented."""
    issue = _from_file(DIGEST, "ko", Selection(top=0, min_votes=0))
    return replace(issue, collected=31, source_url=f"https://papers.example.org/date/{issue.day}")


@cache
def written(name: str) -> Issue:
    """Return the issue of a day that is written down in ``days/NAME.toml``."""
    day = tomllib.loads((DAYS / f"{name}.toml").read_text(encoding="utf-8"))
    entries = tuple(
        _entry(rank, paper, f"{day['day']:%y%m}.9{rank:04}", day["language"])
        for rank, paper in enumerate(day["papers"], 1)
    )
    return Issue(
        edition="daily",
        day=day["day"],
        language=day["language"],
        entries=entries,
        collected=day["collected"],
        source_url=day["source_url"],
    )


def _from_file(path: Path, language: str, selection: Selection) -> Issue:
    source = FileSource([path], day=SAMPLE_DAY, clock=lambda: datetime.combine(SAMPLE_DAY, time(9), UTC))
    collected = source.fetch(SAMPLE_DAY)
    chain = SummaryChain([DigestSummarizer(), ExtractiveSummarizer()], Gate(collected.papers))
    return make_issue(collected, edition="daily", language=language, selection=selection, summarizer=chain)


def _entry(rank: int, written: dict[str, object], name: str, language: str) -> Entry:
    """Return an entry; no paper of arXiv has such a ``name``, whose numbers begin with a nine."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
    sections = tuple(
        Section(heading=heading, text=str(values.pop(key)))
        for key, heading in _HEADINGS.items()
        if key in values
    )
    kind = PaperKind(values.pop("kind"))
    unknown = values.keys() - _PAPER
    if unknown:
        raise ValueError(f"a paper has no {', '.join(sorted(unknown))}")
    paper = Paper(
        id=name,
        url=f"https://arxiv.org/abs/{name}",
        image=f"https://pictures.example.org/{name}.png",
        **values,  # type: ignore[arg-type]
    )
    return Entry(
        rank=rank,
        paper=paper,
        summary=Summary(origin=SummaryOrigin.DIGEST, sections=sections, language=language, kind=kind),
    )
