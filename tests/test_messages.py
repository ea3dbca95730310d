"""A letter and a recipient become one message that every mail client reads the same way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.errors import RenderError
from newsletter.messages import compose
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Letter, placeholder
from tests.support.mail import assert_well_formed, parse

LETTER = Letter(
    subject="Daily papers, 12 September",
    html=f'<p>Fourteen papers.</p>\n<p><a href="{placeholder("unsubscribe_url")}">Unsubscribe</a></p>\n',
    text=f"Fourteen papers.\n\nUnsubscribe: {placeholder('unsubscribe_url')}\n",
    language="en",
    from_name="Paper Post",
    from_address="post@news.example.org",
    date=datetime(2024, 9, 13, 6, 30, tzinfo=UTC),
    boundary="=_letter_20240912",
    headers=(("List-Id", "Paper Post <daily.news.example.org>"), ("Precedence", "bulk")),
)
LINK = "https://news.example.org/u/0123456789abcdef0123456789abcdef/daily-1?a=1&b=2"
RECIPIENT = Recipient(
    subscriber_id=7,
    address="ada@example.org",
    name="Ada Lovelace",
    delivery_id="daily.20240912.7",
    message_id="<daily.20240912.7@news.example.org>",
    values={"unsubscribe_url": LINK},
    headers=(
        ("List-Unsubscribe", f"<{LINK}>, <mailto:unsubscribe@news.example.org?subject=daily-1>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ),
)
OUR_HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"),
    *("List-Id", "Precedence", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type"),
]

# Text as it may come: everything but halves of surrogate pairs and the marks of placeholders.
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ue000\ue001"), max_size=400)
# Text of a header: as above, without the control characters that `compose` refuses.
header_text = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ue000\ue001"),
        st.sampled_from(list("\r\n\t .,:;<>@\"\\'=?()&")),
    ),
    max_size=200,
)


# A name that fits one encoded word: in names of more, the standard library's parser wrongly keeps the spaces
# between encoded words (https://github.com/python/cpython/issues/128110).
short_name = header_text.map(lambda name: name[:11])


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def encoding(message: EmailMessage, kind: str) -> tuple[str, str]:
    part = message.get_body((kind,))
    assert part is not None
    return part["Content-Transfer-Encoding"], str(part.get_content_charset())


def test_the_whole_message_of_a_plain_letter() -> None:
    assert compose(LETTER, RECIPIENT).decode("ascii").split("\r\n") == [
        "From: Paper Post <post@news.example.org>",
        "To: Ada Lovelace <ada@example.org>",
        "Subject: Daily papers, 12 September",
        "Date: Fri, 13 Sep 2024 06:30:00 +0000",
        "Message-ID: <daily.20240912.7@news.example.org>",
        "MIME-Version: 1.0",
        "List-Id: Paper Post <daily.news.example.org>",
        "Precedence: bulk",
        f"List-Unsubscribe: <{LINK}>,",
        " <mailto:unsubscribe@news.example.org?subject=daily-1>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Content-Type: multipart/alternative;",
        ' boundary="=_letter_20240912"',
        "",
        "--=_letter_20240912",
        'Content-Type: text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Fourteen papers.",
        "",
        "Unsubscribe: https://news.example.org/u/0123456789abcdef0123456789abcdef/da=",
        "ily-1?a=3D1&b=3D2",
        "",
        "--=_letter_20240912",
        'Content-Type: text/html; charset="us-ascii"',
        "Content-Transfer-Encoding: 7bit",
        "",
        "<p>Fourteen papers.</p>",
        f'<p><a href="{LINK.replace("&", "&amp;")}">Unsubscribe</a></p>',
        "",
        "--=_letter_20240912--",
        "",
    ]


def test_same_bytes_every_time() -> None:
    assert compose(LETTER, RECIPIENT) == compose(
        replace(
            LETTER,
        ),
        RECIPIENT._replace(),
    )


@given(text=any_text, html=any_text, subject=header_text, name=short_name)
@example(text="..\n.\n. a\nFrom me\n", html="From " * 40, subject="=?utf-8?q?a?=", name="=?utf-8?q?a?=")
@example(text="x" * 2000, html="한" * 2000, subject="s" * 2000, name="n" * 45)
@example(
    text="\r", html="\r\n \t", subject="Papers\r\nBcc: eve@example.org", name="A\r\nBcc: eve@example.org"
)
@example(text="." * 300, html=" \n\t\n", subject="", name='Doe, "Jo\\hn" (x) <eve@example.org>')
@example(
    text="--=_letter_20240912--\n", html="--=_letter_20240912\n", subject="논문 " * 40, name="홍 길동 " * 3
)
def test_any_content_comes_back_whole(text: str, html: str, subject: str, name: str) -> None:
    raw = compose(replace(LETTER, text=text, html=html, subject=subject), RECIPIENT._replace(name=name))
    assert_well_formed(raw)
    message = parse(raw)
    assert message.keys() == OUR_HEADERS
    assert content(message, "plain") == text.replace("\r\n", "\n").replace("\r", "\n")
    assert content(message, "html") == html.replace("\r\n", "\n").replace("\r", "\n")
    assert message["Subject"] == " ".join(subject.split())
    (to,) = message["To"].addresses
    assert (to.display_name, to.addr_spec) == (" ".join(name.split()), "ada@example.org")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@given(name=header_text.map(lambda name: f"{name} 길동"))
@example(name="홍 길동 " * 40)
@example(name="n" * 2000 + "é")
def test_long_names_come_back_whole(name: str) -> None:
    raw = compose(LETTER, RECIPIENT._replace(name=name))
    assert_well_formed(raw)
    folded = raw[raw.index(b"\r\nTo: ") + 6 : raw.index(b"<ada@example.org>")].decode("ascii")
    assert max(map(len, folded.split("\r\n"))) <= 76
    assert str(make_header(decode_header(folded))).strip() == " ".join(name.split())


@given(text=any_text, html=any_text, subject=header_text.filter(str.isprintable))
def test_reads_like_the_standard_librarys_message(text: str, html: str, subject: str) -> None:
    oracle = EmailMessage(policy=policy.SMTP)
    oracle["Subject"] = " ".join(subject.split())
    oracle.set_content(text, cte="base64")
    oracle.add_alternative(html, subtype="html", cte="base64")
    message = parse(compose(replace(LETTER, text=text, html=html, subject=subject), RECIPIENT))
    known = parse(oracle.as_bytes())
    for kind in ("plain", "html"):
        # The standard library ends every text with a line end.
        assert content(message, kind).removesuffix("\n") == content(known, kind).removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short lines\nof ASCII.\n", ("7bit", "us-ascii")),
        ("", ("7bit", "us-ascii")),
        ("A line too long for a terminal. " * 3, ("quoted-printable", "us-ascii")),
        ("A line\n.\n", ("quoted-printable", "us-ascii")),
        ("From here\n", ("quoted-printable", "us-ascii")),
        ("A bell \a\n", ("quoted-printable", "us-ascii")),
        ("Mostly ASCII, with a café in it.\n", ("quoted-printable", "utf-8")),
        ("오늘의 논문을 소개합니다.\n", ("base64", "utf-8")),
    ],
)
def test_encoding_is_chosen_by_content(text: str, expected: tuple[str, str]) -> None:
    assert encoding(parse(compose(replace(LETTER, text=text), RECIPIENT)), "plain") == expected


def test_html_in_one_long_line_is_quoted_printable_and_shorter_lines_are_not() -> None:
    html = "<p>" + "word " * 180 + "</p>"
    assert encoding(parse(compose(replace(LETTER, html=html), RECIPIENT)), "html")[0] == "7bit"
    assert (
        encoding(parse(compose(replace(LETTER, html=html * 2), RECIPIENT)), "html")[0] == "quoted-printable"
    )


def test_quoted_printable_lines_stay_within_76_octets() -> None:
    text = ".a" * 500 + "\n" + "é=" * 30 + "word" * 400 + "\n" + "." * 200
    raw = compose(replace(LETTER, text=text), RECIPIENT)
    body = raw.split(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert content(parse(raw), "plain") == text


def test_half_a_surrogate_pair_does_not_end_the_issue() -> None:
    raw = compose(replace(LETTER, text="a \ud83d b", subject="x \udc00"), RECIPIENT._replace(name="\ud83d"))
    message = parse(raw)
    assert content(message, "plain") == "a ? b"
    assert message["Subject"] == "x ?"


def test_values_are_escaped_in_html_only() -> None:
    letter = replace(
        LETTER,
        subject=f"For {placeholder('name')}",
        html=f"<p>{placeholder('name')}</p>",
        text=f"{placeholder('name')}!",
    )
    message = parse(
        compose(letter, RECIPIENT._replace(values={"name": '<b>"Ada" & Co</b>\r\nBcc: x@example.org'}))
    )
    assert (
        content(message, "html") == "<p>&lt;b&gt;&quot;Ada&quot; &amp; Co&lt;/b&gt;\nBcc: x@example.org</p>"
    )
    assert content(message, "plain") == '<b>"Ada" & Co</b>\nBcc: x@example.org!'
    assert message["Subject"] == 'For <b>"Ada" & Co</b> Bcc: x@example.org'
    assert message["Bcc"] is None


def test_a_placeholder_without_value_is_named() -> None:
    with pytest.raises(RenderError, match="manage_url"):
        compose(replace(LETTER, text=placeholder("manage_url")), RECIPIENT)


def test_values_are_not_searched_for_placeholders() -> None:
    values = {"a": placeholder("b"), "b": "secret"}
    letter = replace(LETTER, text=placeholder("a"), html="")
    assert content(parse(compose(letter, RECIPIENT._replace(values=values))), "plain") == placeholder("b")
