"""Colours as ``#RRGGBB``, and how well two of them can be told apart (WCAG 2)."""

from __future__ import annotations

import re
from functools import lru_cache

READABLE = 4.5  # the least contrast of text on its ground
_HEXADECIMAL = re.compile(r"#(?:[0-9A-F]{3}|[0-9A-F]{6})", re.ASCII | re.IGNORECASE)


def normal(colour: str) -> str | None:
    """Return ``#RRGGBB`` in capitals for ``#RGB`` or ``#RRGGBB``, None for anything else."""
    if not _HEXADECIMAL.fullmatch(colour):
        return None
    digits = colour[1:].upper()
    return f"#{digits if len(digits) == 6 else ''.join(2 * digit for digit in digits)}"


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#RRGGBB``, from 0 (black) to 1 (white)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(maxsize=512)
def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, from 1 (none) to 21 (black on white)."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _linear(channel: float) -> float:
    """Return a channel of sRGB as light."""
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
