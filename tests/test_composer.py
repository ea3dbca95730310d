"""The fast way to a message makes the bytes of the plain one, whatever the letter and the reader."""

from __future__ import annotations

import html as markup
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.composer import Composer
from newsletter.errors import MessageRejected, RenderError
from newsletter.letters import example_reader, make_letter
from newsletter.messages import compose
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Letter, placeholder
from newsletter.templating.issue import render
from tests.test_messages import LETTER, RECIPIENT, any_text
from tools.gallery.issues import NOW
from tools.gallery.plates import IDENTITY, PLATES, Plate

PLACES = st.sampled_from([placeholder("unsubscribe_url"), placeholder("address")])
PIECES = st.one_of(
    st.text(max_size=120),
    st.sampled_from((
        "\n.", ".\n", "\nFrom ", "Fro", "m x", "\r", "\n", "\r\n", " \n", "=", "--=_letter_20240912", "--", "가나다" * 40,
        "a" * 80, "a" * 1200, "<p>word</p>" * 60, " ", "\t", "é", "\ud800", "\x00",
    )),
    PLACES,
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)
VALUES = st.lists(PIECES.filter(lambda piece: "\ue000" not in piece), max_size=4).map("".join)


def check(letter: Letter, *readers: Recipient) -> None:
    """Hold both ways against each other, for readers one after the other; of two faults either may be told."""
    try:
        composer = Composer(letter)
    except RenderError:
        with pytest.raises((RenderError, MessageRejected)):
            compose(letter, readers[0])
        return
    for reader in readers:
        try:
            plain = compose(letter, reader)
        except (RenderError, MessageRejected):
            with pytest.raises((RenderError, MessageRejected)):
                composer.compose(reader)
            continue
        assert composer.compose(reader) == plain


@settings(max_examples=400)
@given(text=TEXTS, html=TEXTS, value=VALUES, address=VALUES)
@example(text="\r" + placeholder("address"), html="Fro" + placeholder("address"), value="", address="\nm x")
@example(text="\n" + placeholder("address"), html="x" * 75 + placeholder("address"), value="", address=".")
@example(text=placeholder("address") + "\n\0", html=placeholder("address") + "\0", value="", address=".")
def test_any_letter_and_any_readers(text: str, html: str, value: str, address: str) -> None:
    readers = [
        RECIPIENT._replace(values={"unsubscribe_url": value, "address": before + address})
        for before in ("", "a" * 74, "b", "é")
    ]
    check(replace(LETTER, text=text, html=html), *readers)


@pytest.mark.parametrize(
    "tail", ["From the end", ".", "=", " . ", "m the end.\n", "t" * 200, "é" * 50, "\n\n."]
)
def test_values_of_any_length_before_any_tail(tail: str) -> None:
    letter = replace(LETTER, text=f"é{placeholder('address')}{tail}", html=f"{placeholder('address')}{tail}é")
    values = [letter * size for letter in ("a", "=", "Fro") for size in range(80)]
    check(letter, *[RECIPIENT._replace(values={"address": value}) for value in values])


@settings(max_examples=100)
@given(
    name=VALUES,
    subject=TEXTS,
    header=TEXTS,
    mail=st.sampled_from(["ada@example.org", "a b@c", "ä@ö.example"]),
)
def test_any_head(name: str, subject: str, header: str, mail: str) -> None:
    letter = replace(LETTER, subject=subject, headers=(*LETTER.headers, ("X-Any", header)))
    check(letter, RECIPIENT._replace(name=name, address=mail))


def parts(raw: bytes) -> list[tuple[str, str]]:
    """Return the parts of a message as a mail program reads them; the standard library ends each with a line end."""
    message = message_from_bytes(raw, policy=policy.default)
    assert not [part.defects for part in message.walk() if part.defects]
    return [
        (part.get_content_type(), str(part.get_content()).replace("\r\n", "\n").removesuffix("\n"))
        for part in message.iter_parts()
    ]


@settings(max_examples=150)
@given(text=any_text, html=any_text, value=any_text)
@example(text="\n", html="--=_letter_20240912--", value="\n.\n")
@example(text="한", html="a" * 2000, value="<&>'")
def test_a_reader_sees_the_parts_of_an_email_message(text: str, html: str, value: str) -> None:
    place = placeholder("address")
    letter = replace(LETTER, text=f"{text}{place}{html}", html=f"{html}{place}{text}")
    plain = EmailMessage()
    plain.set_content(f"{text}{value}{html}")
    plain.add_alternative(f"{html}{markup.escape(value)}{text}", subtype="html")
    ours = Composer(letter).compose(RECIPIENT._replace(values={**RECIPIENT.values, "address": value}))
    assert parts(ours) == parts(plain.as_bytes(policy=policy.SMTP))


@pytest.mark.parametrize("plate", PLATES, ids=str)
def test_the_letters_of_the_gallery(plate: Plate) -> None:
    issue = plate.make()
    letter = make_letter(render(issue, plate.design), issue, IDENTITY, NOW)
    reader = example_reader(letter, issue, IDENTITY)
    long = dict.fromkeys(reader.values, "https://news.example.org/" + "k" * 900)
    check(letter, reader, reader._replace(values=long), reader)


def test_a_header_cannot_stand_twice() -> None:
    reader = RECIPIENT._replace(headers=(*RECIPIENT.headers, LETTER.headers[0]))
    with pytest.raises(RenderError, match="stands twice"):
        Composer(LETTER).compose(reader)
