"""What strangers write into titles, abstracts and names stays text, in every form of the letter."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.command import Command, assert_complains, entry, load, papers_file
from tests.support.mail import parse

HOSTILE = [
    "<script>alert(1)</script> & friends",
    "{{ 7 * 7 }} of {{ letter }}",
    "{% for x in y %}{% endraw %}{# gone? #}",
    "</mj-text></mj-section><mj-text>inside",
    '<mj-include path="/etc/passwd" /> included',
    "<mj-raw><b>raw</b></mj-raw> <!-- -->",
    "A subject\r\nBcc: victim@example.org\r\n\r\n<b>body</b>",
    """Quotes " and ' and `ticks` and “curly”""",
    r"Bounds of $O(\log n)$ for $\mathcal{L}_{1}$ & 50% <x>",
    "שלום עולם ومرحبا in one title",
    "Pandas 🐼, families 👨‍👩‍👧 and flags 🇰🇷",
    "[link](javascript:alert(1)) and **bold** _text_ # not a heading",
    "=?utf-8?b?QmNjOiB4QGV4YW1wbGUub3Jn?= encoded word",
    "A mark \ue000unsubscribe_url\ue001 of our own",
    "-- \n.\nFrom the desk",
    "\x1b[31mred\x1b[0m and \x00 null",
    "x" * 3000,
]


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_a_title_stays_text(command: Command, title: str) -> None:
    papers_file(
        command.folder / "p.json", [entry("2601.00001", title, votes=9), entry("2601.00002", votes=2)]
    )
    command("preview", "--from", "p.json", "--no-open").ok()
    first = load(command.folder / "preview" / "issue.json")["entries"][0]
    expected = " ".join("".join(c for c in title if c not in "\x00\x1b\ue000\ue001").split())
    assert first["title"].split() == expected.split()
    mail = _mail(command.folder / "preview" / "issue.eml")
    assert not mail.defects
    assert mail.keys() == _headers_of_a_harmless_title(command)
    assert mail["To"] == "reader@example.org"
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert list(parts) == ["multipart/alternative", "text/plain", "text/html"]
    page = parts["text/html"].get_content()
    assert _tags(page) <= _harmless_tags(command)
    for name in ("issue.txt", "issue.md"):
        _assert_holds(expected, (command.folder / "preview" / name).read_text(encoding="utf-8"), name)
    _assert_holds(expected, _Page(page).text, "html")


def test_hostile_titles_come_back_from_the_archive_form(command: Command) -> None:
    papers = [entry(f"2601.{n:05}", title, votes=99 - n) for n, title in enumerate(HOSTILE, 1)]
    papers_file(command.folder / "p.json", papers)
    command("preview", "--from", "p.json", "--top", "0", "--no-open").ok()
    once = load(command.folder / "preview" / "issue.json")["entries"]
    again = command("preview", "--from", "preview/issue.md", "--top", "0", "--out", "again")
    assert again.code == 0
    twice = load(command.folder / "again" / "issue.json")["entries"]
    assert [item["id"] for item in twice] == [item["id"] for item in once]
    assert [item["title"] for item in twice] == [item["title"] for item in once]


def test_hostile_abstracts_and_authors_stay_text(command: Command) -> None:
    poison = '</td><script>x</script> {{ 1 }} <mj-include path="x"/> \r\nBcc: v@example.org'
    papers_file(
        command.folder / "p.json",
        [entry("2601.00001", authors=[poison, "B"], abstract=f"We show {poison}. New.")],
    )
    command("preview", "--from", "p.json", "--no-open").ok()
    page = (command.folder / "preview" / "issue.html").read_text(encoding="utf-8")
    assert _tags(page) <= _harmless_tags(command)
    assert "Bcc" not in _mail(command.folder / "preview" / "issue.eml")


def test_a_sender_with_a_newline_cannot_add_headers(command: Command) -> None:
    named = command(
        "preview", "--no-open", env={"NEWSLETTER_SENDER__NAME": "Papers\r\nBcc: victim@example.org"}
    )
    if named.code == 0:
        assert "Bcc" not in _mail(command.folder / "preview" / "issue.eml")
    else:
        assert_complains(named, "sender.name")
    address = {"NEWSLETTER_SENDER__EMAIL": "news@example.org\r\nBcc: victim@example.org"}
    assert_complains(command("preview", "--no-open", env=address), "sender.email")


def _mail(path: Path) -> EmailMessage:
    return parse(path.read_bytes())


def _harmless(command: Command) -> Path:
    folder = command.folder / "harmless"
    if not folder.exists():
        papers_file(command.folder / "h.json", [entry("2601.00001", votes=9), entry("2601.00002", votes=2)])
        command("preview", "--from", "h.json", "--out", folder).ok()
    return folder


def _headers_of_a_harmless_title(command: Command) -> list[str]:
    return _mail(_harmless(command) / "issue.eml").keys()


def _harmless_tags(command: Command) -> set[str]:
    return _tags((_harmless(command) / "issue.html").read_text(encoding="utf-8"))


class _Page(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _tags(page: str) -> set[str]:
    return _Page(page).tags


def _assert_holds(title: str, text: str, name: str) -> None:
    """Check that a text holds the beginning of a title, however it is wrapped or, in Markdown, escaped."""
    plain = re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", text) if name.endswith(".md") else text
    assert "".join(title.split())[:60] in "".join(plain.split()), name
