"""What every provider promises, and therefore the sender may rely on."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from newsletter.errors import RenderError
from newsletter.messages import compose
from newsletter.models.deliveries import Outcome
from newsletter.protocols import Exposure, Provider
from newsletter.providers.console import RULE, ConsoleProvider, readable
from newsletter.providers.file import FileProvider
from newsletter.providers.outbox import OutboxProvider
from newsletter.providers.postmark import PostmarkProvider, PostmarkSettings
from newsletter.providers.sendgrid import SendGridProvider, SendGridSettings
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.letters import LETTER, recipient, recipients
from tests.providers.ses import ses_provider
from tests.servers.postmark import TOKEN, PostmarkServer
from tests.servers.sendgrid import SendGridApi
from tests.servers.sendgrid.server import KEY
from tests.servers.ses import SesServer
from tests.servers.smtp import SmtpSink
from tests.support.fake_provider import FakeProvider


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Arrived:
    """What a reader has, whatever way it came."""

    to: str
    name: str
    message_id: str
    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, raw: bytes) -> Arrived:
        """Read a message of bytes."""
        message = message_from_bytes(raw, policy=policy.default)
        assert len(message.get_all("To", [])) == len(message["To"].addresses) == 1
        assert message["Cc"] is message["Bcc"] is None
        text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        to = message["To"].addresses[0]
        return cls(
            to=to.addr_spec, name=to.display_name, message_id=message["Message-ID"], subject=message["Subject"],
            text=_lines(text.get_content()), html=_lines(html.get_content()) if html is not None else "",
        )  # fmt: skip


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")


class Inbox(Protocol):
    """Where what arrived through a provider can be looked at, in any order."""

    def __call__(self) -> list[Arrived]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A provider and what arrived through it; as bytes, where it takes bytes."""

    provider: Provider
    inbox: Inbox
    raw: Callable[[], list[bytes]] | None = None
    form: Callable[[bytes], bytes] = lambda message: message  # in which messages arrive

    @classmethod
    def of_bytes(cls, provider: Provider, raw: Callable[[], list[bytes]]) -> Subject:
        """Return a provider that takes whole messages."""
        return cls(provider=provider, inbox=lambda: [Arrived.of(each) for each in raw()], raw=raw)


def _outbox(path: Path) -> Iterator[Subject]:
    yield Subject.of_bytes(
        OutboxProvider(path / "outbox"),
        lambda: [file.read_bytes() for file in (path / "outbox" / "new").iterdir()],
    )


def _file(path: Path) -> Iterator[Subject]:
    yield Subject.of_bytes(
        FileProvider(path / "mails"), lambda: [file.read_bytes() for file in (path / "mails").glob("*.eml")]
    )


def _console(_: Path) -> Iterator[Subject]:
    screen = io.StringIO()
    yield Subject(
        provider=ConsoleProvider(screen),
        inbox=lambda: [Arrived.of(shown.encode()) for shown in screen.getvalue().split(f"{RULE}\n")[1:]],
        form=lambda message: readable(message).encode(),
    )


def _smtp(_: Path, *, pipelining: bool = False) -> Iterator[Subject]:
    with SmtpSink(pipelining=pipelining) as sink:
        settings = SmtpSettings(host=sink.host, port=sink.port, tls="none", timeout=10)
        yield Subject.of_bytes(SmtpProvider(settings), lambda: [mail.data for mail in sink.messages])


def _sendgrid(_: Path) -> Iterator[Subject]:
    with SendGridApi() as api:
        settings = SendGridSettings(api_key=KEY, base_url=api.url, timeout=10)
        yield Subject(
            provider=SendGridProvider(settings),
            inbox=lambda: [
                Arrived(
                    to=mail.address, name=mail.name, message_id=mail.headers["Message-ID"], subject=mail.subject,
                    text=_lines(mail.text), html=_lines(mail.html),
                )
                for mail in api.delivered
            ],
        )  # fmt: skip


def _ses(path: Path) -> Iterator[Subject]:
    with SesServer(path) as server:
        yield Subject.of_bytes(ses_provider(server), lambda: [mail.data for mail in server.taken])


def _postmark(_: Path) -> Iterator[Subject]:
    with PostmarkServer() as server:
        yield Subject(
            provider=PostmarkProvider(PostmarkSettings(token=TOKEN, base_url=server.url, timeout=10)),
            inbox=lambda: [
                Arrived(
                    to=mail["Address"], name=mail["Name"], message_id=mail["Headers"][0]["Value"],
                    subject=mail["Subject"], text=_lines(mail["TextBody"]), html=_lines(mail["HtmlBody"]),
                )
                for mail in server.taken
            ],
        )  # fmt: skip


def _fake(_: Path) -> Iterator[Subject]:
    provider = FakeProvider()
    yield Subject.of_bytes(provider, lambda: [message for _, message in provider.delivered])


MAKERS: dict[str, Callable[[Path], Iterator[Subject]]] = {
    "outbox": _outbox,
    "console": _console,
    "file": _file,
    "smtp": _smtp,
    "smtp, pipelined": partial(_smtp, pipelining=True),
    "sendgrid": _sendgrid,
    "ses": _ses,
    "postmark": _postmark,
    "fake": _fake,
}


@pytest.fixture(params=MAKERS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    yield from MAKERS[request.param](tmp_path)


def test_describes_itself(subject: Subject) -> None:
    assert subject.provider.name in MAKERS
    assert subject.provider.batch_size > 0
    assert isinstance(subject.provider.exposure, Exposure)


def test_one_receipt_a_recipient_in_order_and_what_was_composed_arrives(subject: Subject) -> None:
    readers = recipients(5)
    with subject.provider.connect() as connection:
        receipts = list(connection.send(LETTER, readers))
    assert [receipt.subscriber_id for receipt in receipts] == [1, 2, 3, 4, 5]
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert all(receipt.reply and "\n" not in receipt.reply for receipt in receipts)
    composed = [compose(LETTER, reader) for reader in readers]
    assert sorted(subject.inbox()) == sorted(map(Arrived.of, map(subject.form, composed)))
    if subject.raw is not None:
        assert sorted(subject.raw()) == sorted(composed)


def test_every_message_is_for_one_reader(subject: Subject) -> None:
    with subject.provider.connect() as connection:
        list(connection.send(LETTER, recipients(3)))
    seen = sorted(mail.to for mail in subject.inbox())
    assert seen == ["reader1@example.org", "reader2@example.org", "reader3@example.org"]


def test_nothing_is_written_before_the_receipt_is_asked_for(subject: Subject) -> None:
    with subject.provider.connect() as connection:
        receipts = connection.send(LETTER, recipients(3))
        at_once = 3 if subject.provider.exposure is Exposure.ALL else 1  # in one request
        for asked in range(4):
            assert len(subject.inbox()) == min(3, asked * at_once)
            assert (next(receipts, None) is None) == (asked == 3)


def test_what_was_not_asked_for_is_not_sent(subject: Subject) -> None:
    if subject.provider.exposure is Exposure.ALL:
        pytest.skip("one request holds them all")
    with subject.provider.connect() as connection:
        next(connection.send(LETTER, recipients(3)))
        # The same connection goes on with another page.
        assert len(list(connection.send(LETTER, [recipient(9)]))) == 1
    assert sorted(mail.to for mail in subject.inbox()) == ["reader1@example.org", "reader9@example.org"]


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
    bad = recipient(2)._replace(address=address)
    with subject.provider.connect() as connection:
        receipts = list(connection.send(LETTER, [recipient(1), bad, recipient(3)]))
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert "address" in receipts[1].reply
    assert len(subject.inbox()) == 2


def test_a_letter_that_cannot_be_written_rejects_nobody(subject: Subject) -> None:
    with subject.provider.connect() as connection, pytest.raises(RenderError):
        list(connection.send(replace(LETTER, from_address="nobody"), recipients(2)))
    assert subject.inbox() == []
