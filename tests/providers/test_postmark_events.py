"""What Postmark posts: only with the password, and a reader is given up only with proof."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.app.postmark import postmark_events
from newsletter.errors import ConfigError, WebhookRefused
from newsletter.models.deliveries import Event, EventKind
from newsletter.providers.postmark_events import PostmarkEvents
from newsletter.settings.base import Secret
from newsletter.settings.providers import PostmarkTable
from tests.support.torture import length

SECRET = "correct horse battery: staple"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
READER = "reader41@example.org"


def password(secret: str = SECRET) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"events:{secret}".encode()).decode()}


def posted(record: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record, "ServerID": 23, "MessageStream": "broadcast", "MessageID": "00000000-4444",
        "Metadata": {"delivery": "20260302.daily.0123abc", "reader": "41"}, **more,
    }  # fmt: skip


def bounce(kind: str, details: str = "") -> dict[str, Any]:
    return posted(
        "Bounce", ID=42, Type=kind, Email=READER, Details=details, Description="Said by Postmark.",
        BouncedAt="2026-03-02T02:30:00.1234567-05:00",
    )  # fmt: skip


def read(said: object, headers: dict[str, str] | None = None) -> Event:
    (event,) = PostmarkEvents(SECRET).read(
        password() if headers is None else headers, json.dumps(said).encode(), NOW
    )
    return event


def test_whose_letter_it_is() -> None:
    assert read(bounce("HardBounce", "smtp;550 5.1.1\n user unknown")) == Event(
        id="bounce.42", kind=EventKind.HARD, at=datetime(2026, 3, 2, 7, 30, 0, 123456, tzinfo=UTC),
        delivery_id="20260302.daily.0123abc", subscriber_id=41, reason="smtp;550 5.1.1 user unknown",
    )  # fmt: skip
    other = read(posted("Delivery", Metadata=None, Recipient=READER, DeliveredAt="2026-03-02T07:31:00Z"))
    assert (other.delivery_id, other.subscriber_id, other.address) == ("", None, READER)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (posted("Delivery"), EventKind.DELIVERED),
        (posted("Open", FirstOpen=True), EventKind.OPENED),
        (posted("Click"), EventKind.CLICKED),
        (posted("SpamComplaint", Type="SpamComplaint", ID=43), EventKind.COMPLAINT),
        (bounce("HardBounce"), EventKind.HARD),
        (bounce("HardBounce", "smtp;550 5.7.1 looks like spam"), EventKind.POLICY),
        (bounce("HardBounce", "smtp;552 5.2.2 mailbox full"), EventKind.SOFT),
        (bounce("HardBounce", "smtp;550 no"), EventKind.SOFT),
        (bounce("SoftBounce", "smtp;550 5.1.1 user unknown"), EventKind.SOFT),
        (bounce("SoftBounce"), EventKind.SOFT),
        (bounce("BadEmailAddress"), EventKind.HARD),
        (bounce("Transient"), EventKind.DEFERRED),
        (bounce("DnsError"), EventKind.DEFERRED),
        (bounce("SpamNotification"), EventKind.POLICY),
        (bounce("Blocked"), EventKind.POLICY),
        (bounce("DMARCPolicy"), EventKind.POLICY),
        (bounce("VirusNotification"), EventKind.POLICY),
        (bounce("Unsubscribe"), EventKind.UNSUBSCRIBE),
        (bounce("Subscribe"), EventKind.SUBSCRIBE),
        (bounce("SpamComplaint"), EventKind.COMPLAINT),
        (bounce("AutoResponder"), EventKind.UNKNOWN),
        (bounce("Unknown"), EventKind.UNKNOWN),
        (posted("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Recipient"),
         EventKind.UNSUBSCRIBE),
        (posted("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Admin"),
         EventKind.UNKNOWN),
        (posted("SubscriptionChange", SuppressSending=True, SuppressionReason="HardBounce", Origin="Recipient"),
         EventKind.UNKNOWN),
        (posted("SubscriptionChange", SuppressSending=False), EventKind.SUBSCRIBE),
        (posted("SubscriptionChange"), EventKind.UNKNOWN),
        (posted("Inbound"), EventKind.UNKNOWN),
        ({}, EventKind.UNKNOWN),
        ([], EventKind.UNKNOWN),
        ({"RecordType": 7}, EventKind.UNKNOWN),
    ],
)  # fmt: skip
def test_what_is_told_and_what_it_is(said: object, kind: EventKind) -> None:
    assert read(said).kind is kind


def test_the_same_twice_has_one_name() -> None:
    first, second = (
        posted("Open", ReceivedAt="2026-03-02T07:31:00Z"),
        posted("Open", ReceivedAt="2026-03-02T07:32:00Z"),
    )
    assert read(first).id == read(first).id != read(second).id


@pytest.mark.parametrize(
    "headers",
    [
        {}, password("wrong"), password(""), {"authorization": SECRET}, {"authorization": "Basic é"},
        {"authorization": f"Bearer {SECRET}"}, {"authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
    ],
)  # fmt: skip
def test_without_the_password_nothing_is_heard(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        read(posted("SpamComplaint"), headers)


def test_a_password_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"webhook_secret: is shorter"):
        postmark_events(PostmarkTable(webhook_secret=Secret("1234")))


def test_a_password_that_was_pasted_with_its_line_end_is_the_same() -> None:
    reader = postmark_events(PostmarkTable(webhook_secret=Secret(f"{SECRET}\n")))
    body = json.dumps(posted("Delivery")).encode()
    assert reader.read(password(SECRET), body, NOW)


@settings(max_examples=length(200, 20_000))
@given(body=st.binary(max_size=200), place=st.integers(0, 200), octets=st.binary(max_size=3))
def test_any_body_is_one_event(body: bytes, place: int, octets: bytes) -> None:
    whole = json.dumps(bounce("HardBounce", "smtp;550 5.1.1 user unknown")).encode()
    for given_body in (body, whole[:place] + octets + whole[place + 2 :]):
        (event,) = PostmarkEvents(SECRET).read(password(), given_body, NOW)
        assert event.at.tzinfo is UTC
        assert "\n" not in event.reason
