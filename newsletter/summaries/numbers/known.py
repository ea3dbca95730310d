"""The numbers of a source, and what of a summary's numbers is not among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from newsletter.summaries.numbers.digits import find
from newsletter.summaries.numbers.values import Form, Number, Rounding, as_float, tidy

_MOST_SPELLED_COUNT = 10  # what a reader may have counted: "three components"
_LARGEST_SLIP_OF_BOUND = 0.05  # "up to", "over"
_MOST_TRIES = 50  # of places where a number may stand; a real abstract has far fewer
_OF_NAME = "name"  # stands for the unit of a number that is a part of a name
_WRITTEN = re.compile(r"[\d,]+(?:\.(?P<decimals>\d+))?")
_LARGEST_SLIP = 0.08  # of a declared rounding, in shares of the value


class Known:
    """The numbers of a source: what a summary of it may say."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _names(self) -> str:
        return squeeze(self.text)

    @cached_property
    def _units(self) -> dict[float, set[str]]:
        """The values of the text, each with its units."""
        known: dict[float, set[str]] = {}
        for number in find(self.text, markers=True):
            unit = _OF_NAME if number.form is Form.NAME else number.unit
            known.setdefault(tidy(number.value), set()).add(unit)
            if number.form is Form.DIGITS:  # 7B may be said as 7, and 3.5% as 3.5
                known.setdefault(_as_written(number.text), set()).add(number.unit)
        return known

    def literally(self, number: Number) -> Iterator[int]:
        """Yield where the text has a number just as it is written: most are, and to look for that is fast."""
        written = number.text
        start = -1
        for _ in range(_MOST_TRIES):
            start = self.text.find(written, start + 1)
            if start < 0:
                return
            before, after = (
                self.text[start - 1 : start],
                self.text[start + len(written) : start + len(written) + 2],
            )
            if not (before.isalnum() or before in {".", ","}) and not _goes_on(written, after):
                yield start

    def has_literally(self, number: Number) -> bool:
        """Tell whether the text has a number just as it is written."""
        return next(self.literally(number), None) is not None

    def __contains__(self, number: object) -> bool:
        assert isinstance(number, Number)
        if self.has_literally(number):
            return True
        if number.form is Form.NAME:
            return self._has_name(number.text)
        units = self._units.get(number.value, set())
        if units - {_OF_NAME} or (units and number.form is Form.DIGITS and not number.unit):
            return True  # Llama 3 may be said of LLaMA-3, but not three letters
        if number.unit == "%" and self._units.get(tidy(number.value / 100), {"?"}) == {""}:
            return True  # 0.87 said as 87%
        if number.form is Form.SPELLED and number.unit in {"%", "x"}:
            return self._has_share(number)
        return number.declared is not Rounding.NONE and any(
            _rounds_to(value, number) for value in self._units
        )

    def units(self, number: Number) -> frozenset[str]:
        """Return the units that the source gives to this value."""
        return frozenset(self._units.get(number.value, ())) - {_OF_NAME}

    def _has_share(self, number: Number) -> bool:
        """Tell whether "half" or "twice" stands in the source in another form: 50%, 0.5, 2x, 2."""
        share = number.value / 100 if number.unit == "%" else number.value
        if not share:
            return False
        ways = (share, 1 / share, share * 100)
        return any(tidy(way) in self._units for way in ways)

    def _has_name(self, name: str) -> bool:
        key = squeeze(name)
        at = self._names.find(key)
        while at >= 0:
            before, after = self._names[at - 1 : at], self._names[at + len(key) : at + len(key) + 1]
            if not (key[:1].isdigit() and before.isdigit()) and not (key[-1:].isdigit() and after.isdigit()):
                return True
            at = self._names.find(key, at + 1)
        return False


def _as_written(text: str) -> float:
    match = _WRITTEN.match(text)
    return tidy(as_float(match[0])) if match else 0.0


def _rounds_to(value: float, number: Number) -> bool:
    """Tell whether a number is a value, rounded to as many places as the number has, the way that it says."""
    match = _WRITTEN.match(number.text)
    if not value or match is None or abs(value - number.value) > _LARGEST_SLIP * abs(value):
        return False
    written = as_float(match[0])
    step = 10.0 ** -len(match["decimals"] or "")
    while not match["decimals"] and written and written % (step * 10) == 0:
        step *= 10
    step *= number.value / written if written else 1.0
    over = value - number.value  # by so much the value is larger
    if number.declared is Rounding.ABOUT:
        return abs(over) <= step / 2
    beyond = over if number.declared is Rounding.OVER else -over
    return 0 <= beyond < min(step, _LARGEST_SLIP_OF_BOUND * abs(value))


_SEPARATORS = "-_–‑^"
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_–‑^-]+(?=\d)")
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
_BESIDE_RAISED = re.compile(r"(?<=\d)(?=[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉])|(?<=[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉])(?=\d)")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]")


def squeeze(text: str) -> str:
    """Return the text in small letters without spaces and hyphens, in which Llama 3 and LLaMA-3 are the same."""
    text = text.lower()
    if not text.isascii() and _RAISED.search(text):
        text = _BESIDE_RAISED.sub("·", text).translate(_PLAIN_DIGITS)  # 10² is no 102
    text = "".join(_BETWEEN_DIGITS.sub("·", text).split())
    for separator in _SEPARATORS:
        text = text.replace(separator, "")
    return text


def _goes_on(written: str, after: str) -> bool:
    """Tell whether a number goes on after what was found of it: 1.5 in 1.57, 7 in 7B."""
    if after[:1].isalnum():
        return after[:1].isdigit() or written[-1:].isalnum()
    return after[:1] in {".", ","} and after[1:2].isdigit() and written[-1:].isdigit()


def absent(numbers: Sequence[Number], known: Known) -> list[Number]:
    """Return the numbers that a source does not have."""
    return [number for number in numbers if number not in known]


def with_other_unit(numbers: Sequence[Number], known: Known) -> Iterator[tuple[Number, str]]:
    """Yield the numbers that the source has, but only with other units, and those."""
    for number in numbers:
        if not number.unit or known.has_literally(number):
            continue
        units = known.units(number)
        if units and number.unit not in units and "" not in units:
            yield number, ", ".join(sorted(units))


def may_be_counted(number: Number) -> bool:
    """Tell whether the number may be the writer's own count of things: three components."""
    return number.form is Form.SPELLED and number.unit == "" and number.value <= _MOST_SPELLED_COUNT
