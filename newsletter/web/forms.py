"""What forms send, and the token that says that a form was ours.

Double submit without a state of the server: a form's token is signed, holds its purpose, its time and a mark of the
browser's cookie. Where no cookie came back the browser's own word counts (`Sec-Fetch-Site`): no page of another site
can set it.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from enum import Enum
from urllib.parse import parse_qsl

COOKIE = "newsletter_form"
TOO_FAST = timedelta(seconds=2)
TOO_OLD = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK, _MAC, _TIME = 8, 16, 6  # bytes
_MOST_FIELDS = 20
_COOKIE = re.compile(r"[A-Za-z0-9_-]{22}")


class Seen(Enum):
    """What a form's token says."""

    GOOD = "good"
    MISSING = "missing"  # no form of ours, such as one on somebody's own page
    FOREIGN = "foreign"  # ours, but of another browser, or sent by another site
    STALE = "stale"
    FAST = "fast"  # for a person
    FORGED = "forged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """What a request says of the browser that sent it: its cookie, empty for none, and the site that asked."""

    cookie: str
    site: str

    @classmethod
    def of(cls, cookies: Mapping[str, str], headers: Mapping[str, str]) -> Browser:
        """Return the browser of a request."""
        cookie = cookies.get(COOKIE, "")
        return cls(
            cookie=cookie if _COOKIE.fullmatch(cookie) else "",
            site=headers.get("sec-fetch-site", "").lower(),
        )

    def known(self) -> Browser:
        """Return the browser with a cookie, a new one where it had none."""
        return self if self.cookie else Browser(cookie=secrets.token_urlsafe(16), site=self.site)


class FormKeys:
    """Makes and reads the tokens of forms."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"forms", "sha256")

    def sign(self, purpose: str, browser: Browser, *, now: datetime) -> str:
        """Return the token of a form; ``purpose`` says what the form does."""
        body = ((now - _EPOCH) // timedelta(milliseconds=1)).to_bytes(_TIME, "big") + self._mark(browser)
        return base64.urlsafe_b64encode(body + self._mac(purpose, body)).decode()

    def read(self, token: str, purpose: str, browser: Browser, *, now: datetime) -> Seen:
        """Say what a token tells of the form that it came with."""
        if not token:
            return Seen.MISSING
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii"))
        except ValueError:
            return Seen.FORGED
        body, mac = raw[:-_MAC], raw[-_MAC:]
        if len(body) != _TIME + _MARK or not hmac.compare_digest(mac, self._mac(purpose, body)):
            return Seen.FORGED
        if browser.site in {"cross-site", "same-site"}:
            return Seen.FOREIGN
        if browser.site != "same-origin" and not hmac.compare_digest(body[_TIME:], self._mark(browser)):
            return Seen.FOREIGN
        age = now - _EPOCH - timedelta(milliseconds=int.from_bytes(body[:_TIME], "big"))
        if not timedelta(0) <= age <= TOO_OLD:
            return Seen.STALE
        return Seen.FAST if age < TOO_FAST else Seen.GOOD

    def _mark(self, browser: Browser) -> bytes:
        return hmac.digest(self._key, b"cookie " + browser.cookie.encode(), "sha256")[:_MARK]

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.digest(self._key, f"{purpose} ".encode() + body, "sha256")[:_MAC]


def fields(kind: str, body: bytes) -> dict[str, str]:
    """Return the fields of a form, the first of each name; what cannot be read has none.

    ``kind`` is the Content-Type: urlencoded or multipart, and urlencoded where it is something else, because mail
    services are not all careful with it.
    """
    if kind.lower().startswith("multipart/form-data"):
        return _multipart(kind, body)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"
        )
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _multipart(kind: str, body: bytes) -> dict[str, str]:
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    found: dict[str, str] = {}
    try:
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        for part in list(message.iter_parts())[:_MOST_FIELDS] if message.is_multipart() else ():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(content, bytes):
                found.setdefault(name, content.decode("utf-8", "replace"))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ):  # the parser's, for odd headers
        return {}
    return found
