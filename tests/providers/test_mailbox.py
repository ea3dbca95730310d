"""What comes back by mail: our own samples of many mail systems, real ones where they are at hand, and broken ones."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.feedback import Feedback, Happening
from newsletter.delivery.recipients import key_text
from newsletter.providers.mailbox import LONGEST_MAIL, read
from tests.support.torture import length

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "mailbox"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "bounces"
# Another project says otherwise; here a status of 5.1.1 is hard, and one that is for now never is.
AGAINST_THE_RULE = {"lhost-postfix-01.eml", "lhost-postfix-05.eml", "rfc3464-01.eml"}
KEY = b"abcdefghijklmnop"


def check_harmless(found: Feedback) -> None:
    """Check that what was read can stand in a line of a log, a table or a header."""
    texts = (found.recipient, found.status, found.reason, found.action, found.original_id)
    assert all(text == "" or text.isprintable() for text in texts), found
    assert len(found.recipient) <= 320
    assert len(found.original_id) <= 501


@pytest.mark.parametrize("name", EXPECTED)
def test_sample(name: str) -> None:
    expected = EXPECTED[name]

    found = read((SAMPLES / name).read_bytes())

    assert {
        "kind": found.kind.value, "recipient": found.recipient, "status": found.status, "proven": found.link is not None
    } == expected  # fmt: skip
    if expected["proven"]:
        assert found.link == (KEY, 1)
    check_harmless(found)


ABUSE = "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
VERP = f"bounces+{key_text(KEY)}-1@example.org"


@pytest.mark.parametrize(
    "head",
    [
        f"To: <{VERP}>",
        f"To: Bounces <{VERP.upper()}>",
        f"Delivered-To: mailbox@example.org\nDelivered-To: {VERP}",
        f"X-Original-To:\n {VERP}",
        f"Original-Recipient: rfc822;{VERP.replace('+', '+2B')}",
        f"Delivered-To: bounces+{'a' * 25}0-1@example.org\nTo: bounces+1@example.org, {VERP}",
    ],
)
def test_the_address_that_a_mail_came_to_says_whose_letter_it_was(head: str) -> None:
    body = "From: mailer-daemon@example.net\nSubject: Undelivered mail\n\n<ada@example.org>: 550 5.1.1 user unknown\n"

    found = read(f"{head}\n{body}".encode())

    assert (found.kind, found.recipient, found.link) == (Happening.HARD, "ada@example.org", (KEY, 1))


@pytest.mark.parametrize(
    "part",
    [
        f"{ABUSE}Original-Mail-From: <{VERP}>\n",
        f"{ABUSE}\n--=_b\nContent-Type: text/rfc822-headers\n\nReturn-Path: <{VERP}>\nSubject: x\n",
    ],
)
def test_a_complaint_may_quote_that_address(part: str) -> None:
    head = (
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="=_b"\n\n'
    )

    found = read(f"From: fbl@example.net\n{head}--=_b\n{part}\n--=_b--\n".encode())

    assert (found.kind, found.link) == (Happening.COMPLAINT, (KEY, 1))


def test_every_sample_is_expected() -> None:
    assert {path.name for path in SAMPLES.glob("*.eml")} == set(EXPECTED)


def test_the_letter_that_came_back_is_named() -> None:
    found = read((SAMPLES / "qmail.eml").read_bytes())

    assert found.original_id == "20240912.daily.0123456789abcdef01234567@example.org"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("name", ["postfix-unknown.eml", "qmail.eml", "complaint.eml", "unsubscribe.eml"])
def test_line_ends_do_not_matter(name: str, line_end: bytes) -> None:
    mail = (SAMPLES / name).read_bytes()

    assert read(mail.replace(b"\n", line_end)) == read(mail)


def test_letters_that_cannot_be_shown_are_left_out() -> None:
    mail = (
        (SAMPLES / "postfix-unknown.eml")
        .read_text("utf-8")
        .replace("Action: failed", "Action: fail\u07b5ed\x85")
    )

    check_harmless(read(mail.encode()))


def test_a_huge_mail_is_cut() -> None:
    mail = (SAMPLES / "postfix-unknown.eml").read_bytes()

    assert read(mail + b"A" * (25 << 20)) == read(mail)
    assert read(b"A" * (25 << 20)).kind is Happening.OTHER
    assert len(mail) < LONGEST_MAIL


def test_real_ones() -> None:
    if not (REAL / "expected.json").is_file():
        pytest.skip(f"there are no real bounce mails at {REAL}")
    verdicts = json.loads((REAL / "expected.json").read_text("utf-8"))
    other = {"feedback": "complaint", "vacation": "auto-reply"}

    differing = {
        name
        for name, (told, *_) in verdicts.items()
        if read((REAL / name).read_bytes()).kind.value
        != ("hard" if told["hard"] else other.get(told["reason"], "soft"))
    }

    assert differing == AGAINST_THE_RULE


@given(st.binary(max_size=2_000))
@settings(max_examples=length(200, 20_000))
def test_no_bytes_raise(data: bytes) -> None:
    check_harmless(read(data))


@given(
    st.lists(
        st.sampled_from([
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", b"--b\n", b"--b--\n", b"\n",
            b"Content-Type: message/delivery-status\n", b"Content-Type: message/rfc822\n", b"Subject: =?utf-8?B?//?=\n",
            b"Content-Transfer-Encoding: base64\n", b"Final-Recipient: rfc822; a@example.org\n", b"Status: 5.1.1\n",
            b"Action: failed\n", b"From: mailer-daemon@example.org\n", b"Content-Type: text/plain; charset*=x'y\n",
            b"Subject: unsubscribe " + key_text(KEY).encode() + b"/1\n", b"\xff\xfe\x00\r", b"Feedback-Type: abuse\n",
            b"Content-Type: text/html; charset=utf-7\n", b"<<<<&#999999999;<a", b"X-Failed-Recipients: \x00@\n",
            b"Content-Type: multipart/mixed; boundary*0=; boundary*1=\n", b"=?x?q?", b"Content-Type: message/feedback-report\n",
        ]),
        max_size=40,
    )
)  # fmt: skip
@settings(max_examples=length(300, 30_000))
def test_no_pieces_of_mails_raise(pieces: list[bytes]) -> None:
    check_harmless(read(b"".join(pieces)))


def test_no_mutation_of_a_sample_raises() -> None:
    chance = random.Random(20240912)  # the same mutations at every run
    mails = [(SAMPLES / name).read_bytes() for name in EXPECTED]
    for _ in range(length(1_500, 200_000)):
        mail = bytearray(chance.choice(mails))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(mail))
            match chance.randrange(4):
                case 0:
                    mail[at] = chance.randrange(256)
                case 1:
                    del mail[at : at + chance.randrange(200)]
                case 2:
                    mail[at:at] = mail[at : at + chance.randrange(200)]
                case _:
                    other = chance.choice(mails)
                    cut = chance.randrange(len(other))
                    mail[at:at] = other[cut : cut + chance.randrange(200)]
            mail = mail or bytearray(b"\n")
        check_harmless(read(bytes(mail)))


def test_broken_notifications_are_only_text() -> None:
    mail = (SAMPLES / "ses-bounce.eml").read_bytes()
    for broken in (
        b'"bounce": []',
        b'"bounce": {"bouncedRecipients": [1, {"emailAddress": null}]}',
        b'"bounce": {',
    ):
        check_harmless(read(mail.replace(b'"bounce": {', broken)))
    check_harmless(
        read(mail.replace(b'{"notificationType"', b'{"Message": ' * 5_000 + b'{"notificationType"'))
    )


@pytest.mark.parametrize(
    "nested",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000)),
        b"Content-Type: message/rfc822\n\n" * 5_000,
        b"Content-Type: message/delivery-status\n\n" + b"Status: 5.1.1\n\n" * 20_000,
    ],
    ids=["parts", "mails", "blocks"],
)
def test_deep_nesting_is_no_way_to_raise(nested: bytes) -> None:
    check_harmless(read(nested))
