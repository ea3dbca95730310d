"""What the gallery shows, and the page that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.gallery.conftest import Room
from tools.chromium import open_page
from tools.gallery.draw import Drawn, index
from tools.gallery.issues import korean, sample, written
from tools.gallery.plates import PLATES, Plate, files, html
from tools.palette import shrink

ABOUT = {"sample": (14, 14, "en"), "three": (3, 3, "en"), "fifty": (50, 126, "en"), "arabic": (9, 26, "ar")}


@pytest.mark.parametrize("name", ABOUT)
def test_the_days_are_what_the_page_says(name: str) -> None:
    issue = sample() if name == "sample" else written(name)
    count, collected, language = ABOUT[name]
    if name != "sample":
        assert len(issue.entries) == count
    assert (issue.collected, issue.language) == (collected, language)
    votes = [entry.paper.votes or 0 for entry in issue.entries]
    assert votes == sorted(votes, reverse=True)


def test_the_large_day_has_its_votes() -> None:
    assert written("fifty").votes == 1015


def test_the_korean_issue_is_in_korean() -> None:
    assert {section.text for entry in korean().entries for section in entry.summary.sections}
    assert {entry.summary.language for entry in korean().entries} == {"ko"}


@pytest.mark.parametrize("name", ["three", "fifty", "arabic"])
def test_invented_papers_are_not_somebody_elses(name: str) -> None:
    assert all(entry.paper.id.partition(".")[2].startswith("9") for entry in written(name).entries)


def test_each_letter_is_under_the_clip_and_told_in_both_parts(plate: Plate) -> None:
    assert len(files(plate)["issue.html"]) < 95_000
    text = files(plate)["issue.txt"].decode()
    assert all(entry.paper.url in text for entry in plate.make().entries)


def test_every_table_says_that_it_is_no_table_of_data(plate: Plate) -> None:
    tables = re.findall(r"<table\b[^>]*>", html(plate))  # Outlook's, which stand in comments, too
    assert len(tables) > 5
    assert [table for table in tables if not re.search(r'\brole="(presentation|none|img)"', table)] == []


def test_the_page_shows_every_picture_with_height_and_weight() -> None:
    page = index([Drawn(plate=plate, heights={375: 5_908, 700: 5_003}) for plate in PLATES])
    for plate in PLATES:
        assert f'<img src="{plate.name}-375.png"' in page
        assert f'<img src="{plate.name}-700.png"' in page
        assert f"| {len(html(plate).encode()):,} | 5,908 | 5,003 |" in page


@pytest.mark.browser
def test_a_smaller_picture_shows_the_same(room: Room, tmp_path: Path) -> None:
    with open_page(room.browser, width=60, height=40) as page:
        page.set_content('<body style="margin:0;background:linear-gradient(90deg,#f00,#00f)">')
        picture = page.screenshot()
        small = shrink(page, picture)
        (tmp_path / "small.png").write_bytes(small)
        page.set_content("")
        assert shrink(page, small) == small  # the browser reads it back, pixel by pixel
    assert small != picture
