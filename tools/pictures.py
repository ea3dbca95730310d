"""Pictures of a letter: ``python -m tools.pictures OUT_DIR --html FILE`` (needs playwright and Chromium).

Nothing is fetched: a drawn page stands in for every remote picture.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import sync_playwright

WIDTHS = {"phone": 375, "desktop": 700}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
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


def take(
    html: Path,
    folder: Path,
    *,
    widths: dict[str, int],
    schemes: tuple[Literal["light", "dark"], ...],
    images: bool,
    height: int | None = None,
) -> Iterator[Path]:
    """Take a picture of the letter for each width and colour scheme; yield the files.

    ``height`` in pixels takes the top of the letter only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for name, width in widths.items():
            for scheme in schemes:
                page = browser.new_page(
                    viewport={"width": width, "height": height or 800},
                    device_scale_factor=2,
                    color_scheme=scheme,
                )
                page.route(re.compile("^https?://"), lambda route: _answer(route, images=images))
                page.goto(html.resolve().as_uri())
                target = folder / f"{html.stem}-{name}-{scheme}.png"
                page.screenshot(path=target, full_page=height is None)
                page.close()
                yield target
        browser.close()


def _answer(route: Any, *, images: bool) -> None:
    if images and route.request.resource_type == "image":
        route.fulfill(body=PICTURE, content_type="image/svg+xml")
    else:
        route.abort()


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures and name the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="where the pictures go")
    parser.add_argument(
        "--html", type=Path, required=True, help="the letter, as `newsletter preview` writes it"
    )
    parser.add_argument("--no-images", action="store_true", help="as a client that blocks pictures shows it")
    parser.add_argument("--width", type=int, help="one width in pixels instead of phone and desktop")
    parser.add_argument("--height", type=int, help="the top of the letter, that many pixels, instead of all")
    options = parser.parse_args(arguments)
    widths = {f"{options.width}": options.width} if options.width else WIDTHS
    pictures = take(
        options.html,
        options.folder,
        widths=widths,
        schemes=SCHEMES,
        images=not options.no_images,
        height=options.height,
    )
    for picture in pictures:
        print(picture)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
