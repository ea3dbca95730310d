"""Numbers in digits, with their units and scales; numbers that are parts of names."""

from __future__ import annotations

import re
from dataclasses import replace

from newsletter.summaries.numbers.values import Form, Number, any_of, tidy
from newsletter.summaries.numbers.words import spelled


def _pairs(text: str) -> dict[str, float]:
    words = text.split()
    return {name: float(value) for name, value in zip(words[::2], words[1::2], strict=True)}


_SCALES = _pairs(
    "k 1e3 K 1e3 M 1e6 B 1e9 T 1e12 bn 1e9 thousand 1e3 million 1e6 billion 1e9 trillion 1e12 "
    "십 1e1 백 1e2 천 1e3 만 1e4 십만 1e5 백만 1e6 천만 1e7 억 1e8 십억 1e9 백억 1e10 천억 1e11 조 1e12 "
    "十 1e1 百 1e2 千 1e3 万 1e4 萬 1e4 百万 1e6 千万 1e7 億 1e8 亿 1e8 十億 1e9 十亿 1e9 百億 1e10 百亿 1e10 兆 1e12"
)
_UNITS = {
    **dict.fromkeys(["pp", "point", "points", "percentage points", "percentage point", "% points"], "points"),
    **dict.fromkeys(["%-points", "%p", "%포인트", "퍼센트포인트", "퍼센트 포인트", "포인트", "점"], "points"),
    **dict.fromkeys(["ポイント", "个百分点", "点"], "points"),
    **dict.fromkeys(["%", "％", "percent", "퍼센트", "프로", "パーセント"], "%"),
    **dict.fromkeys(["x", "X", "×", "times", "-times", "fold", "-fold", "배", "倍"], "x"),
    **dict.fromkeys(["GB", "MB", "TB", "KB", "GiB", "MiB"], "bytes"),
    **dict.fromkeys(["ms", "milliseconds", "millisecond", "밀리초", "毫秒", "ミリ秒"], "ms"),
    **dict.fromkeys(["s", "sec", "second", "seconds", "초", "秒"], "s"),
    **dict.fromkeys(["min", "minute", "minutes", "분", "分钟", "分間"], "min"),
    **dict.fromkeys(["h", "hour", "hours", "hrs", "시간", "小时", "時間"], "h"),
    **dict.fromkeys(["day", "days", "일", "天", "日間"], "days"),
    **dict.fromkeys(["fps", "FPS"], "fps"),
    **dict.fromkeys(["bit", "bits", "-bit", "비트", "ビット", "比特"], "bits"),
    **dict.fromkeys(["割"], "割"),
}  # fmt: skip
_MULTIPLES = {"割": (10.0, "%")}


_LATIN_SCALES = any_of(name for name in _SCALES if name.isascii())
_OTHER_SCALES = any_of(name for name in _SCALES if not name.isascii())
_LATIN_UNITS = any_of(name for name in _UNITS if name.isascii() and name[-1].isalpha())
_OTHER_UNITS = any_of(name for name in _UNITS if not (name.isascii() and name[-1].isalpha()))
_DIGITS = re.compile(
    rf"""(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)?|10(?=\^|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])|\d+(?:\.\d+)?)
    (?P<power>(?:\s?[×x·]\s?10|(?<=10))(?:\^\{{?(?P<up>[-−]?\d+)\}}?|(?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)))?
    (?P<scale>\s?(?:{_OTHER_SCALES})|[\s-]?(?:{_LATIN_SCALES})(?![A-Za-z\d]))?
    (?P<unit>[\s-]?(?![×xX]\s?\d)(?:{_LATIN_UNITS})(?![A-Za-z\d])|\s?(?![×xX]\s?\d)(?:{_OTHER_UNITS}))?
    (?P<after>[A-Za-z])?""",
    re.VERBOSE,
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
_DECLARED_BEFORE = re.compile(
    r"(?:about|around|approximately|roughly|nearly|almost|over|exceeding|more than|less than|at least|up to|some|circa"
    r"|[~≈∼>≥<≤]|약|대략|거의|최대|무려|約|およそ|ほぼ|约|大约|近|超过|高达)\s?$",
    re.IGNORECASE,
)
_DECLARED_AFTER = re.compile(
    r"\s?(?:\+|or (?:so|more)|이상|가량|정도|여\s?(?:개|명|종)|여\b|넘|미만|以上|以下|余|左右|多)"
)
_LONGEST_NAME = 40  # characters beside the digits; bounds the work on endless names
_LOOK_BACK = 16  # characters in which a word such as "approximately" stands
_TO = frozenset(["-", "–", "—", "~", "to", "and", "에서", "から", "到", "至"])
_RUN = re.compile(r"\d+")
_ENUMERATED = re.compile(r"(?:^|[\s(:;,.·])\(?(\d{1,2})[).](?=\s|\D)")


def find(text: str, *, markers: bool = False) -> list[Number]:
    """Return the numbers of a text in their order; of (1), (2), (3) that count up, only with ``markers``."""
    found = list(spelled(text))
    if _RUN.search(text):
        taken = [(number.start, number.end) for number in found]
        found += [
            number
            for number in _digits(text, set() if markers else _list_markers(text))
            if not any(start < number.end and number.start < end for start, end in taken)
        ]
        found.sort(key=lambda number: number.start)
    return found


def _digits(text: str, markers: set[int]) -> list[Number]:
    found: list[Number] = []
    end = 0
    for digit in _RUN.finditer(text):  # to try the long pattern at digits alone is much faster
        start = digit.start()
        if start < end or start in markers:
            continue
        match = _DIGITS.match(text, start)
        assert match is not None
        end = match.end("digits") if match["after"] else match.end()
        found.append(_number(text, match))
    for place in range(len(found) - 1, 0, -1):  # in 10-20% the first number is a share too
        first, second = found[place - 1 : place + 1]
        if second.unit and not first.unit and text[first.end : second.start].strip() in _TO:
            found[place - 1] = replace(first, unit=second.unit)
    return found


def _number(text: str, match: re.Match[str]) -> Number:
    digits = match["digits"]
    value = float(digits.replace(",", ""))
    start, end = match.span("digits")
    scale, unit = match["scale"], _UNITS.get((match["unit"] or "").strip(), "")
    if _in_name(text, start) or (match["after"] and not match["unit"] and not scale):
        name_start, furthest = start, max(0, start - _LONGEST_NAME)
        while name_start > furthest and _is_of_name(text[name_start - 1]):
            name_start -= 1
        furthest = min(len(text), end + _LONGEST_NAME)
        while end < furthest and _is_of_name(text[end]) and text[end] not in "-_":
            end += 1
        return Number(value, "", Form.NAME, text[name_start:end], name_start, end)
    if match["power"]:
        power = 10.0 ** _exponent(match)
        value = power if match["power"][0] in "^⁻⁰¹²³⁴⁵⁶⁷⁸⁹" else value * power
        end = match.end("power")
    if scale:
        value *= _SCALES[scale.strip(" -")]
        end = match.end("scale")
    if unit:
        end = match.end("unit")
    if unit in _MULTIPLES:
        factor, unit = _MULTIPLES[unit]
        value *= factor
    return Number(tidy(value), unit, Form.DIGITS, text[start:end], start, end, _is_declared(text, start, end))


def _in_name(text: str, start: int) -> bool:
    """Tell whether the digits at a place follow a letter or a letter's hyphen: A100, GPT-4."""
    before = text[start - 1 : start]
    if before and before in "-–_":
        before = text[start - 2 : start - 1]
    return before.isalpha() and before.isascii()


def _exponent(match: re.Match[str]) -> int:
    digits = (match["up"] or match["raised"]).translate(_RAISED)
    return max(-60, min(int(digits or 0), 60)) if digits.lstrip("-").isdigit() else 0


def _is_of_name(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "-_")


def _is_declared(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _LOOK_BACK) : start]
    return bool(_DECLARED_BEFORE.search(before) or _DECLARED_AFTER.match(text, end))


def _list_markers(text: str) -> set[int]:
    """Return where the digits of (1), (2), (3) stand, if they count up from 1."""
    places: list[int] = []
    for match in _ENUMERATED.finditer(text):
        if int(match[1]) == len(places) + 1:
            places.append(match.start(1))
    return set(places) if len(places) > 1 else set()
