"""What a mail-send request becomes: one mail a recipient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.servers.sendgrid.rules import recipients_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A mail as its recipient has it; ``request`` is the number of the call, ``message_id`` its X-Message-Id.

    Substitutions are made in subject, text and HTML, in the order given; they do not reach headers.
    """

    address: str
    name: str
    sender: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    custom_args: Mapping[str, str]
    categories: Sequence[str]
    tracking: Mapping[str, Any]
    request: int
    message_id: str


def mails(request: Mapping[str, Any], number: int, message_id: str) -> Iterator[Delivered]:
    """Yield a mail for each recipient of a request that broke no rule."""
    parts = {each["type"]: each["value"] for each in request.get("content") or ()}
    for block in request["personalizations"]:
        replaced = block.get("substitutions") or {}
        sender = block.get("from") or request["from"]
        subject = block.get("subject", request.get("subject", ""))
        texts = [
            _replaced(each, replaced)
            for each in (subject, parts.get("text/plain", ""), parts.get("text/html", ""))
        ]
        for each in recipients_of(block):
            yield Delivered(
                address=each["email"],
                name=each.get("name", ""),
                sender=sender["email"],
                subject=texts[0],
                text=texts[1],
                html=texts[2],
                headers={**(request.get("headers") or {}), **(block.get("headers") or {})},
                custom_args={**(request.get("custom_args") or {}), **(block.get("custom_args") or {})},
                categories=tuple(request.get("categories") or ()),
                tracking=request.get("tracking_settings") or {},
                request=number,
                message_id=message_id,
            )


def _replaced(text: str, substitutions: Mapping[str, str]) -> str:
    for tag, value in substitutions.items():
        text = text.replace(tag, value)
    return text
