"""Excerpts of 1,193 real abstracts, where these are at hand beside the checkout."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from newsletter.models import Paper, Summary
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.summaries.latex import to_text
from newsletter.summaries.sentences import split

PAPERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "papers" / "papers.jsonl"

pytestmark = pytest.mark.skipif(not PAPERS.exists(), reason="the shared papers are not beside this checkout")


@pytest.fixture(scope="module")
def excerpts() -> list[tuple[str, Summary]]:
    summarizer = ExtractiveSummarizer()
    with PAPERS.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    papers = [
        Paper(id=record["id"], title=" ".join(record["title"].split()), url="", abstract=record["abstract"])
        for record in records
    ]
    return [(to_text(paper.abstract), summarizer.summarize(paper, "en")) for paper in papers]


def test_most_abstracts_have_every_section(excerpts: list[tuple[str, Summary]]) -> None:
    found = Counter(section.heading for _, summary in excerpts for section in summary.sections)
    shares = {heading: count / len(excerpts) for heading, count in found.items()}
    assert shares["What's New"] >= 0.97
    assert shares["Technical Details"] >= 0.85
    assert shares["Performance Highlights"] >= 0.88


def test_an_excerpt_is_shorter_than_its_abstract(excerpts: list[tuple[str, Summary]]) -> None:
    shares = [
        sum(len(section.text.split()) for section in summary.sections) / len(text.split())
        for text, summary in excerpts
    ]
    assert median(shares) <= 0.6


def test_every_sentence_is_the_abstract_s_own(excerpts: list[tuple[str, Summary]]) -> None:
    strange = [
        sentence
        for text, summary in excerpts
        for section in summary.sections
        for sentence in split(section.text)
        if sentence not in text
    ]
    assert strange == []
