"""A letter in a frame: which media queries are decided, and what stays as it is."""

from __future__ import annotations

import pytest

from newsletter.web.framing import Scheme, framed

LETTER = "<html><head><style>{}</style></head><body>{}</body></html>"


def style(rule: str, scheme: Scheme) -> str:
    """Return what a rule of a style block becomes."""
    return framed(LETTER.format(rule, ""), scheme, pictures=True).split("<style>")[1].split("</style>")[0]


@pytest.mark.parametrize(
    ("rule", "light", "dark"),
    [
        ("@media (prefers-color-scheme:dark){", "@media (max-width:0){", "@media (min-width:0){"),
        ("@media ( Prefers-Color-Scheme : DARK ) {", "@media (max-width:0) {", "@media (min-width:0) {"),
        ("@media (prefers-color-scheme:light){", "@media (min-width:0){", "@media (max-width:0){"),
        ("@media screen and (prefers-color-scheme:dark) and (min-width:9px){",
         "@media screen and (max-width:0) and (min-width:9px){", "@media screen and (min-width:0) and (min-width:9px){"),
        ("@media (max-width:599px){", "@media (max-width:599px){", "@media (max-width:599px){"),
    ],
)  # fmt: skip
def test_queries_are_decided(rule: str, light: str, dark: str) -> None:
    assert style(rule, Scheme.LIGHT) == light
    assert style(rule, Scheme.DARK) == dark
    assert style(rule, Scheme.INVERTED) == light


def test_a_picture_of_its_own_for_the_dark_is_decided_too() -> None:
    letter = LETTER.format(
        "", '<picture><source media="(prefers-color-scheme: dark)" srcset="d.png"></picture>'
    )
    assert 'media="(min-width:0)"' in framed(letter, Scheme.DARK, pictures=True)


def test_text_that_reads_like_a_query_stays() -> None:
    text = "On @media (prefers-color-scheme:dark) and &lt;style&gt; in mail"
    assert f"<body>{text}</body>" in framed(LETTER.format("", text), Scheme.DARK, pictures=True)


def test_pictures_are_turned_back_where_they_show() -> None:
    letter = LETTER.format("", "")
    assert "img{filter:" in framed(letter, Scheme.INVERTED, pictures=True)
    assert "img{filter:" not in framed(letter, Scheme.INVERTED, pictures=False)
    assert "filter:" not in framed(letter, Scheme.DARK, pictures=True)


def test_a_letter_without_a_head_is_framed_all_the_same() -> None:
    assert framed("<p>Hello", Scheme.DARK, pictures=True).startswith('<base target="_blank"><style>')
