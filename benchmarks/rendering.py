"""The seed's day from issue to HTML, warm, against mjml-python alone and npm's mjml on the same MJML."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from mjml import mjml2html

from benchmarks.clock import medians
from newsletter.ingestion.files import FileSource
from newsletter.models.issues import Issue, Selection
from newsletter.pipeline import make_issue
from newsletter.summaries.digest import DigestSummarizer
from newsletter.templating.engine import Engine
from newsletter.templating.issue import Design, render
from tools import nodejs

DIGEST = Path(__file__).parent.parent / "tests/data/digests/seed-form.md"
DESIGN = Design(name="Daily Papers")


def measure(runs: int = 61) -> Iterator[str]:
    """Yield the lines of the report."""
    issue = _issue()
    sources = _sources(issue)
    with patch.object(Engine, "plain", _html_alone(Engine.plain)):
        ours, bare = medians(
            lambda: render(issue, DESIGN),
            lambda: [mjml2html(source, fonts={}) for source in sources],
            runs=runs,
        )
    yield (
        f"rendering   {ours / bare:5.2f} x mjml-python alone ({ours * 1000:.1f} ms against {bare * 1000:.1f}; "
        "at most 3)"
    )
    lack = nodejs.missing()
    if lack:
        yield f"rendering       - x npm's mjml, not measured: {lack}"
        return
    theirs = _npm(sources, runs)
    yield (
        f"rendering   {ours / theirs:5.2f} x npm's mjml in process ({ours * 1000:.1f} ms against "
        f"{theirs * 1000:.1f}; at most 0.05)"
    )


def _html_alone(plain: Callable[[Engine, str, Mapping[str, object]], str]) -> Callable[..., str]:
    """Leave out the text part and Markdown, which MJML has no part in."""

    def made(engine: Engine, name: str, values: Mapping[str, object]) -> str:
        return "" if name.endswith((".txt.j2", ".md.j2")) else plain(engine, name, values)

    return made


def _issue() -> Issue:
    source = FileSource([DIGEST], day=None, clock=lambda: datetime.now(UTC))
    return make_issue(
        source.fetch(source.day), edition="daily", language="ko", selection=Selection(top=0, min_votes=0),
        summarizer=DigestSummarizer(),
    )  # fmt: skip


def _sources(issue: Issue) -> list[str]:
    """Return the MJML of every letter that is made on the way to the one that is sent."""
    sources: list[str] = []
    make = Engine.html

    def kept(engine: Engine, values: Mapping[str, object]) -> str:
        sources.append(engine.mjml(values))
        return make(engine, values)

    with patch.object(Engine, "html", kept):
        render(issue, DESIGN)
    return sources


def _npm(sources: list[str], runs: int) -> float:
    """Return the seconds that npm's mjml takes for the same, in a process that is warm."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = 0.0
        for source in sources:
            file = Path(folder, "letter.mjml")
            file.write_text(source, encoding="utf-8")
            seconds += json.loads(nodejs.run("bench.mjs", str(runs), str(file)))["median"] / 1000
    return seconds
