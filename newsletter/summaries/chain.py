"""A summarizer made of summarizers: the first whose summary stands up to the checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from newsletter.errors import SummaryError
from newsletter.models.papers import Paper, Refusal, Summary, SummaryOrigin
from newsletter.protocols import Summarizer
from newsletter.scripts import language_of
from newsletter.summaries.about import kind_and_result
from newsletter.summaries.gate import Gate
from newsletter.summaries.latex import to_text


class SummaryChain:
    """Asks one summarizer after the other; a summary with an error is passed over, and it is kept why.

    What none can summarise keeps title and link. ``gate`` knows the papers of the day.
    """

    def __init__(self, summarizers: Iterable[Summarizer], gate: Gate | None = None) -> None:
        self._summarizers = tuple(summarizers)
        self._gate = gate or Gate()

    def summarize(self, paper: Paper, language: str) -> Summary:
        """Return the first summary that can be had and has no error, at last one without sections."""
        refused: list[Refusal] = []
        for summarizer in self._summarizers:
            try:
                summary = summarizer.summarize(paper, language)
            except SummaryError:
                continue
            why = self._gate.refusals(paper, summary)
            if not why:
                return self._finish(paper, summary, (*refused, *summary.refused))
            refused += [*summary.refused, *why]
        title = Summary(origin=SummaryOrigin.TITLE, sections=(), language=language_of(paper.title))
        return self._finish(paper, title, refused)

    def _finish(self, paper: Paper, summary: Summary, refused: Iterable[Refusal]) -> Summary:
        kind, result = kind_and_result(paper)
        return replace(
            summary,
            lead=self._lead(paper, summary),
            kind=summary.kind or kind,
            result=summary.result or result,
            refused=tuple(dict.fromkeys(refused)),
        )

    def _lead(self, paper: Paper, summary: Summary) -> str:
        """Return the source's short summary where it passes and is of the same language, else the best sentence."""
        short = to_text(paper.short_summary)
        if not short or (summary.sections and language_of(short) != summary.language):
            return summary.lead
        return short if self._gate.passes_as_lead(paper, short, language_of(short)) else summary.lead
