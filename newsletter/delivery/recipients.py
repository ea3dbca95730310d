"""Links and names of a delivery: the one place that builds them, for the body and for the headers."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

from newsletter.delivery.claims import ClaimedRow
from newsletter.models.deliveries import Recipient

KEY_BYTES = 16
_ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
# Base32 (RFC 4648) in lower case, two letters at a time: the standard library's takes four times as long. 13 pairs have
# two bits more than a key.
_PAIRS = ["".join(pair) for pair in itertools.product("abcdefghijklmnopqrstuvwxyz234567", repeat=2)]
_NAME = re.compile(r"(\d{8})\.([a-z0-9][a-z0-9-]{0,31})\.[0-9a-f]{24}", re.ASCII)
VERP_OCTETS = 37  # that VERP adds to a local part at most
_BOUNCES = re.compile(r"(?i)\+([a-z2-7]{26})-(\d{1,9})(?=@)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where people can leave: a public https address, a mailbox, or both. They are those of the settings of now.

    Bounces go to ``return_path`` (empty: the letter's From); with ``verp`` each to an address of its own there, which
    says whose letter it was.
    """

    public_url: str
    unsubscribe_mailbox: str
    return_path: str = ""
    verp: bool = False

    def bounces_to(self, key: bytes, edition_number: int, from_address: str) -> str:
        """Return the sender of the envelope, empty for the letter's From."""
        if not self.verp:
            return self.return_path
        local, _, domain = (self.return_path or from_address).rpartition("@")
        return f"{local}+{key_text(key)}-{edition_number}@{domain}"

    def unsubscribe_url(self, key: bytes, edition_number: int) -> str:
        """Return the link of the body: the page where there is one, else a mail that unsubscribes."""
        return self.leaving(key, edition_number)[0]

    def unsubscribe_mailto(self, key: bytes, edition_number: int) -> str:
        """Return a mailto link whose subject says who leaves what."""
        subject = quote(f"unsubscribe {key_text(key)}/{edition_number}")
        return f"mailto:{quote(self.unsubscribe_mailbox, safe='@+')}?subject={subject}"

    def confirm_url(self, token: str) -> str:
        """Return the link of a confirmation mail; it needs the pages."""
        return f"{self.public_url.rstrip('/')}/c/{token}"

    def decide_url(self, token: str) -> str:
        """Return the link of the operator's mail about a draft; it needs the pages."""
        return f"{self.public_url.rstrip('/')}/d/{token}"

    def leaving(self, key: bytes, edition_number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return the link of the body, and the headers: List-Unsubscribe, with one click where a page takes the POST.

        The page is https, or on this machine alone (`app.identity`); RFC 8058.
        """
        if not self.public_url:
            mail = self.unsubscribe_mailto(key, edition_number)
            return mail, (("List-Unsubscribe", f"<{mail}>"),)
        page = f"{self.public_url.rstrip('/')}/u/{key_text(key)}/{edition_number}"
        targets = f"<{page}>"
        if self.unsubscribe_mailbox:
            targets += f", <{self.unsubscribe_mailto(key, edition_number)}>"
        return page, (("List-Unsubscribe", targets), _ONE_CLICK)


@lru_cache(maxsize=64)  # the link in the body and the one in the header are made one after the other
def key_text(key: bytes) -> str:
    """Return a subscriber's key as it stands in links: 26 characters, lower case."""
    bits, pairs = int.from_bytes(key) << 2, _PAIRS
    return (  # written out, which takes two thirds of a loop's time
        f"{pairs[bits >> 120]}{pairs[bits >> 110 & 1023]}{pairs[bits >> 100 & 1023]}{pairs[bits >> 90 & 1023]}"
        f"{pairs[bits >> 80 & 1023]}{pairs[bits >> 70 & 1023]}{pairs[bits >> 60 & 1023]}{pairs[bits >> 50 & 1023]}"
        f"{pairs[bits >> 40 & 1023]}{pairs[bits >> 30 & 1023]}{pairs[bits >> 20 & 1023]}{pairs[bits >> 10 & 1023]}"
        f"{pairs[bits & 1023]}"
    )


def key_of(text: str) -> bytes | None:
    """Return the key that stands in a link, None for what is none; the case of the letters does not matter."""
    try:
        key = base64.b32decode(f"{text}======".upper())
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES and key_text(key) == text.lower() else None


def bounced_to(text: str) -> tuple[bytes, int] | None:
    """Return the key and edition number of the first address in a text that `Links.bounces_to` made with VERP."""
    for found in _BOUNCES.finditer(text):
        key = key_of(found[1])
        if key is not None:
            return key, int(found[2])
    return None


def without_key(text: str) -> str:
    """Return a text of a server without the key in such an address: who has it can unsubscribe its reader."""
    return _BOUNCES.sub("+*", text)


def delivery_id(day: date, edition: str, key: bytes) -> str:
    """Return the name of a delivery for good; only who knows the subscriber's key can tell whose it is."""
    begun, prefix = _of_issue(day, edition)
    digest = begun.copy()
    digest.update(key)
    token: str = digest.hexdigest()[:24]
    return prefix + token


def issue_of(name: str) -> tuple[date, str] | None:
    """Return the day and edition that the name of a delivery holds, None for what is no such name; proves nothing."""
    found = _NAME.fullmatch(name)
    try:
        return (date.fromisoformat(found[1]), found[2]) if found is not None else None
    except ValueError:  # no day
        return None


@lru_cache(maxsize=8)  # of an issue it is the same for everybody
def _of_issue(day: date, edition: str) -> tuple[Any, str]:
    return hashlib.sha256(f"delivery {day} {edition} ".encode()), f"{day:%Y%m%d}.{edition}."


class Recipients:
    """Makes the recipients of an issue: their names are the same at every attempt and tell nothing of the person.

    ``from_address`` is the frozen letter's: its domain makes the Message-ID.
    """

    def __init__(self, *, edition: str, day: date, links: Links, from_address: str) -> None:
        self._links, self._from_address = links, from_address
        self._domain = from_address.rpartition("@")[2]
        self._name = partial(delivery_id, day, edition)

    def of(self, row: ClaimedRow) -> Recipient:
        """Return a delivery's recipient."""
        number, email, name, key, edition_number, _ = row
        named, (page, headers) = self._name(key), self._links.leaving(key, edition_number)
        return Recipient(
            number,
            email,
            name,
            named,
            f"<{named}@{self._domain}>",
            {"unsubscribe_url": page, "address": email},
            headers,
            self._links.bounces_to(key, edition_number, self._from_address),
        )


def recipient(row: ClaimedRow, *, edition: str, day: date, links: Links, from_address: str) -> Recipient:
    """Return the recipient of one delivery, as `Recipients` makes them."""
    return Recipients(edition=edition, day=day, links=links, from_address=from_address).of(row)
