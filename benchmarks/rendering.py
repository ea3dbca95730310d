"""The seed's day from file to HTML, warm, against mjml-python alone on the same MJML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from mjml import mjml2html

from benchmarks.clock import medians
from newsletter.ingestion.files import FileSource
from newsletter.models import Selection
from newsletter.pipeline import make_issue
from newsletter.summaries.digest import DigestSummarizer
from newsletter.templating.engine import Engine
from newsletter.templating.issue import Design, render

DIGEST = Path(__file__).parent.parent / "tests/data/digests/seed-form.md"


def measure(runs: int = 31) -> str:
    """Return the line of the report."""
    sources: list[str] = []
    make = Engine.mjml

    def kept(engine: Engine, values: Mapping[str, object]) -> str:
        sources.append(make(engine, values))
        return sources[-1]

    def letter() -> None:
        source = FileSource([DIGEST], day=None, clock=lambda: datetime.now(UTC))
        issue = make_issue(
            source.fetch(source.day), edition="daily", language="ko", selection=Selection(top=0, min_votes=0),
            summarizer=DigestSummarizer(),
        )  # fmt: skip
        render(issue, Design(name="Daily Papers"))

    with patch.object(Engine, "mjml", kept):
        letter()
    ours, bare = medians(letter, lambda: [mjml2html(source, fonts={}) for source in sources], runs=runs)
    return (
        f"rendering   {ours / bare:5.2f} x mjml-python alone ({ours * 1000:.1f} ms against {bare * 1000:.1f})"
    )
