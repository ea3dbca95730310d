"""axe-core in Chromium, light and dark: nothing serious or critical in any letter of the gallery."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gallery.conftest import Room
from tools import nodejs
from tools.chromium import Scheme
from tools.gallery.plates import PLATES, Plate, html

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("node")]


def violations(page: Any) -> list[str]:
    """Return the serious and critical violations that axe finds in a page."""
    if page.evaluate("typeof axe") == "undefined":
        page.add_script_tag(path=nodejs.MODULES / "axe-core/axe.min.js")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']}"
        for violation in found["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


def test_nothing_serious_in_light_and_dark(room: Room, plate: Plate) -> None:
    page = room.page(plate, Scheme.LIGHT)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_planted_faults_are_found(room: Room) -> None:
    page = room.page(PLATES[0], Scheme.LIGHT)
    page.set_content(
        html(PLATES[0]).replace(
            "</h1>",
            '</h1><p style="color:#bbb;background:#fff">faint</p><a href="https://example.org"></a>',
        )
    )
    found = " ".join(violations(page))
    assert "color-contrast" in found
    assert "link-name" in found
