"""Numbers in digits, with their units and scales; numbers that are parts of names."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace

from newsletter.summaries.numbers.values import Form, Number, Rounding, any_of, as_float, tidy
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


_LATIN_SCALES = any_of(name for name in _SCALES if name.isascii() and len(name) == 1)
_LATIN_WORDS = any_of(name for name in _SCALES if name.isascii() and len(name) > 1)
_OTHER_SCALES = any_of(name for name in _SCALES if not name.isascii())
_LATIN_UNITS = any_of(name for name in _UNITS if name.isascii() and name[-1].isalpha())
_OTHER_UNITS = any_of(
    name for name in _UNITS if len(name) > 1 and not (name.isascii() and name[-1].isalpha())
)
_SHORT_UNITS = (  # and the words that only begin like one
    "[%％×倍点秒天割]|배(?!치|경|포|열|정)|점(?!수|진|군|차)|초(?!기|록|과|점)"
    "|분(?!야|류|석|포|할|산|기|의)|일(?!반|부|관|정|치)"
)
_DIGITS = re.compile(
    rf"""(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)?|\d+,\d{{1,2}}(?=\s?[%％])|10(?=\^|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])|\d+(?:\.\d+)?)
    (?P<power>(?:\s?[×x·]\s?10|(?<=10))(?:\^\{{?(?P<up>[-−]?\d{{1,3}})\}}?|(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,3}})))?
    (?P<scale>(?:{_OTHER_SCALES})|(?:{_LATIN_SCALES})(?![A-Za-z\d])|[\s-]?(?:{_LATIN_WORDS})(?![A-Za-z\d]))?
    (?P<unit>[\s-]?(?![×xX]\s?\d)(?:{_LATIN_UNITS})(?![A-Za-z\d])
      |\s?(?:{_OTHER_UNITS})|(?:\s(?=[%％×]))?(?![×]\s?\d)(?:{_SHORT_UNITS}))?
    (?P<after>[A-Za-z])?""",
    re.VERBOSE,
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
_DECLARED = {
    Rounding.ABOUT: (
        "about|around|approximately|roughly|nearly|almost|some|circa|[~≈∼]|약|대략|거의|約|およそ|ほぼ|约|大约|近",
        "or so|가량|정도|左右",
    ),
    Rounding.OVER: (
        "over|exceeding|more than|at least|above|[>≥]|무려|超过",
        "\\+|or more|이상|여\\s?(?:개|명|종)|여\\b|넘|以上|余|多",
    ),
    Rounding.UNDER: ("up to|less than|under|below|at most|[<≤]|최대|高达|最大", "미만|이하|以下|未満"),
}
_BEFORE = {way: re.compile(rf"(?:{before})\s?$", re.IGNORECASE) for way, (before, _) in _DECLARED.items()}
_AFTER = {way: re.compile(rf"\s?(?:{after})") for way, (_, after) in _DECLARED.items()}
_LONGEST_NAME = 40  # characters beside the digits; bounds the work on endless names
_DIGITS_OF_YEAR = 4
_LEAST_REST = 1000  # of 1万2000
_LOOK_BACK = 16  # characters in which a word such as "approximately" stands
_TO = frozenset(["-", "–", "—", "~", "to", "and", "에서", "から", "到", "至"])
_RUN = re.compile(r"\d+")
_ENUMERATED = re.compile(r"(?:^|[\s(:;,.·])\(?(\d{1,2})[).](?=\s|\D)")


def find(text: str, *, markers: bool = False) -> list[Number]:
    """Return the numbers of a text in their order; of (1), (2), (3) that count up, only with ``markers``."""
    found = sorted(spelled(text), key=lambda number: number.start)
    if _RUN.search(text):
        starts = [number.start for number in found]
        found += [
            number
            for number in _digits(text, set() if markers else _list_markers(text))
            if not (place := bisect_left(starts, number.end)) or found[place - 1].end <= number.start
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
        number = _number(text, match)
        if found and _goes_on(text, found[-1], number, scale=match["scale"]):
            before = found.pop()
            value = tidy(before.value + number.value)
            written = text[before.start : number.end]
            number = replace(number, value=value, text=written, start=before.start, declared=before.declared)
        found.append(number)
    for place in range(len(found) - 1, 0, -1):  # in 10-20% the first number is a share too
        first, second = found[place - 1 : place + 1]
        if second.unit and not first.unit and text[first.end : second.start].strip() in _TO:
            found[place - 1] = replace(first, unit=second.unit)
    return found


def _number(text: str, match: re.Match[str]) -> Number:
    digits = match["digits"]
    value = as_float(digits)
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
    if unit == "s" and len(digits) == _DIGITS_OF_YEAR:
        unit = ""  # the 1990s
    if unit:
        end = match.end("unit")
    if unit in _MULTIPLES:
        factor, unit = _MULTIPLES[unit]
        value *= factor
    return Number(tidy(value), unit, Form.DIGITS, text[start:end], start, end, _declared(text, start, end))


def _goes_on(text: str, before: Number, number: Number, *, scale: str | None) -> bool:
    """Tell whether two numbers are one: 3만 5천, 1억 2천만, 1万2000."""
    large = before.text[-1:]
    if (
        large not in _SCALES
        or large.isascii()
        or before.unit
        or text[before.end : number.start] not in {"", " "}
    ):
        return False
    return number.value < _SCALES[large] and (scale is not None or number.value >= _LEAST_REST)


def _in_name(text: str, start: int) -> bool:
    """Tell whether the digits at a place follow a letter or a letter's hyphen: A100, GPT-4."""
    before = text[start - 1 : start]
    if before and before in "-–_":
        before = text[start - 2 : start - 1]
    return before.isalpha() and before.isascii()


def _exponent(match: re.Match[str]) -> int:
    digits = (match["up"] or match["raised"]).translate(_RAISED)
    return max(-60, min(int(digits), 60))


def _is_of_name(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "-_")


def _declared(text: str, start: int, end: int) -> Rounding:
    before = text[max(0, start - _LOOK_BACK) : start]
    for way in _DECLARED:
        if _BEFORE[way].search(before) or _AFTER[way].match(text, end):
            return way
    return Rounding.NONE


def _list_markers(text: str) -> set[int]:
    """Return where the digits of (1), (2), (3) stand, if they count up from 1."""
    places: list[int] = []
    for match in _ENUMERATED.finditer(text):
        if int(match[1]) == len(places) + 1:
            places.append(match.start(1))
    return set(places) if len(places) > 1 else set()
