"""What every provider promises, and therefore the sender may rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from newsletter.errors import RenderError
from newsletter.messages import compose
from newsletter.models import Outcome
from newsletter.protocols import Exposure, Provider
from newsletter.providers.outbox import OutboxProvider
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.letters import LETTER, recipient, recipients
from tests.servers.smtp import SmtpSink
from tests.support.fake_provider import FakeProvider


class Inbox(Protocol):
    """Where the messages of a provider can be looked at, in any order."""

    def __call__(self) -> list[bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A provider and what arrived through it."""

    provider: Provider
    inbox: Inbox


def _outbox(path: Path) -> Iterator[Subject]:
    yield Subject(
        provider=OutboxProvider(path / "outbox"),
        inbox=lambda: [file.read_bytes() for file in (path / "outbox" / "new").iterdir()],
    )


def _smtp(_: Path, *, pipelining: bool = False) -> Iterator[Subject]:
    with SmtpSink(pipelining=pipelining) as sink:
        settings = SmtpSettings(host=sink.host, port=sink.port, tls="none", timeout=10)
        yield Subject(provider=SmtpProvider(settings), inbox=lambda: [mail.data for mail in sink.messages])


def _fake(_: Path) -> Iterator[Subject]:
    provider = FakeProvider()
    yield Subject(provider=provider, inbox=lambda: [message for _, message in provider.delivered])


MAKERS: dict[str, Callable[[Path], Iterator[Subject]]] = {
    "outbox": _outbox,
    "smtp": _smtp,
    "smtp, pipelined": partial(_smtp, pipelining=True),
    "fake": _fake,
}


@pytest.fixture(params=MAKERS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    yield from MAKERS[request.param](tmp_path)


def test_describes_itself(subject: Subject) -> None:
    assert subject.provider.name in MAKERS
    assert subject.provider.batch_size > 0
    assert isinstance(subject.provider.exposure, Exposure)


def test_one_receipt_a_recipient_in_order_and_the_composed_bytes_arrive(subject: Subject) -> None:
    readers = recipients(5)
    with subject.provider.connect() as connection:
        receipts = list(connection.send(LETTER, readers))
    assert [receipt.subscriber_id for receipt in receipts] == [1, 2, 3, 4, 5]
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert all(receipt.reply and "\n" not in receipt.reply for receipt in receipts)
    assert sorted(subject.inbox()) == sorted(compose(LETTER, reader) for reader in readers)


def test_every_message_is_for_one_reader(subject: Subject) -> None:
    with subject.provider.connect() as connection:
        list(connection.send(LETTER, recipients(3)))
    messages = [message_from_bytes(raw, policy=policy.default) for raw in subject.inbox()]
    seen = sorted(message["To"].addresses[0].addr_spec for message in messages)
    assert seen == ["reader1@example.org", "reader2@example.org", "reader3@example.org"]
    for message in messages:
        assert len(message.get_all("To", [])) == len(message["To"].addresses) == 1
        assert message["Cc"] is None
        assert message["Bcc"] is None


def test_nothing_is_written_before_the_receipt_is_asked_for(subject: Subject) -> None:
    with subject.provider.connect() as connection:
        receipts = connection.send(LETTER, recipients(3))
        for written in range(4):
            assert len(subject.inbox()) == written
            assert (next(receipts, None) is None) == (written == 3)


def test_what_was_not_asked_for_is_not_sent(subject: Subject) -> None:
    with subject.provider.connect() as connection:
        next(connection.send(LETTER, recipients(3)))
        # The same connection goes on with another page.
        assert len(list(connection.send(LETTER, [recipient(9)]))) == 1
    assert sorted(subject.inbox()) == sorted(compose(LETTER, recipient(number)) for number in (1, 9))


def test_no_recipients_no_receipts(subject: Subject) -> None:
    with subject.provider.connect() as connection:
        assert list(connection.send(LETTER, [])) == []
    assert subject.inbox() == []


def test_connects_again_and_beside_itself(subject: Subject) -> None:
    with subject.provider.connect() as first:
        list(first.send(LETTER, [recipient(1)]))
    with subject.provider.connect() as second, subject.provider.connect() as third:
        list(second.send(LETTER, [recipient(2)]))
        list(third.send(LETTER, [recipient(3)]))
    assert len(subject.inbox()) == 3


@pytest.mark.parametrize(
    "address", ["eve@example.org>\r\nRCPT TO:<mallory@example.org", "a b@example.org", ""]
)
def test_one_bad_address_ends_nothing(subject: Subject, address: str) -> None:
    bad = replace(recipient(2), address=address)
    with subject.provider.connect() as connection:
        receipts = list(connection.send(LETTER, [recipient(1), bad, recipient(3)]))
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert "address" in receipts[1].reply
    assert len(subject.inbox()) == 2


def test_a_letter_that_cannot_be_written_rejects_nobody(subject: Subject) -> None:
    with subject.provider.connect() as connection, pytest.raises(RenderError):
        list(connection.send(replace(LETTER, from_address="nobody"), recipients(2)))
    assert subject.inbox() == []
