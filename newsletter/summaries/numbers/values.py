"""What a number is: a value, a unit, a place, and the form in which it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}")


class Form(Enum):
    """How a number is written, which says how much it weighs."""

    DIGITS = "digits"
    SPELLED = "spelled"  # three, 두 가지, 三つ
    NAME = "name"  # part of a name: GPT-4, A100, 3D


class Rounding(Enum):
    """What a text says that a number is: exact, about, a bound from below or from above."""

    NONE = "none"
    ABOUT = "about"
    OVER = "over"
    UNDER = "under"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text; ``unit`` is a kind of unit (``%``, ``x``, ``s``), empty where it has none.

    ``text`` is the number as written, from ``start`` to ``end``; ``declared`` is what it is called beside an exact
    number.
    """

    value: float
    unit: str
    form: Form
    text: str
    start: int
    end: int
    declared: Rounding = Rounding.NONE


def tidy(value: float) -> float:
    """Return the value without what floating point added to it: 2.3 million is 2300000."""
    return float(f"{value:.10g}")


def as_float(digits: str) -> float:
    """Return the value of digits with commas: thousands, or decimals as German and French write them."""
    return float(digits.replace(",", "." if _DECIMAL_COMMA.fullmatch(digits) else ""))


def any_of(words: Iterable[str]) -> str:
    """Return a pattern that finds any of the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
