"""The letter's fixed words in an edition's language, through gettext. English is the source language.

A language that is not shipped gets English words. `python -m tools.messages` makes what is read here.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from newsletter.languages import shipped, shipped_as
from newsletter.templating.forms import forms
from newsletter.templating.text import base_of

LOCALES = Path(__file__).resolve().parents[1] / "locales"
DOMAIN = "newsletter"

# headings that digests and summarizers write, and the word that a letter shows for each
HEADINGS = {
    "whats new": "What’s new",
    "technical details": "Technical details",
    "performance highlights": "Performance highlights",
}
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_NAME = re.compile(r"\{(\w+)\}")


class Words:
    """Fixed words, counts and dates in one language. ``language`` stays as it was asked for."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.base = base_of(language)
        self.direction = direction_of(language)
        spoken = shipped_as(language.replace("_", "-")) or shipped()[0]
        self._catalogue = _catalogue(spoken)
        self._forms = forms(spoken)

    def say(self, message: str, **values: str) -> str:
        """Return a message in this language, its ``{names}`` filled."""
        return _filled(self._catalogue.gettext(message), values)

    def count(self, one: str, many: str, n: int, **values: str) -> str:
        """Return the plural form for ``n``; ``{n}`` in it is the number as this language writes it."""
        return _filled(self._catalogue.ngettext(one, many, n), {"n": self.number(n), **values})

    def number(self, n: int) -> str:
        """Return a whole number with its thousands grouped."""
        return self._forms.number(n)

    def short_date(self, day: date) -> str:
        """Return day and month: ``12 September``."""
        return self._forms.short_date(day)

    def long_date(self, day: date) -> str:
        """Return day, month and year: ``12 September 2024``."""
        return self._forms.long_date(day)

    def weekday(self, day: date) -> str:
        """Return the name of the weekday as a line begins with it."""
        return self._forms.weekday(day)

    def heading(self, heading: str) -> str:
        """Return a section's heading as the letter shows it; one that we do not know stays as it is."""
        known = _known_heading(heading)
        return self.say(known) if known else heading


def direction_of(language: str) -> str:
    """Return ``rtl`` for a language that is written from right to left, else ``ltr``."""
    return "rtl" if base_of(language) in _RIGHT_TO_LEFT else "ltr"


@lru_cache(maxsize=256)
def _known_heading(heading: str) -> str | None:
    key = _key(heading)
    return HEADINGS.get(key) or _labels().get(key)


def _key(heading: str) -> str:
    return " ".join(re.sub("['’ʼ`]", "", heading).rstrip(" :：").casefold().split())


def _filled(message: str, values: Mapping[str, str]) -> str:
    """Put values into ``{names}``; not `str.format`, which would let a message reach into them."""
    if "{" not in message:
        return message
    pieces = _pieces(message).copy()
    for index in range(1, len(pieces), 2):
        pieces[index] = values[pieces[index]]
    return "".join(pieces)


@lru_cache(maxsize=1024)
def _pieces(message: str) -> list[str]:
    """Return a message's text, and at the odd places the names of its values."""
    return _NAME.split(message)


@lru_cache(maxsize=64)
def words(language: str) -> Words:
    """Return the words of a language, read once."""
    return Words(language)


@lru_cache(maxsize=64)
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == shipped()[0]:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALES, [language.replace("-", "_")])


@lru_cache(maxsize=1)
def _labels() -> Mapping[str, str]:
    """Return our own labels in every language, so that a digest made of our letters keeps its headings known."""
    found = {}
    for language in shipped():
        for message in HEADINGS.values():
            found[_key(_catalogue(language).gettext(message))] = message
    return found
