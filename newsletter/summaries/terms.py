"""What a text speaks of: its terms, weighted by how rare they are, and how far a source supports them.

A term is a Latin word cut to a few letters, which takes the place of stemming, or what the glossary knows as
the rendering of an English term in another language. Its weight is its inverse document frequency over
abstracts of the field (`frequencies.txt`).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+")
_HANGUL = re.compile("[가-힣]")
_LETTERS = 7  # that a term keeps
_ENGLISH_WORDS = tuple(
    f" {word} "
    for word in ("the", "of", "and", "to", "in", "is", "we", "that", "for", "with", "by", "our", "are")
)
_OTHERS_WORDS = tuple(
    f" {word} "
    for word in (
        "de", "la", "le", "les", "des", "et", "une", "est", "pour", "der", "die", "das", "und", "von", "mit", "ein",
        "eine", "el", "los", "las", "una", "que", "il", "che", "di", "del", "um", "uma", "para", "com",
    )
)  # fmt: skip
_ENGLISH_SHARE = 0.03  # of the words of an English text that are among these, at least; abstracts have 0.25
_FEWEST_WORDS = 12  # that tell a language


def key(word: str) -> str:
    """Return the letters that a word is compared by."""
    word = word.lower()
    if len(word) > 3 and word[-1] == "s" and word[-2] != "s":
        word = word[:-1]
    return word[:_LETTERS]


def keys(text: str) -> set[str]:
    """Return the terms of an English text."""
    return set(map(key, set(_WORD.findall(text))))


def is_english(text: str) -> bool:
    """Tell whether a text in Latin letters is English; short texts count as English."""
    words = text.count(" ") + 1
    if words < _FEWEST_WORDS:
        return True
    english = sum(map(text.count, _ENGLISH_WORDS))
    return english >= _ENGLISH_SHARE * words and english >= sum(map(text.count, _OTHERS_WORDS))


@dataclass(frozen=True, slots=True)
class Mention:
    """Something a text speaks of. A source supports it that has all terms of one of the ``ways``."""

    weight: float
    ways: tuple[frozenset[str], ...]


def mentions(text: str, language: str, *, english: bool) -> list[Mention]:
    """Return what a text in a language speaks of, each thing once; ``english`` says that it is English, really.

    The script tells English from Korean, but not from French.
    """
    weigh = weights()
    words = {
        key(word)
        for word in set(_WORD.findall(text))
        if english or language in renderings() or not word[1:].islower()  # in French only names are English
    }
    found = [Mention(weigh[term], (frozenset((term,)),)) for term in sorted(words)]
    known = renderings().get(language)
    if known is not None:
        beginnings = {text[place : place + 2] for place in range(len(text) - 1)}
        found += [
            mention
            for beginning in sorted(beginnings & known.keys())
            for rendering, mention in known[beginning]
            if _begins_word(rendering, text)
        ]
    return found


def _begins_word(rendering: str, text: str) -> bool:
    """Tell whether a rendering stands in a text; a Korean one where a word begins."""
    start = text.find(rendering)
    while start > 0 and _HANGUL.match(rendering) and _HANGUL.match(text, start - 1):
        start = text.find(rendering, start + 1)
    return start >= 0


def support(said: Iterable[Mention], source: set[str]) -> float:
    """Return the share of what is said, by weight, that a source with these terms supports (0 to 1)."""
    total = supported = 0.0
    for mention in said:
        total += mention.weight
        if any(way <= source for way in mention.ways):
            supported += mention.weight
    return supported / total if total else 0.0


def share(said: Set[str], source: Set[str]) -> float:
    """Return the share of terms, by weight, that a source has (0 to 1): `support` for English."""
    weigh = weights()
    total = math.fsum(map(weigh.__getitem__, said))  # whatever the order of a set is
    return math.fsum(map(weigh.__getitem__, said & source)) / total if total else 0.0


class _Weights(dict[str, float]):
    """Weights by term; a term that no abstract had weighs most."""

    def __init__(self, counts: Mapping[str, int], documents: int) -> None:
        self._most = math.log(documents + 1)
        super().__init__({term: self._most - math.log(count + 1) for term, count in counts.items()})

    def __missing__(self, term: str) -> float:
        return self._most


@cache
def weights() -> Mapping[str, float]:
    """Return the weight of every term."""
    head, *lines = (files(__package__) / "frequencies.txt").read_text("utf-8").splitlines()
    counts = {term: int(count) for count, *terms in map(str.split, lines) for term in terms}
    return _Weights(counts, int(head.split()[0]))


@cache
def glossary() -> Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]:
    """Return the glossary: language -> ``terms`` or ``forbidden`` -> English term -> renderings."""
    return tomllib.loads((files(__package__) / "glossary.toml").read_text("utf-8"))


@cache
def renderings() -> Mapping[str, Mapping[str, Sequence[tuple[str, Mention]]]]:
    """Return for each language its renderings by their first two characters, and what each speaks of."""
    weigh = weights()
    known: dict[str, dict[str, list[tuple[str, Mention]]]] = {}
    for language, tables in glossary().items():
        ways: dict[str, tuple[frozenset[str], ...]] = {}
        for term, written in tables["terms"].items():
            for rendering in written:
                ways[rendering] = (*ways.get(rendering, ()), frozenset(keys(term)))
        of_language = known.setdefault(language, {})
        for rendering, each in ways.items():
            mention = Mention(min(max(weigh[term] for term in way) for way in each), each)
            of_language.setdefault(rendering[:2], []).append((rendering, mention))
    return known
