"""What every summarizer keeps to, whichever it is."""

from __future__ import annotations

import pytest

from newsletter.errors import SummaryError
from newsletter.models.papers import Paper, Section, Summary, SummaryOrigin
from newsletter.protocols import Summarizer
from newsletter.summaries.chain import SummaryChain
from newsletter.summaries.digest import DigestSummarizer
from newsletter.summaries.extractive import ExtractiveSummarizer

FULL = Paper(
    id="2409.00001",
    title="Quill: A Pen for Ducks",
    url="https://arxiv.org/abs/2409.00001",
    abstract=(
        "Ducks write badly. We present Quill, a pen that ducks can hold. Specifically, it clips to the bill and "
        "weighs two grams. Experiments show that Quill improves legibility by 31% over the best earlier pen."
    ),
    sections=(Section(heading="What's New", text="A pen for ducks. It is light."),),
)
EMPTY = Paper(id="2409.00002", title="Silence", url="https://arxiv.org/abs/2409.00002")


class Refuses:
    """A fake that never has a summary."""

    def summarize(self, paper: Paper, language: str) -> Summary:
        raise SummaryError("refused", subject=paper.id)


ALL: dict[str, Summarizer] = {
    "digest": DigestSummarizer(),
    "extract": ExtractiveSummarizer(),
    "chain": SummaryChain([DigestSummarizer(), ExtractiveSummarizer()]),
    "chain of none that works": SummaryChain([Refuses()]),
    "empty chain": SummaryChain([]),
}


@pytest.mark.parametrize("summarizer", ALL.values(), ids=ALL)
@pytest.mark.parametrize("language", ["en", "ko", "xx"])
@pytest.mark.parametrize("paper", [FULL, EMPTY], ids=lambda paper: paper.title)
def test_a_summary_or_a_summary_error_and_nothing_else(
    summarizer: Summarizer, paper: Paper, language: str
) -> None:
    said = ""
    try:
        summary = summarizer.summarize(paper, language)
    except SummaryError as error:
        said = str(error)
    if said:
        assert paper.id in said or paper.title in said, "it says which paper"
        return
    assert summary == summarizer.summarize(paper, language), "the same again"
    assert summary.language
    assert all(section.text.strip() == section.text != "" for section in summary.sections)
    assert bool(summary.sections) == (summary.origin is not SummaryOrigin.TITLE)
    assert "\n" not in summary.lead


@pytest.mark.parametrize("paper", [FULL, EMPTY], ids=lambda paper: paper.title)
def test_a_chain_always_has_something_to_say(paper: Paper) -> None:
    chain = SummaryChain([Refuses(), DigestSummarizer(), ExtractiveSummarizer()])
    expected = SummaryOrigin.DIGEST if paper.sections else SummaryOrigin.TITLE
    assert chain.summarize(paper, "en").origin is expected
