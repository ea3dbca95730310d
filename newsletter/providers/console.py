"""Letters on the screen: who gets what, for development. Nothing is sent, and nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from email import message_from_bytes, policy
from functools import partial
from typing import TextIO
from unicodedata import category

from newsletter.composer import Composer
from newsletter.dkim import Signer
from newsletter.errors import MessageRejected, ProviderUnavailable
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.providers.kept import OfLetter

RULE = "-" * 72
_HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe")


class ConsoleProvider:
    """Shows every message on a ``stream``, for which standard error is the right one: JSON stands on the other."""

    name = "console"
    batch_size = 500
    exposure = Exposure.FIRST
    on_uncertain = OnUncertain.RESEND

    def __init__(self, stream: TextIO, signers: Sequence[Signer] = ()) -> None:
        self._stream = stream
        self._composer = OfLetter(partial(Composer, signers=signers))

    def connect(self) -> AbstractContextManager[Connection]:
        """Return what shows messages; nothing has to be opened."""
        return nullcontext(self)

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        """Show the message of each, made as it would be sent."""
        composer = self._composer(letter)
        for recipient in recipients:
            outcome, reply = self._show(composer, recipient)
            yield Receipt(subscriber_id=recipient.subscriber_id, outcome=outcome, reply=reply)

    def _show(self, composer: Composer, recipient: Recipient) -> tuple[Outcome, str]:
        try:
            text = readable(composer.compose(recipient))
        except MessageRejected as error:
            return Outcome.REJECTED, str(error)
        try:
            self._stream.write(f"{RULE}\n{text}")
            self._stream.flush()
        except OSError as error:
            raise ProviderUnavailable(
                f"nothing can be shown: {error.strerror or error}", subject="the console",
                remedy="let standard error be open",
            ) from error  # fmt: skip
        return Outcome.ACCEPTED, "shown on the console"


def readable(message: bytes) -> str:
    """Return a message's main headers and its text part, without what would steer a terminal."""
    parsed = message_from_bytes(message, policy=policy.default)
    part = parsed.get_body(("plain",))
    assert part is not None  # every letter has one
    head = "".join(f"{name}: {parsed[name]}\n" for name in _HEADERS if name in parsed)
    body = "\n".join(part.get_content().strip().splitlines())
    return "".join(_shown(letter) for letter in f"{head}\n{body}\n")


def _shown(letter: str) -> str:
    return letter if letter.isprintable() or letter in "\n\t" or category(letter) == "Zs" else "\ufffd"
