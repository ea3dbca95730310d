"""A letter as one kind of client shows it: its colour scheme chosen, its links opened beside it."""

from __future__ import annotations

import re
from enum import Enum


class Scheme(Enum):
    """How a client draws a letter: as it is, by the letter's dark rules, or the light one inverted by itself."""

    LIGHT = "light"
    DARK = "dark"
    INVERTED = "inverted"


_STYLE_OR_TAG = re.compile(r"<style\b.*?</style\s*>|<[a-z][^<>]*>", re.IGNORECASE | re.DOTALL)
_FEATURE = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"
_TURNED = "filter:invert(1) hue-rotate(180deg)"
_INVERT = f"html{{background:#fff;min-height:100%;{_TURNED}}}"  # an imitation; `html` has the canvas
_TURN_BACK = f"img{{{_TURNED}}}"  # clients leave pictures alone, and turn the words in place of one


def framed(letter: str, scheme: Scheme, *, pictures: bool) -> str:
    """Return a letter with its media queries decided, since a page cannot choose a frame's colour scheme.

    Only style blocks and attributes are touched, so a title that reads like a media query stays. Links go to a new
    tab; the frame draws no scroll bar, so that it is as wide as it says.
    """
    wanted = "dark" if scheme is Scheme.DARK else "light"

    def decided(feature: re.Match[str]) -> str:
        return _ALWAYS if feature[1].lower() == wanted else _NEVER

    letter = _STYLE_OR_TAG.sub(lambda part: _FEATURE.sub(decided, part[0]), letter)
    more = f":root{{color-scheme:{wanted}!important;scrollbar-width:none}}"
    if scheme is Scheme.INVERTED:
        more += _INVERT + (_TURN_BACK if pictures else "")
    added = f'<base target="_blank"><style>{more}</style>'
    before, end, after = letter.partition("</head>")
    return f"{before}{added}{end}{after}" if end else added + letter
