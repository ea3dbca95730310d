"""Whom a refusal concerns: the reader, or whoever sends."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from newsletter.errors import ProviderUnavailable
from newsletter.models.deliveries import Outcome
from newsletter.providers.smtp import SmtpProvider
from tests.providers.letters import LETTER, recipient, recipients
from tests.providers.sinks import (
    ACCEPTED,
    REJECTED,
    RETRY,
    MakeSink,
    outcomes,
    send,
    settings,
    taken,
)
from tests.servers.smtp import At, Fault


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 sender not allowed",
        "452 4.5.3 over quota",
        "451 4.7.0 try later",
        "530 5.7.0 log in first",
        "552 5.3.4 too big",
    ],
)
def test_a_refused_sender_concerns_nobody_in_particular(make_sink: MakeSink, reply: str) -> None:
    with (
        make_sink(faults=[Fault(at=At.MAIL, reply=reply, skip=1)]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
    ):
        receipts = connection.send(LETTER, recipients(3))
        assert next(receipts).outcome is ACCEPTED
        with pytest.raises(ProviderUnavailable) as caught:
            next(receipts)
        assert reply in str(caught.value)
        # The connection still stands, for whoever tries again.
        assert outcomes(list(connection.send(LETTER, [recipient(2)]))) == [ACCEPTED]
        assert taken(sink) == ["reader1@example.org", "reader2@example.org"]


@pytest.mark.parametrize("at", [At.RCPT, At.DATA, At.DOT])
@pytest.mark.parametrize(
    "reply",
    [
        "550 5.4.5 Daily user sending limit exceeded",
        "454 throttled: daily message quota exceeded",
        "452 4.5.3 your account has exceeded its hourly limit",
        "451 4.7.0 rate limit",
        "550 too many messages today",
    ],
)
def test_a_quota_of_the_sender_concerns_nobody_in_particular(make_sink: MakeSink, at: At, reply: str) -> None:
    with (
        make_sink(faults=[Fault(at=at, reply=reply)]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
    ):
        with pytest.raises(ProviderUnavailable, match="the quota is used up") as caught:
            list(connection.send(LETTER, recipients(1)))
        assert reply in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("452 4.2.2 over quota", RETRY),
        ("552 5.2.2 over quota", REJECTED),
        ("552 quota exceeded", REJECTED),
        ("554 the account is over quota", REJECTED),
        ("550 the mailbox has exceeded its quota", REJECTED),
        ("450 the recipient exceeded the disk quota", RETRY),
    ],
)
def test_a_quota_of_the_reader_concerns_that_reader(
    make_sink: MakeSink, reply: str, outcome: Outcome
) -> None:
    with make_sink(faults=[Fault(at=At.RCPT, reply=reply)]) as sink:
        assert outcomes(send(sink, recipients(2))) == [outcome, ACCEPTED]


@pytest.mark.parametrize(
    "reply", ["554 5.7.1 looks like spam", "550 5.1.8 bad sender", "550 no", "552 5.3.4 too large"]
)
def test_a_message_that_is_refused_again_and_again_is_not_about_the_readers(
    make_sink: MakeSink, reply: str
) -> None:
    with (
        make_sink(faults=[Fault(at=At.DOT, reply=reply, times=9)]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
    ):
        receipts = connection.send(LETTER, recipients(9))
        assert outcomes([next(receipts), next(receipts)]) == [REJECTED] * 2
        with pytest.raises(ProviderUnavailable, match="3 messages were refused, one after the other"):
            next(receipts)


@pytest.mark.parametrize(
    "reply", ["550 5.1.1 nobody", "550 no such user", "552 5.2.2 full", "550 5.2.1 disabled", "554 5.1.10 x"]
)
def test_refusals_of_readers_may_follow_one_another(make_sink: MakeSink, reply: str) -> None:
    with make_sink(faults=[Fault(at=At.DOT, reply=reply, times=5)]) as sink:
        assert outcomes(send(sink, recipients(6))) == [REJECTED] * 5 + [ACCEPTED]


def test_a_log_in_that_is_wanted_at_the_recipient_rejects_nobody(make_sink: MakeSink) -> None:
    with (
        make_sink(faults=[Fault(at=At.RCPT, reply="530 5.7.0 Authentication required")]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
        pytest.raises(ProviderUnavailable, match=r"provider\.smtp\.username"),
    ):
        list(connection.send(LETTER, recipients(1)))


def test_no_receipt_repeats_what_the_letter_says(make_sink: MakeSink) -> None:
    secret = base64.b64encode(b"in the letter only").decode()
    letter = replace(LETTER, text=secret, html=secret)
    faults = [Fault(at=At.DOT, reply="554 5.7.1 no"), Fault(at=At.DATA, close=True, skip=1)]
    with make_sink(faults=faults) as sink, SmtpProvider(settings(sink)).connect() as connection:
        receipts = list(connection.send(letter, recipients(2)))
    assert outcomes(receipts) == [REJECTED, RETRY]
    assert not any(secret in receipt.reply for receipt in receipts)
