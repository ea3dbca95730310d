"""The letter's colours and type, and what a newsletter may change of them.

Contrast on page and card: ink 15 and more, secondary 6.3 and more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import urlsplit

from newsletter.errors import ConfigError
from newsletter.templating.colours import READABLE, contrast, normal
from newsletter.templating.links import safe_url
from newsletter.templating.text import cut


class Layout(Enum):
    """How much an issue tells: sections of the first papers, or titles alone."""

    DIGEST = "digest"
    BRIEF = "brief"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours by what they do, in hexadecimal. The marker is a fill and never a text colour."""

    page: str
    card: str
    ink: str
    soft: str  # secondary text
    marker: str
    on_marker: str
    marker_edge: str  # of the line around a marker: its own colour, unless it is lost on page or card
    tint: str  # quiet chips
    bar: str  # bars of the papers that are not told in full
    line: str  # hairlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Two palettes, and two font stacks without quotes, because they stand in attributes."""

    light: Palette
    dark: Palette
    sans: str
    serif: str
    logo: str | None = None  # address of a picture in place of the name
    office: str = (
        "Segoe UI,Malgun Gothic,Arial,sans-serif"  # what Outlook on Windows is told, which reads one list
    )

    def speaking(self, language: str) -> Theme:
        """Return the theme for letters in a language (``ja``): Chinese characters differ from land to land."""
        faces = _FACES_OF.get(language)
        if faces is None:
            return self
        names, korean = self.sans.split(","), _FACES.split(",")
        at = next((index for index, name in enumerate(names) if name in korean), len(names))
        others = [name for name in names[at:] if name not in korean]
        sans = ",".join(dict.fromkeys([*names[:at], *faces.split(","), *others]))
        return replace(self, sans=sans, office=f"Segoe UI,{_OFFICE_OF[language]},Arial,sans-serif")


_FACES_OF = {
    "ja": "Hiragino Sans,Hiragino Kaku Gothic ProN,Yu Gothic,Meiryo,Noto Sans JP,Noto Sans CJK JP",
    "zh": "PingFang SC,Microsoft YaHei,Noto Sans SC,Noto Sans CJK SC",
}
_OFFICE_OF = {"ja": "Yu Gothic,Meiryo", "zh": "Microsoft YaHei"}
_FACES = "Apple SD Gothic Neo,Malgun Gothic,Noto Sans KR,Noto Sans CJK KR"  # letters that Latin fonts lack

THEME = Theme(
    light=Palette(
        page="#F5F4F1",
        card="#FFFFFF",
        ink="#161614",
        soft="#5C5A54",
        marker="#FFE24A",
        on_marker="#161614",
        marker_edge="#FFE24A",
        tint="#E9E7E1",
        bar="#8F8B80",
        line="#DAD8D1",
    ),
    dark=Palette(
        page="#121211",
        card="#1C1C1A",
        ink="#F1F0EC",
        soft="#B2B0A8",
        marker="#FFE24A",
        on_marker="#161614",
        marker_edge="#FFE24A",
        tint="#33322E",
        bar="#7A776F",
        line="#3A3935",
    ),
    sans=f"-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,{_FACES},Helvetica,Arial,sans-serif",
    # names of models carry digits, so fonts with lining figures stand before Georgia
    serif="Charter,Cambria,Noto Serif,Georgia,serif",
)

_INK, _WHITE, _BLACK = "#161614", "#FFFFFF", "#000000"
_SEEN = 1.15  # the least contrast of a marker without an edge; the yellow one has 1.18 on the page
_LONGEST_FONTS = 200
_LONGEST_LOGO = 1000
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_GENERIC = frozenset({
    "serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "ui-serif", "ui-sans-serif",
    "ui-monospace", "ui-rounded",
})  # fmt: skip
_KEYWORDS = frozenset({"inherit", "initial", "unset", "revert", "revert-layer", "default"})  # no names in CSS
_WORD = re.compile(r"-?[^\W\d][\w-]*")  # what CSS takes in a font's name without quotes


def theme_of(accent: str, font: str, title_font: str, logo: str) -> Theme:
    """Return the theme with a newsletter's own accent, fonts and logo; an empty text keeps ours.

    Raises `ConfigError` that names the setting, such as ``theme.accent``.
    """
    marker = _accent(accent)
    return Theme(
        light=_marked(THEME.light, marker),
        dark=_marked(THEME.dark, marker),
        sans=_stack(font, THEME.sans, _FACES, "theme.font"),
        serif=_stack(title_font, THEME.serif, "", "theme.title_font"),
        logo=_logo(logo),
    )


def _accent(wish: str) -> str:
    colour = normal(wish.strip()) if wish.strip() else THEME.light.marker
    if colour is None:
        raise ConfigError(
            f"{cut(wish, 40)!r} is no colour",
            subject="theme.accent",
            remedy="write it as #RRGGBB, such as #FFE24A",
        )
    return colour


def _marked(palette: Palette, marker: str) -> Palette:
    """Return a palette with another marker, the text on it, and an edge where it is lost without one."""
    seen = min(contrast(marker, palette.page), contrast(marker, palette.card)) >= _SEEN
    return replace(
        palette, marker=marker, on_marker=_text_on(marker), marker_edge=marker if seen else palette.bar
    )


def _text_on(fill: str) -> str:
    """Return ink or white, whichever can be read; black for the few greys between, where neither can."""
    return next((text for text in (_INK, _WHITE) if contrast(text, fill) >= READABLE), _BLACK)


def _stack(wish: str, ours: str, faces: str, setting: str) -> str:
    """Return a list of fonts for a style attribute: those of the wish, then ours.

    Behind a generic one, such as ``monospace``, only ``faces`` are of use.
    """
    if not wish.strip():
        return ours
    if len(wish) > _LONGEST_FONTS:
        raise ConfigError(
            f"the list is longer than {_LONGEST_FONTS} characters", subject=setting, remedy="name fewer fonts"
        )
    names = list(_families(wish, setting))
    known = {name.casefold() for name in names}
    behind = faces if known & _GENERIC else ours
    return ",".join([*names, *(name for name in behind.split(",") if name and name.casefold() not in known)])


def _families(wish: str, setting: str) -> Iterator[str]:
    for part in wish.split(","):
        words = [word for word in part.split(" ") if word]
        name = " ".join(words)
        if words and name.casefold() not in _KEYWORDS and all(map(_WORD.fullmatch, words)):
            yield name
            continue
        remedy = "write names with commas between and without quotes, such as: Inter, Segoe UI, sans-serif"
        if not words:
            problem = "a name between two commas is empty"
        elif digit := next((word for word in words if re.match(r"-?\d", word)), ""):
            problem = (
                f"{digit!r} in {cut(name, 40)!r} begins with a digit, which mail clients want quotes for"
            )
            remedy = "leave that font out; those behind it stand in"
        else:
            problem = f"{cut(name, 40)!r} is no name of a font"
        raise ConfigError(problem, subject=setting, remedy=remedy)


def _logo(wish: str) -> str | None:
    """Return the address of the logo as a letter can carry it, None without one."""
    address = wish.strip()
    if not address:
        return None
    problem = _fault_of_logo(address)
    if problem:
        raise ConfigError(
            f"{cut(address, 60)!r} {problem}", subject="theme.logo",
            remedy="put a PNG, JPEG, GIF or WebP on the web and give its address, such as https://example.org/logo.png",
        )  # fmt: skip
    return address


def _fault_of_logo(address: str) -> str:
    """Return why mail clients would not show a logo, empty if they would."""
    scheme = address.partition(":")[0].casefold() if ":" in address else ""
    if scheme == "data":
        return "stands inside the letter, where most mail clients do not show it"
    if scheme == "http":
        return "is an http address, and mail clients block pictures that are not fetched over https"
    if scheme != "https":
        return "is no web address, from which mail clients could fetch it"
    if len(address) > _LONGEST_LOGO:
        return f"is longer than {_LONGEST_LOGO} characters"
    if not address.isascii() or safe_url(address) != address:
        return (
            "is no address that a letter can carry (a user name, or a character that is not percent-encoded)"
        )
    path = urlsplit(address).path.casefold()
    if path.endswith((".svg", ".svgz")):
        return "is SVG, which most mail clients do not show"
    return "" if path.endswith(_PICTURES) else "is no picture by its ending"
