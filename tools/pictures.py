"""Pictures of a letter: ``python -m tools.pictures OUT_DIR --html FILE`` (needs playwright and Chromium).

Nothing is fetched: a drawn page stands in for every remote picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from tools.chromium import Scheme, chromium, open_page

WIDTHS = {"phone": 375, "desktop": 700}


def take(
    html: Path, folder: Path, *, widths: dict[str, int], images: bool, height: int | None = None
) -> Iterator[Path]:
    """Take a picture of the letter for each width and colour scheme; yield the files.

    ``height`` in pixels takes the top of the letter only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, width in widths.items():
            for scheme in Scheme:
                target = folder / f"{html.stem}-{name}-{scheme.value}.png"
                with open_page(
                    browser, width=width, height=height or 800, scheme=scheme, pictures=images, scale=2
                ) as page:
                    page.goto(html.resolve().as_uri())
                    page.screenshot(path=target, full_page=height is None)
                yield target


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
        options.html, options.folder, widths=widths, images=not options.no_images, height=options.height
    )
    for picture in pictures:
        print(picture)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
