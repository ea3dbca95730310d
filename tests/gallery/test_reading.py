"""Every letter of the gallery in Chromium: widths, tap targets, headings, languages, contrast, colours inverted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.gallery.colours import CLIENTS, contrast, inverted, partly_inverted
from tests.gallery.conftest import MEASURE, Room
from tools.chromium import Scheme, open_page
from tools.gallery.plates import Plate

pytestmark = pytest.mark.browser
TARGET = 43.5  # pixels, 44 but for rounding
CONTRAST = 4.5  # WCAG 2 AA


def too_faint(found: Any, client: str) -> set[str]:
    """Return the texts whose contrast is too low, with it, as a client shows them."""
    faint = set()
    for text in found["texts"]:
        reached = contrast(*CLIENTS[client](text["color"], text["background"]))
        if reached < CONTRAST:
            faint.add(f"{reached:.1f} {text['text'][:60]}")
    return faint


@pytest.mark.parametrize("width", [320, 375, 700])
def test_nothing_is_wider_than_the_screen(room: Room, plate: Plate, width: int) -> None:
    found = room.look(plate, width=width)
    assert found["overflow"] <= 0
    assert found["wide"] == []


@pytest.mark.parametrize("width", [320, 700])
def test_links_are_large_enough_for_a_thumb(room: Room, plate: Plate, width: int) -> None:
    links = room.look(plate, width=width)["links"]
    assert len(links) >= 3
    small = [link for link in links if min(link["width"], link["height"]) < TARGET]
    assert [link for link in small if not link["inSentence"]] == []


def test_headings_start_at_one_and_skip_none(room: Room, plate: Plate) -> None:
    levels = room.look(plate)["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_it_is_a_landmark_in_its_language_and_pictures_say_what_they_are(room: Room, plate: Plate) -> None:
    found, language = room.look(plate), plate.make().language
    assert found["lang"] == language
    assert found["dir"] == ("rtl" if language == "ar" else "ltr")
    assert found["landmarks"] >= 1
    assert all(found["images"])


def test_latin_titles_are_marked_as_such_in_other_languages(room: Room, plate: Plate) -> None:
    issue = plate.make()
    if issue.language == "en":
        return
    pieces = room.look(plate)["pieces"]
    assert len(pieces) >= sum(entry.paper.title.isascii() for entry in issue.entries)
    assert [piece for piece in pieces if not piece["lang"].startswith("en")] == []
    if issue.language == "ar":
        assert [piece for piece in pieces if piece["dir"] not in {"ltr", "auto"}] == []


@pytest.mark.parametrize(
    ("scheme", "client"),
    [(Scheme.DARK, "as it is"), *((Scheme.LIGHT, client) for client in CLIENTS)],
    ids=str,
)
def test_every_text_stands_out(room: Room, plate: Plate, scheme: Scheme, client: str) -> None:
    assert too_faint(room.look(plate, scheme), client) == set()


@pytest.mark.parametrize("client", CLIENTS)
def test_without_its_style_block_everything_is_there_and_stands_out(
    room: Room, plate: Plate, client: str
) -> None:
    bare = room.look(plate, styles=False)
    texts = {text["text"] for text in bare["texts"]}
    assert {text["text"] for text in room.look(plate)["texts"]} <= texts
    assert too_faint(bare, client) == set()


def test_a_dark_letter_is_dark(room: Room, plate: Plate) -> None:
    grounds = [sum(text["background"]) for text in room.look(plate, Scheme.DARK)["texts"]]
    assert sum(ground < 200 for ground in grounds) > len(grounds) / 2


FAULTY = """<!doctype html><html lang="ko" style="background:#fff"><body style="width:900px"><h1>One</h1><h3>Three</h3>
<p style="color:#eee">white on white</p><p>This is a sentence with <a href="https://example.org/1">a link</a>.</p>
<p style="opacity:.3">pale</p><a href="https://example.org/2" style="font-size:12px">small</a>
<h2><a href="https://example.org/3" style="display:block;padding:20px">An English Title</a></h2><img src="x"></body></html>
"""


def test_planted_faults_are_found(room: Room) -> None:
    with open_page(room.browser, width=320) as page:
        page.set_content(FAULTY)
        found = page.evaluate(MEASURE, ["An English Title"])
    assert found["overflow"] > 0
    assert found["wide"] != []
    assert found["headings"] == [1, 3, 2]
    assert {text.split(" ", 1)[1] for text in too_faint(found, "as it is")} == {"white on white", "pale"}
    assert [(link["name"], link["inSentence"]) for link in found["links"] if link["height"] < TARGET] == [
        ("a link", True),
        ("small", False),
    ]
    assert found["pieces"] == [{"text": "An English Title", "lang": "ko", "dir": ""}]
    assert found["images"] == [None]


def test_inversion_keeps_hue_and_turns_lightness() -> None:
    red, green, blue = partly_inverted((22, 22, 20), (255, 226, 74))[1]  # the marker becomes a dark brown
    assert 70 > red > green > blue == 0
    text, background = inverted((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
    assert contrast(text, background) == pytest.approx(21, abs=0.1)
    assert partly_inverted((255.0, 255.0, 255.0), (20.0, 20.0, 20.0)) == ((255, 255, 255), (20, 20, 20))
