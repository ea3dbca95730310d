"""What may stand in a message's headers, and which addresses can be written to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.errors import MessageRejected, RenderError
from newsletter.messages import compose, mail_address
from newsletter.models.issues import Letter
from tests.providers.letters import LETTER as PLAIN_LETTER
from tests.providers.letters import recipient
from tests.support.mail import assert_well_formed, parse

LETTER = replace(PLAIN_LETTER, headers=(("List-Id", "Paper Post <daily.news.example.org>"),))
RECIPIENT = recipient(7, address="ada@example.org", name="Ada Lovelace")


def test_long_links_in_headers_are_not_encoded() -> None:
    link = "https://news.example.org/" + "k" * 300
    recipient = RECIPIENT._replace(headers=(("List-Unsubscribe", f"<{link}>"),))
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in compose(LETTER, recipient)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (("Bcc", "eve@example.org"), "Bcc"),
        (("from", "eve@example.org"), "from"),
        (("LIST-ID", "<other.example.org>"), "LIST-ID"),
        (("Bad Name", "x"), "Bad Name"),
        (("X-Note\r\nBcc", "x"), "X-Note Bcc"),
        (("X-Note", "nul \0"), "control character"),
        (("List-Unsubscribe", "<https://소식.example/u/1>"), "not ASCII"),
        (("List-Unsubscribe", f"<https://news.example.org/{'k' * 1000}>"), "too long"),
    ],
)
def test_headers_that_would_break_the_message_are_refused(header: tuple[str, str], complaint: str) -> None:
    with pytest.raises(RenderError, match=complaint):
        compose(replace(LETTER, headers=(*LETTER.headers, header)), RECIPIENT._replace(headers=()))


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, subject="nul \0"),
        replace(LETTER, from_address="post@example.org>\r\nBcc: eve@example.org"),
        replace(LETTER, from_address="우편@example.org"),
        replace(LETTER, boundary='b"\r\nBcc: eve@example.org'),
        replace(LETTER, boundary=""),
    ],
)
def test_a_letter_that_cannot_be_a_message_is_refused(letter: Letter) -> None:
    with pytest.raises(RenderError):
        compose(letter, RECIPIENT)


@pytest.mark.parametrize(
    "message_id", ["<>", "no-domain", "<a b@c>", "<a@b>\r\nBcc: x@y", "<" + "a" * 990 + "@b>"]
)
def test_a_message_id_that_is_none_is_refused(message_id: str) -> None:
    with pytest.raises(RenderError, match="message id"):
        compose(LETTER, RECIPIENT._replace(message_id=message_id))


def test_control_characters_in_a_name_are_dropped() -> None:
    message = parse(compose(LETTER, RECIPIENT._replace(name="Ada\0\x1b[31m\x85Lovelace")))
    assert message["To"].addresses[0].display_name == "Ada [31m Lovelace"


def test_a_recipient_without_a_name_gets_the_bare_address() -> None:
    assert b"\r\nTo: ada@example.org\r\n" in compose(LETTER, RECIPIENT._replace(name=""))


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada@example.org", "ada@example.org"),
        ("o'brien+papers@example.org", "o'brien+papers@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("편지@뉴스.example", "편지@xn--vg1b002a.example"),
        ("ada@localhost", "ada@localhost"),
    ],
)
def test_domains_go_out_in_ascii(address: str, written: str) -> None:
    assert mail_address(address) == written
    raw = compose(LETTER, RECIPIENT._replace(address=address))
    message = parse(raw)
    assert message["To"].addresses[0].addr_spec == written
    assert raw.isascii() == written.isascii()
    assert_well_formed(raw)


@pytest.mark.parametrize(
    "address",
    [
        *("", "ada", "@example.org", "ada@", "ada@@example.org", "a b@example.org", "ada@exa mple.org"),
        *("ada@example.org\r\nRCPT TO:<eve@example.org>", "ada\n@example.org", "<ada@example.org>"),
        *("ada@example.org, eve@example.org", "ada@example.org>", '"a b"@example.org', "ada\0@example.org"),
        *(
            "a..b@example.org",
            ".a@example.org",
            "ada@example..org",
            "ada@-한.example",
            "é\u2028x@example.org",
        ),
        *(
            "\ud83d@example.org",
            "a" * 250 + "@example.org",
            "ada@example.org SMTPUTF8",
            "\u200b ada@example.org",
        ),
    ],
)
def test_what_is_no_address_is_rejected_without_repeating_it(address: str) -> None:
    with pytest.raises(MessageRejected) as caught:
        compose(LETTER, RECIPIENT._replace(address=address))
    assert str(caught.value) == "this address cannot receive mail; correct it in the subscriber list"
