"""SendGrid's event webhook: a signed JSON array, read into events.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event says what is in it. The signature is checked
by the `sendgrid` package (ECDSA over the time and the body); how old it may be is checked here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from newsletter.errors import ConfigError, WebhookRefused
from newsletter.models.deliveries import Event, EventKind
from newsletter.refusals import Kind, judge

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
_SETTING = "provider.sendgrid.webhook_key"
_PEM = re.compile(r"-----[A-Z ]+-----|\s")  # what is around a key that was copied from a file
_LONGEST_NUMBER = 12  # digits
_KINDS = {
    "processed": EventKind.QUEUED,
    "deferred": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "spamreport": EventKind.COMPLAINT,
    "unsubscribe": EventKind.UNSUBSCRIBE,
    "group_unsubscribe": EventKind.UNSUBSCRIBE,
    "group_resubscribe": EventKind.SUBSCRIBE,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
}
# Why SendGrid drops a letter before it tries: the address is on a list of its own, or the letter is not to its liking.
_DROPPED = {
    "bounced address": EventKind.HARD,
    "invalid": EventKind.HARD,
    "invalid address": EventKind.HARD,
    "spam reporting address": EventKind.COMPLAINT,
    "unsubscribed address": EventKind.UNSUBSCRIBE,
}
_JUDGED = {Kind.HARD: EventKind.HARD, Kind.POLICY: EventKind.POLICY}


class _Posted(msgspec.Struct, frozen=True, gc=False):
    """An event as it is posted; ``delivery`` and ``reader`` are what we gave with the letter."""

    event: str
    timestamp: int | float = 0
    sg_event_id: str = ""
    email: str | None = None
    smtp_id: str | None = msgspec.field(name="smtp-id", default=None)
    reason: str | None = None
    status: str | None = None
    response: str | None = None
    type: str | None = None
    sg_machine_open: bool | None = None
    delivery: str | None = None
    reader: str | int | None = None


_ALL = msgspec.json.Decoder(list[_Posted])
_EACH = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(_Posted)
_ANY = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGridEvents:
    """Reads what SendGrid posts. ``key`` is the verification key as SendGrid shows it.

    Raises `ConfigError` for a key that is none, or without the `sendgrid` package.
    """

    key: str
    max_age: timedelta
    name: str = "sendgrid"
    _webhook: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_webhook", _verifier(self.key))

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        """Return the events of a posted body, or raise `WebhookRefused`."""
        self._verify(headers, body, now)
        try:
            return [_event(posted, now) for posted in _ALL.decode(body)]
        except (msgspec.DecodeError, RecursionError):  # something in it is not as documented
            return _tolerantly(body, now)

    def _verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        signature, signed_at = headers.get(SIGNATURE, ""), headers.get(TIMESTAMP, "")
        if not signature or not signed_at:
            raise WebhookRefused("is not signed")
        if not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= _LONGEST_NUMBER):
            raise WebhookRefused("has no time that can be read")
        try:
            proven = self._webhook.verify_signature(body.decode(), signature, signed_at)
        except ValueError as error:  # not UTF-8, or not Base64
            raise WebhookRefused("has a signature or a body that cannot be read") from error
        if not proven:
            raise WebhookRefused("has a wrong signature")
        age = now.timestamp() - int(signed_at)
        if abs(age) > self.max_age.total_seconds():
            raise WebhookRefused(f"was signed {abs(age):.0f} s {'ago' if age > 0 else 'ahead'}")


def _verifier(key: str) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from sendgrid.helpers.eventwebhook import EventWebhook
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"needs the package {error.name!r}", subject=_SETTING,
            remedy="pip install 'daily-papers-newsletter[sendgrid]'",
        ) from error  # fmt: skip
    try:
        webhook = EventWebhook(_PEM.sub("", key))
    except (ValueError, TypeError) as error:
        raise _no_key() from error
    if not isinstance(webhook.public_key, EllipticCurvePublicKey):
        raise _no_key()
    return webhook


def _no_key() -> ConfigError:
    return ConfigError(
        "is no verification key", subject=_SETTING,
        remedy="copy it from SendGrid's settings: Mail Settings, Event Webhook, Signature Verification",
    )  # fmt: skip


def _tolerantly(body: bytes, now: datetime) -> list[Event]:
    """Read a body of which something is not as documented: each event by itself, else the whole as one."""
    try:
        parts = [bytes(part) for part in _EACH.decode(body)]
    except (msgspec.DecodeError, RecursionError):
        parts = [body]
    return [_one(part, now) for part in parts]


def _one(part: bytes, now: datetime) -> Event:
    try:
        return _event(_ONE.decode(part), now)
    except (msgspec.DecodeError, RecursionError):
        return _unknown(part, now)


def _unknown(part: bytes, now: datetime) -> Event:
    """Return an event that is not understood, under its own name if it has one."""
    try:
        found = _ANY.decode(part)
    except (msgspec.DecodeError, RecursionError):
        found = {}
    given, called = found.get("sg_event_id"), found.get("event")
    name = given if isinstance(given, str) and given else hashlib.sha256(part).hexdigest()
    return Event(id=name, kind=EventKind.UNKNOWN, at=now, reason=called if isinstance(called, str) else "")


def _event(posted: _Posted, now: datetime) -> Event:
    reader = _number("" if posted.reader is None else str(posted.reader))
    kind = _kind(posted)
    reason = posted.event if kind is EventKind.UNKNOWN else posted.reason or posted.response or ""
    return Event(
        id=posted.sg_event_id or hashlib.sha256(msgspec.json.encode(posted)).hexdigest(),
        kind=kind,
        at=_time(posted.timestamp, now),
        delivery_id=posted.delivery or (posted.smtp_id or "").strip("<> ").partition("@")[0],
        subscriber_id=reader,
        address="" if reader is not None else posted.email or "",
        status=posted.status or "",
        reason=reason,
    )


def _kind(posted: _Posted) -> EventKind:
    if posted.event == "open" and posted.sg_machine_open:
        return EventKind.OPENED_BY_MACHINE
    if posted.event == "dropped":
        return _DROPPED.get((posted.reason or "").strip().lower(), EventKind.POLICY)
    if posted.event == "bounce":
        kind = _JUDGED.get(judge(posted.reason or "", status=posted.status).kind, EventKind.SOFT)
        return EventKind.SOFT if kind is EventKind.HARD and posted.type == "blocked" else kind
    return _KINDS.get(posted.event, EventKind.UNKNOWN)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _time(seconds: float, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else now
    except (OverflowError, ValueError, OSError):  # no year of ours
        return now
