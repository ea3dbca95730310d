"""Signatures hold for any content, and for nothing that was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.composer import Composer
from newsletter.dkim import Signer, make_key, read_key, record_strings
from newsletter.errors import MessageRejected, RenderError
from newsletter.messages import compose
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Letter
from tests.support.mail import assert_well_formed, parse
from tests.support.signatures import signed_names, verdicts
from tests.test_composer import TEXTS, VALUES
from tests.test_messages import LETTER, OUR_HEADERS, RECIPIENT, header_text

SIGNERS = [
    Signer(domain="news.example.org", selector="r2024", key=read_key(make_key("rsa"), "rsa")),
    Signer(domain="example.org", selector="e2024", key=read_key(make_key("ed25519"), "ed25519")),
]
RECORDS = {signer.record_name: signer.record for signer in SIGNERS}
LONG = "a-domain-with-a-name-of-usual-length." * 6 + "example"


def signed(letter: Letter = LETTER, reader: Recipient = RECIPIENT) -> bytes:
    return Composer(letter, SIGNERS).compose(reader)


@settings(max_examples=80)
@given(
    text=TEXTS,
    html=TEXTS,
    value=VALUES,
    subject=header_text,
    name=header_text,
    mail=st.sampled_from(
        ["ada@example.org", "ä.b@ö.example", "=?x?=@example.org", "b" * 64 + "@" + LONG[-180:]]
    ),
)
def test_both_signatures_hold_for_any_content(
    text: str, html: str, value: str, subject: str, name: str, mail: str
) -> None:
    letter = replace(LETTER, text=text, html=html, subject=subject)
    reader = RECIPIENT._replace(name=name, address=mail, values={"unsubscribe_url": value, "address": mail})
    try:
        plain = compose(letter, reader)
    except (RenderError, MessageRejected):
        return
    message = signed(letter, reader)
    assert verdicts(message, RECORDS) == [True, True]
    assert message.endswith(plain)
    added = message.removesuffix(plain)
    assert_well_formed(added)
    assert max(map(len, added.split(b"\r\n"))) <= 78


def test_every_header_is_signed_and_what_is_acted_upon_cannot_be_added() -> None:
    ours = [name.lower() for name in OUR_HEADERS]
    for names in signed_names(signed()):
        assert names[: len(ours)] == ours
        assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)
        assert [names.count(name) for name in ("from", "list-unsubscribe-post", "reply-to", "cc")] == [
            2,
            2,
            1,
            1,
        ]


@pytest.mark.parametrize("name", OUR_HEADERS)
def test_a_changed_header_breaks_them(name: str) -> None:
    message = signed()
    changed = message.replace(f"\r\n{name}: ".encode(), f"\r\n{name}: x".encode(), 1)
    assert changed != message
    assert verdicts(changed, RECORDS) == [False, False]
    gone = message.replace(f"\r\n{name}: ".encode(), b"\r\nX-Gone: ", 1)
    assert verdicts(gone, RECORDS) == [False, False]


@pytest.mark.parametrize(
    "line",
    ["From: eve@example.org", "Subject: Win", "Reply-To: eve@example.org", "Cc: eve@example.org",
     "List-Unsubscribe: <https://example.org/eve>", "List-Unsubscribe-Post: x", "Content-Type: text/html",
     "Content-Transfer-Encoding: base64", "Date: Fri, 13 Sep 2024 06:30:00 +0000"],
)  # fmt: skip
def test_an_added_header_breaks_them(line: str) -> None:
    head, gap, body = signed().partition(b"\r\n\r\n")
    assert verdicts(line.encode() + b"\r\n" + head + gap + body, RECORDS) == [False, False]
    assert verdicts(head + b"\r\n" + line.encode() + gap + body, RECORDS) == [False, False]


def test_what_relays_do_does_not_break_them() -> None:
    relayed = b"Received: from a by b\r\nReturn-Path: <x@example.org>\r\n" + signed()
    relayed = relayed.replace(b"\r\nSubject: Daily papers, ", b"\r\nsubject:\tDaily\r\n  papers, ")
    assert verdicts(relayed, RECORDS) == [True, True]


@settings(max_examples=40)
@given(st.data())
def test_a_changed_octet_of_the_body_breaks_them(data: st.DataObject) -> None:
    message = signed()
    start = message.index(b"\r\n\r\n") + 4
    place = data.draw(st.integers(start, len(message) - 3))
    octet = data.draw(st.integers(33, 126).filter(lambda octet: octet != message[place]))
    assert verdicts(message[:place] + bytes([octet]) + message[place + 1 :], RECORDS) == [False, False]


def test_another_key_under_the_selector_breaks_one() -> None:
    other = replace(SIGNERS[0], key=read_key(make_key("rsa"), "rsa"))
    assert verdicts(signed(), RECORDS | {other.record_name: other.record}) == [False, True]


def test_the_same_bytes_at_every_attempt() -> None:
    composer = Composer(LETTER, SIGNERS)
    other = composer.compose(RECIPIENT._replace(address="grace@example.org"))
    assert composer.compose(RECIPIENT) == signed() != other
    assert verdicts(other, RECORDS) == [True, True]
    assert f" t={int(LETTER.date.timestamp())};".encode() in signed()


def test_long_names_keep_the_lines_of_a_message() -> None:
    long = replace(SIGNERS[0], domain=LONG, selector="s" * 63)
    message = Composer(LETTER, [long]).compose(RECIPIENT)
    assert_well_formed(message)
    assert verdicts(message, {long.record_name: long.record}) == [True]
    assert parse(message)["From"] == parse(compose(LETTER, RECIPIENT))["From"]


def test_a_record_is_cut_into_strings_of_dns() -> None:
    rsa, ed25519 = (record_strings(signer.record) for signer in SIGNERS)
    assert [len(string) for string in rsa] == [255, len(SIGNERS[0].record) - 255]
    assert "".join(rsa) == SIGNERS[0].record
    assert ed25519 == [SIGNERS[1].record]
