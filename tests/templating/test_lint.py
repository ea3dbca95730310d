"""Lint: each fault is found where it was planted, and a letter without it has none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.delivery.recipients import Links
from newsletter.letters import Identity, checked, example_reader, make_letter
from newsletter.models.issues import Issue, placeholder
from newsletter.templating.i18n import words
from newsletter.templating.issue import Design, render
from newsletter.templating.links import safe_url
from newsletter.templating.lint.address import image_fault, link_fault
from newsletter.templating.lint.check import Checked, lint
from newsletter.templating.lint.findings import Severity
from newsletter.templating.lint.rules import Rule
from tests.templating.samples import DESIGN, entry, issue_of, many, sample

LEAVE = "https://news.example.org/u/abcdefghijklmnopqrstuvwxyz/1"
POST = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
PREHEADER = "Also: a second paper, a third, and four more."
SPACER = "\u034f \u00ad\u200c " * 20
HTML = f"""<!doctype html>
<html lang="en"><head><title>Daily Papers</title><style>a{{color:inherit}}</style></head>
<body style="background-color:#F5F4F1"><div style="display:none;max-height:0">{PREHEADER}{SPACER}</div>
<!--[if mso | IE]><table width="600"><tr><td><![endif]-->
<table width="100%" style="max-width:900px;width:100%"><tr><td style="font-size:0;color:#161614">
<div style="font-size:16px">
<h1>12 September</h1><p style="color:#5C5A54">13 papers</p>
<a href="https://arxiv.org/abs/1"><img src="https://pictures.example.org/1.png" width="600" alt="First page"></a>
<h2><a href="https://arxiv.org/abs/1">One paper</a></h2><p>It says a thing.</p>
<a href="https://example.org/code/1">Code</a>
<h2><a href="https://arxiv.org/abs/2">Another paper</a></h2>
<a href="https://example.org/code/2">Code</a> <img src="https://pictures.example.org/line.png" width="20" alt="">
<p>5 Paper Lane, 1234 Sampletown</p><a href="{LEAVE}">Unsubscribe</a> <a href="mailto:news@example.org">Write</a>
</div></td></tr></table></body></html>"""
LETTER = Checked(
    html=HTML,
    text=f"One paper\n\nUnsubscribe:\n{LEAVE}\n\n5 Paper Lane,\n1234 Sampletown\n",
    subject="PingPong: a benchmark for role play",
    from_name="Daily Papers",
    headers=(("List-Id", "<daily.example.org>"), ("List-Unsubscribe", f"<{LEAVE}>"), POST),
    unsubscribe=LEAVE,
    postal_address="5 Paper Lane, 1234 Sampletown",
    real_mail=True,
)
BODY = "<p>It says a thing.</p>"


def put(snippet: str) -> Checked:
    """Return the letter with more in it."""
    assert BODY in HTML
    return replace(LETTER, html=HTML.replace(BODY, BODY + snippet))


def swap(before: str, after: str) -> Checked:
    """Return the letter with another thing in place of one."""
    assert before in HTML
    return replace(LETTER, html=HTML.replace(before, after))


def link(address: str) -> Checked:
    """Return the letter with a link more."""
    return put(f'<a href="{address}">somewhere</a>')


def image(attributes: str) -> Checked:
    """Return the letter with a picture more."""
    return put(f"<img {attributes}>")


def rules(letter: Checked) -> list[str]:
    """Return the rules that a letter breaks."""
    return [finding.rule for finding in lint(letter)]


def test_a_good_letter_has_no_finding() -> None:
    assert lint(LETTER) == []


def test_nothing_known_nothing_judged() -> None:
    assert lint(Checked()) == []


IMAGE = 'src="https://pictures.example.org/2.png"'
FAULTS = [
    (Rule.UNSAFE_LINK, link("javascript:alert(1)")),
    (Rule.UNSAFE_LINK, link(" JavaScript:alert(1)")),
    (Rule.UNSAFE_LINK, link("java&#10;script:alert(1)")),
    (Rule.UNSAFE_LINK, link("data:text/html,x")),
    (Rule.UNSAFE_LINK, link("vbscript:x")),
    (Rule.UNSAFE_LINK, link("file:///etc/passwd")),
    (Rule.UNSAFE_LINK, link("ftp://example.org/x")),
    (Rule.UNSAFE_LINK, link("/papers/1")),
    (Rule.UNSAFE_LINK, link("papers/1:2")),
    (Rule.UNSAFE_LINK, link("//example.org/x")),
    (Rule.UNSAFE_LINK, link("#")),
    (Rule.UNSAFE_LINK, link("")),
    (Rule.UNSAFE_LINK, put("<a href>somewhere</a>")),
    (Rule.UNSAFE_LINK, link("https://arxiv.org@evil.example/x")),
    (Rule.UNSAFE_LINK, link("https://user:word@evil.example/x")),
    (Rule.UNSAFE_LINK, link("https://arxiv.org\\@evil.example/x")),
    (Rule.UNSAFE_LINK, link("https:evil.example")),
    (Rule.UNSAFE_LINK, link("https://")),
    (Rule.UNSAFE_LINK, link("https://[::1")),
    (Rule.UNSAFE_LINK, link("https://example.org:port/")),
    (Rule.UNSAFE_LINK, link("https://example.org/&#x202e;gnp.exe")),
    (Rule.UNSAFE_LINK, link("mailto:")),
    (Rule.UNSAFE_LINK, link("mailto:a@example.org?bcc=b@example.org")),
    (Rule.UNSAFE_LINK, link("mailto:a@example.org?subject=x%0d%0aBcc:b@example.org")),
    (Rule.UNSAFE_LINK, put('<area href="javascript:x">')),
    (Rule.UNSAFE_LINK, put('<!--[if mso]><v:roundrect href="javascript:x"></v:roundrect><![endif]-->')),
    (Rule.UNSAFE_IMAGE, image('src="2.png" width="20" alt="x"')),
    (Rule.UNSAFE_IMAGE, image('src="data:image/png;base64,AAAA" width="20" alt="x"')),
    (Rule.UNSAFE_IMAGE, image('src="javascript:x" width="20" alt="x"')),
    (Rule.UNSAFE_IMAGE, image('width="20" alt="x"')),
    (Rule.UNSAFE_IMAGE, put('<p style="background:URL( \'data:image/png;base64,AA\' )">x</p>')),
    (Rule.UNSAFE_IMAGE, put('<table background="x.png"></table>')),
    (Rule.UNSAFE_IMAGE, image(f'{IMAGE} srcset="x.png 2x" width="20" alt="x"')),
    (Rule.ACTIVE_CONTENT, put("<script>x()</script>")),
    (Rule.ACTIVE_CONTENT, put('<form action="https://example.org/"></form>')),
    (Rule.ACTIVE_CONTENT, put('<iframe src="https://example.org/"></iframe>')),
    (Rule.ACTIVE_CONTENT, put('<p OnClick="x()">x</p>')),
    (Rule.ACTIVE_CONTENT, put('<meta http-equiv="Refresh" content="0;url=https://example.org/">')),
    (Rule.ACTIVE_CONTENT, put("<!--[if mso]><script>x()</script><![endif]-->")),
    (Rule.NO_UNSUBSCRIBE, swap(LEAVE, "https://news.example.org/elsewhere")),
    (Rule.NO_UNSUBSCRIBE, replace(LETTER, text="One paper\n\n5 Paper Lane, 1234 Sampletown\n")),
    (Rule.NO_LIST_UNSUBSCRIBE, replace(LETTER, headers=LETTER.headers[:1])),  # type: ignore[index]
    (Rule.NO_LIST_UNSUBSCRIBE, replace(LETTER, headers=(("List-Unsubscribe", "<>"),))),
    (Rule.NO_ONE_CLICK, replace(LETTER, headers=(("List-Unsubscribe", f"<mailto:x@example.org>, <{LEAVE}>"),))),
    (Rule.LEFT_OVER_TAG, put("<mj-text>x</mj-text>")),
    (Rule.LEFT_OVER_TAG, put("<!--[if mso]><mj-spacer /><![endif]-->")),
    (Rule.LEFT_OVER_PLACEHOLDER, put(placeholder("preferences_url"))),
    (Rule.LEFT_OVER_PLACEHOLDER, link(placeholder("preferences_url"))),
    (Rule.LEFT_OVER_PLACEHOLDER, put("&#xE000;preferences_url&#xE001;")),
    (Rule.LEFT_OVER_PLACEHOLDER, replace(LETTER, text=f"{LETTER.text}\n{placeholder('x')}")),
    (Rule.LEFT_OVER_PLACEHOLDER, replace(LETTER, subject=f"For you alone, {placeholder('name')}")),
    (Rule.LEFT_OVER_PLACEHOLDER, put("\ue001")),
    (Rule.EMPTY_TEXT, replace(LETTER, text=" \n")),
    (Rule.HTML_WEIGHT, put("x" * 102_000)),
    (Rule.UNREADABLE_HTML, put("<a " * 60)),
    (Rule.HEADER_INJECTION, replace(LETTER, subject="A fine subject\r\nBcc: victim@example.org")),
    (Rule.HEADER_INJECTION, replace(LETTER, from_name="Papers\nBcc: victim@example.org")),
    (Rule.HEADER_INJECTION, replace(LETTER, headers=(*LETTER.headers, ("X-A", "b\rBcc: c")))),  # type: ignore[misc]
    (Rule.HEADER_INJECTION, replace(LETTER, headers=(*LETTER.headers, POST))),  # type: ignore[misc]
    (Rule.NO_POSTAL_ADDRESS, replace(LETTER, postal_address="")),
    (Rule.NO_POSTAL_ADDRESS, swap("5 Paper Lane", "Somewhere")),
    (Rule.NO_POSTAL_ADDRESS, replace(LETTER, text=f"Unsubscribe: {LEAVE}")),
    (Rule.EMPTY_LINK_TEXT, put('<a href="https://example.org/3"> \u200b<span style="display:none">x</span></a>')),
    (Rule.EMPTY_LINK_TEXT, put('<a href="https://example.org/3"><span aria-hidden="true">→</span></a>')),
    (Rule.EMPTY_LINK_TEXT, put('<a href="https://example.org/3">')),
    (Rule.DUPLICATE_LINK_TEXT, put('<a href="https://example.org/code/3">CODE</a>')),
    (Rule.DUPLICATE_LINK_TEXT, put('<h2><a href="https://arxiv.org/abs/3">Another  paper</a></h2>')),
    (Rule.MISSING_ALT, image(f'{IMAGE} width="20"')),
    (Rule.MISSING_ALT, put(f'<a href="https://example.org/3"><img {IMAGE} width="20" alt=""></a>')),
    (Rule.FIXED_WIDTH, put('<table width="641"></table>')),
    (Rule.FIXED_WIDTH, put('<div style="min-width:700px"></div>')),
    (Rule.IMAGE_WIDTH, image(f'{IMAGE} alt="x" style="max-width:600px"')),
    (Rule.SUBJECT_LENGTH, replace(LETTER, subject="x" * 19)),
    (Rule.SUBJECT_LENGTH, replace(LETTER, subject="x" * 71)),
    (Rule.SUBJECT_LENGTH, replace(LETTER, subject="")),
    (Rule.PREHEADER, swap(PREHEADER, "")),
    (Rule.PREHEADER, swap(PREHEADER, "x" * 29)),
    (Rule.PREHEADER, swap(PREHEADER, "x" * 151)),
    (Rule.PREHEADER, replace(LETTER, subject=PREHEADER.upper())),
    (Rule.CONTRAST, put('<p style="color:#8F8B80">x</p>')),
    (Rule.CONTRAST, put('<td bgcolor="#999"><font color="white">x</font></td>')),
    (Rule.CONTRAST, put('<p style="color:rgb(145,145,145);font-size:23px">x</p>')),
    (Rule.CONTRAST, put('<a href="https://example.org/3" style="color:#FFE24A">three</a>')),
    (Rule.INSECURE_IMAGE, image('src="http://pictures.example.org/2.png" width="20" alt="x"')),
    (Rule.MISSING_LANG, swap(' lang="en"', "")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "letter"), FAULTS, ids=[f"{rule.label}-{number}" for number, (rule, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found_alone_and_explained(rule: Rule, letter: Checked) -> None:
    found = lint(letter)
    assert [finding.rule for finding in found] == [rule.label]
    assert found[0].severity is rule.severity
    assert found[0].why == rule.why
    assert found[0].what.isprintable()
    assert found[0].where


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for rule, _ in FAULTS} == set(Rule)
    assert len({rule.label for rule in Rule}) == len(Rule)


@pytest.mark.parametrize(
    "letter",
    [
        link("HTTPS://Example.org/a_(b)?q=1&amp;r=%0a#c"),
        link("http://example.org"),
        link("https://xn--9ca.example:8443/ü?x=a@b"),
        link("mailto:a@example.org?subject=leave%20it&amp;body=a%0d%0ab"),
        put('<a name="top"></a>'),
        put('<a href="https://example.org/code/3" aria-label="Code of one paper">Code</a>'),
        put('<a href="https://example.org/code/3" title="Code of another one">Code</a>'),
        put('<a href="https://example.org/code/1">Code</a>'),
        put('<a href="https://example.org/3" aria-label="Three"></a>'),
        image('src="cid:logo@example.org" width="20" alt="x"'),
        put('<div style="max-width:1200px;width:100%"></div>'),
        put('<p style="color:#777;font-size:24px">large</p>'),
        put('<p style="color:#777;font:700 19px/1 serif">bold and large</p>'),
        put('<p style="color:#eee;display:none">hidden</p>'),
        put('<p style="color:#eee">&nbsp;\u200b</p>'),
        put('<p style="color:#eee;background:url(https://pictures.example.org/dark.png)">on a picture</p>'),
        put('<p style="color:var(--ink);background:#000">nobody knows</p>'),
        put('<div style="background:#161614"><p style="color:#F1F0EC">light on dark</p></div>'),
        put(
            "<p>{{ 7 * 7 }} {% x %} &lt;mj-text&gt; &lt;script&gt; javascript:alert(1) &lt;a href='x'&gt;</p>"
        ),
        put("<!-- <script>x</script> <mj-text> is a comment that nobody reads -->"),
        replace(LETTER, postal_address="", real_mail=False),
        replace(LETTER, headers=(("List-Unsubscribe", "<mailto:leave@example.org>"),)),
        replace(LETTER, subject="x" * 20),
        replace(LETTER, subject="x" * 70),
    ],
)
def test_what_looks_like_a_fault_and_is_none(letter: Checked) -> None:
    assert lint(letter) == []


def test_a_way_out_that_nobody_told_is_guessed() -> None:
    """Where a file alone is known, the List-Unsubscribe header, our own form, or the words must do."""
    unknown = replace(LETTER, unsubscribe="", headers=None)
    assert lint(unknown) == []
    other = "https://news.example.org/leave"
    korean = (
        HTML.replace(LEAVE, other)
        .replace("Unsubscribe", words("ko").say("Unsubscribe"))
        .replace('lang="en"', 'lang="ko"')
    )
    assert lint(Checked(html=korean)) == []
    headed = replace(
        LETTER, unsubscribe="", headers=(("List-Unsubscribe", f"<{other}>"), POST), text=f"x {other}"
    )
    assert rules(replace(headed, html=HTML.replace(LEAVE, other), postal_address="", real_mail=False)) == []
    assert rules(Checked(html=HTML.replace(LEAVE, other).replace("Unsubscribe", "Bye"))) == ["no-unsubscribe"]
    assert "no-unsubscribe" in rules(Checked(html=HTML.replace(LEAVE, "javascript:unsubscribe()")))


def test_errors_come_first_and_say_where() -> None:
    letter = put('\n<p style="color:#8F8B80">pale</p><a href="javascript:alert(1)">\u001b[31mx</a>')
    warning, error = sorted(lint(letter), key=lambda finding: finding.rule)
    assert lint(letter) == [error, warning]
    line = HTML[: HTML.index(BODY)].count("\n") + 2
    assert error.where == f"html:{line}:{len('<p style=*color:#8F8B80*>pale</p>') + 1}"
    assert str(error).startswith(f'{error.where}: error unsafe-link: the link to "javascript:alert(1)" ')
    assert "#8F8B80 on #F5F4F1" in warning.what


def test_the_same_fault_is_told_once() -> None:
    assert rules(put('<a href="javascript:x">one</a><a href="javascript:x">two</a>')) == ["unsafe-link"]
    assert rules(put('<p style="color:#8F8B80">x</p>' * 9)) == ["contrast"]


def finished(issue: Issue, design: Design = DESIGN) -> Checked:
    """Return an issue as lint sees it before it is sent."""
    identity = Identity(
        newsletter="Daily Papers", from_name="Daily Papers", from_address="news@example.org",
        links=Links(public_url="https://news.example.org", unsubscribe_mailbox="leave@example.org"),
    )  # fmt: skip
    letter = make_letter(render(issue, design), issue, identity, datetime(2024, 9, 14, tzinfo=UTC))
    reader = example_reader(letter, issue, identity)
    return checked(letter, reader, postal_address=design.postal_address, real_mail=True)


@pytest.mark.parametrize(
    "make",
    [sample, lambda: sample("ko"), lambda: sample("ar"), lambda: many(3), lambda: many(120)],
    ids=["en", "ko", "ar", "three", "many"],
)
def test_the_letter_itself_is_without_fault(make: Callable[[], Issue]) -> None:
    found = lint(finished(make()))
    assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []
    # the subject and the preheader follow the papers' titles, which these samples do not choose for their length
    assert {finding.rule for finding in found} <= {"subject-length", "preheader"}


@pytest.mark.parametrize(
    "title",
    ["{{ 7 * 7 }} of {{ letter }}, told again", "<mj-text>inside of a title</mj-text>", f"A {placeholder('x')} mark here",
     "<script>alert(1)</script> and its friends", "[a link](javascript:alert(1)) and more text"],
)  # fmt: skip
def test_a_hostile_title_is_no_fault(title: str) -> None:
    issue = issue_of(entry(1, title), entry(2, title, url="javascript:alert(1)"))
    assert [f for f in lint(finished(issue)) if f.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    "address", ["#top", "mailto:?subject=Daily%20Papers&body=Look", "mailto:a%3Fb@example.org?subject=x"]
)
def test_a_link_that_leads_nowhere_bad_is_no_fault(address: str) -> None:
    assert link_fault(address) == ""


HOSTILE = st.text(max_size=80) | st.sampled_from(
    ["https://example.org:port/", "https://example.org/\u202egnp", "https://a\\@b", "http:x", "&#xe000;x&#xe001;", "\ue000",
     "<mj-text>", "<a href='x'>", "</td></table>", "data:image/png;base64,x", "<!--[if mso]><script>", "\r\nBcc: x", "<![x"]
)  # fmt: skip


@settings(max_examples=100)
@given(title=HOSTILE, url=HOSTILE | HOSTILE.map("https://example.org/{}".format), told=HOSTILE)
def test_no_source_can_stop_a_send(title: str, url: str, told: str) -> None:
    paper = entry(
        1, title, url=url, image=url, code_url=url, project_url=url, organization=told, authors=(told,),
        keywords=(told,), sections={told: told, "What's New": told},
    )  # fmt: skip
    found = lint(finished(issue_of(paper, entry(2, "Another paper"), source_url=url)))
    assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []


@given(address=st.text() | st.text(max_size=40).map("https://{}".format))
def test_a_safe_address_has_no_fault(address: str) -> None:
    safe = safe_url(address)
    assert safe is None or link_fault(safe) == image_fault(safe) == ""


@settings(max_examples=150)
@given(html=st.text())
@example(html="<![x")
@example(html="<!DOCTYPE [")
@example(html="<a href='https://[")
@example(html="<p style='font-size:9²px;color:rgb(999,999,999)'>x")
def test_no_text_makes_it_fail(html: str) -> None:
    lint(Checked(html=html, text=html, subject=html, from_name=html, headers=((html, html),), real_mail=True))


PIECES = st.sampled_from(
    ["<a ", "<a href=", "'", '"', ">", "</", "<!--", "-->", "<![", "<!", "<?", "]]>", "<![if x]>", "<p style=", "color:",
     "url(", "background:", "#fff", ";", "font-size:", "9px", "&#", "&#xe000;", "\ue000", "\ue001", "<html", " lang=", "<td>",
     "</td>", "<img", " alt", "<!--[if mso]>", "<![endif]-->", "<style>", "<script>", "</script>", "<svg/", "/>", "\x00", "x"]
)  # fmt: skip


@settings(max_examples=200)
@given(html=st.lists(PIECES, max_size=60).map("".join))
def test_no_garbage_makes_it_fail(html: str) -> None:
    lint(Checked(html=html))


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<", "<!", "<!--", "</", "<?", "<a b='", "<![CDATA[", "&", "<p>", "<a href=x>", "<b></i>", "<td style='",
     "<p style='a'>", "<!--[if mso]>", "<p style=';;;;'>x", "<p style='background:url('>x", "x>"],
)  # fmt: skip
def test_no_garbage_makes_it_slow(piece: str) -> None:
    html = (piece * (100_000 // len(piece)))[:100_000]
    begin = time.process_time()
    lint(Checked(html=html))
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "html",
    [
        "<p style='a:" + "(" * 300_000 + "'>x",
        "<p>x" + "<!--[if mso]>" * 20_000,
        "<p style='" + "a:b;" * 60_000,
    ],
)
def test_one_long_piece_does_not_make_it_slow(html: str) -> None:
    begin = time.process_time()
    lint(Checked(html=html))
    assert time.process_time() - begin < 5
