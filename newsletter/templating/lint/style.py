"""How an element looks by its inline style, as far as lint must know: colours, size, whether it shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from newsletter.templating.colours import READABLE, contrast, normal

Colour = str  # as #RRGGBB

LARGE, LARGE_BOLD = 24.0, 18.66  # pixels from which text is large (18 and 14 points)
ENOUGH, ENOUGH_LARGE = READABLE, 3.0

_DECLARATION = re.compile(
    r"(?:^|;)\s*([\w-]{1,40})\s*:\s*((?:[^;\"'(]|\"[^\"]*\"|'[^']*'|\([^)]*\)|[\"'(])*)"
)
_LONGEST = 4_000  # characters; nobody writes a longer style, and it would take long
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_COLOUR = re.compile(r"#[0-9a-f]+|\w{1,10}\([^)]{0,60}\)|[a-z]+")
_LENGTH = re.compile(r"(\d{0,6}\.?\d{1,6})(px|pt|em|rem|%)?")
_FONT = re.compile(r"(?:^|\s)(\d{1,4}\.?\d{0,4}(?:px|pt|em|rem|%))")
_NOTHING = frozenset({"", "transparent", "none", "inherit", "initial", "unset", "repeat", "scroll", "center"})
_NAMES = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "green": "#008000",
    "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff",
    "teal": "#008080", "aqua": "#00ffff", "orange": "#ffa500", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3",
    "darkgray": "#a9a9a9", "darkgrey": "#a9a9a9", "pink": "#ffc0cb", "whitesmoke": "#f5f5f5",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What text looks like where it stands. A colour is None where nobody can tell it from the mail alone."""

    ink: Colour | None = None
    ground: Colour | None = None
    size: float = 16.0
    bold: bool = False
    hidden: bool = False

    @property
    def large(self) -> bool:
        """Whether less contrast is enough."""
        return self.size >= (LARGE_BOLD if self.bold else LARGE)

    @property
    def poor(self) -> float | None:
        """The contrast, if it is known and not enough."""
        if self.ink is None or self.ground is None:
            return None
        ratio = contrast(self.ink, self.ground)
        return ratio if ratio < (ENOUGH_LARGE if self.large else ENOUGH) else None


_HEADINGS = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67}
_BOLD = frozenset({"b", "strong", "th", *_HEADINGS})


def look_of(tag: str, attributes: Mapping[str, str], outer: Look) -> Look:
    """Return how an element's text looks inside one that looks like ``outer``."""
    look = outer
    if tag == "a" and look.ink is not None:
        look = replace(look, ink=None)  # blue, unless a style block says otherwise
    if tag in _BOLD:
        look = replace(look, bold=True, size=16 * _HEADINGS[tag] if tag in _HEADINGS else look.size)
    if "bgcolor" in attributes:
        look = replace(look, ground=colour(attributes["bgcolor"].strip().lower()))
    if "background" in attributes:
        look = replace(look, ground=None)
    if tag == "font" and "color" in attributes:
        look = replace(look, ink=colour(attributes["color"].strip().lower()))
    if "hidden" in attributes:
        look = replace(look, hidden=True)
    style = attributes.get("style")
    return _styled(look, outer.size, style) if style else look


@lru_cache(maxsize=512)
def declarations(style: str) -> Mapping[str, str]:
    """Return the properties of an inline style; the later one of the same name counts."""
    found = _DECLARATION.findall(style) if len(style) <= _LONGEST else ()
    return {name.lower(): value.replace("!important", "").strip().lower() for name, value in found}


def pixels(value: str, base: float = 0.0) -> float | None:
    """Return a length in pixels; ``em`` and per cent are of ``base``, unknown without one."""
    found = _LENGTH.fullmatch(value.strip().lower())
    if not found:
        return None
    number, unit = float(found[1]), found[2]
    if unit in ("em", "%"):
        return number * base / (100 if unit == "%" else 1) if base else None
    return number * {"pt": 4 / 3, "rem": 16.0}.get(unit or "px", 1.0)


def colour(value: str) -> Colour | None:
    """Return a colour that is written in hexadecimal, as ``rgb()`` or by a usual name."""
    known = normal(_NAMES.get(value, value))
    if known is not None:
        return known
    found = _RGB.fullmatch(value)
    return "#{:02X}{:02X}{:02X}".format(*(min(int(part), 255) for part in found.groups())) if found else None


@lru_cache(maxsize=512)
def _styled(look: Look, outer_size: float, style: str) -> Look:
    found = declarations(style)
    if "color" in found and found["color"] != "inherit":
        look = replace(look, ink=colour(found["color"]))
    for name in ("background", "background-color", "background-image"):
        if name in found:
            look = replace(look, ground=_ground(found[name], look.ground))
    size = pixels(found.get("font-size", ""), outer_size)
    shorthand = _FONT.search(found.get("font", ""))
    if size is None and shorthand:
        size = pixels(shorthand[1], outer_size)
    if size is not None:
        look = replace(look, size=size)
    weight = found.get("font-weight") or found.get("font", "")
    if weight:
        look = replace(look, bold=re.search(r"\b(?:bold|bolder|[6-9]00)\b", weight) is not None)
    gone = (
        found.get("display") == "none"
        or found.get("visibility") == "hidden"
        or pixels(found.get("opacity", "")) == 0
    )
    return replace(look, hidden=True) if gone else look


def _ground(value: str, behind: Colour | None) -> Colour | None:
    """Return the ground that a background makes: its colour, what is behind it, or nobody knows."""
    if "url(" in value or "gradient(" in value:
        return None
    words = [word for word in _COLOUR.findall(value) if word not in _NOTHING]
    return next(filter(None, map(colour, words)), None) if words else behind
