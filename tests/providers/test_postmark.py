"""Postmark: a request holds many, and each has its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from newsletter.errors import ProviderBusy, ProviderUnavailable
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.providers import postmark
from newsletter.providers.postmark import PostmarkProvider, PostmarkSettings
from tests.providers.letters import LETTER, recipient, recipients
from tests.servers.postmark import TOKEN, Fault, PostmarkServer

A, B, C = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.UNCERTAIN


@pytest.fixture
def server() -> Iterator[PostmarkServer]:
    with PostmarkServer() as running:
        yield running


def provider(server: PostmarkServer, **more: Any) -> PostmarkProvider:
    return PostmarkProvider(
        PostmarkSettings(**{"token": TOKEN, "base_url": server.url, "timeout": 10.0, **more})
    )


def until_raised(made: PostmarkProvider, number: int = 3) -> tuple[list[Receipt], ProviderUnavailable | None]:
    receipts: list[Receipt] = []
    try:
        with made.connect() as connection:
            for receipt in connection.send(LETTER, recipients(number)):
                receipts.append(receipt)  # noqa: PERF402  # those before a fault count
    except ProviderUnavailable as error:
        return receipts, error
    return receipts, None


def outcomes(receipts: list[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def test_what_is_asked(server: PostmarkServer) -> None:
    reader = recipient(1, name='Ada "the\r\nfirst" L.')._replace(
        headers=(("List-Unsubscribe", "<https://x.example/u>"),)
    )
    with provider(server, stream="news").connect() as connection:
        (receipt,) = connection.send(LETTER, [reader])
    assert (receipt.outcome, receipt.provider_id) == (A, "pm-1")
    (sent,) = server.taken
    assert sent["To"] == '"Ada the first L." <reader1@example.org>'
    assert sent["From"] == '"Paper Post" <post@news.example.org>'
    assert sent["Metadata"] == {"delivery": "daily.20240912.1", "reader": "1"}
    assert (sent["MessageStream"], sent["TrackOpens"], sent["TrackLinks"]) == ("news", False, "None")
    assert {each["Name"]: each["Value"] for each in sent["Headers"]} == {
        "Message-ID": reader.message_id, "X-PM-KeepID": "true", "List-Unsubscribe": "<https://x.example/u>",
    }  # fmt: skip


def test_requests_have_five_hundred_at_most_and_are_not_too_large(
    server: PostmarkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_raised(provider(server), 501)
    assert server.requests == [500, 1]
    server.requests.clear()
    monkeypatch.setattr(postmark, "MOST_BYTES", 2_000)
    receipts, _ = until_raised(provider(server), 9)
    assert outcomes(receipts) == [A] * 9
    assert len(server.requests) > 2


def test_each_has_its_answer(server: PostmarkServer) -> None:
    server.codes["reader2@example.org"] = (
        406,
        "You tried to send to a recipient that has been marked as inactive.\nFound",
    )
    server.codes["reader3@example.org"] = (300, "Error parsing 'To': Illegal email domain 'x' in address")
    receipts, raised = until_raised(provider(server), 4)
    assert (outcomes(receipts), raised) == ([A, B, B, A], None)
    assert [receipt.hard for receipt in receipts] == [False, False, True, False]
    assert all("\n" not in receipt.reply for receipt in receipts)


@pytest.mark.parametrize(
    ("code", "words", "is_busy"),
    [
        (300, "Invalid 'From' address: 'x'.", False), (400, "Sender Signature not found", False),
        (405, "Not allowed to send", False), (412, "Account is pending", False), (777, "Something new", False),
        (429, "Rate limit exceeded", True), (100, "Maintenance", True),
    ],
)  # fmt: skip
def test_what_is_nobody_s_fault_pauses_once_all_have_receipts(
    server: PostmarkServer, code: int, words: str, is_busy: bool
) -> None:
    server.codes["reader2@example.org"] = (code, words)
    receipts, raised = until_raised(provider(server))
    assert outcomes(receipts) == [A, Outcome.RETRY, A]
    assert isinstance(raised, ProviderUnavailable)
    assert isinstance(raised, ProviderBusy) == is_busy
    assert f"{code} {words.rstrip('.')}" in str(raised)


@pytest.mark.parametrize(
    ("fault", "is_busy"),
    [
        (Fault(status=401, code=10), False), (Fault(status=422, code=402), False), (Fault(status=404), False),
        (Fault(status=413), False), (Fault(status=429, headers={"Retry-After": "9"}), True), (Fault(status=503), True),
    ],
)  # fmt: skip
def test_a_request_that_is_refused_rejects_nobody(
    server: PostmarkServer, fault: Fault, is_busy: bool
) -> None:
    server.faults = [fault]
    receipts, raised = until_raised(provider(server))
    assert receipts == []
    assert isinstance(raised, ProviderUnavailable)
    assert "nobody was rejected" in str(raised)
    assert isinstance(raised, ProviderBusy) == is_busy
    if isinstance(raised, ProviderBusy):
        assert raised.seconds == (9 if fault.headers else 1)


@pytest.mark.parametrize("fault", [
    Fault(drops=True), Fault(drops=True, taken=True), Fault(delay=1.5, taken=True), Fault(status=500), Fault(status=502),
    Fault(body=b"<html>hello</html>"), Fault(body=b"[]"), Fault(body=b'[{"ErrorCode": 0}]'), Fault(body=b"[1, 2, 3]"),
    Fault(status=202), Fault(body=b"\xff" * 9), Fault(status=500, body=b"\x1b[2J\0"),
])  # fmt: skip
def test_without_answers_of_their_own_nobody_knows_and_not_as_many_more(
    server: PostmarkServer, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmark, "MOST_MESSAGES", 3)
    server.faults = [fault]
    receipts, raised = until_raised(provider(server, timeout=0.5), 6)
    assert outcomes(receipts) == [C] * 3
    assert isinstance(raised, ProviderBusy)
    assert all(receipt.reply.isprintable() for receipt in receipts)


def test_answers_that_are_none_leave_each_in_doubt(server: PostmarkServer) -> None:
    server.faults = [Fault(body=b"[{}, {}, {}]")]
    receipts, raised = until_raised(provider(server))
    assert (outcomes(receipts), raised) == ([C] * 3, None)


def test_a_limit_that_each_message_hears_of_is_one_pause(server: PostmarkServer) -> None:
    server.codes = {reader.address: (429, "Rate limit exceeded") for reader in recipients(400)}
    seconds = []
    with provider(server).connect() as connection:
        for _ in range(4):
            try:
                list(connection.send(LETTER, recipients(400)))
            except ProviderBusy as busy:
                seconds.append(busy.seconds)
    assert seconds == [1, 2, 4, 8]


def test_a_wrong_token_and_a_server_that_is_gone(server: PostmarkServer) -> None:
    made = provider(server, token="wrong-token")
    receipts, raised = until_raised(made)
    assert receipts == []
    assert "401 10 Bad or missing Server API token; nobody" in str(raised)
    assert "wrong-token" not in f"{raised} {made._settings}"
    server.__exit__(None, None, None)
    assert "no connection" in str(until_raised(made)[1])


def test_letters_beyond_ascii_before_the_at(server: PostmarkServer) -> None:
    readers = [recipient(1), recipient(2, "zoë@example.org"), recipient(3, "zoe@exämple.org")]
    with provider(server).connect() as connection, suppress(ProviderUnavailable):
        assert outcomes(list(connection.send(LETTER, readers))) == [A, B, A]
    assert [mail["Address"] for mail in server.taken] == ["reader1@example.org", "zoe@xn--exmple-cua.org"]
