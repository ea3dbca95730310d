"""Numbers in words: three, twice, 두 가지, 三つ, 百分之五十."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.summaries.numbers.values import Form, Number, any_of, tidy

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_SPELLED = {word: float(value) for value, word in enumerate(_ONES)} | {
    word: 10.0 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SPELLED_SCALES = {"hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_ENGLISH = re.compile(
    rf"\b(?:{'|'.join(_SPELLED)})(?:[-\s](?:and\s)?(?:{'|'.join([*_SPELLED, *_SPELLED_SCALES])}))*\b"
    r"(?P<fold>[-\s]?fold\b)?"
)
_WORDS: dict[str, tuple[float, str]] = {
    "half": (50, "%"), "halves": (50, "%"), "halved": (50, "%"), "halving": (50, "%"),
    "one-third": (100 / 3, "%"), "one-fourth": (25, "%"), "one-fifth": (20, "%"), "one-tenth": (10, "%"),
    "two-thirds": (200 / 3, "%"), "three-quarters": (75, "%"),
    "twice": (2, "x"), "double": (2, "x"), "doubles": (2, "x"), "doubled": (2, "x"), "doubling": (2, "x"),
    "triple": (3, "x"), "triples": (3, "x"), "tripling": (3, "x"), "quadruple": (4, "x"),
    "dozen": (12, ""), "tenfold": (10, "x"),
    "twofold": (2, "x"), "threefold": (3, "x"),
    "절반": (50, "%"), "一半": (50, "%"), "半分": (50, "%"), "半数": (50, "%"),
}  # fmt: skip
_WORD = re.compile(rf"\b(?:{any_of(word for word in _WORDS if word.isascii())})\b")
_OTHER_WORD = re.compile(any_of(word for word in _WORDS if not word.isascii()))
_NUMBER_WORDS = frozenset(
    part for word in [*_SPELLED, *_WORDS] for part in word.split("-")[:1] if part not in {"zero", "one"}
)
_ONE_OF_MORE = re.compile(
    r"\bone[-\s](?:hundred|thousand|million|billion|trillion|third|fourth|fifth|tenth)\b"
)
_LATIN = re.compile(r"[a-z]+")
_CJK = re.compile(r"[\u4e00-\u9fff\uac00-\ud7a3]")
_NATIVE = {
    "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
    "열": 10, "열두": 12, "스무": 20,
}  # fmt: skip
_COUNTERS = (
    "가지|개|단계|종류|종|배|번|차례|편|층|쌍|대|달|해|건|회|곳|축|분야|부분|요소|측면|모듈|과제|작업|모델|방법|방식"
    "|명|사람|주요|핵심"
)
_KOREAN = re.compile(
    rf"(?<![가-힣])(?P<n>{any_of(_NATIVE)})\s?(?P<counter>{_COUNTERS})|(?P<below>\d+)\s?분의\s?(?P<above>\d+)"
)
_HAN = dict(zip("一二两三四五六七八九", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_HAN_SCALES = {"十": 10.0, "百": 100.0}
_CHINESE = re.compile(
    r"百分之(?P<percent>[一二三四五六七八九十百零点]+|\d+(?:\.\d+)?)"
    r"|(?P<tens>[一二两三四五六七八九]?十[一二三四五六七八九]?|[二两三四五六七八九])(?P<counter>个|個|种|種|项|項|阶段|段階|倍|层|類|类|步"
    r"|つ|章|篇|次)"
)


def spelled(text: str) -> Iterator[Number]:
    """Yield the numbers that a text spells out; one is none, as in 'one of'."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter such as İ becomes two
        lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    end = 0
    for start in sorted(_starts(lower)):
        match = _WORD.match(lower, start) or _ENGLISH.match(lower, start) if start >= end else None
        if match is None:
            continue
        end = match.end()
        if match.re is _WORD:
            yield _said(*_WORDS[match[0]], text, match)
        elif (value := _english(match[0])) > 1:
            unit = "x" if match["fold"] or lower.startswith(" times", end) else ""
            yield _said(value, unit, text, match)
    if text.isascii() or _CJK.search(text) is None:
        return
    for match in _OTHER_WORD.finditer(text):
        yield _said(*_WORDS[match[0]], text, match)
    for match in _KOREAN.finditer(text):
        if match["below"]:
            below = float(match["below"]) or 1.0
            yield _said(100 * float(match["above"]) / below, "%", text, match)
        else:
            yield _said(float(_NATIVE[match["n"]]), "x" if match["counter"] == "배" else "", text, match)
    for match in _CHINESE.finditer(text):
        if match["percent"]:
            yield _said(_han(match["percent"]), "%", text, match)
        else:
            yield _said(_han(match["tens"]), "x" if match["counter"] == "倍" else "", text, match)


def _starts(lower: str) -> Iterator[int]:
    """Yield where a word begins that may be a number."""
    for word in _NUMBER_WORDS.intersection(_LATIN.findall(lower)):
        start = lower.find(word)
        while start >= 0:
            if not lower[start - 1 : start].isalnum():
                yield start
            start = lower.find(word, start + 1)
    if "one" in lower:
        for match in _ONE_OF_MORE.finditer(lower):
            yield match.start()


def _said(value: float, unit: str, text: str, match: re.Match[str]) -> Number:
    start, end = match.span()
    return Number(tidy(value), unit, Form.SPELLED, text[start:end], start, end)


def _english(text: str) -> float:
    total = current = 0.0
    for word in re.split(r"[-\s]+", text.lower()):
        if word in _SPELLED:
            current += _SPELLED[word]
        elif word == "hundred":
            current = (current or 1.0) * 100
        elif word in _SPELLED_SCALES:
            total += (current or 1.0) * _SPELLED_SCALES[word]
            current = 0.0
    return total + current


def _han(text: str) -> float:
    if text[:1].isdigit():
        return float(text)
    whole, point, decimals = text.partition("点")
    if point:
        digits = "".join(str(_HAN.get(letter, 0)) for letter in decimals)
        return _han(whole) + (float(f"0.{digits}") if digits else 0.0)
    total = current = 0.0
    for letter in text:
        if letter in _HAN_SCALES:
            total += (current or 1.0) * _HAN_SCALES[letter]
            current = 0.0
        else:
            current = float(_HAN.get(letter, 0))
    return total + current
