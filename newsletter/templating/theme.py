"""The letter's colours and type. Contrast on page and card: ink 15 and more, secondary 6.3 and more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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


THEME = Theme(
    light=Palette(
        page="#F5F4F1",
        card="#FFFFFF",
        ink="#161614",
        soft="#5C5A54",
        marker="#FFE24A",
        on_marker="#161614",
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
        tint="#33322E",
        bar="#7A776F",
        line="#3A3935",
    ),
    sans="-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Apple SD Gothic Neo,Malgun Gothic,Noto Sans KR,"
    "Noto Sans CJK KR,Helvetica,Arial,sans-serif",
    # names of models carry digits, so fonts with lining figures stand before Georgia
    serif="Charter,Cambria,Noto Serif,Georgia,serif",
)
