"""A letter and its recipients as a request of SendGrid's API (POST /v3/mail/send).

What is the same for everybody is encoded once. A recipient's values are substitutions: text and HTML have keys of
their own, because a value is escaped in one of them. Headers of a recipient's own have no substitutions, they go
into its personalization.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable
from typing import Any

import orjson

from newsletter.errors import RenderError, one_line
from newsletter.messages import extra_headers, fixed_lines, mail_address, unfolded
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, Letter, placeholder
from newsletter.providers.answers import ascii_address

MOST_RECIPIENTS = 1_000  # in one request
# https://www.twilio.com/docs/sendgrid/api-reference/mail-send: these are SendGrid's own.
_PROTECTED = frozenset(
    (
        "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to",
        "from", "subject", "reply-to", "cc", "bcc",
    )
)  # fmt: skip
_PLACEHOLDER = re.compile(f"{PLACEHOLDER_OPEN}([^{PLACEHOLDER_CLOSE}]*){PLACEHOLDER_CLOSE}")
_HOLE, _NUMBER = placeholder("s"), placeholder("d")  # in no text of a letter


class Payload:
    """Makes the requests of a letter; raises `RenderError` for a letter that SendGrid cannot carry.

    Its own tracking is off unless ``opens`` or ``clicks`` say otherwise; with ``sandbox`` nothing is delivered.
    """

    def __init__(
        self, letter: Letter, *, opens: bool = False, clicks: bool = False, sandbox: bool = False
    ) -> None:
        self.letter = letter
        fixed_lines(letter)  # raises where the sender is no address
        self._keys: dict[str, list[tuple[str, str]]] = {
            "plain": [],
            "html": [],
        }  # of substitutions, and of values
        self._forms: dict[tuple[tuple[str, ...], bool], str] = {}
        self._headers = dict(unfolded(line) for line in extra_headers(letter.headers, {}))
        _check(self._headers)
        fixed: dict[str, Any] = {
            "from": _person(mail_address(letter.from_address), letter.from_name),
            "subject": self._marked(letter.subject, "subject", "plain"),
            "content": [
                {"type": "text/plain", "value": self._marked(letter.text, "text", "plain")},
                {"type": "text/html", "value": self._marked(letter.html, "html", "html")},
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

    def of(self, people: Iterable[str]) -> bytes:
        """Return the body of a request for some, each as `person` made it."""
        return b'{"personalizations":[%b],%b' % (",".join(people).encode(), self._fixed)

    def person(self, recipient: Recipient) -> str:
        """Return a recipient's personalization; raise `MessageRejected` for an address that cannot be written to.

        It is JSON, written by a form that all share: an object of each reader's own takes three times as long.
        """
        number, mail, name, named, message_id, values, headers, _ = recipient
        address = ascii_address(mail, "SendGrid")
        shown = one_line(name) if name else ""
        names, lines = zip(*headers, strict=True) if headers else ((), ())
        form = self._forms.get((names, shown != "")) or self._form(names, with_name=shown != "")
        try:
            own = [
                *[values[name] for _, name in self._keys["plain"]],
                *[html.escape(values[name]) for _, name in self._keys["html"]],
            ]
        except KeyError as error:
            raise RenderError(f"a recipient has no value for {error.args[0]}") from None
        whom = (address, shown) if shown else (address,)
        said = (*whom, message_id, *lines, *own, named)
        if not _is_plain("".join(said)):
            if not _is_plain("".join(lines)):
                lines = tuple(unfolded(line)[1] for line in extra_headers(headers, {}))
            said = tuple(_in_json(each) for each in (*whom, message_id, *lines, *own, named))
        return form % (*said, number)

    def _form(self, headers: tuple[str, ...], *, with_name: bool) -> str:
        """Return what is filled with a recipient's strings, as `person` has them, and the subscriber's number."""
        _check(("Message-ID", *headers))
        document = {
            "to": [{"email": _HOLE, "name": _HOLE} if with_name else {"email": _HOLE}],
            "headers": dict.fromkeys(("Message-ID", *headers), _HOLE),
            "substitutions": {key: _HOLE for key, _ in (*self._keys["plain"], *self._keys["html"])},
            "custom_args": {"delivery": _HOLE, "reader": _NUMBER},
        }
        form = orjson.dumps(document).decode().replace("%", "%%").replace(_HOLE, "%s").replace(_NUMBER, "%d")
        self._forms[headers, with_name] = form
        return form

    def _marked(self, template: str, part: str, kind: str) -> str:
        """Put keys of substitutions where values go, which occur nowhere else in the letter."""
        names = dict.fromkeys(_PLACEHOLDER.findall(template))
        for name in names:
            key = self._key(part, name)
            template = template.replace(f"{PLACEHOLDER_OPEN}{name}{PLACEHOLDER_CLOSE}", key)
            self._keys[kind].append((key, name))
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
    shown = one_line(name)
    return {"email": address, "name": shown} if shown else {"email": address}


def _in_json(text: str) -> str:
    """Return a text as it stands between the quotes of JSON."""
    return orjson.dumps(text).decode()[1:-1]


def _is_plain(text: str) -> bool:
    """Whether a text stands in JSON as it is: ASCII, nothing escaped. Asking orjson is the fastest way to know."""
    return len(orjson.dumps(text)) == len(text) + 2


def _check(headers: Iterable[str]) -> None:
    taken = set(_PROTECTED)
    for name in headers:
        if name.lower() in taken:
            raise RenderError(
                "this header is SendGrid's own or stands twice", subject=name, remedy="leave it out"
            )
        taken.add(name.lower())
