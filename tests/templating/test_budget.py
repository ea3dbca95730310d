"""The weight of a letter holds for any day, and nothing that was selected disappears uncounted."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import RenderError
from newsletter.ingestion.digest import parse_digest
from newsletter.models.issues import Entry, Issue
from newsletter.models.papers import Summary, SummaryOrigin
from newsletter.templating.budget import Ladder
from newsletter.templating.issue import Design, render
from tests.templating.samples import DESIGN, Page, entry, html_of, issue_of, many

SEED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "digests" / "2024-09-12.md"


@given(total=st.integers(0, 60), full=st.integers(0, 70), brief=st.booleans())
def test_the_ladder_goes_down_one_step_at_a_time(total: int, full: int, brief: bool) -> None:
    plans = list(Ladder(total, full, brief=brief))
    first, last = plans[0], plans[-1]
    assert first.full == (0 if brief else total if full == 0 else min(full, total))
    assert first.rest == 0
    assert last.shown == min(total, 1)
    for plan in plans:
        assert plan.shown + plan.rest == total
        assert plan.full >= (0 if brief else min(total, 1))
        assert plan.full == first.full or plan.titles + plan.rest >= first.lines + first.titles
        assert plan.rest == 0 or (plan.full, plan.lines) == (min(first.full, 1), 0)
        assert plan.lead_length == 0
    told = [3 * plan.full + 2 * plan.lines + plan.titles for plan in plans]
    assert told == list(range(told[0], told[0] - len(told), -1))


@given(total=st.integers(1, 200), full=st.integers(0, 9), most=st.integers(1, 200))
def test_the_first_plan_of_a_size_is_the_widest(total: int, full: int, most: int) -> None:
    ladder = Ladder(total, full)
    index = ladder.first_of(most)
    assert ladder[index].shown <= most
    assert index == 0 or ladder[index - 1].shown > most


@settings(max_examples=12)
@given(
    count=st.integers(0, 300), full=st.integers(0, 12), max_bytes=st.sampled_from([45_000, 60_000, 95_000])
)
def test_any_day_stays_under_its_weight_and_adds_up(count: int, full: int, max_bytes: int) -> None:
    issue = many(count, source_url=None)
    html = html_of(issue, Design(name="N", full=full, max_bytes=max_bytes))
    assert len(html.encode()) <= max_bytes
    page = Page(html)
    assert len({link for link in page.links if "arxiv.org/abs" in link}) == count  # shown, or by its number
    rest = re.search(r"And (one|\d+) more, in the plain-text part of this letter\.((?: \d+)*)", page.text)
    counted = 0 if rest is None else 1 if rest[1] == "one" else int(rest[1])
    numbers = rest[2].split() if rest else []
    assert numbers == [str(rank) for rank in range(count - counted + 1, count + 1)]


def test_full_entries_come_first_then_lines_then_titles() -> None:
    page = Page(html_of(many(14), Design(name="N", full=3))).text
    assert page.count("Technical details") == 3
    assert page.count("A gate decides which lines of a shared memory stay") == 3 * 2 + 6
    assert "Method14: A Way" in page
    everything = Page(html_of(many(14), Design(name="N", full=0))).text
    assert everything.count("Technical details") == 14


def test_what_is_folded_stays_whole_in_text_and_markdown() -> None:
    rendered = render(many(80), Design(name="N", full=1))
    flat = " ".join(rendered.text.split())
    assert flat.count("On 300 tasks success rises") == 80
    assert rendered.markdown.count("On 300 tasks success rises") == 80
    assert len(rendered.html.encode()) <= 95_000


def test_ten_thousand_papers_are_counted_and_linked() -> None:
    issue = many(10_000)
    html = html_of(issue, Design(name="N"))
    page = Page(html)
    assert len(html.encode()) <= 95_000
    assert "See all 10,000 papers" in page.text
    assert "https://example.org/day" in page.links
    rest = re.search(r"The other ([\d,]+) are on the web", page.text)
    assert rest is not None
    shown = len([link for link in set(page.links) if link.startswith("https://arxiv.org/abs/")])
    assert shown + int(rest[1].replace(",", "")) == 10_000
    assert shown > 60


def test_the_lead_is_the_last_to_be_folded() -> None:
    long = "This sentence stands for many. " * 4_000
    lead = entry(1, "Lead: It Goes On", sections={"What's New": long})
    page = Page(html_of(issue_of(lead, entry(2, "Second"))))
    assert 2_400 < page.text.count("This sentence stands for many.") < 4_000  # as many as fit
    assert "Second" in page.text  # what is cut is the lead alone
    assert "in the plain-text part" not in page.text
    shorter = entry(1, "Lead: It Goes On", sections={"What's New": long[: len(long) // 2]})
    page = Page(html_of(issue_of(shorter, *(entry(rank, "T" * 99) for rank in range(2, 90)))))
    assert page.text.count("This sentence stands for many.") == 2_000


def test_a_letter_that_cannot_be_made_small_enough_is_an_error() -> None:
    with pytest.raises(RenderError, match="more than 5,000"):
        render(many(3), Design(name="N", max_bytes=5_000))


@pytest.mark.skipif(not SEED.exists(), reason="the shared digests are not beside this checkout")
def test_the_model_day_is_whole_and_light() -> None:
    day = parse_digest(SEED.read_text(encoding="utf-8"), name=SEED.name)
    entries = tuple(
        Entry(
            rank=rank,
            paper=paper,
            summary=Summary(origin=SummaryOrigin.DIGEST, sections=paper.sections, language="ko"),
        )
        for rank, paper in enumerate(day.papers, 1)
    )
    issue = Issue(
        edition="daily", day=day.day or date(2024, 9, 12), language="ko", entries=entries, collected=31
    )
    rendered = render(issue, DESIGN)
    assert len(rendered.html.encode()) < 45_000
    page, text = Page(rendered.html).text, " ".join(rendered.text.split())
    sections = [section.text for paper in day.papers for section in paper.sections]
    assert (len(entries), len(sections)) == (14, 43)
    assert [section.text for section in day.papers[0].sections if section.text not in page] == []
    assert [paper.title for paper in day.papers if paper.title not in page] == []
    assert [told for told in sections if " ".join(told.split()) not in text] == []
    again = parse_digest(rendered.markdown, name="issue.md")
    assert again.papers == day.papers
    assert again.day == day.day
