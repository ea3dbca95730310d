"""The languages that the letter speaks, and which of them a language tag means."""

from __future__ import annotations

import difflib
import re

_SHIPPED = ("en", "ko", "ja", "zh-Hans", "de", "fr", "es", "ar")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
# scripts and regions of Chinese that zh-Hans serves; Taiwan, Hong Kong and Macau read zh-Hant
_SIMPLIFIED = frozenset({"", "hans", "cn", "sg", "my"})
# what else people write for a language, and languages whose readers often read it
_NEAR = {
    "en": ["gb", "uk", "us", "english"],
    "ko": ["kr", "korean"],
    "ja": ["jp", "japanese"],
    "zh-Hans": ["zh", "cn", "chinese"],
    "de": ["at", "nl", "lb", "german", "deutsch"],
    "fr": ["be", "oc", "french"],
    "es": ["mx", "pt", "ca", "gl", "it", "spanish"],
    "ar": ["eg", "sa", "arabic"],
}


def shipped() -> tuple[str, ...]:
    """Return the tags of the languages that the letter's own words are there in; the first is their source."""
    return _SHIPPED


def shipped_as(tag: str) -> str | None:
    """Return the shipped language that serves a tag: ``de`` for ``de-AT``, ``zh-Hans`` for ``zh-CN``.

    None for a language that is not shipped, and for what is no tag at all.
    """
    if not _TAG.fullmatch(tag):
        return None
    base, _, rest = tag.lower().partition("-")
    if base == "zh":
        return "zh-Hans" if rest.split("-")[0] in _SIMPLIFIED else None
    return base if base in _SHIPPED else None


def nearest_first(tag: str) -> tuple[str, ...]:
    """Return the shipped languages, the one first that somebody who wrote ``tag`` most likely wants."""
    base = tag.lower().replace("_", "-").partition("-")[0]

    def far(language: str) -> float:
        if base == language or base in _NEAR[language]:
            return -1.0
        return -difflib.SequenceMatcher(None, language.lower(), base).ratio()

    return tuple(sorted(_SHIPPED, key=far))
