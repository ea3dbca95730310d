"""The gate: a summary with an error is never sent."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.models.papers import Paper, Refusal, Section, Summary, SummaryOrigin
from newsletter.scripts import language_of
from newsletter.summaries.findings import Finding, Said
from newsletter.summaries.grounding import check, errors
from newsletter.summaries.sources import Day


class Gate:
    """Checks summaries of the papers of a day before anybody sees them."""

    def __init__(self, papers: Iterable[Paper] = ()) -> None:
        self._day = Day(papers)

    def refusals(self, paper: Paper, summary: Summary) -> tuple[Refusal, ...]:
        """Return why a summary may not be sent, empty if it may."""
        return tuple(
            Refusal(origin=summary.origin, check=found.check.value, text=found.text, why=found.why)
            for found in self._errors(paper, as_said(paper, summary))
        )

    def passes_as_lead(self, paper: Paper, text: str, language: str) -> bool:
        """Tell whether a sentence may stand for a paper where there is room for one only."""
        said = Said(sections=(Section(heading="", text=text),), language=language)
        return not self._errors(paper, said)

    def _errors(self, paper: Paper, said: Said) -> list[Finding]:
        source = self._day.source(paper.id)
        if source is None or source.paper is not paper:
            source = self._day.add(paper)
        return errors(check(said, source if source.abstract else None, self._day))


def as_said(paper: Paper, summary: Summary) -> Said:
    """Return a summary as the checks take it: a digest is held to the digest's language, an excerpt to its paper's."""
    language = summary.language
    if summary.origin is SummaryOrigin.DIGEST and paper.sections_language:
        language = paper.sections_language
    elif summary.origin is SummaryOrigin.EXTRACT:
        language = language_of(paper.abstract)
    return Said(sections=summary.sections, language=language, origin=summary.origin)
