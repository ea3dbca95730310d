"""Colours that can be told apart, and wishes that become a theme or one clear line."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.templating.colours import READABLE, contrast, normal
from newsletter.templating.theme import THEME, Palette, Theme, theme_of

COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}")


def theme(accent: str = "", font: str = "", title_font: str = "", logo: str = "") -> Theme:
    """Return a theme of some wishes."""
    return theme_of(accent, font, title_font, logo)


def test_without_a_wish_the_theme_is_ours() -> None:
    assert theme() == theme("#ffe24a") == THEME


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # the figures of WebAIM's checker
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)
    assert contrast("#FF0000", "#FFFFFF") == pytest.approx(4.0, abs=0.01)
    assert contrast(THEME.light.ink, THEME.light.page) == pytest.approx(16.5, abs=0.1)


@given(COLOURS, COLOURS)
def test_contrast_has_no_direction(first: str, second: str) -> None:
    assert 1 <= contrast(first, second) == contrast(second, first) <= 21
    assert contrast(first, first) == 1


def palettes(accent: str) -> tuple[Palette, Palette]:
    """Return the palettes for light and dark."""
    own = theme(accent)
    return own.light, own.dark


@given(COLOURS)
@example("#787878")  # neither ink nor white can be read on it
def test_text_on_any_accent_can_be_read(accent: str) -> None:
    for palette in palettes(accent):
        assert palette.marker == accent
        assert palette.on_marker in {"#161614", "#FFFFFF", "#000000"}
        assert contrast(palette.on_marker, palette.marker) >= READABLE


def test_text_on_every_grey_can_be_read() -> None:
    """The contrast depends on luminance alone, and the greys have all of it in steps."""
    for level in range(256):
        (palette, _) = palettes(f"#{level:02X}{level:02X}{level:02X}")
        assert contrast(palette.on_marker, palette.marker) >= READABLE


@given(COLOURS)
@example("#FFFFFF")
@example("#000000")
def test_any_accent_is_seen_on_page_and_card(accent: str) -> None:
    for palette in palettes(accent):
        for ground in (palette.page, palette.card):
            if palette.marker_edge == palette.marker:
                assert contrast(palette.marker, ground) >= 1.15
            else:
                assert contrast(palette.marker_edge, ground) >= 3


def test_only_what_is_lost_gets_an_edge() -> None:
    white, black = theme("#FFF"), theme("#000")
    assert (white.light.marker_edge, white.dark.marker_edge) == (THEME.light.bar, "#FFFFFF")
    assert (black.light.marker_edge, black.dark.marker_edge) == ("#000000", THEME.dark.bar)


@given(st.from_regex(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", fullmatch=True))
def test_every_colour_is_read(accent: str) -> None:
    own = theme(accent).light.marker
    assert re.fullmatch("#[0-9A-F]{6}", own)
    assert own in {accent.upper(), "#" + "".join(2 * digit for digit in accent[1:].upper())}


@given(
    st.text()
    | st.from_regex("#[0-9a-g]{2,8}")
    | st.sampled_from(["#１２３", "#12 ", " #fff\n", "# fff", "#FFE24A;"])
)
def test_anything_else_is_no_colour(wish: str) -> None:
    if not wish.strip() or normal(wish.strip()):
        assert theme(wish).light.marker.startswith("#")
        return
    refused(wish, setting="accent")


def refused(wish: str, *, setting: str) -> str:
    """Check that a wish is refused in one line that names the setting."""
    with pytest.raises(ConfigError) as caught:
        theme(**{setting: wish})
    assert caught.value.subject == f"theme.{setting}"
    assert caught.value.remedy
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    return str(caught.value)


@given(st.text() | st.lists(st.text(alphabet="ab 12-_,é고딕'\";{}<>()\\/:\n\u202e\ue000")).map(",".join))
@example("Inter, Segoe UI")
@example("-apple-system")
def test_fonts_stand_in_a_style_attribute_without_quotes(wish: str) -> None:
    try:
        own = theme(font=wish, title_font=wish)
    except ConfigError as error:
        assert error.subject == "theme.font"  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017
        return
    for stack in (own.sans, own.serif):
        assert not set(stack) & set("'\"`;{}<>()\\/:@!&#=\n\t")
        assert stack.isprintable()
        for name in stack.split(","):
            assert all(re.match(r"-?[^\W\d]", word) for word in name.split(" ")), name


@pytest.mark.parametrize(
    "wish",
    [
        '"Segoe UI"', "Arial; color: red", "a}b", "<b>", "url(x)", "expression(alert(1))", "Source Sans 3",
        "Arial,,Inter", "Arial,", ",", "inherit", "a\nb", "a\tb", "a\u202eb", "a\u00a0b", "\ue000", "x" * 201,
        "Arial !important", "Arial/*", "\\41 rial", "&quot;",
    ],
)  # fmt: skip
def test_what_is_no_list_of_fonts_is_refused(wish: str) -> None:
    refused(wish, setting="font")
    refused(wish, setting="title_font")


def test_ours_stand_behind_the_fonts_of_a_wish() -> None:
    own = theme(font="Inter,  Segoe  UI ", title_font="나눔명조")
    assert own.sans.startswith("Inter,Segoe UI,-apple-system,")
    assert own.sans.endswith(",sans-serif")
    assert own.sans.count("Segoe UI") == 1
    assert "Malgun Gothic" in own.sans
    assert own.serif == f"나눔명조,{THEME.serif}"
    ended = theme(font="JetBrains Mono, monospace", title_font="Inter, sans-serif")
    assert ended.sans.startswith("JetBrains Mono,monospace,")
    assert "Malgun Gothic" in ended.sans
    assert "Roboto" not in ended.sans
    assert ended.serif == "Inter,sans-serif"


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/logo.png", " https://example.org/a/Logo.JPG?v=2 ", "HTTPS://example.org/x.webp#top",
        "https://example.org:8443/l%C3%B6we.gif", "https://example.org/x.jpeg?a=1&b=2",
    ],
)  # fmt: skip
def test_a_picture_on_the_web_is_a_logo(address: str) -> None:
    assert theme(logo=address).logo == address.strip()


@pytest.mark.parametrize(
    "address",
    [
        "logo.png", "/logo.png", "./logo.png", "C:\\logo.png", "file:///logo.png", "//example.org/logo.png",
        "http://example.org/logo.png", "data:image/png;base64," + "A" * 5000, "javascript:alert(1)//.png",
        "https://example.org/logo.svg", "https://example.org/logo.SVGZ", "https://example.org/", "https:///x.png",
        "https://example.org/page?x=logo.png", "https://user@example.org/x.png", "https://[/x.png",
        "https://example.org/a b.png", 'https://example.org/".png', "https://example.org/\u202e.png",
        "https://example.org/\n.png", "https://example.org/" + "a" * 1000 + ".png", "https://example.org/\ue000.png",
    ],
)  # fmt: skip
def test_what_no_client_shows_is_no_logo(address: str) -> None:
    refused(address, setting="logo")


@given(st.text() | st.text().map("https://example.org/{}.png".format))
def test_a_logo_stands_in_an_attribute(wish: str) -> None:
    try:
        logo = theme(logo=wish).logo
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    assert logo is None or (logo.isascii() and logo.isprintable() and not set(logo) & set(' "<>\\'))
