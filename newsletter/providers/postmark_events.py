"""What Postmark posts of letters on their way: one event a body, proven by the password in the webhook's address.

https://postmarkapp.com/developer/webhooks/webhooks-overview. It signs nothing: who knows the password is believed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from newsletter.errors import WebhookRefused
from newsletter.models.deliveries import Event, EventKind
from newsletter.refusals import UNKNOWN, Kind, judge

_RECORDS = {
    "Delivery": EventKind.DELIVERED,
    "SpamComplaint": EventKind.COMPLAINT,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
}
# Types of a bounce (https://postmarkapp.com/developer/api/bounce-api#bounce-types); others are kept as unknown.
_BOUNCES = {
    "BadEmailAddress": EventKind.HARD,
    "Transient": EventKind.DEFERRED,
    "DnsError": EventKind.DEFERRED,
    "Unsubscribe": EventKind.UNSUBSCRIBE,
    "Subscribe": EventKind.SUBSCRIBE,
    "SpamComplaint": EventKind.COMPLAINT,
    "SpamNotification": EventKind.POLICY,
    "VirusNotification": EventKind.POLICY,
    "Blocked": EventKind.POLICY,
    "DMARCPolicy": EventKind.POLICY,
}
_WAY = re.compile(r"\s*[\w-]{1,20}\s*;\s*")  # "smtp;" before what a server said (RFC 3464)


class _Posted(msgspec.Struct, frozen=True, rename="pascal"):
    record_type: str = ""
    type: str = ""
    message_id: str = msgspec.field(name="MessageID", default="")
    number: int | None = msgspec.field(name="ID", default=None)
    email: str = ""
    recipient: str = ""
    details: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None
    delivered_at: str | None = None
    bounced_at: str | None = None
    received_at: str | None = None
    changed_at: str | None = None
    suppress_sending: bool | None = None
    suppression_reason: str | None = None
    origin: str | None = None


_POSTED = msgspec.json.Decoder(_Posted)


class PostmarkEvents:
    """Reads what Postmark posts. ``secret`` is the password of the webhook's address; the user may be anybody."""

    name = "postmark"

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        """Return the event of a posted body, or raise `WebhookRefused`."""
        if not hmac.compare_digest(_password(headers.get("authorization", "")), self._secret):
            raise WebhookRefused("does not have the password")
        try:
            posted = _POSTED.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            name = hashlib.sha256(body).hexdigest()
            return [Event(id=name, kind=EventKind.UNKNOWN, at=now, reason="not as documented")]
        return [_event(posted, body, now)]


def _password(authorization: str) -> bytes:
    """Return the password of basic authentication (RFC 7617), empty where there is none."""
    scheme, _, given = authorization.partition(" ")
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2] if scheme.lower() == "basic" else b""
    except ValueError:
        return b""


def _event(posted: _Posted, body: bytes, now: datetime) -> Event:
    kind = _kind(posted)
    given = posted.metadata or {}
    delivery, reader = given.get("delivery"), _number(given.get("reader"))
    said = posted.details or posted.description or ""
    if kind is EventKind.UNKNOWN:
        said = f"{posted.record_type} {posted.type}"
    is_numbered = posted.record_type == "Bounce" and posted.number is not None
    return Event(
        id=f"bounce.{posted.number}" if is_numbered else hashlib.sha256(body).hexdigest(),
        kind=kind,
        at=_time(posted.delivered_at or posted.bounced_at or posted.received_at or posted.changed_at) or now,
        delivery_id=delivery if isinstance(delivery, str) else "",
        subscriber_id=reader,
        address="" if reader is not None else posted.email or posted.recipient,
        reason=" ".join(said.split())[:500],
    )


def _kind(posted: _Posted) -> EventKind:
    if posted.record_type == "SubscriptionChange":
        return _change(posted)
    if posted.record_type != "Bounce":
        return _RECORDS.get(posted.record_type, EventKind.UNKNOWN)
    if posted.type in {"HardBounce", "SoftBounce"}:
        return _bounce(posted)
    return _BOUNCES.get(posted.type, EventKind.UNKNOWN)


def _bounce(posted: _Posted) -> EventKind:
    """Judge a bounce by the server's words; Postmark's own count where there are none."""
    said = _WAY.sub("", posted.details or "", count=1)
    verdict = judge(said)
    if verdict.kind is Kind.POLICY:
        return EventKind.POLICY
    hard = verdict.hard or (not said and verdict == UNKNOWN)
    return EventKind.HARD if hard and posted.type == "HardBounce" else EventKind.SOFT


def _change(posted: _Posted) -> EventKind:
    """Return what a change of Postmark's suppressions is: only the reader's own wish is one here."""
    if posted.suppress_sending is False:
        return EventKind.SUBSCRIBE
    by_reader = posted.suppression_reason == "ManualSuppression" and posted.origin == "Recipient"
    return EventKind.UNSUBSCRIBE if by_reader and posted.suppress_sending else EventKind.UNKNOWN


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value) else None


def _time(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text or "")
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
