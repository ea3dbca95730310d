"""Summaries that came with the paper, and falling back from one summarizer to the next."""

from __future__ import annotations

import pytest

from newsletter.errors import NewsletterError, SummaryError
from newsletter.models.papers import Paper, Section, Summary, SummaryOrigin
from newsletter.protocols import Summarizer
from newsletter.summaries.chain import SummaryChain
from newsletter.summaries.digest import DigestSummarizer
from newsletter.summaries.extractive import ExtractiveSummarizer

ABSTRACT = "We present Quill, a pen. Experiments show that it outperforms a pencil by 3%."


def paper(*sections: Section, abstract: str = "", title: str = "Quill", short_summary: str = "") -> Paper:
    return Paper(
        id="2401.00001",
        title=title,
        url="https://arxiv.org/abs/2401.00001",
        abstract=abstract,
        sections=sections,
        short_summary=short_summary,
    )


def test_a_digest_s_sections_pass_as_they_are() -> None:
    summary = DigestSummarizer().summarize(
        paper(
            Section(heading="What's New", text="깃펜 Quill을  소개합니다.\n가볍습니다."),
            Section(heading="", text=r"원본 그대로 $\alpha$ 둡니다."),
            Section(heading="Datasets", text=" \n"),
        ),
        "en",
    )
    assert summary.origin is SummaryOrigin.DIGEST
    assert summary.language == "ko"
    assert summary.lead == "깃펜 Quill을 소개합니다."
    assert [(section.heading, section.text) for section in summary.sections] == [
        ("What's New", "깃펜 Quill을 소개합니다. 가볍습니다."),
        ("", r"원본 그대로 $\alpha$ 둡니다."),
    ]


def test_a_digest_in_english_is_english() -> None:
    summary = DigestSummarizer().summarize(
        paper(Section(heading="What's New", text="A pen. It writes.")), "ko"
    )
    assert (summary.language, summary.lead) == ("en", "A pen.")


@pytest.mark.parametrize(
    ("short", "lead"),
    [
        ("Quill  writes\nby $\\alpha$.", "Quill writes by α."),
        ("Quill writes with the", "We present Quill, a pen."),  # cut in the middle
        ("깃펜이 편지를 씁니다.", "We present Quill, a pen."),  # another language than the rest
        ("", "We present Quill, a pen."),
    ],
)
def test_the_source_s_short_summary_leads_where_it_passes(chain: Summarizer, short: str, lead: str) -> None:
    assert chain.summarize(paper(abstract=ABSTRACT, short_summary=short), "en").lead == lead


@pytest.mark.parametrize("sections", [(), (Section(heading="What's New", text=" "),)])
def test_a_paper_without_a_digest_is_refused(sections: tuple[Section, ...]) -> None:
    with pytest.raises(SummaryError, match=r"^paper 2401\.00001: no summary came with it$"):
        DigestSummarizer().summarize(paper(*sections), "en")


@pytest.fixture
def chain() -> Summarizer:
    return SummaryChain([DigestSummarizer(), ExtractiveSummarizer()])


def test_the_digest_comes_before_the_excerpt(chain: Summarizer) -> None:
    section = Section(heading="What's New", text="A pen.")
    assert chain.summarize(paper(section, abstract=ABSTRACT), "en").origin is SummaryOrigin.DIGEST
    assert chain.summarize(paper(abstract=ABSTRACT), "en").origin is SummaryOrigin.EXTRACT


def test_at_last_the_title_must_do(chain: Summarizer) -> None:
    assert chain.summarize(paper(title="깃펜의 역사"), "en") == Summary(
        origin=SummaryOrigin.TITLE, sections=(), language="ko"
    )
    assert SummaryChain([]).summarize(paper(abstract=ABSTRACT), "en").origin is SummaryOrigin.TITLE


def test_a_chain_is_a_summarizer_of_chains(chain: Summarizer) -> None:
    outer = SummaryChain([chain])
    assert outer.summarize(paper(abstract=ABSTRACT), "en") == chain.summarize(paper(abstract=ABSTRACT), "en")


def test_only_summary_errors_fall_through() -> None:
    class Broken:
        def summarize(self, paper: Paper, language: str) -> Summary:
            raise NewsletterError("the disk is full")

    with pytest.raises(NewsletterError, match="the disk is full"):
        SummaryChain([Broken(), ExtractiveSummarizer()]).summarize(paper(abstract=ABSTRACT), "en")
