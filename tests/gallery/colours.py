"""Contrast, and what mail programs make of colours that they invert by themselves."""

from __future__ import annotations

from collections.abc import Callable

Colour = tuple[float, float, float]  # red, green and blue from 0 to 255
_WHITE = (0.9505, 1.0, 1.089)  # D65


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def as_it_is(text: Colour, background: Colour) -> tuple[Colour, Colour]:
    """Leave colours alone."""
    return text, background


def inverted(text: Colour, background: Colour) -> tuple[Colour, Colour]:
    """Invert the lightness of everything, as a client that makes every letter dark does."""
    return _invert(text), _invert(background)


def partly_inverted(text: Colour, background: Colour) -> tuple[Colour, Colour]:
    """Darken light fills and lighten dark text; dark fills and light text stay as they are."""
    return (
        _invert(text) if _lab(text)[0] < 50 else text,
        _invert(background) if _lab(background)[0] > 50 else background,
    )


CLIENTS: dict[str, Callable[[Colour, Colour], tuple[Colour, Colour]]] = {
    "as it is": as_it_is,
    "inverted": inverted,
    "partly inverted": partly_inverted,
}


def _linear(part: float) -> float:
    part /= 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return 255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055)


def _luminance(colour: Colour) -> float:
    red, green, blue = map(_linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lab(colour: Colour) -> Colour:
    red, green, blue = map(_linear, colour)
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    fx, fy, fz = (_root(part / white) for part, white in zip((x, y, z), _WHITE, strict=True))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116


def _cube(value: float) -> float:
    return value**3 if value**3 > 0.008856 else (value - 16 / 116) / 7.787


def _invert(colour: Colour) -> Colour:
    """Return the colour of the same hue whose lightness in CIELAB is the complement."""
    lightness, a, b = _lab(colour)
    fy = (100 - lightness + 16) / 116
    parts = (fy + a / 500, fy, fy - b / 200)
    x, y, z = (_cube(part) * white for part, white in zip(parts, _WHITE, strict=True))
    return (
        _gamma(3.2406 * x - 1.5372 * y - 0.4986 * z),
        _gamma(-0.9689 * x + 1.8758 * y + 0.0415 * z),
        _gamma(0.0557 * x - 0.2040 * y + 1.0570 * z),
    )
