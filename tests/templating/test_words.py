"""Fixed words: every key is translated, catalogues are current, unknown languages fall back to English."""

from __future__ import annotations

import gettext
import re
from datetime import date
from pathlib import Path

import pytest

from newsletter.templating import i18n
from newsletter.templating.issue import render
from tests.templating.samples import DESIGN, Page, html_of, sample

ROOT = Path(__file__).resolve().parents[2]
_SAY = re.compile(r"\.say\(\s*(['\"])(.+?)\1")
_COUNT = re.compile(r"\.count\(\s*\"((?:[^\"\\]|\\.)+)\",\s*\"((?:[^\"\\]|\\.)+)\"")


class _Missing(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        raise KeyError(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        raise KeyError(msgid1)


def used() -> tuple[set[str], set[tuple[str, str]]]:
    """Return the messages, and the pairs of singular and plural, that templates and code ask for."""
    files = [*(ROOT / "templates").rglob("*.j2"), *(ROOT / "newsletter" / "templating").glob("*.py")]
    texts = [path.read_text(encoding="utf-8").replace("\\N{NO-BREAK SPACE}", "\u00a0") for path in files]
    said = {match[2] for text in texts for match in _SAY.finditer(text)}
    counted = {(match[1], match[2]) for text in texts for match in _COUNT.finditer(text)}
    return said | {*i18n.MONTHS, *i18n.WEEKDAYS, *i18n.HEADINGS.values()}, counted


@pytest.mark.parametrize("language", sorted(path.name for path in i18n.LOCALES.iterdir() if path.is_dir()))
def test_a_catalogue_misses_no_message(language: str) -> None:
    catalogue = gettext.translation(i18n.DOMAIN, i18n.LOCALES, [language])
    catalogue.add_fallback(_Missing())
    said, counted = used()
    assert len(said) > 30
    assert len(counted) >= 7
    for message in said:
        assert catalogue.gettext(message)
    for one, many in counted:
        assert catalogue.ngettext(one, many, 5)


def test_catalogues_are_current_and_use_the_same_names() -> None:
    pytest.importorskip("babel", reason="babel compiles the catalogues; it is a development dependency")
    from babel.messages.pofile import read_po

    from tools import messages

    assert messages.main(["--check"]) == 0
    for path in i18n.LOCALES.glob("*/LC_MESSAGES/*.po"):
        said, counted = used()
        with path.open("rb") as source:
            for message in read_po(source):
                ids = message.id if isinstance(message.id, tuple) else (message.id,)
                if not ids[0]:
                    continue
                assert ids[0] in said | {one for one, _ in counted}, f"nothing uses {ids[0]!r}"
                names = set(re.findall(r"\{\w+\}", str(ids))) | {"{total}"}
                assert set(re.findall(r"\{\w+\}", str(message.string))) <= names, message.id


@pytest.mark.parametrize(
    ("language", "short", "long", "weekday"),
    [
        ("en", "12 September", "12 September 2024", "Thursday"),
        ("ko", "9월 12일", "2024년 9월 12일", "목요일"),
        ("ko-KR", "9월 12일", "2024년 9월 12일", "목요일"),
        ("tlh", "12 September", "12 September 2024", "Thursday"),
        ("../../etc", "12 September", "12 September 2024", "Thursday"),
        ("", "12 September", "12 September 2024", "Thursday"),
    ],
)
def test_dates_are_written_as_the_language_does(language: str, short: str, long: str, weekday: str) -> None:
    fixed, day = i18n.words(language), date(2024, 9, 12)
    assert (fixed.short_date(day), fixed.long_date(day), fixed.weekday(day)) == (short, long, weekday)


def test_counts_have_plural_forms() -> None:
    english, korean = i18n.words("en"), i18n.words("ko")
    assert english.count("{n} vote", "{n} votes", 1) == "1 vote"
    assert english.count("{n} vote", "{n} votes", 1015) == "1,015 votes"
    assert korean.count("{n} vote", "{n} votes", 1) == "추천 1표"


@pytest.mark.parametrize("heading", ["What's New", "WHAT’S NEW", "Whats new", "what's new:"])
def test_known_headings_are_translated_however_they_are_written(heading: str) -> None:
    assert i18n.words("ko").heading(heading) == "새로운 점"
    assert i18n.words("en").heading(heading) == "What’s new"


def test_other_headings_stay_as_they_are() -> None:
    assert i18n.words("ko").heading("Datasets") == "Datasets"


def test_a_value_is_not_a_pattern() -> None:
    fixed = i18n.words("en")
    assert fixed.say("Also: {second}.", second="{second.__class__} {x}") == "Also: {second.__class__} {x}."


def test_the_korean_letter_speaks_korean() -> None:
    rendered = render(sample("ko"), DESIGN)
    page = Page(rendered.html).text
    for said in (
        "토요일",
        "논문 23편 가운데 5편",
        "추천 1,341표",
        "기술 상세",
        "논문 읽기",
        "구독 취소",
        "논문의 문장 그대로",
    ):
        assert said in page
    assert rendered.preheader.endswith("외 2편. 합계 추천 1,341표.")
    assert "새로운 점" in rendered.text
    assert "**What's New**" in rendered.markdown  # the archive keeps the source's headings


def test_an_unknown_language_keeps_its_name_and_speaks_english() -> None:
    html = html_of(sample("tlh"))
    assert '<html lang="tlh"' in html
    assert "Read the paper" in html
