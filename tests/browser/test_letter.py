"""The letter in Chromium: widths, tap targets, dark mode, pictures off. `make browser` gets what this needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import now
from newsletter.delivery.recipients import Links
from newsletter.ingestion.files import FileSource
from newsletter.letters import Identity, preview_files
from newsletter.models import Selection
from newsletter.pipeline import make_issue
from newsletter.sample import SAMPLE_DAY, sample_day_path
from newsletter.summaries.chain import SummaryChain
from newsletter.summaries.digest import DigestSummarizer
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.templating.issue import Design

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: make browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is missing: apt-get install chromium"),
]
DIGEST = Path(__file__).parents[1] / "data/digests/seed-form.md"
IDENTITY = Identity(
    newsletter="Daily Papers", from_name="Daily Papers", from_address="papers@example.org",
    links=Links(public_url="https://news.example.org", unsubscribe_mailbox=""),
)  # fmt: skip
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
MEASURE = """() => {
  const seen = e => e.getClientRects().length > 0;
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    small: [...document.querySelectorAll('a')].filter(seen)
      .filter(a => Math.max(a.getBoundingClientRect().height,
                            a.closest('td') && a.closest('td').querySelectorAll('a').length == 1
                              ? a.closest('td').getBoundingClientRect().height : 0) < 43.5)
      .map(a => a.innerText + ' ' + a.getBoundingClientRect().height),
    headings: [...document.querySelectorAll('h1,h2,h3')].filter(seen).map(h => +h.tagName[1]),
    lang: document.documentElement.lang,
    background: getComputedStyle(document.body).backgroundColor,
    alts: [...document.querySelectorAll('img')].map(i => i.alt),
  };
}"""


def letter(path: Path, language: str, *, full: int = 0) -> str:
    source = FileSource([path], day=SAMPLE_DAY if path.suffix == ".json" else None, clock=now)
    issue = make_issue(
        source.fetch(source.day), edition="daily", language=language, selection=Selection(top=0, min_votes=0),
        summarizer=SummaryChain([DigestSummarizer(), ExtractiveSummarizer()]),
    )  # fmt: skip
    assert issue.day == date(2024, 9, 12)
    return preview_files(issue, Design(name="Daily Papers", full=full), IDENTITY, now())[
        "issue.html"
    ].decode()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 700])
@pytest.mark.parametrize(("path", "language"), [(DIGEST, "ko"), (sample_day_path(), "en")], ids=["ko", "en"])
def test_it_reads_on_every_width(browser: Any, path: Path, language: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.route(re.compile("^https?://"), lambda route: route.abort())  # as a client that blocks pictures
    page.set_content(letter(path, language))
    found = page.evaluate(MEASURE)
    page.close()
    assert found["overflow"] <= 0
    assert found["small"] == []
    assert found["lang"] == language
    assert found["headings"][0] == 1
    assert all(
        after - before <= 1 for before, after in zip(found["headings"], found["headings"][1:], strict=False)
    )
    assert all(found["alts"])
    red, green, blue = map(int, re.findall(r"\d+", found["background"])[:3])
    assert (red + green + blue < 150) == (scheme == "dark")


def test_a_folded_letter_is_short_on_a_phone(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.route(re.compile("^https?://"), lambda route: route.abort())
    heights = []
    for full in (0, 4):
        page.set_content(letter(DIGEST, "ko", full=full))
        heights.append(page.evaluate("document.documentElement.scrollHeight"))
    page.close()
    assert heights[1] < heights[0]
    assert heights[1] < 8_000
