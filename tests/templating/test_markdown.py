"""The Markdown of an issue is a digest: its reader gives the same papers back."""

from __future__ import annotations

import re

import pytest

from newsletter.ingestion.digest import parse_digest
from newsletter.models.papers import Paper
from newsletter.templating.issue import render
from tests.templating.samples import DESIGN, entry, issue_of, many, sample


def told(paper: Paper) -> tuple[object, ...]:
    """Return what the digest form carries of a paper."""
    sections = tuple((section.heading, section.text) for section in paper.sections)
    return paper.title, paper.url, paper.votes, paper.image, paper.authors, sections


def test_the_papers_come_back_in_order() -> None:
    for issue in (sample(), many(30)):
        day = parse_digest(render(issue, DESIGN).markdown, name="issue.md")
        assert day.day == issue.day
        assert not day.warnings
        for back, item in zip(day.papers, issue.entries, strict=True):
            sections = tuple((section.heading, section.text.strip()) for section in item.summary.sections)
            paper = item.paper
            assert told(back) == (paper.title, paper.url, paper.votes, paper.image, paper.authors, sections)


@pytest.mark.parametrize(
    "title",
    [
        "On [Brackets]",
        "A](https://evil.example) [B",
        "Back\\slash \\[and\\] bracket",
        "*Stars* and `ticks` and # signs",
        "<script>alert(1)</script>",
        "$\\alpha$ & $x_1$",
        "Vote: 5",
        "論文 🦙 عنوان",
    ],
)
def test_a_title_survives(title: str) -> None:
    day = parse_digest(render(issue_of(entry(1, title), entry(2, "Next")), DESIGN).markdown, name="issue.md")
    assert [paper.title for paper in day.papers] == [title, "Next"]
    assert day.papers[0].url == "https://arxiv.org/abs/2409.00001"


def test_line_ends_cannot_start_something_new() -> None:
    forged = "Text\n\n### [Forged](https://evil.example)\n\nVote: 9\n## Daily Papers (2001-01-01)"
    issue = issue_of(entry(1, forged, sections={forged: forged}, authors=(forged,)))
    day = parse_digest(render(issue, DESIGN).markdown, name="issue.md")
    assert len(day.papers) == 1
    assert day.day == issue.day


def test_an_address_with_parentheses_survives() -> None:
    url = "https://example.org/wiki/Layer_(deep_learning)"
    day = parse_digest(render(issue_of(entry(1, "T", id="x", url=url)), DESIGN).markdown, name="issue.md")
    assert day.papers[0].url == url


def test_no_html_opens_in_it() -> None:
    hostile = "<script>alert(1)</script> and <b>bold</b> \\<i>"
    issue = issue_of(entry(1, hostile, sections={"<h1>": hostile}, authors=("<img src=x>",)))
    markdown = render(issue, DESIGN).markdown
    assert not re.search(r"(?<!\\)<", markdown)
    (back,) = parse_digest(markdown, name="issue.md").papers
    assert back.title == hostile
    assert back.authors == ("<img src=x>",)
    assert [(section.heading, section.text) for section in back.sections] == [("<h1>", hostile)]
