"""What Amazon SES tells by SNS: only what is proven counts, and a reader is given up only with proof."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import SourceError, WebhookRefused
from newsletter.models.deliveries import Event, EventKind
from newsletter.providers.ses_events import SesEvents
from newsletter.providers.sns import Topic, fetched
from tests.servers.papers_api import PapersApi, redirect
from tests.support.sns import (
    ARN,
    CERTIFICATE_URL,
    NOW,
    PLACE,
    Amazon,
    body,
    certificate,
    envelope,
    private_key,
)
from tests.support.torture import length

TAGS = {"ses:operation": ["SendEmail"], "delivery": ["20260302_daily_0123abc"], "reader": ["41"]}
READER = "reader41@example.org"


def reader(amazon: Amazon | None = None) -> SesEvents:
    return SesEvents(Topic(ARN, (amazon or Amazon()).fetch))


def record(kind: str, *, tags: Mapping[str, list[str]] | None = None, **part: Any) -> str:
    """Return what SES publishes of a letter."""
    name = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}.get(kind, kind.lower())
    mail = {
        "timestamp": "2026-03-02T07:30:00.000Z", "source": "News <news@example.org>", "messageId": "0102-ses",
        "destination": [READER], "headersTruncated": False, "tags": TAGS if tags is None else tags,
        "commonHeaders": {"messageId": "<20260302.daily.0123abc@example.org>", "subject": "Papers"},
    }  # fmt: skip
    return json.dumps({"eventType": kind, "mail": mail, name: part})


def bounce(kind: str, sub: str, code: str | None = None, status: str | None = None) -> str:
    person = {"emailAddress": READER, "action": "failed", "status": status, "diagnosticCode": code}
    people = [{name: value for name, value in person.items() if value is not None}]
    return record(
        "Bounce",
        bounceType=kind,
        bounceSubType=sub,
        bouncedRecipients=people,
        timestamp="2026-03-02T07:31:00.000Z",
    )


def read(message: str) -> Event:
    (event,) = reader().read({}, body(message), NOW)
    return event


def test_whose_letter_it_is() -> None:
    event = read(
        record(
            "Delivery",
            timestamp="2026-03-02T07:31:02.500Z",
            recipients=[READER],
            smtpResponse="250 2.6.0 taken",
        )
    )
    assert event == Event(
        id="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324.0", kind=EventKind.DELIVERED,
        at=datetime(2026, 3, 2, 7, 31, 2, 500_000, tzinfo=UTC), delivery_id="20260302.daily.0123abc", subscriber_id=41,
        reason="250 2.6.0 taken",
    )  # fmt: skip


def test_without_tags_the_message_id_and_the_address_tell() -> None:
    event = read(record("Delivery", tags={}))
    assert (event.delivery_id, event.subscriber_id, event.address) == ("20260302.daily.0123abc", None, READER)


def test_a_message_of_an_identity_is_read_too() -> None:
    named = json.loads(bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown", "5.1.1"))
    named["notificationType"] = named.pop("eventType")
    assert read(json.dumps(named)).kind is EventKind.HARD


FULL = "smtp; 552 5.2.2 mailbox full"
SPAM = "smtp; 550 5.7.1 looks like spam"


@pytest.mark.parametrize(
    ("message", "kind", "reason"),
    [
        (record("Send"), EventKind.QUEUED, ""),
        (record("DeliveryDelay", delayType="MailboxFull", delayedRecipients=[{"emailAddress": READER}]),
         EventKind.DEFERRED, "MailboxFull"),
        (record("Reject", reason="Bad content"), EventKind.POLICY, "Bad content"),
        (record("Open", userAgent="Mozilla/5.0 (X11; Linux)"), EventKind.OPENED, ""),
        (record("Open", userAgent="Mozilla/5.0"), EventKind.OPENED_BY_MACHINE, ""),
        (record("Click", link="https://example.org"), EventKind.CLICKED, ""),
        (record("Subscription", newTopicPreferences={"unsubscribeAll": True}), EventKind.UNSUBSCRIBE, "Subscription"),
        (record("Subscription", newTopicPreferences={"unsubscribeAll": False}), EventKind.UNKNOWN, "Subscription"),
        (record("Rendering Failure", errorMessage="no name"), EventKind.UNKNOWN, "Rendering Failure no name"),
        (record("Novelty"), EventKind.UNKNOWN, "Novelty"),
        (record("Complaint", complainedRecipients=[{"emailAddress": READER}]), EventKind.COMPLAINT, "Complaint"),
        (record("Complaint", complaintFeedbackType="abuse"), EventKind.COMPLAINT, "Complaint abuse"),
        (record("Complaint", complaintFeedbackType="not-spam"), EventKind.UNKNOWN, "Complaint not-spam"),
        (record("Complaint", complaintFeedbackType="auth-failure"), EventKind.UNKNOWN, "Complaint auth-failure"),
        (bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown", "5.1.1"), EventKind.HARD,
         "smtp; 550 5.1.1 user unknown"),
        (bounce("Permanent", "General", SPAM, "5.1.1"), EventKind.POLICY, SPAM),
        (bounce("Permanent", "General", FULL), EventKind.SOFT, FULL),
        (bounce("Permanent", "General", "smtp; 550 no"), EventKind.SOFT, "smtp; 550 no"),
        (bounce("Permanent", "General"), EventKind.HARD, "Permanent General"),
        (bounce("Permanent", "NoEmail", "smtp; 550 no"), EventKind.HARD, "smtp; 550 no"),
        (bounce("Permanent", "NoEmail", SPAM), EventKind.POLICY, SPAM),
        (bounce("Permanent", "NoEmail", FULL), EventKind.SOFT, FULL),
        (bounce("Permanent", "Suppressed", "Amazon SES has suppressed sending"), EventKind.HARD,
         "Amazon SES has suppressed sending"),
        (bounce("Permanent", "OnAccountSuppressionList"), EventKind.HARD, "Permanent OnAccountSuppressionList"),
        (bounce("Permanent", "UnsubscribedRecipient"), EventKind.UNSUBSCRIBE, "Permanent UnsubscribedRecipient"),
        (bounce("Transient", "General"), EventKind.SOFT, "Transient General"),
        (bounce("Transient", "General", "smtp; 550 5.1.1 user unknown", "5.1.1"), EventKind.SOFT,
         "smtp; 550 5.1.1 user unknown"),
        (bounce("Transient", "MailboxFull"), EventKind.SOFT, "Transient MailboxFull"),
        (bounce("Transient", "ContentRejected"), EventKind.POLICY, "Transient ContentRejected"),
        (bounce("Transient", "AttachmentRejected"), EventKind.POLICY, "Transient AttachmentRejected"),
        (bounce("Transient", "MessageTooLarge"), EventKind.POLICY, "Transient MessageTooLarge"),
        (bounce("Undetermined", "Undetermined"), EventKind.SOFT, "Undetermined Undetermined"),
        (bounce("Undetermined", "Undetermined", SPAM), EventKind.POLICY, SPAM),
    ],
)  # fmt: skip
def test_what_is_told_and_what_it_is(message: str, kind: EventKind, reason: str) -> None:
    event = read(message)
    assert (event.kind, event.reason.strip()) == (kind, reason)
    assert event.delivery_id == "20260302.daily.0123abc"


def test_several_readers_are_several_events() -> None:
    people = [{"emailAddress": f"r{number}@example.org", "status": "5.1.1"} for number in range(3)]
    told = record(
        "Bounce", tags={}, bounceType="Permanent", bounceSubType="General", bouncedRecipients=people
    )
    events = reader().read({}, body(told), NOW)
    assert [event.id[-2:] for event in events] == [".0", ".1", ".2"]
    assert [event.address for event in events] == ["r0@example.org", "r1@example.org", "r2@example.org"]


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["A subject", "", None])
def test_both_versions_of_signatures_with_and_without_a_subject(version: str, subject: str | None) -> None:
    (event,) = reader().read({}, body(record("Send"), version=version, Subject=subject), NOW)
    assert event.kind is EventKind.QUEUED


@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "Signature"]
)
def test_nothing_can_be_changed_behind_the_signature(name: str) -> None:
    posted = envelope(record("Send"))
    other = {
        "Timestamp": "2026-03-02T07:59:59.123Z",
        "Type": "UnsubscribeConfirmation",
        "TopicArn": f"{ARN}x",
    }
    posted[name] = other.get(name, posted[name][:-8] + "AAAAAAA=")
    with pytest.raises(WebhookRefused):
        reader().read({}, json.dumps(posted).encode(), NOW)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"TopicArn": "arn:aws:sns:eu-west-1:999999999999:newsletter-events"}, "another topic"),
        ({"Timestamp": "2026-03-02T06:59:00Z"}, "too far from now"),
        ({"Timestamp": "2026-03-02T09:01:00Z"}, "too far from now"),
        ({"Timestamp": "soon"}, "no time"),
        ({"Timestamp": "0001-01-01T00:00:00+23:59"}, "no time"),
        ({"Type": "Surprise"}, "type"),
        ({"key": private_key(1)}, "wrong signature"),
        *[
            ({"SigningCertURL": url}, "names no certificate of SNS")
            for url in (
                CERTIFICATE_URL.replace("https", "http"), CERTIFICATE_URL.replace("eu-west-1", "us-east-1"),
                CERTIFICATE_URL.replace(".com/", ".com.evil.example/"), CERTIFICATE_URL.replace("//sns", "//evil@sns"),
                CERTIFICATE_URL.replace("//sns", "//xsns"), f"{CERTIFICATE_URL}?x=1", f"{CERTIFICATE_URL}#1",
                f"{PLACE}/bucket/SimpleNotificationService-0.pem", f"{PLACE}/../SimpleNotificationService-0.pem",
                "https://s3.amazonaws.com/SimpleNotificationService-0.pem", "", "/SimpleNotificationService-0.pem",
            )
        ],
        ({"SigningCertURL": f"{PLACE}/SimpleNotificationService-0.pem"}, "cannot be had: the server answered 404"),
    ],
)  # fmt: skip
def test_what_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(WebhookRefused, match=words):
        reader().read({}, body(record("Send"), **changes), NOW)


def test_what_is_no_address_of_sns_is_never_asked() -> None:
    amazon = Amazon()
    for url in ("https://evil.example/SimpleNotificationService-0.pem", "file:///etc/passwd"):
        with pytest.raises(WebhookRefused):
            reader(amazon).read({}, body(record("Send"), SigningCertURL=url), NOW)
    assert amazon.asked == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no certificate", "cannot be read"),
        (certificate(private_key(), NOW - timedelta(days=30)), "not valid now"),
        (certificate(private_key(), NOW + timedelta(days=1)), "not valid now"),
        (certificate(private_key(2)), "wrong signature"),
    ],
)
def test_certificates_that_prove_nothing(content: bytes, words: str) -> None:
    with pytest.raises(WebhookRefused, match=words):
        SesEvents(Topic(ARN, lambda _url: content)).read({}, body(record("Send")), NOW)


def test_a_certificate_is_fetched_once() -> None:
    amazon = Amazon()
    own = reader(amazon)
    for _ in range(3):
        own.read({}, body(record("Send")), NOW)
    assert amazon.asked == [CERTIFICATE_URL]


def test_a_subscription_is_confirmed() -> None:
    amazon = Amazon()
    assert reader(amazon).read({}, body("You have chosen", Type="SubscriptionConfirmation"), NOW) == []
    confirmed = amazon.asked[1]
    assert confirmed.startswith(f"{PLACE}/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3A")


@pytest.mark.parametrize(
    ("amazon", "changes", "words"),
    [
        (Amazon(confirms=False), {}, "cannot be confirmed: the server answered 404"),
        (Amazon(), {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"}, "not one of SNS"),
        (Amazon(), {"SubscribeURL": f"{PLACE}/?Action=DeleteTopic&TopicArn={ARN}"}, "not one of SNS"),
        (
            Amazon(),
            {"SubscribeURL": f"{PLACE}/?Action=ConfirmSubscription&TopicArn={ARN}x"},
            "not one of SNS",
        ),
        (Amazon(), {"SubscribeURL": None}, "not one of SNS"),
        (Amazon(), {"TopicArn": f"{ARN}x"}, "another topic"),
    ],
)
def test_a_subscription_that_is_not(amazon: Amazon, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(WebhookRefused, match=words):
        reader(amazon).read({}, body("You have", Type="SubscriptionConfirmation", **changes), NOW)
    assert not [url for url in amazon.asked if "evil" in url or "Delete" in url]


@pytest.mark.parametrize(
    ("message", "more", "reason"),
    [
        ("Successfully validated SNS topic for Amazon SES event publishing.", {}, "Successfully validated"),
        ("[]", {}, "[]"),
        ('{"eventType": "Bounce", "mail": {}, "bounce": 7}', {}, '{"eventType"'),
        ("[" * 100_000, {}, "["),
        ("You have left", {"Type": "UnsubscribeConfirmation"}, "UnsubscribeConfirmation"),
    ],
)
def test_what_is_proven_and_not_understood_is_kept(message: str, more: dict[str, Any], reason: str) -> None:
    (event,) = reader().read({}, body(message, **more), NOW)
    assert event.kind is EventKind.UNKNOWN
    assert event.reason.startswith(reason)
    assert event.id == "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324.0"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    "Bounce",
    "Complaint",
    "Delivery",
    "Send",
    "Reject",
    "Open",
    "Click",
    "DeliveryDelay",
    "Subscription",
]
EXAMPLE = bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown", "5.1.1")


@pytest.mark.timeout(900)
@settings(max_examples=length(150, 20_000), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_message_of_the_topic_is_events(data: st.DataObject) -> None:
    found = json.loads(EXAMPLE)
    for _ in range(data.draw(st.integers(0, 3))):
        part = data.draw(
            st.sampled_from([found, found["mail"] if isinstance(found.get("mail"), dict) else found])
        )
        name = data.draw(st.sampled_from([*part, "eventType", "mail", "bounce"]))
        part[name] = data.draw(JSON | st.sampled_from(NAMES))
    for event in reader().read({}, body(json.dumps(found)), NOW):
        assert event.at.tzinfo is UTC
        assert "\n" not in event.reason
        if event.kind is EventKind.HARD:
            assert "Permanent" in json.dumps(found)


@pytest.mark.timeout(900)
@settings(max_examples=length(300, 100_000), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_other_bytes_are_refused(data: st.DataObject) -> None:
    whole = body(EXAMPLE)
    if data.draw(st.booleans()):
        posted = data.draw(st.binary(max_size=300))
    else:
        place, octet = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.binary(max_size=3))
        posted = whole[:place] + octet + whole[place + data.draw(st.integers(1, 5)) :]
    try:
        events = reader().read({}, posted, NOW)
    except WebhookRefused:
        return
    assert events == reader().read({}, whole, NOW)  # white space, or what is not signed


def test_addresses_are_fetched_without_following_anybody() -> None:
    with PapersApi(contents={"/cert.pem": b"a certificate"}) as server:
        assert fetched(f"{server.url}/cert.pem") == b"a certificate"
        server.faults = [redirect(f"{server.url}/cert.pem")]
        for path in ("/cert.pem", "/missing"):
            with pytest.raises(SourceError):
                fetched(f"{server.url}{path}")
