"""The chain of summarizers, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.models.papers import Paper
    from newsletter.protocols import Summarizer


def summarizer(papers: Sequence[Paper]) -> Summarizer:
    """Return the chain of summarizers for papers of a day, of which a summary may turn out to fit another.

    It asks for what came with the paper, else its own sentences, else the title.
    """
    from newsletter.summaries.chain import SummaryChain
    from newsletter.summaries.digest import DigestSummarizer
    from newsletter.summaries.extractive import ExtractiveSummarizer
    from newsletter.summaries.gate import Gate

    return SummaryChain([DigestSummarizer(), ExtractiveSummarizer()], Gate(papers))
