"""Where a source says what a summary says: for numbers that changed places, and ways that were turned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from newsletter.summaries import directions, terms
from newsletter.summaries.numbers import Number

_AROUND = 48  # characters on either side of a number that say what it counts
_LEAST_LEADS = {
    True: 5.0,
    False: 8.0,
}  # by weight, of English and others, for two numbers in each other's place
_LEAST_LIKE = (
    0.5  # of what a sentence speaks of that the source's sentence has, too, to be the same statement
)
_END = re.compile(r"[.!?。]\s")


class Statement(NamedTuple):
    """A sentence of a source, its terms, and the ways it goes."""

    text: str
    terms: set[str]
    ways: directions.Ways


def statement(sentence: str) -> Statement:
    """Read a sentence of a source."""
    return Statement(sentence, terms.keys(sentence), directions.ways(sentence))


def places(text: str, found: Sequence[Number]) -> dict[float, set[str]]:
    """Return the terms around every number of a source, by its value."""
    around: dict[float, set[str]] = {}
    for number in found:
        around.setdefault(number.value, set()).update(_around(text, number))
    return around


def exchanged(
    text: str, found: Sequence[Number], language: str, source: Mapping[float, set[str]]
) -> Iterator[tuple[Number, Number]]:
    """Yield the pairs of numbers that stand in each other's place; ``source`` has the terms around each number."""
    known = [number for number in found if number.value in source]
    if len({number.value for number in known}) < 2:
        return
    weigh = terms.weights()
    around = [(number, _around(text, number)) for number in known]

    def fit(said: set[str], value: float) -> float:
        return sum(weigh[term] for term in said & source[value])

    for (first, near_first), (second, near_second) in combinations(around, 2):
        if first.value == second.value:
            continue
        own = fit(near_first, first.value) + fit(near_second, second.value)
        crossed = fit(near_first, second.value) + fit(near_second, first.value)
        if crossed - own >= _LEAST_LEADS[language == "en"]:
            yield first, second


def _around(text: str, number: Number) -> set[str]:
    """Return the terms beside a number, in its own sentence."""
    before = text[max(0, number.start - _AROUND) : number.start]
    after = text[number.end : number.end + _AROUND]
    end = _END.search(after)
    starts = [match.end() for match in _END.finditer(before)]
    return terms.keys(before[starts[-1] if starts else 0 :]) | terms.keys(
        after[: end.start() if end else None]
    )


def turned(sentence: str, language: str, source: Sequence[Statement]) -> directions.Span | None:
    """Return where a sentence goes the other way than the source's sentence that says the same."""
    own = directions.ways(sentence)
    spans = [directions.turned(sentence, own, each.ways) for each in source]
    if not any(spans):
        return None
    said = terms.mentions(sentence, language)
    likes = [terms.support(said, each.terms) for each in source]
    best = max(likes)
    return spans[likes.index(best)] if best >= _LEAST_LIKE else None
