"""Tokens of mailed links: forged, cut, swapped, old, and of another purpose."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.recipients import key_of, key_text
from newsletter.delivery.tokens import LinkKeys, Purpose
from newsletter.errors import ExpiredLink, InvalidLink

NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)
KEYS = LinkKeys(b"k" * 32)


@given(number=st.integers(0, 2**63), purpose=st.sampled_from(Purpose))
def test_what_was_signed_is_read(number: int, purpose: Purpose) -> None:
    token = KEYS.sign(purpose, number, now=NOW)
    assert len(token) == 42
    assert KEYS.read(token, purpose, now=NOW + timedelta(days=6)) == number


def test_a_token_ends() -> None:
    token = KEYS.sign(Purpose.CONFIRM, 7, now=NOW)
    with pytest.raises(ExpiredLink, match="too old"):
        KEYS.read(token, Purpose.CONFIRM, now=NOW + timedelta(days=7))


def test_a_token_of_one_purpose_is_none_of_another() -> None:
    token = KEYS.sign(Purpose.MANAGE, 7, now=NOW)
    with pytest.raises(InvalidLink, match="something else"):
        KEYS.read(token, Purpose.CONFIRM, now=NOW)


def test_another_secret_makes_other_tokens() -> None:
    with pytest.raises(InvalidLink):
        LinkKeys(b"x" * 32).read(KEYS.sign(Purpose.CONFIRM, 7, now=NOW), Purpose.CONFIRM, now=NOW)


def test_no_character_can_be_changed_or_left_out() -> None:
    token = KEYS.sign(Purpose.CONFIRM, 7, now=NOW)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. é\x00"
    wrong = {token[:at] + other + token[at + 1 :] for at in range(len(token)) for other in alphabet} - {token}
    wrong |= {token[:at] + token[at + 1 :] for at in range(len(token))} | {
        token + "A",
        token + "=",
        "",
        token * 2,
    }
    for each in wrong:
        with pytest.raises(InvalidLink):
            KEYS.read(each, Purpose.CONFIRM, now=NOW)


def test_keys_change_by_themselves() -> None:
    numbers, macs = zip(
        *(
            (raw[:2], raw[-16:])
            for n in range(4)
            for raw in [
                base64.urlsafe_b64decode(
                    KEYS.sign(
                        Purpose.CONFIRM,
                        7,
                        now=NOW + timedelta(days=30 * n),
                        valid=timedelta(days=200 - 30 * n),
                    )
                    + "=="
                )
            ]
        ),
        strict=True,
    )
    assert len(set(numbers)) == len(set(macs)) == 4, "the same words under another key"


@given(st.binary(min_size=16, max_size=16))
def test_a_subscribers_key_is_read_back(key: bytes) -> None:
    assert key_text(key) == base64.b32encode(key).decode().rstrip("=").lower()
    assert key_of(key_text(key)) == key == key_of(key_text(key).upper())


@pytest.mark.parametrize("text", ["", "a", "x" * 26, "é" * 26, "0" * 26, "a" * 27, "a" * 5000, "aaaa/aaaa"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert key_of(text) is None
