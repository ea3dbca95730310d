"""A summarizer made of summarizers: the first that can say something does."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.errors import SummaryError
from newsletter.models import Paper, Summary, SummaryOrigin
from newsletter.protocols import Summarizer
from newsletter.summaries import sentences


class SummaryChain:
    """Asks one summarizer after the other; what none can summarise keeps title and link."""

    def __init__(self, summarizers: Iterable[Summarizer]) -> None:
        self._summarizers = tuple(summarizers)

    def summarize(self, paper: Paper, language: str) -> Summary:
        """Return the first summary that can be had, at last one without sections: the title must do."""
        for summarizer in self._summarizers:
            try:
                return summarizer.summarize(paper, language)
            except SummaryError:
                continue
        return Summary(origin=SummaryOrigin.TITLE, sections=(), language=sentences.language_of(paper.title))
