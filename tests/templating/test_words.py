"""Fixed words: every key is translated, catalogues are current, unknown languages fall back to English."""

from __future__ import annotations

import gettext
import re
import shutil
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from newsletter.languages import shipped
from newsletter.templating import i18n
from newsletter.templating.issue import render
from tests.templating.samples import DESIGN, Page, html_of, sample

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Capture = pytest.CaptureFixture[str]

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = [language for language in shipped() if language != "en"]
_SAY = re.compile(r"\.say\(\s*(['\"])(.+?)\1")
_COUNT = re.compile(r"\.count\(\s*\"((?:[^\"\\]|\\.)+)\",\s*\"((?:[^\"\\]|\\.)+)\"")
# translated ahead of the templates that will say them; a message that is used by now stands here to no harm
COMING = {
    "Benchmark", "Dataset", "Model", "Method", "Survey", "System", "Theory", "Papers", "Paper page", "Discussion",
    "See the day’s page", "{first} and {second}", "{label}:",
}  # fmt: skip
COMING_COUNTS = {
    ("{n} comment", "{n} comments"),
    ("{first}, {second} and {n} more", "{first}, {second} and {n} more"),
}
CATEGORIES = ("zero", "one", "two", "few", "many", "other")  # CLDR's, in the order of the catalogues' forms
TOTAL = "Also: {second}, {third} and {n} more."  # may end with {total}


def used() -> tuple[set[str], set[tuple[str, str]]]:
    """Return the messages, and the pairs of singular and plural, that templates and code ask for."""
    files = [*(ROOT / "templates").rglob("*.j2"), *(ROOT / "newsletter" / "templating").glob("*.py")]
    texts = [path.read_text(encoding="utf-8").replace("\\N{NO-BREAK SPACE}", "\u00a0") for path in files]
    said = {match[2] for text in texts for match in _SAY.finditer(text)}
    counted = {(match[1], match[2]) for text in texts for match in _COUNT.finditer(text)}
    return said | {*i18n.HEADINGS.values()} | COMING, counted | COMING_COUNTS


def catalogue_of(language: str) -> Catalog:
    """Return a language's catalogue as babel reads it; skip without babel, which only development needs."""
    pytest.importorskip("babel", reason="babel compiles the catalogues; it is a development dependency")
    from babel.messages.pofile import read_po

    folder = i18n.LOCALES / language.replace("-", "_")
    with (folder / "LC_MESSAGES" / f"{i18n.DOMAIN}.po").open("rb") as source:
        return read_po(source, abort_invalid=True)


def names(text: str) -> list[str]:
    """Return the placeholders of a text."""
    return sorted(re.findall(r"\{\w*\}?", text))


def test_every_shipped_language_has_a_catalogue_and_no_other() -> None:
    folders = sorted(path.name.replace("_", "-") for path in i18n.LOCALES.iterdir() if path.is_dir())
    assert folders == sorted(TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_every_message_and_nothing_else(language: str) -> None:
    said, counted = used()
    assert len(said) > 30
    assert len(counted) >= 9
    singles, plurals = set(), set()
    for message in catalogue_of(language):
        if isinstance(message.id, tuple):
            plurals.add(message.id)
        elif message.id:
            singles.add(message.id)
    assert (said - singles, counted - plurals) == (set(), set()), "not translated"
    assert (singles - said, plurals - counted) == (set(), set()), "nothing uses these"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_form_is_there_with_its_placeholders(language: str) -> None:
    catalogue = catalogue_of(language)
    alone = _forms_for_one_number(catalogue)
    for message in catalogue:
        ids = message.id if isinstance(message.id, tuple) else (str(message.id),)
        if not ids[0]:
            continue
        assert not message.fuzzy
        said = message.string
        forms = [str(form or "") for form in (said if isinstance(said, (tuple, list)) else [said])]
        assert len(forms) == (catalogue.num_plurals if isinstance(message.id, tuple) else 1), ids
        for index, form in enumerate(forms):
            assert form.strip(), (ids, index)
            assert form == unicodedata.normalize("NFC", form)
            found = names(form.removesuffix("{total}") if ids[0] == TOTAL else form)
            without = [name for name in names(ids[-1]) if name != "{n}"]
            assert found == names(ids[-1]) or (index in alone and found == without), (ids, index)


def _forms_for_one_number(catalogue: Catalog) -> set[int]:
    """Return the plural forms that stand for a single number, which they need not say."""
    chosen = Counter(gettext.c2py(catalogue.plural_expr)(n) for n in range(1000))
    return {form for form, count in chosen.items() if count == 1}


@pytest.mark.parametrize("language", TRANSLATED)
def test_plural_forms_are_those_of_the_language(language: str) -> None:
    catalogue = catalogue_of(language)
    from babel import Locale
    from babel.messages.plurals import get_plural

    locale = Locale.parse(language, sep="-")
    assert catalogue.num_plurals == get_plural(locale).num_plurals
    compiled = gettext.translation(i18n.DOMAIN, i18n.LOCALES, [language.replace("-", "_")])
    assert compiled.info()["plural-forms"] == catalogue.plural_forms
    index, forms = gettext.c2py(catalogue.plural_expr), [locale.plural_form(n) for n in range(1200)]
    order = [category for category in CATEGORIES if category in forms]
    assert len(order) == catalogue.num_plurals
    for n, form in enumerate(forms):
        assert index(n) == order.index(form), n


def test_catalogues_are_current() -> None:
    pytest.importorskip("babel", reason="babel compiles the catalogues; it is a development dependency")
    from tools import messages

    assert messages.main(["--check"]) == 0


def test_what_is_not_current_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip("babel", reason="babel compiles the catalogues; it is a development dependency")
    from tools import messages

    shutil.copytree(i18n.LOCALES, tmp_path / "locales")
    monkeypatch.setattr(messages, "LOCALES", tmp_path / "locales")
    assert messages.main(["--check"]) == 0
    forms, catalogue = tmp_path / "locales" / "forms.json", tmp_path / "locales/ar/LC_MESSAGES/newsletter.po"
    forms.write_text(forms.read_text(encoding="utf-8").replace("Dezember", "Jänner"), encoding="utf-8")
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace("صوتان", "صوتين"), encoding="utf-8")
    assert messages.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert said.count("is not current") == 2
    assert "forms.json" in said
    assert "newsletter.mo" in said
    assert messages.main([]) == 0
    assert messages.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("n", "votes", "more"),
    [
        (1, "صوت واحد", "وورقة أخرى"),
        (2, "صوتان", "وورقتان أخريان"),
        (3, "3 أصوات", "و3 أوراق أخرى"),
        (10, "10 أصوات", "و10 أوراق أخرى"),
        (11, "11 صوتًا", "و11 ورقة أخرى"),
        (99, "99 صوتًا", "و99 ورقة أخرى"),
        (100, "100 صوت", "و100 ورقة أخرى"),
        (102, "102 صوت", "و102 ورقة أخرى"),
        (103, "103 أصوات", "و103 أوراق أخرى"),
        (131, "131 صوتًا", "و131 ورقة أخرى"),
        (1_002, "1,002 صوت", "و1,002 ورقة أخرى"),
    ],
)
def test_arabic_counts_one_two_few_and_many(n: int, votes: str, more: str) -> None:
    arabic = i18n.words("ar")
    assert arabic.count("{n} vote", "{n} votes", n) == votes
    both = "{first}, {second} and {n} more"
    assert arabic.count(both, both, n, first="A", second="B") == f"A وB {more}"


def test_counts_have_plural_forms() -> None:
    english, korean = i18n.words("en"), i18n.words("ko")
    assert english.count("{n} vote", "{n} votes", 1) == "1 vote"
    assert english.count("{n} vote", "{n} votes", 1015) == "1,015 votes"
    assert korean.count("{n} vote", "{n} votes", 1) == "추천 1표"
    french, german = i18n.words("fr"), i18n.words("de")
    assert french.count("{n} vote", "{n} votes", 0) == "0 vote"
    assert german.count("{n} vote", "{n} votes", 0) == "0 Stimmen"


@pytest.mark.parametrize("heading", ["What's New", "WHAT’S NEW", "Whats new", "what's new:"])
def test_known_headings_are_translated_however_they_are_written(heading: str) -> None:
    assert i18n.words("ko").heading(heading) == "새로운 점"
    assert i18n.words("en").heading(heading) == "What’s new"


@pytest.mark.parametrize("language", shipped())
def test_our_own_labels_of_another_language_are_known_headings(language: str) -> None:
    for message in i18n.HEADINGS.values():
        label = i18n.words(language).say(message)
        assert i18n.words("en").heading(f"{label}:") == message
        assert i18n.words("de").heading(label.upper()) == i18n.words("de").say(message)


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
