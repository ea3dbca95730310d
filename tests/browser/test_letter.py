"""How tall the model day is on a phone, in Chromium. What holds for every letter stands in ``tests/gallery``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from newsletter.app import now
from newsletter.delivery.recipients import Links
from newsletter.ingestion.files import FileSource
from newsletter.letters import Identity, preview_files
from newsletter.models.issues import Selection
from newsletter.pipeline import make_issue
from newsletter.summaries.chain import SummaryChain
from newsletter.summaries.digest import DigestSummarizer
from newsletter.summaries.extractive import ExtractiveSummarizer
from newsletter.templating.issue import Design
from tools.chromium import Scheme, open_page

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
DIGEST = ROOT / "tests/data/digests/seed-form.md"  # the model day in our own words, which are fewer
SEED = ROOT.parent / "shared/data/digests/2024-09-12.md"
IDENTITY = Identity(
    newsletter="Daily Papers", from_name="Daily Papers", from_address="papers@example.org",
    links=Links(public_url="https://news.example.org", unsubscribe_mailbox=""),
)  # fmt: skip


def letter(path: Path, full: int) -> str:
    """Return the HTML of a digest's letter."""
    source = FileSource([path], day=None, clock=now)
    issue = make_issue(
        source.fetch(source.day), edition="daily", language="ko", selection=Selection(top=0, min_votes=0),
        summarizer=SummaryChain([DigestSummarizer(), ExtractiveSummarizer()]),
    )  # fmt: skip
    files = preview_files(issue, Design(name="Daily Papers", full=full), IDENTITY, now())
    return files["issue.html"].decode()


@pytest.mark.parametrize(
    "path",
    [
        DIGEST,
        pytest.param(
            SEED,
            marks=pytest.mark.skipif(
                not SEED.exists(), reason="the shared digests are not beside this checkout"
            ),
        ),
    ],
    ids=["own", "seed"],
)
def test_the_model_day_is_short_on_a_phone_and_light(browser: Any, path: Path) -> None:
    heights = []
    for full in (4, 0):
        html = letter(path, full)
        with open_page(browser, width=375, scheme=Scheme.LIGHT, pictures=True) as page:
            page.set_content(html, wait_until="load")
            heights.append(page.evaluate("document.documentElement.scrollHeight"))
        if full:
            assert len(html.encode()) <= 45_000
    assert heights[0] <= 6_000
    assert heights[0] < heights[1]
