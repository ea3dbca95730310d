"""What Amazon SES tells of letters on their way, published to an SNS topic and posted from there.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html says what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from newsletter.models.deliveries import Event, EventKind
from newsletter.providers.ses import DELIVERY, READER, delivery_of
from newsletter.providers.sns import Topic
from newsletter.refusals import UNKNOWN, Kind, judge

_KINDS = {
    "Send": EventKind.QUEUED,
    "Delivery": EventKind.DELIVERED,
    "DeliveryDelay": EventKind.DEFERRED,
    "Reject": EventKind.POLICY,  # SES found a virus in it
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
}
# What SES's own words say of a bounce, whatever a server said ("bounce types" in the document above).
_BOUNCES = {
    ("Permanent", "Suppressed"): EventKind.HARD,
    ("Permanent", "OnAccountSuppressionList"): EventKind.HARD,
    ("Permanent", "UnsubscribedRecipient"): EventKind.UNSUBSCRIBE,
    ("Transient", "MailboxFull"): EventKind.SOFT,
    ("Transient", "MessageTooLarge"): EventKind.POLICY,
    ("Transient", "ContentRejected"): EventKind.POLICY,
    ("Transient", "AttachmentRejected"): EventKind.POLICY,
}
_COMPLAINTS = {"", "abuse", "fraud", "opt-out"}  # RFC 5965; SES gives none where the report has none
_APPLE = "Mozilla/5.0"  # Apple's servers, which load the pictures of every mail, say no more than that
_WAY = re.compile(r"\s*[\w-]{1,20}\s*;\s*")  # "smtp;" before what a server said (RFC 3464)


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of what SES tells; names that are not here are not needed."""


class _Recipient(_Part, frozen=True):
    email_address: str = ""
    status: str | None = None
    diagnostic_code: str | None = None


class _Mail(_Part, frozen=True):
    timestamp: str = ""
    destination: list[str] = []
    tags: dict[str, list[str]] = {}
    common_headers: dict[str, Any] = {}


class _Told(_Part, frozen=True):
    """What belongs to one kind of event; each kind has some of it."""

    timestamp: str = ""
    bounce_type: str = ""
    bounce_sub_type: str = ""
    bounced_recipients: list[_Recipient] = []
    complained_recipients: list[_Recipient] = []
    delayed_recipients: list[_Recipient] = []
    complaint_feedback_type: str | None = None
    delay_type: str | None = None
    smtp_response: str | None = None
    reason: str | None = None
    user_agent: str | None = None
    error_message: str | None = None
    new_topic_preferences: dict[str, Any] | None = None


class _Record(_Part, frozen=True):
    mail: _Mail
    event_type: str = ""
    notification_type: str = ""  # its name without a configuration set


_RECORD = msgspec.json.Decoder(_Record)
_ANY = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOLD = msgspec.json.Decoder(_Told)
_NAMES = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}  # else the kind in lower case


class SesEvents:
    """Reads what one topic posts."""

    name = "ses"

    def __init__(self, topic: Topic) -> None:
        self._topic = topic

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:  # noqa: ARG002  # the proof is in the body
        """Return the events of a posted body, or raise `WebhookRefused`; confirm the topic's subscription."""
        posted, at = self._topic.proven(body, now)
        if posted.Type == "SubscriptionConfirmation":
            self._topic.confirm(posted)
            return []
        if posted.Type != "Notification":
            return [Event(id=f"{posted.MessageId}.0", kind=EventKind.UNKNOWN, at=at, reason=posted.Type)]
        try:
            record = _RECORD.decode(posted.Message)
            called = record.event_type or record.notification_type
            told = _ANY.decode(posted.Message).get(_NAMES.get(called, called.lower()))
            return _events(posted.MessageId, called, record.mail, _TOLD.decode(told) if told else _Told(), at)
        except (msgspec.DecodeError, RecursionError):  # not as documented
            words = _one_line(posted.Message)[:100]
            return [Event(id=f"{posted.MessageId}.0", kind=EventKind.UNKNOWN, at=at, reason=words)]


def _events(message_id: str, called: str, mail: _Mail, told: _Told, published: datetime) -> list[Event]:
    """Return an event for each reader; our letters have one each."""
    named = told.bounced_recipients or told.complained_recipients or told.delayed_recipients
    people = named or [_Recipient(email_address=address) for address in mail.destination] or [_Recipient()]
    reader = _number("".join(mail.tags.get(READER, [])))
    at = _time(told.timestamp) or _time(mail.timestamp) or published
    events = []
    for index, person in enumerate(people):
        kind, reason = _judged(called, told, person)
        events.append(
            Event(
                id=f"{message_id}.{index}", kind=kind, at=at, delivery_id=_delivery(mail), subscriber_id=reader,
                address="" if reader is not None else person.email_address, status=person.status or "",
                reason=_one_line(reason),
            )
        )  # fmt: skip
    return events


def _judged(called: str, told: _Told, person: _Recipient) -> tuple[EventKind, str]:
    """Return what kind of event it is, and what was said."""
    said = person.diagnostic_code or told.smtp_response or told.reason or told.error_message or ""
    if called == "Bounce":
        return _bounce(told, person), said or f"{told.bounce_type} {told.bounce_sub_type}"
    if called == "Complaint":
        feedback = told.complaint_feedback_type or ""
        kind = EventKind.COMPLAINT if feedback.lower() in _COMPLAINTS else EventKind.UNKNOWN
        return kind, f"{called} {feedback}"
    if called == "Subscription" and (told.new_topic_preferences or {}).get("unsubscribeAll") is True:
        return EventKind.UNSUBSCRIBE, called
    if called == "Open" and told.user_agent == _APPLE:
        return EventKind.OPENED_BY_MACHINE, ""
    kind = _KINDS.get(called, EventKind.UNKNOWN)
    return kind, f"{called} {said}" if kind is EventKind.UNKNOWN else said or told.delay_type or ""


def _bounce(told: _Told, person: _Recipient) -> EventKind:
    """Judge a bounce: SES's word where it is plain, else the server's, and where there is none, SES's again."""
    documented = _BOUNCES.get((told.bounce_type, told.bounce_sub_type))
    if documented is not None:
        return documented
    verdict = judge(_WAY.sub("", person.diagnostic_code or "", count=1), status=person.status)
    if verdict.kind is Kind.POLICY:
        return EventKind.POLICY
    if told.bounce_type != "Permanent":
        return EventKind.SOFT
    silent = not person.diagnostic_code and verdict == UNKNOWN
    no_email = told.bounce_sub_type == "NoEmail" and verdict == UNKNOWN
    return EventKind.HARD if verdict.hard or silent or no_email else EventKind.SOFT


def _delivery(mail: _Mail) -> str:
    """Return the delivery that the tag names, else the one of our own Message-ID."""
    value = "".join(mail.tags.get(DELIVERY, []))
    if value:
        return delivery_of(value)
    original = mail.common_headers.get("messageId")
    return original.strip("<> ").partition("@")[0] if isinstance(original, str) else ""


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
