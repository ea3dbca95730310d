"""Plain text: widths, wraps, cuts, sentences, scripts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.templating.issue import render
from newsletter.templating.text import columns, cut, first_sentence, language_of, one_line, wrap
from tests.templating.samples import DESIGN, many, sample


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("한국어", 6), ("ｆｕｌｌ", 8), ("e\u0301", 1), ("🦙", 2), ("مرحبا", 5), ("日本語。", 8)],
)
def test_columns_follow_east_asian_width(text: str, width: int) -> None:
    assert columns(text) == width


@settings(max_examples=60)
@given(
    words=st.lists(
        st.text(st.sampled_from("ab한글日本語。، e\u0301🦙-("), min_size=1, max_size=60), max_size=30
    )
)
def test_wrapped_lines_fit_and_lose_nothing(words: list[str]) -> None:
    text = one_line(" ".join(words))
    wrapped = wrap(text, 40, indent="  ")
    assert max((columns(line) for line in wrapped.splitlines()), default=0) <= 42
    assert "".join(wrapped.split()) == text.replace(" ", "")


def test_lines_break_between_words_and_keep_addresses_whole() -> None:
    assert wrap("one two three", 7) == "one two\nthree"
    assert wrap("가나 다라 마바", 9) == "가나 다라\n마바"
    address = "https://example.org/" + "a" * 90
    assert wrap(f"see {address} now", 20) == f"see\n{address}\nnow"
    assert wrap("bullet text goes on", 12, indent="  ", first="- ") == "- bullet\n  text goes\n  on"
    assert wrap("x" * 25, 10) == "x" * 10 + "\n" + "x" * 10 + "\n" + "x" * 5


def test_chinese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    assert wrap("这是一个很长的句子。", 18) == "这是一个很长的句\n子。"


def test_the_text_part_is_at_most_72_columns_wide() -> None:
    for language in ("en", "ko"):
        for issue in (sample(language), many(3)):
            lines = render(issue, DESIGN).text.splitlines()
            wide = [
                line for line in lines if columns(line) > 72 and "://" not in line and "\ue000" not in line
            ]
            assert wide == []


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("one two three four", 12, "one two…"),
        ("one two, three four", 10, "one two…"),
        ("abcdefghijklmnop", 8, "abcdefg…"),
        ("12345678 👩‍🔬 end", 12, "12345678…"),
    ],
)
def test_a_cut_falls_between_words(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


@given(st.text(max_size=80), st.integers(5, 60))
def test_a_cut_never_exceeds_its_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another thing.", "One thing."),
        ("It rises by 4.5 points. Then it falls.", "It rises by 4.5 points."),
        ("Kerbl et al. show it. Next.", "Kerbl et al. show it."),
        ("Some models, e.g. small ones, fail. Next.", "Some models, e.g. small ones, fail."),
        ("새로운 방법입니다. 다음 문장입니다.", "새로운 방법입니다."),
        ("これは文です。次の文です。", "これは文です。"),
        ("He asked “why?” Nobody knew.", "He asked “why?”"),
        ("no end", "no end"),
    ],
)
def test_the_first_sentence_ends_where_it_should(text: str, expected: str) -> None:
    assert first_sentence(text) == expected


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("An English sentence.", "en", "en"),
        ("An English sentence.", "ko", "en"),
        ("Une phrase.", "fr", "fr"),
        ("LLM의 학습 방법을 제안합니다.", "en", "ko"),
        ("これは日本語です。", "en", "ja"),
        ("这是中文。", "zh-Hans", "zh-Hans"),
        ("مرحبا بكم", "en", "ar"),
        ("مرحبا بكم", "fa", "ar"),
        ("42", "en", "en"),
        ("42", "ko", "en"),
    ],
)
def test_a_language_is_known_by_its_script(text: str, declared: str, expected: str) -> None:
    assert language_of(text, declared) == expected
