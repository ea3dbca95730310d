"""Tokens of links that are mailed: a number under an HMAC, with what the link is for and until when it works.

The keys change every 30 days by themselves and are made of the installation's secret, so nothing has to be kept.
An unsubscribe link is none of these: it holds the subscriber's stored key and works for good (see `recipients`).
"""

from __future__ import annotations

import base64
import hmac
import struct
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from newsletter.errors import ExpiredLink, InvalidLink

ROTATION = timedelta(days=30)
VALID = timedelta(days=7)
_FORM = struct.Struct(">HBIQ")  # number of the key, purpose, expiry (seconds since 1970), what it names
_MAC = 16  # bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Purpose(IntEnum):
    """What a link is for; a token of one is refused for another."""

    CONFIRM = 1  # names a consent
    MANAGE = 2  # names a subscriber
    DECIDE = 3  # names a draft, and the letter that it had


class LinkKeys:
    """Makes and reads tokens. ``master`` is the key that all others are made of."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    def sign(self, purpose: Purpose, number: int, *, now: datetime, valid: timedelta = VALID) -> str:
        """Return a token of 42 characters, all of them safe in a path."""
        body = _FORM.pack(
            (now - _EPOCH) // ROTATION, purpose, (now + valid - _EPOCH) // timedelta(seconds=1), number
        )
        return base64.urlsafe_b64encode(body + self._mac(body)).rstrip(b"=").decode()

    def read(self, token: str, purpose: Purpose, *, now: datetime) -> int:
        """Return the number; raise `InvalidLink`, or `ExpiredLink` for one that was right and is too old."""
        try:
            raw = base64.urlsafe_b64decode(f"{token}{'=' * (-len(token) % 4)}".encode("ascii"))
        except ValueError as error:
            raise InvalidLink("is no link of ours") from error
        body, mac = raw[: _FORM.size], raw[_FORM.size :]
        written = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token  # one way to write each
        if len(body) != _FORM.size or not written or not hmac.compare_digest(mac, self._mac(body)):
            raise InvalidLink("is no link of ours")
        _, found, expiry, number = _FORM.unpack(body)
        if found != purpose:
            raise InvalidLink("is a link for something else")
        if now >= _EPOCH + timedelta(seconds=expiry):
            raise ExpiredLink("is too old", remedy="ask for a new one")
        return int(number)

    def _mac(self, body: bytes) -> bytes:
        key = hmac.digest(self._master, b"links " + body[:2], "sha256")
        return hmac.digest(key, body, "sha256")[:_MAC]
