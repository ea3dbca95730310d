"""Feeds that are damaged or hostile; the good ones stand in ``tests/data/ingestion/feed``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.ingestion.feed import parse_feed
from newsletter.ingestion.html_text import html_to_text

RSS = '<rss version="2.0"><channel><title>x</title>{}</channel></rss>'
ITEM = "<item><title>{}</title><link>https://arxiv.org/abs/2409.06820</link></item>"


@pytest.mark.timeout(20)  # a hang fails
def test_an_entity_bomb_ends_at_once() -> None:
    lines = ['<!ENTITY a0 "lol">']
    lines += [f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12)]
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [{"".join(lines)}]>{RSS.format(ITEM.format("&a11;"))}'
    for data in (bomb.encode(), bomb.replace("1.0", "1.0' encoding='utf-16").encode("utf-16")):
        with pytest.raises(SourceError, match=r"x\.xml: the feed declares XML entities"):
            parse_feed(data, name="x.xml")


def test_an_external_entity_is_not_read() -> None:
    data = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + RSS.format(ITEM.format("&x;"))
    with pytest.raises(SourceError, match="declares XML entities"):
        parse_feed(data.encode(), name="x.xml")


def test_a_feed_that_stops_in_the_middle_says_so() -> None:
    whole = RSS.format(ITEM.format("One") + ITEM.replace("06820", "06821").format("Two"))
    parsed = parse_feed(whole[:-60].encode(), name="x.xml")
    assert parsed.papers[0].title == "One"
    assert "damaged" in parsed.warnings[0]


def test_a_link_to_a_pdf_may_lack_its_address() -> None:
    entry = (
        '<entry><id>https://example.org/1</id><title>One</title><link href="https://example.org/1"/>'
        '<link rel="related" type="application/pdf"/>{}</entry>'
    )
    form = '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{}</feed>'
    bare = parse_feed(form.format(entry.format("")).encode(), name="a")
    assert [paper.pdf_url for paper in bare.papers] == [None]
    link = '<link rel="enclosure" type="application/pdf" href="https://example.org/1.pdf"/>'
    assert (
        parse_feed(form.format(entry.format(link)).encode(), name="a").papers[0].pdf_url
        == "https://example.org/1.pdf"
    )


def test_text_is_not_taken_for_an_address() -> None:
    for data in (b"/etc/passwd", b"http://127.0.0.1:1/feed"):
        with pytest.raises(SourceError, match="is not a readable RSS or Atom feed"):
            parse_feed(data, name="x.xml")


def test_an_item_twice_is_merged_with_a_warning() -> None:
    parsed = parse_feed(RSS.format(ITEM.format("One") * 2).encode(), name="x.xml")
    assert len(parsed.papers) == 1
    assert parsed.warnings == ("x.xml: paper 2409.06820 is listed more than once; its entries are merged",)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<p>One</p><p>Two &amp; three</p>", "One\nTwo & three"),
        ("a<br/>b<b>c</b>", "a\nbc"),
        ("if a < b and b > a", "if a < b and b > a"),
        ("x <script>alert('</p>')</script>y<style>p {}</style>", "x y"),
        ("x <SCRIPT>never closed", "x"),
        ("a <!-- <b>hidden</b> --> b", "a b"),
        ("a <!-- never closed", "a <!-- never closed"),
        ("a <b never closed", "a <b never closed"),
        ("&lt;b&gt; stays &#127881;", "<b> stays 🎉"),
    ],
)
def test_html_becomes_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize(
    "markup", ["<" * 10**6, "<a " * 10**5, "<!--" * 10**5, "<script>" * 10**5, "&" * 10**6]
)
@pytest.mark.timeout(20)  # a hang fails
def test_hostile_html_takes_no_time(markup: str) -> None:
    html_to_text(markup)


@given(st.text(st.sampled_from("<>!-/ab&;\"' ")))
def test_any_markup_gives_text(markup: str) -> None:
    assert isinstance(html_to_text(markup), str)
