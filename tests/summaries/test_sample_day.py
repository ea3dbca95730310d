"""The bundled day is whole and reads well; the digest beside it tells of the same papers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from newsletter.models.papers import Paper
from newsletter.sample import SAMPLE_DAY, sample_day_path
from newsletter.scripts import language_of
from newsletter.summaries.extractive import HEADINGS, ExtractiveSummarizer
from newsletter.summaries.sentences import split

VOTES = [45, 32, 14, 13, 8, 7, 7, 7, 6, 5, 5, 4, 4, 1]
DAY: list[dict[str, Any]] = json.loads(sample_day_path().read_text(encoding="utf-8"))
DIGEST = (Path(__file__).resolve().parents[1] / "data" / "digests" / "seed-form.md").read_text(
    encoding="utf-8"
)


def test_the_day_is_whole() -> None:
    assert SAMPLE_DAY.isoformat() == sample_day_path().stem == "2024-09-12"
    assert [entry["paper"]["upvotes"] for entry in DAY] == VOTES
    assert sum(len(entry["paper"]["authors"]) for entry in DAY) == 99
    for entry in DAY:
        paper = entry["paper"]
        assert entry["thumbnail"].endswith(f"/social-thumbnails/papers/{paper['id']}.png")
        assert entry["title"] == " ".join(paper["title"].split())
        assert entry["publishedAt"].startswith("2024-09-12T")
        assert paper["publishedAt"] < entry["publishedAt"]
        assert 5 <= len(split(paper["summary"])) <= 8


@pytest.mark.parametrize("entry", DAY, ids=lambda entry: entry["paper"]["id"])
def test_every_abstract_gives_three_sections(entry: dict[str, Any]) -> None:
    paper = Paper(id=entry["paper"]["id"], title=entry["title"], url="", abstract=entry["paper"]["summary"])
    summary = ExtractiveSummarizer().summarize(paper, "en")
    assert [section.heading for section in summary.sections] == list(HEADINGS.values())
    words = sum(len(section.text.split()) for section in summary.sections)
    assert words <= 0.72 * len(paper.abstract.split())
    leaning = re.compile(
        r"(?:This|These|Such|However|Furthermore|Moreover|Finally|Then|They)\b(?! paper| work| study)"
    )
    assert not any(leaning.match(section.text) for section in summary.sections)


def test_the_digest_has_the_seed_s_form() -> None:
    heads = re.findall(
        r"^### \[(.+)\]\(https://arxiv\.org/abs/([\d.]+)\)\n\n!\[\]\((\S+)\)\n\nVote: (\d+)\n\nAuthors: (.+)\n\n-",
        DIGEST,
        flags=re.MULTILINE,
    )
    assert heads == [
        (
            entry["title"],
            entry["paper"]["id"],
            entry["thumbnail"],
            str(entry["paper"]["upvotes"]),
            ", ".join(author["name"] for author in entry["paper"]["authors"]),
        )
        for entry in DAY
    ]
    sections = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", DIGEST, flags=re.MULTILINE)
    assert len(sections) == 43
    assert [heading for heading, _ in sections].count("Datasets") == 1
    assert all(language_of(text) == "ko" for _, text in sections)
