"""What each answer of SendGrid's API means, against a server that gives them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.errors import ProviderBusy, ProviderUnavailable
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.providers.sendgrid import SendGridProvider, SendGridSettings
from newsletter.providers.sendgrid_suppressions import Account
from tests.providers.letters import LETTER, recipient, recipients
from tests.servers.sendgrid import Cut, Fault, SendGridApi, proxy_error
from tests.servers.sendgrid.answers import errors
from tests.servers.sendgrid.process import running
from tests.servers.sendgrid.rules import Broken
from tests.servers.sendgrid.server import KEY

TAKEN = {Outcome.ACCEPTED}


def settings(api: SendGridApi, **options: object) -> SendGridSettings:
    return replace(SendGridSettings(api_key=KEY, base_url=api.url, timeout=5), **options)  # type: ignore[arg-type]


def sent(own: SendGridSettings, readers: Sequence[Recipient]) -> list[Receipt]:
    with SendGridProvider(own).connect() as connection:
        return list(connection.send(LETTER, readers))


def until_raised(
    own: SendGridSettings, readers: Sequence[Recipient]
) -> tuple[list[Receipt], ProviderUnavailable]:
    receipts = []
    with SendGridProvider(own).connect() as connection, pytest.raises(ProviderUnavailable) as raised:
        for receipt in connection.send(LETTER, readers):
            receipts.append(receipt)  # noqa: PERF402  # those before the error count
    return receipts, raised.value


def test_a_thousand_in_one_request_and_the_rest_in_another() -> None:
    with SendGridApi() as api:
        receipts = sent(settings(api), recipients(1200))
    assert [receipt.subscriber_id for receipt in receipts] == list(range(1, 1201))
    assert {receipt.outcome for receipt in receipts} == TAKEN
    assert len({receipt.provider_id for receipt in receipts}) == 2
    assert [len(each["personalizations"]) for each in api.payloads] == [1000, 200]
    assert api.connections == 1
    assert set(api.counts.values()) == {1}


def test_events_can_find_the_delivery_and_nothing_tells_who_it_is() -> None:
    with SendGridApi() as api:
        sent(settings(api), [recipient(7)])
    mail = api.delivered[0]
    assert mail.custom_args == {"delivery": recipient(7).delivery_id, "reader": "7"}
    assert mail.categories == ()


def test_tracking_is_off_unless_it_is_asked_for() -> None:
    with SendGridApi() as api:
        sent(settings(api), [recipient(1)])
        sent(settings(api, track_opens=True, track_clicks=True), [recipient(1)])
    off, on = (mail.tracking for mail in api.delivered)
    assert not any(each["enable"] for each in off.values())
    assert {name for name, each in on.items() if each["enable"]} == {"click_tracking", "open_tracking"}


def test_the_sandbox_delivers_nothing_and_its_answer_counts_only_there() -> None:
    with SendGridApi() as api:
        receipts = sent(settings(api, sandbox=True), recipients(2))
        assert {receipt.outcome for receipt in receipts} == TAKEN
        assert "sandbox" in receipts[0].reply
    assert api.delivered == []
    with SendGridApi(faults=[Fault(status=200)]) as api:
        assert until_raised(settings(api), recipients(2))[0] == []


@pytest.mark.parametrize("count", [1, 2, 3, 1000])
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_address_that_sendgrid_refuses_ends_nothing(count: int, where: str) -> None:
    readers = recipients(count)
    at = {"first": 0, "middle": count // 2, "last": count - 1}[where]
    readers[at] = recipient(at + 1, "reader@localhost")
    with SendGridApi() as api:
        receipts = sent(settings(api), readers)
    outcomes = [receipt.outcome for receipt in receipts]
    assert outcomes == [Outcome.REJECTED if n == at else Outcome.ACCEPTED for n in range(count)]
    assert receipts[at].hard
    assert "address" in receipts[at].reply
    assert api.requests <= 4
    assert set(api.counts.values()) <= {1}


def unnamed(message: str = "Bad Request") -> bytes:
    return errors(Broken(message=message, field=None))


def test_a_fault_that_is_not_named_is_found_by_halves() -> None:
    bad = "poison@example.org"

    class Poisoned(SendGridApi):
        """Refuses one address without saying which."""

        def _send(self, head, body, number):  # type: ignore[no-untyped-def]
            answer = super()._send(head, body, number) if bad.encode() not in body else None
            return answer or replace(super()._send(head, b"{}", number), body=unnamed())

    readers = recipients(1000)
    readers[137] = recipient(138, bad)
    with Poisoned() as api:
        receipts = sent(settings(api), readers)
    assert [r.subscriber_id for r in receipts if r.outcome is Outcome.REJECTED] == [138]
    assert sum(r.outcome is Outcome.ACCEPTED for r in receipts) == 999
    assert set(api.counts.values()) == {1}
    assert api.requests < 25


@pytest.mark.parametrize("count", [4, 300])
def test_what_is_refused_for_everybody_is_not_about_the_readers(count: int) -> None:
    with SendGridApi(faults=lambda _: Fault(status=400, body=unnamed())) as api:
        receipts, error = until_raised(settings(api), recipients(count))
    assert receipts == []
    assert "nobody was rejected" in str(error)


def test_a_letter_that_is_refused_by_name_rejects_nobody() -> None:
    body = errors(Broken(message="The content value must be a string", field="content.0.value"))
    for count in (1, 50):
        with SendGridApi(faults=[Fault(status=400, body=body)]) as api:
            receipts, error = until_raised(settings(api), recipients(count))
        assert receipts == []
        assert "content.0.value" in str(error)
        assert api.requests == 1


def test_the_same_address_twice_goes_in_two_requests() -> None:
    readers = [recipient(1, "Twin@example.org"), recipient(2), recipient(3, "twin@example.org")]
    with SendGridApi() as api:
        assert {receipt.outcome for receipt in sent(settings(api), readers)} == TAKEN
    assert api.requests == 2


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "api_key"), (403, "Mail Send"), (404, "base_url"), (405, "base_url"), (302, "")],
)
def test_the_account_is_refused_and_nobody_is(status: int, remedy: str) -> None:
    with SendGridApi(faults=[Fault(status=status)]) as api:
        receipts, error = until_raised(settings(api), recipients(3))
    assert receipts == []
    assert not isinstance(error, ProviderBusy)
    assert remedy in str(error)
    assert KEY not in str(error)


def test_a_request_that_is_too_large_is_cut() -> None:
    with SendGridApi(faults=[Fault(status=413)]) as api:
        assert {receipt.outcome for receipt in sent(settings(api), recipients(10))} == TAKEN
    assert [len(each["personalizations"]) for each in api.payloads] == [5, 5]
    with SendGridApi(faults=lambda _: Fault(status=413)) as api:
        receipts, error = until_raised(settings(api), recipients(10))
    assert receipts == []
    assert "letter" in str(error)


def test_a_limit_says_when_to_come_again() -> None:
    with SendGridApi(faults=[Fault(status=429, reset=40)]) as api:
        receipts, error = until_raised(settings(api), recipients(3))
    assert receipts == []
    assert isinstance(error, ProviderBusy)
    assert 30 < error.seconds <= 41


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut=Cut.BODY), Fault(cut=Cut.BEFORE),
    ],
)  # fmt: skip
def test_what_broke_before_the_request_was_whole_was_not_taken(fault: Fault) -> None:
    # Larger than what the system's buffers take, so that the break is seen while it is written.
    readers = [each._replace(values={"unsubscribe_url": "x" * 9000}) for each in recipients(1000)]
    with SendGridApi(faults=[fault]) as api:
        receipts, error = until_raised(settings(api), readers)
    assert receipts == []
    assert isinstance(error, ProviderBusy)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500), Fault(status=500, taken=True), Fault(status=503, taken=True), proxy_error(502),
        proxy_error(504, taken=True), Fault(cut=Cut.AFTER), Fault(cut=Cut.AFTER, taken=True),
        Fault(cut=Cut.ANSWER, status=500, taken=True),
    ],
)  # fmt: skip
def test_what_broke_after_it_is_in_doubt_and_not_as_many_more(fault: Fault) -> None:
    with SendGridApi(faults=[fault]) as api:
        receipts, error = until_raised(settings(api), recipients(3))
    assert [receipt.outcome for receipt in receipts] == [Outcome.UNCERTAIN] * 3
    assert isinstance(error, ProviderBusy)
    assert all("\n" not in receipt.reply and len(receipt.reply) < 700 for receipt in receipts)


def test_a_status_that_came_before_the_connection_broke_counts() -> None:
    with SendGridApi(faults=[Fault(cut=Cut.HEADERS, taken=True)]) as api:
        assert {receipt.outcome for receipt in sent(settings(api), recipients(3))} == TAKEN


def test_an_answer_after_the_time_out_is_in_doubt() -> None:
    with SendGridApi(faults=[Fault(delay=1.5)]) as api:
        receipts, _ = until_raised(settings(api, timeout=0.5), recipients(3))
        assert [receipt.outcome for receipt in receipts] == [Outcome.UNCERTAIN] * 3


def test_pauses_grow_and_begin_anew_once_something_is_taken() -> None:
    script = [Fault(status=503), Fault(status=503), Fault(status=503), None, Fault(status=503)]
    seconds = []
    with SendGridApi(faults=script) as api, SendGridProvider(settings(api)).connect() as connection:
        for _ in range(5):
            try:
                list(connection.send(LETTER, recipients(1)))
            except ProviderBusy as busy:
                seconds.append(busy.seconds)
    assert seconds == [1, 2, 4, 1]


def test_a_name_for_the_answer_is_not_needed() -> None:
    with SendGridApi(faults=[Fault(nameless=True)]) as api:
        receipt = sent(settings(api), [recipient(1)])[0]
    assert (receipt.outcome, receipt.provider_id) == (Outcome.ACCEPTED, "")


def test_over_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    with running(ca_file=tmp_path / "ca.pem") as api:
        own = SendGridSettings(api_key=KEY, base_url=api.url, timeout=5, ca_file=api.ca_file)
        assert {receipt.outcome for receipt in sent(own, recipients(3))} == TAKEN
        with pytest.raises(ProviderUnavailable, match="certificate"):
            sent(replace(own, ca_file=None), recipients(3))
        assert api.state()["requests"] == 1


def test_nobody_is_there() -> None:
    with SendGridApi() as api:
        own = settings(api)
    with pytest.raises(ProviderUnavailable, match="base_url"):
        sent(own, recipients(1))


def test_a_doubt_behind_a_refusal_that_names_nobody_stays_a_doubt() -> None:
    halves = [
        Fault(status=400, body=unnamed()),
        Fault(status=400, body=unnamed()),
        Fault(status=503, taken=True),
    ]
    with SendGridApi(faults=halves) as api:
        receipts, error = until_raised(settings(api), recipients(2))
    assert [receipt.outcome for receipt in receipts] == [Outcome.RETRY, Outcome.UNCERTAIN]
    assert isinstance(error, ProviderBusy)
    assert set(api.counts.values()) == {1}


DEEP = b"[" * 5_000 + b"]" * 5_000


@pytest.mark.parametrize("body", [
    DEEP, b'{"errors": %b}' % DEEP, b'{"errors": [{"message": %b}]}' % DEEP, b'{"errors": 7}', b'{"errors": [7]}',
    b'{"errors": [{"message": "\\u0000\\u001b[2Jno", "field": "\\u0000"}]}', b"\x00\x1b[2J\xff", b"null", b"",
])  # fmt: skip
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_whatever_stands_in_an_answer(body: bytes, status: int) -> None:
    with SendGridApi(faults=lambda _: Fault(status=status, body=body)) as api:
        receipts, error = until_raised(settings(api), recipients(4))
    assert {receipt.outcome for receipt in receipts} <= {Outcome.UNCERTAIN}
    assert str(error).isprintable()
    assert all(receipt.reply.isprintable() for receipt in receipts)


@pytest.mark.parametrize("status", [201, 204, 206])
def test_an_acceptance_of_another_kind_is_in_doubt(status: int) -> None:
    with SendGridApi(faults=[Fault(status=status, taken=True)]) as api:
        receipts, _ = until_raised(settings(api), recipients(2))
    assert {receipt.outcome for receipt in receipts} == {Outcome.UNCERTAIN}


def test_the_key_does_not_show() -> None:
    for shown in (SendGridSettings(api_key=KEY), Account(api_key=KEY, base_url="", timeout=1)):
        assert KEY not in repr(shown)
