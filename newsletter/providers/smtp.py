"""Sends over SMTP: connections that come and go, and whether a refusal is about the reader, the letter or the account.

What is said on a connection, and what it proves, stands in `smtp_dialogue`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, zip_longest

from newsletter.composer import Composer
from newsletter.delivery.recipients import without_key
from newsletter.dkim import Signer
from newsletter.errors import MessageRejected, NewsletterError, ProviderUnavailable
from newsletter.messages import mail_address
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.providers.kept import OfLetter
from newsletter.providers.smtp_dialogue import GO_ON, ConnectionLostError, Dialogue, Step
from newsletter.providers.smtp_session import SmtpSettings, open_session, tls_context
from newsletter.providers.smtp_wire import Reply, Wire
from newsletter.refusals import judge

__all__ = ["SmtpProvider", "SmtpSettings"]

_GOODBYE_SECONDS = 5.0  # how long QUIT may take; nothing depends on its answer
_MAX_LOST = 2  # connections lost one after the other before the server counts as unavailable
_MAX_REFUSED = (
    3  # messages refused one after the other at their data before it is no longer about one of them
)
_QUOTA = re.compile(
    r"\b[45]\.4\.5\b|quota|limit.*exceed|exceed.*limit|rate limit|too many messages", re.IGNORECASE
)
# The reader's mailbox may have a quota too: enhanced codes x.2.x (RFC 3463), 552, and these words speak of it.
_MAILBOX = re.compile(
    r"^552\b|\b[45]\.2\.\d|mail ?box|inbox|disk|storage"
    r"|(?:recipient|user|account)(?: is| has| has been)? (?:full|over)\b|(?:recipient|user) (?:has )?exceeded",
    re.IGNORECASE,
)
_READER = re.compile(r"\b5\.(?:1\.(?![78]\b)\d|2\.[12]\b)")  # X.1.7 and X.1.8 are about the sender
_NEEDS_LOGIN = (530, 538)  # RFC 4954: log-in or encryption is required; says nothing about a recipient


class SmtpProvider:
    """Hands every message to a mail server; a connection that is lost is opened again for the next one."""

    name = "smtp"
    batch_size = 500  # each claim is a write to disk; how long one takes has a bound of its own
    exposure = Exposure.FIRST

    def __init__(
        self, settings: SmtpSettings, on_uncertain: OnUncertain = OnUncertain.RESEND,
        signers: Sequence[Signer] = (),
    ) -> None:  # fmt: skip
        self._settings = settings
        self._signers = signers
        self.on_uncertain = on_uncertain

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Connect, encrypt and log in; raise `ProviderUnavailable` if any of it is refused."""
        connection = _SmtpConnection(self._settings, self._signers)
        try:
            yield connection
        finally:
            connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A message for one reader: the commands before its data, and its data."""

    letter: Letter
    recipient: Recipient
    sender: str
    envelope: Sequence[bytes]
    pieces: Sequence[bytes]


class _SmtpConnection:
    def __init__(self, settings: SmtpSettings, signers: Sequence[Signer]) -> None:
        self._settings = settings
        self._context = tls_context(settings)
        self._dialogue: Dialogue | None = self._open()
        self._composer = OfLetter(partial(Composer, signers=signers))
        self._ahead: _Message | None = None  # its envelope went out behind the message before it
        self._may_name_ahead = True
        self._lost = 0
        self._refused = 0

    def close(self) -> None:
        """Say goodbye if the connection still stands."""
        self._ahead = None
        if self._dialogue is not None:
            self._dialogue.leave(min(_GOODBYE_SECONDS, self._settings.timeout))
            self._dialogue = None

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        composer = self._composer(letter)
        for recipient, following in zip_longest(recipients, islice(recipients, 1, None)):
            outcome, reply = self._deliver(composer, recipient, following)
            hard = outcome is Outcome.REJECTED and judge(reply).hard
            yield Receipt(subscriber_id=recipient.subscriber_id, outcome=outcome, reply=reply, hard=hard)

    def _deliver(
        self, composer: Composer, recipient: Recipient, following: Recipient | None
    ) -> tuple[Outcome, str]:
        dialogue = self._ready_dialogue(composer.letter, recipient)
        ahead, self._ahead = self._ahead, None
        try:
            message = ahead or self._message(dialogue.wire, composer, recipient)
        except MessageRejected as error:
            return Outcome.REJECTED, str(error)
        try:
            outcome, reply = self._transact(dialogue, composer, message, following)
        except ConnectionLostError as lost:
            dialogue.wire.close()
            self._dialogue = self._ahead = None
            self._lost += 1
            if ahead is not None and lost.outcome is Outcome.RETRY:  # some lose what comes behind the data
                self._may_name_ahead = False
            return lost.outcome, without_key(lost.reply)
        self._lost = 0
        return outcome, reply

    def _message(self, wire: Wire, composer: Composer, recipient: Recipient) -> _Message:
        """Return a reader's message; raise `MessageRejected` where there can be none on this connection."""
        address = mail_address(recipient.address)
        pieces = composer.pieces(recipient)
        if not address.isascii() and not wire.smtputf8:
            raise MessageRejected(
                "the mail server does not take addresses that are not ASCII (it does not offer SMTPUTF8)"
            )
        size = sum(map(len, pieces))
        if 0 < wire.largest < size:
            raise ProviderUnavailable(
                f"the letter has {size:,} octets, and the mail server takes {wire.largest:,} at most",
                subject=self._settings.server,
                remedy="nobody was rejected; let the server take more, or make the letter smaller",
            )
        sender = mail_address(recipient.return_path or composer.letter.from_address)
        return _Message(
            letter=composer.letter,
            recipient=recipient,
            sender=sender,
            envelope=_envelope(wire, sender, address, size),
            pieces=pieces,
        )

    def _following(
        self, dialogue: Dialogue, composer: Composer, recipient: Recipient | None
    ) -> _Message | None:
        """Return the message whose envelope can go out behind the one before it; None where none can."""
        if recipient is None or not (self._may_name_ahead and dialogue.wire.pipelining):
            return None
        try:
            return self._message(dialogue.wire, composer, recipient)
        except NewsletterError:
            return None  # said when it is this reader's turn

    def _ready_dialogue(self, letter: Letter, recipient: Recipient) -> Dialogue:
        ahead = self._ahead
        if ahead is not None:
            if self._dialogue is not None and ahead.recipient is recipient and ahead.letter is letter:
                return self._dialogue
            self.close()
        if self._lost >= _MAX_LOST:
            self._lost = 0  # whoever tries again later starts afresh
            raise ProviderUnavailable(
                f"the connection was lost {_MAX_LOST} times, one after the other",
                subject=self._settings.server,
                remedy="look at the log of the mail server; nothing more is sent to it now",
            )
        if self._dialogue is not None and not (self._has_room(self._dialogue) and self._dialogue.ready()):
            self.close()
        if self._dialogue is None:
            self._dialogue = self._open()
        return self._dialogue

    def _has_room(self, dialogue: Dialogue) -> bool:
        most = self._settings.messages_per_connection
        return most == 0 or dialogue.begun < most

    def _open(self) -> Dialogue:
        return Dialogue(open_session(self._settings, self._context))

    def _transact(
        self, dialogue: Dialogue, composer: Composer, message: _Message, following: Recipient | None
    ) -> tuple[Outcome, str]:
        ahead = self._following(
            dialogue, composer, following
        )  # made before the server waits for this one's data
        step, reply = dialogue.ask(message.envelope)
        told = without_key(reply.text)
        if reply.code in _NEEDS_LOGIN:
            raise ProviderUnavailable(
                f"the mail server wants a log-in or encryption first: {told}",
                subject=self._settings.server,
                remedy="check provider.smtp.username, password and tls",
            )
        if step is Step.MAIL:
            raise ProviderUnavailable(
                f"the sender {without_key(message.sender)} is refused: {told}",
                subject=self._settings.server,
                remedy="nobody was rejected; check sender.email, inbox.return_path and the quota of the account",
            )
        if step is Step.RCPT:
            self._check_quota(told)
            return _outcome(reply), told
        if reply.kind == GO_ON:
            if not self._has_room(dialogue):
                ahead = None
            reply = dialogue.hand_over(message.pieces, ahead.envelope if ahead else ())
            self._ahead = ahead
        outcome, told = _outcome(reply), without_key(reply.text)
        self._count_refusal(outcome, told)
        return outcome, told

    def _count_refusal(self, outcome: Outcome, reply: str) -> None:
        """Raise where refusals of the message itself follow one another: then it is not about one reader."""
        if outcome in {Outcome.REJECTED, Outcome.RETRY}:
            self._check_quota(reply)
        personal = outcome is Outcome.REJECTED and (_READER.search(reply) or judge(reply).hard)
        self._refused = self._refused + 1 if outcome is Outcome.REJECTED and not personal else 0
        if self._refused >= _MAX_REFUSED:
            self._refused = 0
            raise self._nobody(f"{_MAX_REFUSED} messages were refused, one after the other: {reply}")

    def _check_quota(self, reply: str) -> None:
        """Raise where a refusal is about the account that sends, not about the reader."""
        if _QUOTA.search(reply) and not _MAILBOX.search(reply):
            raise self._nobody(f"the quota is used up: {reply}")

    def _nobody(self, problem: str) -> ProviderUnavailable:
        return ProviderUnavailable(
            problem,
            subject=self._settings.server,
            remedy="this one is not counted as refused; check the account and its limits",
        )


def _envelope(wire: Wire, sender: str, address: str, size: int) -> Sequence[bytes]:
    """Return the commands before the data."""
    options = f" SIZE={size}" if wire.sizes else ""
    if not address.isascii():
        options += " SMTPUTF8 BODY=8BITMIME"
    return f"MAIL FROM:<{sender}>{options}\r\n".encode(), f"RCPT TO:<{address}>\r\n".encode(), b"DATA\r\n"


def _outcome(reply: Reply) -> Outcome:
    return {2: Outcome.ACCEPTED, 4: Outcome.RETRY}.get(reply.kind, Outcome.REJECTED)
