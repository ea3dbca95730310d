"""Where a source says what a summary says: for numbers that changed places, and ways that were turned."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import NamedTuple

from newsletter.summaries import directions, terms
from newsletter.summaries.numbers import Form, Known, Number

_AROUND = 48  # characters on either side of a number that say what it counts
_LEAST_LEADS = {
    True: 5.0,
    False: 8.0,
}  # by weight, of English and others, for two numbers in each other's place
_MOST_NUMBERS = 24  # of a section, and places of each in the source: bounds the work on hostile text
_MOST_PLACES = 8
_LEAST_LIKE = (
    0.5  # of what a sentence speaks of that the source's sentence has, too, to be the same statement
)
_LEAST_ALIKE = 0.6  # of a sentence's words that the source's sentence has, of which it is a changed quotation
_END = re.compile(r"[.!?。]\s|\d")


class Statement(NamedTuple):
    """What a sentence of a source speaks of, and the ways it goes."""

    terms: set[str]
    ways: directions.Ways


def statement(sentence: str) -> Statement:
    """Read a sentence of a source."""
    return Statement(terms.keys(sentence), directions.ways(sentence))


def exchanged(
    text: str, found: Sequence[Number], source: Known, *, english: bool
) -> Iterator[tuple[Number, Number]]:
    """Yield the pairs of numbers that stand in each other's place, by the terms around them."""
    around: list[tuple[Number, set[str], set[str]]] = []  # a number, the terms here, and those in the source
    if len({number.text for number in found}) < 2:
        return
    for number in [each for each in found if each.form is not Form.NAME][:_MOST_NUMBERS]:
        starts = islice(source.literally(number), _MOST_PLACES)
        spans = [(start, start + len(number.text)) for start in starts]
        if spans:
            there = set().union(*(_around(source.text, *span) for span in spans))
            around.append((number, _around(text, number.start, number.end), there))
    weigh = terms.weights()

    def fit(said: set[str], there: set[str]) -> float:
        return math.fsum(weigh[term] for term in said & there)

    for (first, here_first, there_first), (second, here_second, there_second) in combinations(around, 2):
        if first.text == second.text:
            continue
        own = fit(here_first, there_first) + fit(here_second, there_second)
        crossed = fit(here_first, there_second) + fit(here_second, there_first)
        if crossed - own >= _LEAST_LEADS[english]:
            yield first, second


def _around(text: str, start: int, end: int) -> set[str]:
    """Return the terms beside a number, in its own sentence and up to the next number."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return terms.keys(_END.split(before)[-1]) | terms.keys(_END.split(after, maxsplit=1)[0])


def is_changed(sentence: str, source: Sequence[str]) -> bool:
    """Tell whether a sentence is one of the source's with words changed, not only left out, and not one of its own."""
    words = set(sentence.split())
    likest = max(source, key=lambda each: len(words & set(each.split())), default="")
    there = set(likest.split())
    alike = len(words & there) >= _LEAST_ALIKE * len(words)
    return alike and not words <= {*there, *(f"{word}." for word in there)}


def turned(sentence: str, source: Sequence[Statement]) -> directions.Span | None:
    """Return where an English sentence goes the other way than the source's sentence that says the same."""
    own = directions.ways(sentence)
    if not own:
        return None
    spans = [directions.turned(sentence, own, each.ways) for each in source]
    if not any(spans):
        return None
    said = terms.keys(sentence)
    likes = [terms.share(said, each.terms) for each in source]
    best = max(likes)
    return spans[likes.index(best)] if best >= _LEAST_LIKE else None
