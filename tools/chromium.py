"""A Chromium that fetches nothing, for pictures and checks of letters (needs playwright)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

EXECUTABLE = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_LINES = "".join(
    f'<rect x="800" y="{y}" width="{280 - y % 5 * 30}" height="6"/>' for y in range(190, 600, 17)
)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="648" viewBox="0 0 1200 648">'
    '<rect width="1200" height="648" fill="#e9e7e1"/>'
    '<rect x="760" y="70" width="360" height="578" fill="#fff"/>'
    '<g fill="#c9c6bd"><rect x="80" y="150" width="560" height="44"/>'
    '<rect x="80" y="220" width="480" height="44"/><rect x="80" y="290" width="300" height="44"/>'
    '<rect x="80" y="520" width="240" height="16"/></g>'
    f'<g fill="#d8d5cd"><rect x="840" y="120" width="200" height="18"/>{_LINES}</g></svg>'
)


class Scheme(Enum):
    """The colour scheme that a reader's device asks for."""

    LIGHT = "light"
    DARK = "dark"


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser, and close it at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(EXECUTABLE), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Any,
    *,
    width: int,
    height: int = 800,
    scheme: Scheme = Scheme.LIGHT,
    pictures: bool = True,
    scale: int = 1,
) -> Iterator[Any]:
    """Open an empty page, and close it at the end; a drawn page stands in for every remote picture."""
    page = browser.new_page(
        viewport={"width": width, "height": height}, device_scale_factor=scale, color_scheme=scheme.value
    )

    def answer(route: Any) -> None:
        if pictures and route.request.resource_type == "image":
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        else:
            route.abort()

    page.route(re.compile("^https?://"), answer)
    try:
        yield page
    finally:
        page.close()
