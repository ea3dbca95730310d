"""One browser for all tests of the gallery, and what was measured in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tools import nodejs
from tools.chromium import Scheme, open_page
from tools.gallery.plates import PLATES, Plate, html

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
WIDTHS = (320, 375, 700)
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)


class Room:
    """A browser in which letters are looked at; each look is taken once, one after the other on the same page."""

    def __init__(self, browser: Any, pages: ExitStack) -> None:
        self.browser = browser
        self._looks = cache(self._look)
        self._page = cache(
            lambda pictures: pages.enter_context(open_page(browser, width=375, pictures=pictures))
        )

    def look(
        self, plate: Plate, scheme: Scheme = Scheme.LIGHT, *, width: int = 375, styles: bool = True
    ) -> Any:
        """Return what `measure.js` finds in a letter."""
        return self._looks(plate, scheme, styles)[width]

    def _look(self, plate: Plate, scheme: Scheme, styles: bool) -> dict[int, Any]:
        titles = [entry.paper.title for entry in plate.make().entries if entry.paper.title.isascii()]
        found = {}
        page = self.page(plate, scheme, styles=styles)
        for width in WIDTHS if scheme is Scheme.LIGHT and styles else (375,):
            page.set_viewport_size({"width": width, "height": 800})
            found[width] = page.evaluate(MEASURE, titles)
        return found

    def page(self, plate: Plate, scheme: Scheme, *, styles: bool = True) -> Any:
        """Open a letter, in place of the one before."""
        letter = html(plate) if styles else _STYLE.sub("", html(plate))
        page = self._page(plate.pictures)
        page.emulate_media(color_scheme=scheme.value)
        page.set_viewport_size({"width": 375, "height": 800})
        page.set_content(letter)
        return page


@pytest.fixture(scope="session")
def room(browser: Any) -> Iterator[Room]:
    with ExitStack() as pages:
        yield Room(browser, pages)


@pytest.fixture(scope="session")
def node() -> None:
    """Ask for Node's tools; without them the test is skipped."""
    lack = nodejs.missing()
    if lack:
        pytest.skip(lack)


# A plate that is only drawn in the dark is the same letter as another one, and every letter is tried in both schemes.
@pytest.fixture(params=[plate for plate in PLATES if plate.scheme is Scheme.LIGHT], ids=str)
def plate(request: pytest.FixtureRequest) -> Plate:
    chosen = request.param
    assert isinstance(chosen, Plate)
    return chosen
