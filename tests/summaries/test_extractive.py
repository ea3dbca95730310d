"""Excerpts: recorded abstracts beside the sections expected of them, and what must hold for any text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import SummaryError
from newsletter.models.papers import Paper, Summary, SummaryOrigin
from newsletter.summaries.extractive import HEADINGS, ExtractiveSummarizer
from newsletter.summaries.latex import to_text
from newsletter.summaries.sentences import split

CASES = json.loads(
    (Path(__file__).resolve().parents[1] / "data" / "summaries" / "abstracts.json").read_text(
        encoding="utf-8"
    )
)
PAPER = Paper(id="2401.00001", title="Quill: A Study", url="https://arxiv.org/abs/2401.00001")


def excerpt(abstract: str, **changes: Any) -> Summary:
    return ExtractiveSummarizer().summarize(replace(PAPER, abstract=abstract, **changes), "en")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_recorded_abstracts(case: dict[str, Any]) -> None:
    summary = excerpt(case["abstract"], title=case["title"])
    assert {section.heading: section.text for section in summary.sections} == case["sections"]
    assert (summary.lead, summary.language) == (case["lead"], case["language"])
    assert summary.origin is SummaryOrigin.EXTRACT


def test_a_section_is_left_out_rather_than_filled_with_a_wrong_sentence() -> None:
    summary = excerpt("Letters have been written for ages. We present Quill, a study of why.")
    assert [section.heading for section in summary.sections] == ["What's New"]


def test_a_sentence_that_leans_on_one_left_out_gives_way() -> None:
    summary = excerpt(
        "We present Quill, a pen that writes letters by itself. The ink waits in a vessel at its end. "
        "This vessel uses a valve and a pump through which ink flows. We use paper of three colours. "
        "Experiments show that Quill outperforms a pencil by 12%."
    )
    assert [section.text for section in summary.sections] == [
        "We present Quill, a pen that writes letters by itself.",
        "We use paper of three colours.",
        "Experiments show that Quill outperforms a pencil by 12%.",
    ]


@pytest.mark.parametrize("abstract", ["", "  \n ", "...", "12 %", r"\ours{}", "x" * 5_000])
def test_where_nothing_can_be_excerpted_it_says_so(abstract: str) -> None:
    with pytest.raises(SummaryError, match=r"^paper 2401\.00001: no abstract"):
        excerpt(abstract)


SENTENCES = st.lists(
    st.sampled_from(
        [
            "However, existing methods fall short.",
            "We introduce Quill, a new model.",
            "It consists of $n$ modules, i.e. two encoders.",
            "Specifically, we train it on 3.5B tokens.",
            "Experiments show that Quill outperforms the baseline by 12\\%.",
            "Code is available at https://example.org/q_1.",
            "Nothing in particular is said here.",
            "这是第二句！",
            "빠르다.다음은",
        ]
    )
    | st.text(max_size=30),
    max_size=14,
).map(" ".join)


def is_made_of(text: str, sentences: list[str]) -> bool:
    """Tell whether the text is some of the sentences, in their order, joined by spaces."""
    reached = {0}
    for sentence in sentences:
        reached |= {at + len(sentence) + 1 for at in reached if text.startswith(sentence, at)}
    return len(text) + 1 in reached


@given(SENTENCES)
def test_every_sentence_is_the_abstract_s_own_and_in_its_order(abstract: str) -> None:
    try:
        summary = excerpt(abstract)
    except SummaryError:
        return
    own = split(to_text(abstract))
    headings = [section.heading for section in summary.sections]
    assert headings
    assert headings == [heading for heading in HEADINGS.values() if heading in headings]
    assert all(is_made_of(section.text, own) for section in summary.sections)
    assert summary.lead in own


@given(SENTENCES)
def test_a_long_abstract_is_shortened(abstract: str) -> None:
    try:
        summary = excerpt(abstract)
    except SummaryError:
        return
    kept = sum(len(section.text) for section in summary.sections)
    first_of_all = max(len(sentence) for sentence in split(to_text(abstract)))
    assert kept <= max(0.8 * len(to_text(abstract)), first_of_all) + len(summary.sections)


@pytest.mark.timeout(20)  # a hang fails
def test_a_whole_article_is_excerpted_at_its_beginning_and_in_good_time() -> None:
    article = (
        "We present Quill, a pen. It is built on a duck. " + "Specifically, it writes on and on. " * 20_000
    )
    summary = excerpt(article)
    assert sum(len(section.text) for section in summary.sections) < 1_600
    assert summary.lead == "We present Quill, a pen."


def test_a_sentence_with_a_macro_of_the_paper_s_own_is_not_shown() -> None:
    summary = excerpt(
        r"We present Quill, a pen for ducks. Specifically, \ours holds ink in two nibs. It uses a \small reservoir of ink. "
        r"Experiments show that \ours{} and Quill outperform a pencil by 12\%."
    )
    shown = " ".join(section.text for section in summary.sections)
    assert "holds ink" not in shown
    assert "outperform" not in shown
    assert "\ue002" not in shown
