"""A letter and its recipients as a request of SendGrid's API (POST /v3/mail/send).

What is the same for everybody is encoded once. A recipient's values are substitutions: text and HTML have keys of
their own, because a value is escaped in one of them. Headers of a recipient's own have no substitutions, they go
into its personalization.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from newsletter.errors import MessageRejected, RenderError
from newsletter.messages import extra_headers, fixed_lines, mail_address
from newsletter.models import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, Letter, Recipient

MOST_RECIPIENTS = 1_000  # in one request
# https://www.twilio.com/docs/sendgrid/api-reference/mail-send: these are SendGrid's own.
_PROTECTED = frozenset(
    (
        "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to",
        "from", "subject", "reply-to", "cc", "bcc",
    )
)  # fmt: skip
_PLACEHOLDER = re.compile(f"{PLACEHOLDER_OPEN}([^{PLACEHOLDER_CLOSE}]*){PLACEHOLDER_CLOSE}")
_Filled = Callable[[str], str]


class Payload:
    """Makes the requests of a letter; raises `RenderError` for a letter that SendGrid cannot carry.

    Its own tracking is off unless ``opens`` or ``clicks`` say otherwise; with ``sandbox`` nothing is delivered.
    """

    def __init__(
        self, letter: Letter, *, opens: bool = False, clicks: bool = False, sandbox: bool = False
    ) -> None:
        self.letter = letter
        fixed_lines(letter)  # raises where the sender is no address
        self._keys: list[tuple[str, str, _Filled]] = []
        self._headers = dict(_header(line) for line in extra_headers(letter.headers, {}))
        _check(self._headers)
        fixed: dict[str, Any] = {
            "from": _person(mail_address(letter.from_address), letter.from_name),
            "subject": self._marked(letter.subject, "subject", str),
            "content": [
                {"type": "text/plain", "value": self._marked(letter.text, "text", str)},
                {"type": "text/html", "value": self._marked(letter.html, "html", html.escape)},
            ],
            "headers": self._headers,
            "tracking_settings": {
                "click_tracking": {"enable": clicks, "enable_text": clicks},
                "open_tracking": {"enable": opens},
                "subscription_tracking": {"enable": False},
                "ganalytics": {"enable": False},
            },
        }
        if sandbox:
            fixed["mail_settings"] = {"sandbox_mode": {"enable": True}}
        self._fixed = orjson.dumps(fixed)[1:]

    def of(self, people: Sequence[dict[str, Any]]) -> bytes:
        """Return the body of a request for some `person`s."""
        return b'{"personalizations":%b,%b' % (orjson.dumps(people), self._fixed)

    def person(self, recipient: Recipient) -> dict[str, Any]:
        """Return a recipient's personalization; raise `MessageRejected` for an address that cannot be written to."""
        address = mail_address(recipient.address)
        if not address.isascii():
            raise MessageRejected(
                "SendGrid does not take addresses that are not ASCII before the @",
                remedy="correct it in the subscriber list",
            )
        values = recipient.values
        try:
            own = {key: filled(values[name]) for key, name, filled in self._keys}
        except KeyError as error:
            raise RenderError(f"a recipient has no value for {error.args[0]}") from None
        return {
            "to": [_person(address, recipient.name)],
            "headers": {"Message-ID": recipient.message_id, **_own_headers(recipient.headers)},
            "substitutions": own,
            "custom_args": {"delivery": recipient.delivery_id, "reader": str(recipient.subscriber_id)},
        }

    def _marked(self, template: str, part: str, filled: _Filled) -> str:
        """Put keys of substitutions where values go, which occur nowhere else in the letter."""
        names = dict.fromkeys(_PLACEHOLDER.findall(template))
        for name in names:
            key = self._key(part, name)
            template = template.replace(f"{PLACEHOLDER_OPEN}{name}{PLACEHOLDER_CLOSE}", key)
            self._keys.append((key, name, filled))
        return template

    def _key(self, part: str, name: str) -> str:
        letter = self.letter
        salt = hashlib.sha256(letter.boundary.encode()).hexdigest()
        for end in range(6, len(salt)):
            key = f"-{part}.{name}.{salt[:end]}-"
            if not any(key in each for each in (letter.subject, letter.text, letter.html)):
                return key
        raise RenderError("every mark for a recipient's value stands in its text", subject=name)


def _person(address: str, name: str) -> dict[str, str]:
    """Return an address with its name, without what would end a header."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in name).split()) if name else ""
    return {"email": address, "name": shown} if shown else {"email": address}


def _own_headers(headers: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return a recipient's headers: those of ours are links, in ASCII on one line."""
    if all(value.isascii() and value.isprintable() for _, value in headers):
        own = dict(headers)
    else:
        own = dict(_header(line) for line in extra_headers(headers, {}))
    _check(own)
    return own


def _header(line: str) -> tuple[str, str]:
    """Return name and value of a header that was folded and encoded; SendGrid folds it again."""
    name, _, value = line.replace("\r\n", "").partition(": ")
    return name, value


def _check(headers: Mapping[str, str]) -> None:
    for name in headers:
        if name.lower() in _PROTECTED:
            raise RenderError("this header is SendGrid's own", subject=name, remedy="leave it out")
