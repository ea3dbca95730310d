"""Draws the gallery: ``python -m tools.gallery.draw [DIR]`` (needs playwright and Chromium)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.chromium import chromium, open_page
from tools.gallery.plates import PLATES, Plate, html
from tools.palette import shrink

WIDTHS = (375, 700)
FOLDER = Path(__file__).parents[2] / "docs/gallery"
_HEAD = """\
# Gallery

Letters that `make gallery` draws, as Chromium shows them; pictures of papers are drawn stand-ins. The bundled day is a
real one, its texts are our own; all other days, with their papers and people, are invented. The weight is that of the
HTML with one reader's values in it, in bytes; Gmail cuts at about 102,000. Heights are in pixels and shift with the
fonts.

| Letter | Bytes of HTML | Height at 375 | Height at 700 |
|---|--:|--:|--:|
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A plate with the height of its picture at each width, in pixels."""

    plate: Plate
    heights: dict[int, int]


def draw(folder: Path) -> Iterator[Drawn]:
    """Take the pictures of each plate."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for plate in PLATES:
            heights = {}
            for width in WIDTHS:
                with open_page(browser, width=width, scheme=plate.scheme, pictures=plate.pictures) as page:
                    page.set_content(html(plate), wait_until="load")
                    picture = shrink(page, page.screenshot(full_page=True))
                    (folder / _file(plate, width)).write_bytes(picture)
                    heights[width] = page.evaluate("document.documentElement.scrollHeight")
            yield Drawn(plate=plate, heights=heights)


def index(drawn: list[Drawn]) -> str:
    """Return the page that shows the pictures, with weights and heights."""
    rows = "".join(
        f"| [{it.plate.title}](#{it.plate.name}) | {len(html(it.plate).encode()):,} | "
        + " | ".join(f"{it.heights[width]:,}" for width in WIDTHS)
        + " |\n"
        for it in drawn
    )
    return _HEAD + rows + "".join(map(_shown, (it.plate for it in drawn)))


def _shown(plate: Plate) -> str:
    pictures = "\n".join(
        f'<img src="{_file(plate, width)}" width="{width}" alt="{plate.name} at {width} pixels">'
        for width in WIDTHS
    )
    return f"\n## {plate.name}\n\n{plate.title}.\n\n{pictures}\n"


def _file(plate: Plate, width: int) -> str:
    return f"{plate.name}-{width}.png"


def main(arguments: list[str] | None = None) -> int:
    """Draw all plates and write the index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, metavar="DIR")
    folder = parser.parse_args(arguments).folder
    drawn = []
    for it in draw(folder):
        drawn.append(it)
        print(f"{it.plate.name}: {len(html(it.plate).encode()):,} bytes, {it.heights}")
    (folder / "README.md").write_text(index(drawn), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
