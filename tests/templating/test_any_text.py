"""Whatever a paper says, the letter renders, its text stays text, and a mail program reads back what was meant."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import MIMEPart

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.recipients import Links
from newsletter.letters import Identity, preview_files
from newsletter.models.papers import SummaryOrigin
from newsletter.templating.issue import Design, fill, render
from newsletter.templating.lint.check import lint
from newsletter.templating.lint.file import read_message
from newsletter.templating.lint.findings import Severity
from newsletter.templating.text import one_line
from tests.templating.samples import Page, entry, issue_of

DESIGN = Design(name="Daily Papers", postal_address="12 Example Street, Springfield")
IDENTITY = Identity(
    newsletter="Daily Papers", from_name="Daily Papers", from_address="papers@example.org",
    links=Links(public_url="https://news.example.org", unsubscribe_mailbox="leave@example.org"),
)  # fmt: skip
NOW = datetime(2024, 9, 14, 7, 30, tzinfo=UTC)
PIECES = st.one_of(
    st.text(max_size=60),
    st.sampled_from((
        "<b>", "</td></tr></table>", "<mj-text>", "</mj-text>", "<mj-raw>", "{{ 7 * 7 }}", "{% raw %}", "{#", "&amp;", "&#x41;",
        "]]>", "<!-- ", "--", "\\", "'", '"', "=", "`", "\r\nBcc: x@example.org", "\x00", "\ud800", "\ue000address\ue001",
        "\u202e", "👩‍🔬", "e\u0301", "가나다 (Attention)의", "שלום", "مرحبا", ". ", "! ", "\t", "https://example.org/?a=b&c=d",
    )),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)
WHOLE = TEXTS.map(lambda text: text.replace("\ud800", ""))  # JSON has no way to write one
LANGUAGES = st.sampled_from(("en", "ko", "ar", "ja"))


@settings(max_examples=60)
@given(title=TEXTS, author=TEXTS, text=TEXTS, language=LANGUAGES, full=st.integers(0, 3))
def test_any_text_stays_text(title: str, author: str, text: str, language: str, full: int) -> None:
    papers = (
        entry(
            rank, title or "Untitled", authors=(author, "Second"), organization=text[:50], keywords=(title[:20],),
            sections={"What's New": text, author[:30] + "*" * rank: title}, language=language,
        )
        for rank in (1, 2, 3)
    )  # fmt: skip
    issue = issue_of(*papers, language=language)
    design = Design(name="Daily Papers", postal_address="12 Example Street", full=full)
    rendered = render(issue, design)
    page = Page(rendered.html)
    for told in (one_line(title)[:300].strip(), one_line(text)):
        if told and len(told) < 100:
            assert " ".join(told.split()) in page.text
    usual = {tag for tag, _ in Page(render(issue_of(*map(entry, (1, 2, 3), "ABC")), design).html).tags}
    assert {tag for tag, _ in page.tags} <= usual | {"span", "b", "a", "p"}
    assert "<mj-" not in rendered.html
    assert "".join(one_line(title).split()) in "".join(rendered.text.split())
    assert not {"\r", "\n"} & set(rendered.subject + rendered.preheader)


@settings(max_examples=40)
@given(title=WHOLE, author=WHOLE, text=WHOLE, language=LANGUAGES)
def test_a_mail_program_reads_the_very_parts(title: str, author: str, text: str, language: str) -> None:
    paper = entry(1, title or "Untitled", authors=(author,), sections={"What's New": text}, language=language)
    issue = issue_of(paper, entry(2, "Beta: Two"), language=language)
    files = preview_files(issue, DESIGN, IDENTITY, NOW)
    raw = files["issue.eml"]
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=policy.default)
    assert message.defects == []
    assert set(message.keys()) >= {"From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe"}
    assert message["Bcc"] is None
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert read(plain) == files["issue.txt"].decode().rstrip()
    assert read(html) == files["issue.html"].decode().rstrip()
    found = lint(read_message(raw, name="issue.eml"))
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []


def read(part: MIMEPart) -> str:
    """Return a part's text as a mail program has it."""
    content: str = part.get_content()
    return content.replace("\r\n", "\n").rstrip()


@pytest.mark.parametrize("language", ["en", "ko", "ar"])
@pytest.mark.parametrize("full", [0, 1, 4])
def test_what_is_far_too_long_is_folded(language: str, full: int) -> None:
    word, sentence, heap = "W" * 5_000, "One sentence of many stands here. ", "x" * 100_000
    papers = [
        entry(1, word, sections={"What's New": sentence * 3_000}, authors=(word,) * 9),
        entry(2, word, sections={"What's New": heap}, organization=word, keywords=(word,)),
        entry(
            3, f"{word} for {word}", sections={heap[:10_000]: heap}, origin=SummaryOrigin.EXTRACT, lead=heap
        ),
        entry(4, "가" * 10_000, sections={"": "나" * 100_000}, language="ko"),
    ]
    rendered = render(issue_of(*papers, language=language), Design(name="N", full=full))
    assert len(rendered.html.encode()) <= 95_000
    assert len(rendered.subject) <= 70
    assert rendered.text.count("x" * 60) > 1_000  # the text part has all of it
    values = {"unsubscribe_url": "https://example.org/u/KEY/1", "address": "reader@example.org"}
    page = Page(fill(rendered.html, values, html=True))
    assert len([link for link in page.links if "arxiv.org/abs" in link]) >= 4
