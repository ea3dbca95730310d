"""A summary that came with the paper: the sections of a digest, passed through as they are."""

from __future__ import annotations

from newsletter.errors import SummaryError
from newsletter.models.papers import Paper, Section, Summary, SummaryOrigin
from newsletter.scripts import language_of
from newsletter.summaries import sentences


class DigestSummarizer:
    """Gives the sections that a digest wrote, in the digest's own language."""

    def summarize(self, paper: Paper, language: str) -> Summary:  # noqa: ARG002 - it cannot translate
        """Return the paper's sections, white space tidied; raise `SummaryError` if it has none."""
        sections = tuple(
            Section(heading=" ".join(section.heading.split()), text=text)
            for section in paper.sections
            if (text := " ".join(section.text.split()))
        )
        if not sections:
            raise SummaryError("no summary came with it", subject=f"paper {paper.id}")
        return Summary(
            origin=SummaryOrigin.DIGEST,
            sections=sections,
            lead=sentences.split(sections[0].text)[0],
            language=language_of(" ".join(section.text for section in sections)),
        )
