"""The gate in the chain: what has an error is passed over, and it is kept why."""

from __future__ import annotations

import pytest

from newsletter.models.papers import Paper, PaperKind, Section, Summary, SummaryOrigin
from newsletter.protocols import Summarizer
from newsletter.summaries.chain import SummaryChain
from newsletter.summaries.digest import DigestSummarizer
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.summaries.gate import Gate

ABSTRACT = (
    "Ducks write badly, and most pens were made for hands. We propose Quill, a method by which a duck holds a pen in "
    "its bill. Specifically, a reservoir of ink feeds two nibs. Experiments show that Quill outperforms a pencil by 31%."
)


def paper(*texts: str, language: str = "en", abstract: str = ABSTRACT) -> Paper:
    return Paper(
        id="2409.00001", title="Quill: A Pen for Ducks", url="", abstract=abstract, sections_language=language,
        sections=tuple(Section(heading=f"Part {number}", text=text) for number, text in enumerate(texts)),
    )  # fmt: skip


def chain(*papers: Paper) -> Summarizer:
    return SummaryChain([DigestSummarizer(), ExtractiveSummarizer()], Gate(papers))


@pytest.mark.parametrize(
    ("text", "language", "check", "faulty"),
    [
        (r"We call it \ours and it writes.", "en", "latex", r"\ours"),
        ("Quill writes with the", "en", "cut-section", "Quill writes with the"),
        ("Quill writes letters.", "ko", "wrong-language", ""),
        ("None", "en", "empty-section", "None"),
    ],
)
def test_a_faulty_digest_gives_way_to_an_excerpt(text: str, language: str, check: str, faulty: str) -> None:
    one = paper(text, "It has two nibs.", language=language)
    summary = chain(one).summarize(one, "en")
    assert summary.origin is SummaryOrigin.EXTRACT
    assert [(each.origin, each.check, each.text) for each in summary.refused] == [
        (SummaryOrigin.DIGEST, check, faulty)
    ]


def test_without_an_abstract_title_and_link_are_left() -> None:
    one = paper(r"We call it \ours.", abstract="")
    summary = chain(one).summarize(one, "en")
    assert (summary.origin, summary.sections) == (SummaryOrigin.TITLE, ())
    assert [each.check for each in summary.refused] == ["latex"]


def test_a_digest_of_another_paper_of_the_day_gives_way() -> None:
    other = Paper(
        id="2409.00002", title="Sourdough: Bread that Bakes Itself", url="",
        abstract=(
            "Bread takes long. We introduce Sourdough, an oven with a starter culture in its walls, whose dough rises by "
            "fermentation while a thermostat schedules heat, flour and water for every baker."
        ),
    )  # fmt: skip
    wrong = paper(
        "Sourdough is an oven whose dough rises by fermentation.", "A thermostat schedules heat and flour."
    )
    summary = chain(wrong, other).summarize(wrong, "en")
    assert summary.origin is SummaryOrigin.EXTRACT
    assert [each.check for each in summary.refused] == ["wrong-paper"]


def test_a_good_digest_stays_and_a_warning_is_no_reason() -> None:
    one = paper("Quill is a pen for a duck's bill, 32% better than a pencil.", "It has two nibs.")
    summary = chain(one).summarize(one, "en")
    assert (summary.origin, summary.refused) == (SummaryOrigin.DIGEST, ())


def test_an_entry_is_judged_as_a_whole() -> None:
    one = paper(
        "깃펜 Quill을 소개하며, 오리가 부리로 물고 편지를 쓸 수 있게 합니다.",
        "Reservoir, nibs, ink.",
        language="ko",
    )
    assert chain(one).summarize(one, "ko").origin is SummaryOrigin.DIGEST


def test_a_digest_without_its_paper_s_abstract_is_checked_by_itself() -> None:
    one = paper("An oven whose dough rises by fermentation, with flour and bakers.", abstract="")
    assert chain(one).summarize(one, "en").origin is SummaryOrigin.DIGEST


def test_an_inner_chain_tells_the_outer_one_what_it_refused() -> None:
    one = paper(r"We call it \ours.")
    outer = SummaryChain([chain(one)], Gate([one]))
    assert [each.check for each in outer.summarize(one, "en").refused] == ["latex"]


class Inventor:
    """Stands for a model that makes something up."""

    def summarize(self, paper: Paper, language: str) -> Summary:
        sections = (Section(heading="", text="We present $x$, a pen."),)
        return Summary(origin=SummaryOrigin.EXTRACT, sections=sections)


def test_whatever_summarizer_it_is_it_passes_the_gate() -> None:
    one = paper()
    summary = SummaryChain([Inventor()], Gate([one])).summarize(one, "en")
    assert summary.origin is SummaryOrigin.TITLE
    assert {each.check for each in summary.refused} == {"latex", "excerpt"}


def test_kind_and_main_result_come_with_every_summary() -> None:
    one = paper("Quill is a pen for a duck's bill.")
    summary = chain(one).summarize(one, "en")
    assert (summary.kind, summary.result) == (
        PaperKind.METHOD, "Experiments show that Quill outperforms a pencil by 31%.",
    )  # fmt: skip
