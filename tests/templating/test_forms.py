"""Dates and numbers are written as babel writes them, which is not there when letters are made."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest

from newsletter.languages import shipped
from newsletter.templating.i18n import words

NUMBERS = (
    0,
    1,
    2,
    10,
    99,
    100,
    999,
    1000,
    1015,
    9999,
    10_000,
    10_150,
    99_999,
    123_456,
    999_999,
    1_234_567,
    10**9,
)
DAYS = [date(2023, 12, 27) + timedelta(days=days) for days in range(375)] + [
    date(1999, 2, 28),
    date(2031, 11, 1),
]


@pytest.mark.parametrize("language", shipped())
def test_dates_are_babels(language: str) -> None:
    pytest.importorskip("babel", reason="babel tells what is right; it is a development dependency")
    from babel.dates import format_date, format_skeleton

    from tools.messages import locale_of

    locale, fixed = locale_of(language), words(language)
    for day in DAYS:
        short, long = format_skeleton("MMMMd", day, locale=locale), format_date(day, "long", locale=locale)
        if language == "fr" and day.day == 1:  # nobody writes “1 septembre” in French
            short, long = short.replace("1 ", "1er ", 1), long.replace("1 ", "1er ", 1)
        assert (fixed.short_date(day), fixed.long_date(day)) == (short, long)
        assert fixed.weekday(day).casefold() == format_date(day, "cccc", locale=locale).casefold()
        assert not fixed.weekday(day)[0].islower()  # a line begins with it


@pytest.mark.parametrize("language", shipped())
def test_numbers_are_babels(language: str) -> None:
    pytest.importorskip("babel", reason="babel tells what is right; it is a development dependency")
    from babel.numbers import format_decimal

    from tools.messages import locale_of

    locale, fixed = locale_of(language), words(language)
    for n in (*NUMBERS, *(-n for n in NUMBERS[1:])):
        four = language == "es" and 1000 <= abs(n) < 10_000  # CLDR's own data say so, babel's lack it
        expected = str(n) if four else format_decimal(n, locale=locale, numbering_system="latn")
        assert fixed.number(n) == expected.replace("\u200e", "")


@pytest.mark.parametrize(
    ("language", "short", "long", "weekday", "number"),
    [
        ("en", "12 September", "12 September 2024", "Thursday", "1,015"),
        ("ko", "9월 12일", "2024년 9월 12일", "목요일", "1,015"),
        ("ko-KR", "9월 12일", "2024년 9월 12일", "목요일", "1,015"),
        ("ja", "9月12日", "2024年9月12日", "木曜日", "1,015"),
        ("zh-CN", "9月12日", "2024年9月12日", "星期四", "1,015"),
        ("de-AT", "12. September", "12. September 2024", "Donnerstag", "1.015"),
        ("fr", "12 septembre", "12 septembre 2024", "Jeudi", "1\u202f015"),
        ("es", "12 de septiembre", "12 de septiembre de 2024", "Jueves", "1015"),
        ("ar", "12 سبتمبر", "12 سبتمبر 2024", "الخميس", "1,015"),
        ("tlh", "12 September", "12 September 2024", "Thursday", "1,015"),
        ("zh-TW", "12 September", "12 September 2024", "Thursday", "1,015"),
        ("../../etc", "12 September", "12 September 2024", "Thursday", "1,015"),
        ("", "12 September", "12 September 2024", "Thursday", "1,015"),
    ],
)
def test_as_a_reader_knows_them(language: str, short: str, long: str, weekday: str, number: str) -> None:
    fixed, day = words(language), date(2024, 9, 12)
    assert (fixed.short_date(day), fixed.long_date(day), fixed.weekday(day)) == (short, long, weekday)
    assert fixed.number(1015) == number


def test_babel_is_not_needed_to_write_a_letter() -> None:
    script = (
        "import sys; sys.modules['babel'] = None\n"
        "from datetime import date\n"
        "from newsletter.templating.i18n import words\n"
        "print(words('es').long_date(date(2024, 9, 12)), words('es').count('{n} vote', '{n} votes', 12345))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == "12 de septiembre de 2024 12.345 votos\n"
