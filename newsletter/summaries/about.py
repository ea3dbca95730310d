"""What can be told of a paper beside its summary: its kind, and its main result."""

from __future__ import annotations

from newsletter.models.papers import Paper, PaperKind
from newsletter.summaries import sentences
from newsletter.summaries.kinds import kind_of
from newsletter.summaries.latex import to_text
from newsletter.summaries.results import main_result


def kind_and_result(paper: Paper) -> tuple[PaperKind | None, str]:
    """Return a paper's kind (None when unsure), and the sentence with its main result (empty without one)."""
    said = sentences.split(to_text(paper.abstract))
    return kind_of(to_text(paper.title), said), main_result(said)
