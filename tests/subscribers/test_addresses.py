"""Addresses: what is taken, what is refused and how, and that one mailbox is one person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import address_hash, parse_address
from subscribers.errors import InvalidAddress


@pytest.mark.parametrize(
    ("typed", "email", "key"),
    [
        ("me@example.org", "me@example.org", "me@example.org"),
        ("  me@example.com ", "me@example.com", "me@example.com"),
        ("Ada.Lovelace@Example.ORG", "Ada.Lovelace@example.org", "ada.lovelace@example.org"),
        ("me+papers@example.org", "me+papers@example.org", "me+papers@example.org"),
        ("o'neil@example.org", "o'neil@example.org", "o'neil@example.org"),
        ("me@BÜCHER.example", "me@xn--bcher-kva.example", "me@xn--bcher-kva.example"),
        ("me@XN--BCHER-KVA.example", "me@xn--bcher-kva.example", "me@xn--bcher-kva.example"),
        ("me@\uff45xample.org", "me@example.org", "me@example.org"),
        ("me@한국.example", "me@xn--3e0b707e.example", "me@xn--3e0b707e.example"),
    ],
)
def test_an_address_is_normalised(typed: str, email: str, key: str) -> None:
    address = parse_address(typed)
    assert (address.email, address.key) == (email, key)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "there is no address"),
        ("   ", "there is no address"),
        ("me", "@-sign"),
        ("me@", "after the @-sign"),
        ("@example.org", "before the @-sign"),
        ("me@localhost", "period"),
        ("me@papers.test", "special-use"),
        ("me@[127.0.0.1]", "bracketed IP address"),
        ("me@exa mple.org", "invalid characters"),
        ("a@b@example.org", "@-sign"),
        ("Me <me@example.org>", "give only what stands between < and >"),
        ("me@example.org\nBcc: you@example.org", "U+000A"),
        ("me@example.org\r\n", "U+000D"),
        ("me\x00@example.org", "U+0000"),
        ("me\u200b@example.org", "U+200B"),
        ("me\u202e@example.org", "U+202E"),
        ("me\ud800@example.org", "U+D800"),
        ("김@example.org", "nternationalized characters before the @-sign"),
        ("a" * 65 + "@example.org", "too long"),
        (f"me@{'b' * 64}.org", "separated by so many characters"),
        ("me@" + "b." * 200 + "org", "at most 254 characters"),
        ("m" * 1_000_000, "at most 254 characters"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(typed: str, said: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        parse_address(typed)
    text = str(refused.value)
    assert said in text
    assert text.isprintable(), "one line, nothing that could fool a terminal or a log"
    assert len(text) < 400


def test_the_hash_depends_on_key_and_address() -> None:
    one = address_hash(b"first key", "me@example.org")
    assert len(one) == 32
    assert one == address_hash(b"first key", "me@example.org")
    assert one != address_hash(b"other key", "me@example.org")
    assert one != address_hash(b"first key", "you@example.org")


odd_text = st.text(alphabet=st.characters(), max_size=40)
odd_addresses = st.one_of(
    odd_text,
    st.builds("{}@{}".format, odd_text, odd_text),
    st.builds("{}@{}.org".format, st.text(alphabet="aZ.+-'_", max_size=8), odd_text),
)


@given(odd_addresses)
def test_any_text_is_an_address_or_an_invalid_address(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress as error:
        said = str(error)
    else:
        said = address.email
        assert address.email.isascii()
        assert parse_address(address.email) == address, "normalising twice is normalising once"
    assert said.isprintable()


@given(st.emails(domains=st.sampled_from(["example.org", "Papers.Example", "bücher.example"])), st.data())
def test_every_case_of_one_address_is_one_person(email: str, data: st.DataObject) -> None:
    try:
        address = parse_address(email)
    except InvalidAddress:
        return  # a quoted or otherwise exotic local part
    flips = data.draw(st.lists(st.booleans(), min_size=len(email), max_size=len(email)))
    other = "".join(letter.swapcase() if flip else letter for letter, flip in zip(email, flips, strict=True))
    assert parse_address(other).key == address.key
