"""The letter that MJML reads once a theme is the one that MJML would read every time."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.languages import shipped
from newsletter.models.issues import Issue, Occasion
from newsletter.templating.engine import engine
from newsletter.templating.issue import Design, render
from newsletter.templating.theme import THEME, Layout, theme_of
from newsletter.templating.tracing import Bench
from tests.templating.samples import DESIGN, entry, issue_of, many, same, sample
from tests.templating.test_any_text import TEXTS
from tools.gallery.plates import PLATES, Plate

PLAIN = Bench(None)


def check(issue: Issue, design: Design) -> None:
    """Hold both ways against each other."""
    fast, plain = render(issue, design), render(issue, design, PLAIN)
    assert same(fast.html) == same(plain.html)
    assert replace(fast, html="") == replace(plain, html="")


@pytest.mark.parametrize("language", shipped())
@pytest.mark.parametrize(
    "design",
    [
        DESIGN,
        Design(name="N", pictures=False, full=0),
        Design(name="N", layout=Layout.BRIEF),
        Design(name="N", theme=theme_of("#123456", "", "", "https://example.org/l.png"), full=1),
    ],
)
def test_both_ways_give_the_same_letter(design: Design, language: str) -> None:
    check(sample(language), design)


@pytest.mark.parametrize("count", [0, 1, 3, 50, 300])
def test_a_day_of_any_size(count: int) -> None:
    check(many(count), DESIGN)
    check(many(count, source_url=None), DESIGN)


@pytest.mark.parametrize("occasion", Occasion)
def test_a_day_of_any_kind(occasion: Occasion) -> None:
    issue = sample("ko")
    check(
        replace(issue, occasion=occasion, entries=issue.entries if occasion is not Occasion.QUIET else ()),
        DESIGN,
    )


@pytest.mark.parametrize("plate", PLATES, ids=str)
def test_the_letters_of_the_gallery(plate: Plate) -> None:
    check(plate.make(), plate.design)


def test_our_own_templates_are_a_frame() -> None:
    made = engine(None, THEME)
    with patch.object(type(made), "mjml", side_effect=AssertionError("MJML read a letter")):
        render(sample(), DESIGN, made)


def test_a_lead_without_an_address() -> None:
    check(
        issue_of(entry(1, "T", url="", image="https://pictures.example.org/t.png"), entry(2, "U", url="")),
        DESIGN,
    )


@settings(max_examples=40)
@given(title=TEXTS, text=TEXTS, language=st.sampled_from(("en", "ko", "ar")))
def test_any_text(title: str, text: str, language: str) -> None:
    told = entry(
        1,
        title or "T",
        authors=(text, "B"),
        sections={text[:20]: title, "What's New": text},
        language=language,
    )
    check(issue_of(told, replace(told, rank=2), language=language), DESIGN)
