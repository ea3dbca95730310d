"""The letter's fixed words in an edition's language, through gettext. English is the source language.

A language without a catalogue gets English words. `python -m tools.messages` compiles the catalogues.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

LOCALES = Path(__file__).resolve().parents[1] / "locales"
DOMAIN = "newsletter"

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# headings that digests and summarizers write, and the word that a letter shows for each
HEADINGS = {
    "whats new": "What’s new",
    "technical details": "Technical details",
    "performance highlights": "Performance highlights",
}
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_NAME = re.compile(r"\{(\w+)\}")
_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")


class Words:
    """Fixed words, counts and dates in one language. ``language`` stays as it was asked for."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.base = _base(language)
        self.direction = direction_of(language)
        known = _TAG.fullmatch(language) is not None  # anything else must not become part of a path
        wanted = [language.replace("-", "_"), self.base] if known else []
        self._catalogue = gettext.translation(DOMAIN, LOCALES, wanted, fallback=True)

    def say(self, message: str, **values: str) -> str:
        """Return a message in this language, its ``{names}`` filled."""
        return _filled(self._catalogue.gettext(message), values)

    def count(self, one: str, many: str, n: int, **values: str) -> str:
        """Return the plural form for ``n``; ``{n}`` in it is the number as this language writes it."""
        return _filled(self._catalogue.ngettext(one, many, n), {"n": self.number(n), **values})

    def number(self, n: int) -> str:
        """Return a whole number with its thousands grouped."""
        return f"{n:,}"

    def short_date(self, day: date) -> str:
        """Return day and month: ``12 September``."""
        return self.say("{day} {month}", day=str(day.day), month=self.say(MONTHS[day.month - 1]))

    def long_date(self, day: date) -> str:
        """Return day, month and year: ``12 September 2024``."""
        month = self.say(MONTHS[day.month - 1])
        return self.say("{day} {month} {year}", day=str(day.day), month=month, year=str(day.year))

    def weekday(self, day: date) -> str:
        """Return the name of the weekday."""
        return self.say(WEEKDAYS[day.weekday()])

    def heading(self, heading: str) -> str:
        """Return a section's heading as the letter shows it; one that we do not know stays as it is."""
        key = re.sub("['’ʼ`]", "", heading).rstrip(" :").casefold()
        known = HEADINGS.get(" ".join(key.split()))
        return self.say(known) if known else heading


def direction_of(language: str) -> str:
    """Return ``rtl`` for a language that is written from right to left, else ``ltr``."""
    return "rtl" if _base(language) in _RIGHT_TO_LEFT else "ltr"


def _base(language: str) -> str:
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def _filled(message: str, values: Mapping[str, str]) -> str:
    """Put values into ``{names}``; not `str.format`, which would let a message reach into them."""
    return _NAME.sub(lambda match: values[match[1]], message) if "{" in message else message


@lru_cache(maxsize=64)
def words(language: str) -> Words:
    """Return the words of a language, read once."""
    return Words(language)
