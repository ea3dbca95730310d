"""Faults put into true summaries, each by a seeded choice: what summaries get wrong, one at a time."""

# ruff: noqa: ARG001 - every fault has the same signature

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from newsletter.models.papers import Section
from newsletter.summaries import names, numbers, sentences
from newsletter.summaries.findings import Said
from newsletter.summaries.results import has_measure
from newsletter.summaries.sources import Source
from tools.truth.pairs import Pair

Fault = Callable[[Pair, Sequence[Pair], random.Random], Said | None]
_Edit = Callable[[str], str | None]


def other_paper(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """The summary of another paper: of the same day where there is one."""
    same_day = [other for other in among if other.day is pair.day and other is not pair]
    others = same_day or [other for other in among if other is not pair]
    return rng.choice(others).said if others else None


def other_days_paper(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """The summary of a paper of another day, whose own source is not at hand."""
    others = [other for other in among if other.day is not pair.day]
    return rng.choice(others).said if others else None


def number_absent(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """A number changed into one whose digits the source does not have, told without the code that is measured."""
    source = Source(pair.paper).text
    there = {_plain(numeral) for numeral in _NUMERAL.findall(source)}
    there |= {value for word, value in _SAID.items() if word in source.lower()}

    def edit(text: str) -> str | None:
        for _ in range(20):
            changed = _with_number(text, rng, lambda digits: _other_digits(digits, rng, every=True))
            if changed is None or any(_plain(one) in there for one in _NUMERAL.findall(changed[1])):
                continue
            before = changed[0][: changed[0].find(changed[1])]
            if not _ROUNDED.search(before):  # "over 6%" may be said of 6.2%
                return changed[0]
        return None

    return _somewhere(pair.said, rng, edit)


def digit_changed(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """One digit of a number changed into another, whichever it is."""

    def edit(text: str) -> str | None:
        changed = _with_number(text, rng, lambda digits: _other_digits(digits, rng, every=False))
        return changed[0] if changed else None

    return _somewhere(pair.said, rng, edit)


def numbers_exchanged(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """Two numbers of a section in each other's place."""

    def edit(text: str) -> str | None:
        found = [each for each in numbers.find(text) if each.form is numbers.Form.DIGITS]
        if len({each.text for each in found}) < 2:
            return None
        first, second = sorted(rng.sample(found, 2), key=lambda each: each.start)
        if first.text == second.text:
            return None
        middle = text[first.end : second.start]
        return text[: first.start] + second.text + middle + first.text + text[second.end :]

    return _somewhere(pair.said, rng, edit)


def name_changed(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """The name of what the paper introduces, changed into another paper's."""
    source = Source(pair.paper)
    own = names.coined_names(source.title, source.abstract)
    others = [
        name
        for other in rng.sample(list(among), min(20, len(among)))
        for name in [names.title_name(other.paper.title)]
        if name
    ]
    if not own or not others:
        return None
    name, other = own[0], rng.choice(others)
    if name == other or not any(name in section.text for section in pair.said.sections):
        return None
    return _everywhere(pair.said, lambda text: text.replace(name, other))


_NUMERAL = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_SAID = {"double": 2.0, "half": 2.0, "twice": 2.0} | {
    word: float(value)
    for value, word in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 2)
}
_ROUNDED = re.compile(r"(?:than|over|about|around|nearly|up to|least|최대|약|거의|대략)\s?$")
_OPPOSITES = [
    ("outperforms", "underperforms"), ("outperform", "underperform"), ("outperforming", "underperforming"),
    ("surpasses", "falls behind"), ("exceeds", "lags behind"), ("superior", "inferior"), ("improves", "degrades"),
    ("improving", "degrading"), ("improvement", "degradation"), ("improve", "degrade"), ("enhances", "impairs"),
    ("better", "worse"), ("increases", "decreases"), ("increase", "decrease"), ("reduces", "increases"),
    ("reduce", "increase"), ("reducing", "increasing"), ("higher", "lower"), ("lower", "higher"),
    ("faster", "slower"), ("more", "less"), ("fewer", "more"),
    ("능가", "밑돌"), ("뛰어넘", "뒤처지"), ("우수", "열등"), ("향상", "저하"), ("개선", "악화"), ("증가", "감소"),
    ("감소", "증가"), ("높이", "낮추"), ("높은", "낮은"), ("줄이", "늘리"), ("빠르", "느리"), ("빠른", "느린"),
]  # fmt: skip


def direction_turned(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """A word that says which way something goes, turned into its opposite."""

    def edit(text: str) -> str | None:
        ways = [
            (match, opposite)
            for word, opposite in _OPPOSITES
            for match in re.finditer(rf"\b{word}\b" if word.isascii() else word, text)
        ]
        if not ways:
            return None
        match, opposite = rng.choice(ways)
        return text[: match.start()] + opposite + text[match.end() :]

    return _somewhere(pair.said, rng, edit)


_UNITS = {
    "%": ["x", " points", " ms"],
    "x": ["%"],
    "points": ["x", " ms"],
    "배": ["%"],
    "fps": ["%"],
    "GB": [" fps"],
}


def unit_changed(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """A number with another unit."""

    def edit(text: str) -> str | None:
        ways = [
            (match, unit)
            for match in re.finditer(r"(?<=\d)\s?(%|x\b|points\b|배|fps\b|GB\b)", text)
            for unit in _UNITS[match[1]]
        ]
        if not ways:
            return None
        match, unit = rng.choice(ways)
        return text[: match.start()] + unit + text[match.end() :]

    return _somewhere(pair.said, rng, edit)


def result_dropped(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """Every sentence with a measured figure left out."""
    if not any(has_measure(section.text) for section in pair.said.sections):
        return None
    kept = [
        replace(
            section, text=" ".join(each for each in sentences.split(section.text) if not has_measure(each))
        )
        for section in pair.said.sections
    ]
    kept = [section for section in kept if section.text]
    return replace(pair.said, sections=kept) if kept else None


def sentence_invented(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """A sentence of another paper's summary put in."""
    other = rng.choice(list(among))
    if other is pair:
        return None
    strange = rng.choice(sentences.split(rng.choice(list(other.said.sections)).text))

    def edit(text: str) -> str:
        spoken = sentences.split(text)
        spoken.insert(rng.randrange(len(spoken) + 1), strange)
        return " ".join(spoken)

    return _somewhere(pair.said, rng, edit)


def latex_left(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    r"""A word turned into LaTeX: \ours, $\alpha$, \textbf{it}."""

    def edit(text: str) -> str:
        words = text.split(" ")
        at = rng.randrange(len(words))
        words[at] = rng.choice(
            [r"\ours", r"\method{}", r"$\alpha$", rf"\textbf{{{words[at]}}}", r"$10^{-4}$", r"x_{t}"]
        )
        return " ".join(words)

    return _somewhere(pair.said, rng, edit)


def section_cut(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """A section cut in the middle of a sentence."""

    def edit(text: str) -> str | None:
        spoken = sentences.split(text)
        words = spoken[-1].split(" ")
        if len(words) < 6:
            return None
        return " ".join([*spoken[:-1], " ".join(words[: rng.randrange(3, len(words) - 1)])])

    return _somewhere(pair.said, rng, edit)


def section_emptied(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """A section without a text."""
    return _somewhere(pair.said, rng, lambda _: rng.choice(["", "N/A", "None", "-"]))


def other_language(pair: Pair, among: Sequence[Pair], rng: random.Random) -> Said | None:
    """The entry in another language than it should be in: the paper's own sentences, where Korean is expected."""
    if pair.said.language == "en":
        return replace(pair.said, language="ko")
    own = sentences.split(Source(pair.paper).abstract)
    return replace(pair.said, sections=(Section(heading="What's New", text=" ".join(own[:3])),))


FAULTS: dict[str, Fault] = {
    "another paper's summary, of the same day": other_paper,
    "another paper's summary, of another day": other_days_paper,
    "a number that the source does not have": number_absent,
    "a digit changed at random": digit_changed,
    "two numbers exchanged": numbers_exchanged,
    "another name": name_changed,
    "a direction turned": direction_turned,
    "another unit": unit_changed,
    "the results dropped": result_dropped,
    "a sentence invented": sentence_invented,
    "LaTeX left": latex_left,
    "a section cut in the middle": section_cut,
    "a section emptied": section_emptied,
    "another language": other_language,
}


def _somewhere(said: Said, rng: random.Random, edit: _Edit) -> Said | None:
    """Edit one section, whichever can be."""
    places = list(range(len(said.sections)))
    rng.shuffle(places)
    for place in places:
        section = said.sections[place]
        text = edit(section.text)
        if text is not None and text != section.text:
            changed = [*said.sections[:place], replace(section, text=text), *said.sections[place + 1 :]]
            return replace(said, sections=changed)
    return None


def _everywhere(said: Said, edit: Callable[[str], str]) -> Said:
    return replace(said, sections=[replace(each, text=edit(each.text)) for each in said.sections])


def _with_number(text: str, rng: random.Random, change: Callable[[str], str]) -> tuple[str, str] | None:
    """Return a text with one of its numbers changed, and that number."""
    found = [each for each in numbers.find(text) if any(map(str.isdigit, each.text))]
    if not found:
        return None
    number = rng.choice(found)
    instead = change(number.text)
    return text[: number.start] + instead + text[number.end :], instead


def _plain(numeral: str) -> float:
    return float(numeral.replace(",", ""))


def _other_digits(text: str, rng: random.Random, *, every: bool) -> str:
    places = [place for place, character in enumerate(text) if character in "0123456789"]
    for place in places if every else [rng.choice(places)]:
        others = [digit for digit in "123456789" if digit != text[place]]
        text = text[:place] + rng.choice(others) + text[place + 1 :]
    return text
