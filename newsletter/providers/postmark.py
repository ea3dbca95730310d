"""Sends by Postmark's API: up to 500 messages a request, and an answer for each of them.

https://postmarkapp.com/developer/api/email-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from newsletter.errors import MessageRejected, ProviderBusy, ProviderUnavailable, one_line
from newsletter.http_line import Answer, Line, NoAnswer, NotSent, Place, retry_after
from newsletter.messages import extra_headers, fixed_lines, mail_address, unfolded
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.providers.answers import Backoff, Means, ascii_address, opened
from newsletter.providers.kept import OfLetter
from newsletter.templating.issue import Blanks

PATH = "/email/batch"
MOST_MESSAGES = 500  # in a request
MOST_BYTES = 10_000_000  # Postmark takes 50 MB, which many lines cannot hand over in time
_TO = re.compile(r"'To'")  # "Invalid 'To' address", "Error parsing 'To'"
_LIST = msgspec.json.Decoder(list[dict[str, object]])
# Codes of https://postmarkapp.com/developer/api/overview#error-codes; any other than 0 says that it was not taken.
_CODES = {0: Means.TAKEN, 100: Means.BUSY, 406: Means.REFUSED, 429: Means.BUSY}
_INVALID = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmarkSettings:
    """Account and place. ``stream`` is the message stream, which must be one for broadcasts."""

    token: str = field(repr=False)
    stream: str = "broadcast"
    base_url: str = "https://api.postmarkapp.com"
    timeout: float = 60.0
    ca_file: Path | None = None


class PostmarkProvider:
    """Hands letters to Postmark, which signs them for DKIM.

    It has no key that would make a request safe to repeat: what was not answered is held until events tell.
    """

    name = "postmark"
    batch_size = MOST_MESSAGES
    exposure = Exposure.ALL

    def __init__(self, settings: PostmarkSettings, on_uncertain: OnUncertain = OnUncertain.HOLD) -> None:
        self._settings = settings
        self.on_uncertain = on_uncertain

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Connect; raise `ProviderUnavailable` if that fails."""
        own = self._settings
        place = Place(base_url=own.base_url, timeout=own.timeout, ca_file=own.ca_file)
        with opened(place, "provider.postmark.base_url") as line:
            yield _PostmarkConnection(own, line)


class _Written:
    """Makes the messages of one letter as Postmark has them; raises `RenderError` for a fault of the letter."""

    def __init__(self, letter: Letter, stream: str) -> None:
        fixed_lines(letter)  # raises where the sender is no address
        self.letter = letter
        self._subject = Blanks(letter.subject, html=False)
        self._text = Blanks(letter.text, html=False)
        self._html = Blanks(letter.html, html=True)
        self._fixed = {
            "From": _mailbox(letter.from_name, mail_address(letter.from_address)), "MessageStream": stream,
            "TrackOpens": False, "TrackLinks": "None",
        }  # fmt: skip

    def message(self, recipient: Recipient) -> bytes:
        """Return one reader's message as JSON; raise `MessageRejected` for an address that cannot be written to."""
        address = ascii_address(recipient.address, "Postmark")
        values = recipient.values
        headers = [("Message-ID", recipient.message_id), ("X-PM-KeepID", "true")]
        headers += map(unfolded, extra_headers((*self.letter.headers, *recipient.headers), values))
        return msgspec.json.encode(
            {
                **self._fixed,
                "To": _mailbox(recipient.name, address),
                "Subject": self._subject.fill(values),
                "TextBody": self._text.fill(values),
                "HtmlBody": self._html.fill(values),
                "Headers": [{"Name": name, "Value": value} for name, value in headers],
                "Metadata": {"delivery": recipient.delivery_id, "reader": str(recipient.subscriber_id)},
            }
        )


class _PostmarkConnection:
    def __init__(self, settings: PostmarkSettings, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._headers = {
            "X-Postmark-Server-Token": settings.token, "Content-Type": "application/json",
            "Accept": "application/json",
        }  # fmt: skip
        self._written = OfLetter(partial(_Written, stream=settings.stream))
        self._backoff = Backoff()

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        written = self._written(letter)
        group: list[tuple[Recipient, bytes]] = []
        size = 0
        for recipient in recipients:
            try:
                message = written.message(recipient)
            except MessageRejected as error:
                yield from self._send_group(group)
                group, size = [], 0
                yield _receipt(recipient, Outcome.REJECTED, str(error))
                continue
            if len(group) == MOST_MESSAGES or (group and size + len(message) > MOST_BYTES):
                yield from self._send_group(group)
                group, size = [], 0
            group.append((recipient, message))
            size += len(message)
        yield from self._send_group(group)

    def _send_group(self, group: Sequence[tuple[Recipient, bytes]]) -> Iterator[Receipt]:
        """Send some in one request. What is nobody's fault in it is raised once all have their receipts.

        So is what leaves all of them in doubt, so that not as many more are.
        """
        if not group:
            return
        try:
            answer = self._line.call(
                "POST", PATH, b"[%b]" % b",".join(message for _, message in group), self._headers
            )
        except NotSent as error:
            raise self._not_now(str(error), None) from error
        except NoAnswer as error:
            yield from self._in_doubt(group, str(error))
            return
        told = self._of_all(answer)
        if told is not None:
            yield from self._in_doubt(group, told)
            return
        listed = _listed(answer.body)
        if len(listed) != len(group):
            yield from self._in_doubt(group, f"200, with {len(listed)} answers to {len(group)} messages")
            return
        kept_from: tuple[Means, str] | None = None
        for (recipient, _), said in zip(group, listed, strict=True):
            receipt, means = self._of_one(recipient, said)
            if kept_from is None and means in {Means.BUSY, Means.NOBODY}:
                kept_from = means, receipt.reply
            yield receipt
        if kept_from is not None:
            means, words = kept_from
            raise self._not_now(words, None) if means is Means.BUSY else self._nobody(words)

    def _in_doubt(self, group: Sequence[tuple[Recipient, bytes]], told: str) -> Iterator[Receipt]:
        yield from (_receipt(recipient, Outcome.UNCERTAIN, told) for recipient, _ in group)
        raise self._not_now(told, None)

    def _of_all(self, answer: Answer) -> str | None:
        """Return what was said where nobody knows what became of a request, None where each message has its answer.

        Raise where nothing was taken.
        """
        if answer.status == 200:
            return None
        said = next(iter(_listed(b"[%b]" % answer.body)), {})
        words = _words(said) or answer.body[:200].decode(errors="replace")
        told = one_line(f"{answer.status} {words}")
        if answer.status in {429, 503}:
            raise self._not_now(told, retry_after(answer.headers))
        if answer.status >= 500 or 200 < answer.status < 300:
            return told
        raise self._nobody(told)

    def _of_one(self, recipient: Recipient, said: Mapping[str, object]) -> tuple[Receipt, Means]:
        """Return the receipt of one message, and what its answer means."""
        code, words = said.get("ErrorCode"), _words(said)
        means = _CODES.get(code, Means.NOBODY) if isinstance(code, int) else Means.DOUBT
        if code == _INVALID and _TO.search(words):
            return _receipt(recipient, Outcome.REJECTED, words, hard=True), Means.REFUSED
        if means is Means.TAKEN:
            self._backoff.over()
            given = said.get("MessageID")
            name = one_line(given)[:255] if isinstance(given, str) else ""
            return _receipt(recipient, Outcome.ACCEPTED, f"{words} {name}".strip(), name), means
        if means is Means.REFUSED:
            return _receipt(recipient, Outcome.REJECTED, words), means
        if means is Means.DOUBT:
            return _receipt(recipient, Outcome.UNCERTAIN, words or "an answer without a code"), means
        return _receipt(recipient, Outcome.RETRY, words), means

    def _not_now(self, problem: str, seconds: float | None) -> ProviderBusy:
        return self._backoff.busy(problem, seconds, self._settings.base_url)

    def _nobody(self, problem: str) -> ProviderUnavailable:
        return ProviderUnavailable(
            problem, subject=self._settings.base_url,
            remedy="nobody was rejected; check provider.postmark.token and stream, and sender.email at Postmark",
        )  # fmt: skip


def _listed(body: bytes) -> list[dict[str, object]]:
    """Return the answers of a body, none for one that is no list of them."""
    try:
        return _LIST.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _words(said: Mapping[str, object]) -> str:
    """Return an answer's code and words on one line."""
    if "ErrorCode" not in said and "Message" not in said:
        return ""
    code, message = said.get("ErrorCode"), said.get("Message")
    told = [str(each) for each in (code, message) if isinstance(each, (int, str))]
    return one_line(" ".join(told))[:500]


def _mailbox(name: str, address: str) -> str:
    """Return an address with a name before it, quoted, without what would end the quotation."""
    shown = one_line(name.replace('"', " ").replace("\\", " "))
    return f'"{shown}" <{address}>' if shown else address


def _receipt(
    recipient: Recipient, outcome: Outcome, reply: str, provider_id: str = "", *, hard: bool = False
) -> Receipt:
    return Receipt(
        subscriber_id=recipient.subscriber_id,
        outcome=outcome,
        reply=reply,
        provider_id=provider_id,
        hard=hard,
    )
