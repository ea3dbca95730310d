"""SendGrid's event webhook: what is believed, and what an event becomes."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.errors import ConfigError, WebhookRefused
from newsletter.models.deliveries import Event, EventKind
from newsletter.providers.sendgrid_events import SendGridEvents
from tests.support.sendgrid_posts import SIGNATURE, TIMESTAMP, SendGridSigner, body_of, mutated, posted
from tests.support.torture import length

NOW = datetime(2024, 9, 13, 7, 30, tzinfo=UTC)
SIGNER = SendGridSigner()
READER = SendGridEvents(key=SIGNER.verification_key, max_age=timedelta(minutes=10))
OURS = "20240912.daily.0123456789abcdef01234567"


def read(body: bytes) -> list[Event]:
    return list(READER.read(SIGNER.headers(body, NOW), body, NOW))


def one(**fields: Any) -> Event:
    (event,) = read(body_of([posted(**fields)]))
    return event


def test_an_event_with_what_we_gave_with_the_letter() -> None:
    event = one(event="delivered", response="250 OK", delivery=OURS, reader="17")

    assert event == Event(
        id="delivered-1",
        kind=EventKind.DELIVERED,
        at=NOW,
        delivery_id=OURS,
        subscriber_id=17,
        reason="250 OK",
    )
    assert one(event="delivered", response="250 OK", delivery=OURS, reader=17) == event


def test_an_event_of_a_letter_that_went_by_smtp_names_it_by_its_message_id() -> None:
    event = one(event="processed", **{"smtp-id": f"<{OURS}@example.org>"})

    assert event == Event(
        id="processed-1", kind=EventKind.QUEUED, at=NOW, delivery_id=OURS, address="reader1@example.org"
    )


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"event": "processed"}, EventKind.QUEUED),
        ({"event": "deferred", "response": "400 try again later", "attempt": "5"}, EventKind.DEFERRED),
        ({"event": "delivered"}, EventKind.DELIVERED),
        ({"event": "open"}, EventKind.OPENED),
        ({"event": "open", "sg_machine_open": False}, EventKind.OPENED),
        ({"event": "open", "sg_machine_open": True}, EventKind.OPENED_BY_MACHINE),
        ({"event": "click", "url": "https://example.org/"}, EventKind.CLICKED),
        ({"event": "spamreport"}, EventKind.COMPLAINT),
        ({"event": "unsubscribe"}, EventKind.UNSUBSCRIBE),
        ({"event": "group_unsubscribe", "asm_group_id": 10}, EventKind.UNSUBSCRIBE),
        ({"event": "group_resubscribe", "asm_group_id": 10}, EventKind.SUBSCRIBE),
        ({"event": "account_status_change"}, EventKind.UNKNOWN),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}, EventKind.HARD),
        ({"event": "bounce", "type": "bounce", "reason": "550 5.1.1 The email account does not exist"}, EventKind.HARD),
        ({"event": "bounce", "type": "blocked", "status": "5.1.1", "reason": "550 no such user"}, EventKind.SOFT),
        ({"event": "bounce", "type": "bounce", "status": "5.2.2", "reason": "552 mailbox full"}, EventKind.SOFT),
        ({"event": "bounce", "type": "blocked", "reason": "unable to get mx info"}, EventKind.SOFT),
        ({"event": "bounce", "type": "blocked", "reason": "550 5.7.1 blocked, see spamhaus"}, EventKind.POLICY),
        ({"event": "dropped", "reason": "Bounced Address"}, EventKind.HARD),
        ({"event": "dropped", "reason": "Invalid"}, EventKind.HARD),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, EventKind.POLICY),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, EventKind.COMPLAINT),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, EventKind.UNSUBSCRIBE),
        ({"event": "dropped", "reason": "Spam Content (if spam checker app enabled)"}, EventKind.POLICY),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, EventKind.POLICY),
        ({"event": "dropped"}, EventKind.POLICY),
    ],
)  # fmt: skip
def test_kinds(fields: dict[str, Any], kind: EventKind) -> None:
    assert one(**fields).kind is kind


def test_an_unknown_kind_keeps_its_name() -> None:
    assert (one(event="later_invention").kind, one(event="later_invention").reason) == (
        EventKind.UNKNOWN,
        "later_invention",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": 7},
        {"email": ["a"]},
        {"timestamp": "soon"},
        {"reason": {"x": 1}},
        {"sg_machine_open": "yes"},
        {"reader": [17]},
        {"reader": 1.5},
        {"delivery": 1.5},
    ],
)
def test_a_wrong_type_concerns_one_event_alone(wrong: dict[str, Any]) -> None:
    good, bad = posted("delivered"), {**posted("bounce", 2, reason="550 5.1.1 unknown"), **wrong}
    found = read(body_of([good, bad, good]))

    assert [event.kind for event in found] == [EventKind.DELIVERED, EventKind.UNKNOWN, EventKind.DELIVERED]
    assert found[1].id == "bounce-2"


@pytest.mark.parametrize(
    "body",
    [b"", b"[", b"{}", b"null", b"17", b"[1]", b"[null]", b"[[]]", b"[" * 100_000, b'[{"sg_event_id": 4}]', b'["\\ud800"]'],
)  # fmt: skip
def test_a_body_that_is_signed_and_not_understood_is_one_unknown_event(body: bytes) -> None:
    (event,) = read(body)

    assert (event.kind, event.at) == (EventKind.UNKNOWN, NOW)
    assert read(body)[0].id == event.id, "posted again it is the same"


def test_no_events_are_none() -> None:
    assert read(b"[]") == []


@pytest.mark.parametrize("moment", [0, -5, 1e300, -(10**30), 10**30, 253402300800, 1.5])
def test_a_time_that_is_none_is_now(moment: float) -> None:
    event = one(event="click", timestamp=moment)

    assert event.kind is EventKind.CLICKED
    assert event.at == NOW or moment in {-5, 1.5}


@pytest.mark.parametrize("reader", ["", "x", "-1", "1" * 400, "\u0663", "1.5"])
def test_a_number_that_is_none_leaves_the_address(reader: str) -> None:
    event = one(event="click", reader=reader, delivery=OURS)

    assert (event.subscriber_id, event.address) == (None, "reader1@example.org")


def test_an_event_without_a_name_has_always_the_same() -> None:
    nameless = {name: value for name, value in posted("click").items() if name != "sg_event_id"}
    first, second = read(body_of([nameless])), read(body_of([nameless, posted("open")]))

    assert first[0] == second[0]
    assert len(first[0].id) == 64


BODY = body_of([posted("bounce", reason="550 5.1.1 user unknown")])
SIGNED = SIGNER.headers(BODY, NOW)


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ({}, BODY, "is not signed"),
        ({SIGNATURE: SIGNED[SIGNATURE]}, BODY, "is not signed"),
        ({TIMESTAMP: SIGNED[TIMESTAMP]}, BODY, "is not signed"),
        ({**SIGNED, TIMESTAMP: "now"}, BODY, "has no time"),
        ({**SIGNED, TIMESTAMP: "1" * 5000}, BODY, "has no time"),
        ({**SIGNED, TIMESTAMP: "\u0661"}, BODY, "has no time"),
        ({**SIGNED, TIMESTAMP: "-1"}, BODY, "has no time"),
        ({**SIGNED, TIMESTAMP: "1726212601"}, BODY, "wrong signature"),
        ({**SIGNED, SIGNATURE: "a"}, BODY, "cannot be read"),
        ({**SIGNED, SIGNATURE: "\u00e9"}, BODY, "cannot be read"),
        ({**SIGNED, SIGNATURE: "AAAA"}, BODY, "wrong signature"),
        (SendGridSigner().headers(BODY, NOW), BODY, "wrong signature"),
        (SIGNED, BODY[:-1], "wrong signature"),
        (SIGNED, BODY.replace(b"reader1", b"reader2"), "wrong signature"),
        (SIGNED, b"\xff" + BODY, "cannot be read"),
        (SIGNER.headers(b"\xff[]", NOW), b"\xff[]", "cannot be read"),
        (SIGNER.headers(BODY, NOW - timedelta(minutes=11)), BODY, "660 s ago"),
        (SIGNER.headers(BODY, NOW + timedelta(minutes=11)), BODY, "660 s ahead"),
    ],
)
def test_what_is_not_proven_is_refused(headers: dict[str, str], body: bytes, why: str) -> None:
    with pytest.raises(WebhookRefused, match=why):
        READER.read(headers, body, NOW)


def test_a_body_is_taken_within_its_time() -> None:
    for minutes in (-9, 9):
        assert READER.read(SIGNER.headers(BODY, NOW + timedelta(minutes=minutes)), BODY, NOW)
    patient = replace(READER, max_age=timedelta(hours=24))
    assert patient.read(SIGNER.headers(BODY, NOW - timedelta(hours=23)), BODY, NOW)


@pytest.mark.parametrize("form", ["  {}\n", "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n"])
def test_a_key_may_be_copied_with_lines_and_the_frame_of_a_file(form: str) -> None:
    key = SIGNER.verification_key
    reader = replace(READER, key=form.format(f"{key[:64]}\r\n{key[64:]}"))
    assert reader.read(SIGNER.headers(BODY, NOW), BODY, NOW)


RSA = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ=="  # fmt: skip


@pytest.mark.parametrize("key", ["x", "AAAA", "é", "-----BEGIN PUBLIC KEY-----", RSA])
def test_a_key_that_is_none_is_told(key: str) -> None:
    with pytest.raises(
        ConfigError, match=r"provider\.sendgrid\.webhook_key: is no verification key; copy it"
    ):
        SendGridEvents(key=key, max_age=timedelta(minutes=10))


def test_mutated_bodies_are_refused_or_read() -> None:
    chance = random.Random(11)
    good = body_of(
        [posted(name, number) for number, name in enumerate(["bounce", "open", "dropped", "spamreport"])]
    )
    for _ in range(length(1_500, 100_000)):
        body = mutated(good, chance)
        try:
            events = read(body)  # which SendGrid itself has signed
        except WebhookRefused:
            with pytest.raises(UnicodeDecodeError):
                body.decode()
            continue
        assert all(event.id for event in events)
        with pytest.raises(WebhookRefused):  # which somebody has made of a signed one
            READER.read(SIGNED, body, NOW)


def test_signatures_with_bytes_that_are_no_base64_prove_nothing() -> None:
    chance = random.Random(5)
    raw = base64.b64decode(SIGNED[SIGNATURE])
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ (1 << chance.randrange(8))]) + raw[place + 1 :]
        with pytest.raises(WebhookRefused):
            READER.read({**SIGNED, SIGNATURE: base64.b64encode(changed).decode()}, BODY, NOW)
