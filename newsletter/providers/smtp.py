"""Sends over SMTP, one message after the other on each connection (RFC 5321).

What an answer proves decides the receipt: an end of data that was never written was not taken (retry), one
that was written and not answered may have been (uncertain).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum

from newsletter.composer import Composer
from newsletter.errors import MessageRejected, ProviderUnavailable
from newsletter.messages import mail_address
from newsletter.models import Letter, Outcome, Receipt, Recipient
from newsletter.protocols import Connection, Exposure
from newsletter.providers.smtp_session import SmtpSettings, open_session, tls_context
from newsletter.providers.smtp_wire import FAULTS, Reply, Wire, one_line
from newsletter.refusals import judge

__all__ = ["SmtpProvider", "SmtpSettings"]

_GOODBYE_SECONDS = 5.0  # how long QUIT may take; nothing depends on its answer
_MAX_LOST = 2  # connections lost one after the other before the server counts as unavailable
_END = b".\r\n"
_LEADING_DOT = re.compile(rb"\n\.")  # twice as fast as `in`, over a whole letter
_GO_ON = 3  # the first digit of the answer to DATA
_CLOSING = 421  # the server closes the connection after this reply, to whatever command
_MAX_REFUSED = (
    3  # messages refused one after the other at their data before it is no longer about one of them
)
_QUOTA = re.compile(
    r"\b[45]\.4\.5\b|quota|limit.*exceed|exceed.*limit|rate limit|too many messages", re.IGNORECASE
)
# Enhanced codes x.2.x (RFC 3463) and 552 speak of the reader's mailbox, which may have a quota too.
_ADDRESS = re.compile(r"\b5\.1\.\d")
_MAILBOX = re.compile(r"^552\b|\b[45]\.2\.\d")
_NEEDS_LOGIN = (530, 538)  # RFC 4954: log-in or encryption is required; says nothing about a recipient


class SmtpProvider:
    """Hands every message to a mail server; a connection that is lost is opened again for the next one."""

    name = "smtp"
    batch_size = 100
    exposure = Exposure.FIRST

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Connect, encrypt and log in; raise `ProviderUnavailable` if any of it is refused."""
        connection = _SmtpConnection(self._settings)
        try:
            yield connection
        finally:
            connection.close()


class _Step(IntEnum):
    """The commands before the data, in order."""

    MAIL = 0
    RCPT = 1
    DATA = 2


class _ConnectionLostError(Exception):
    """The connection cannot be used any more; ``outcome`` is what is proven of the message in hand."""

    def __init__(self, outcome: Outcome, reply: str) -> None:
        super().__init__(reply)
        self.outcome = outcome
        self.reply = reply


class _SmtpConnection:
    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._context = tls_context(settings)
        self._wire: Wire | None = open_session(settings, self._context)
        self._in_transaction = False  # the server may still hold the sender of a refused message
        self._begun = 0  # messages on this connection
        self._lost = 0
        self._refused = 0

    def close(self) -> None:
        """Say goodbye if the connection still stands."""
        if self._wire is not None:
            self._wire.leave(min(_GOODBYE_SECONDS, self._settings.timeout))
            self._wire = None

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        composer = Composer(letter)
        for recipient in recipients:
            outcome, reply = self._deliver(letter, composer, recipient)
            hard = outcome is Outcome.REJECTED and judge(reply).hard
            yield Receipt(subscriber_id=recipient.subscriber_id, outcome=outcome, reply=reply, hard=hard)

    def _deliver(self, letter: Letter, composer: Composer, recipient: Recipient) -> tuple[Outcome, str]:
        try:
            address = mail_address(recipient.address)
            message = composer.compose(recipient)
        except MessageRejected as error:
            return Outcome.REJECTED, str(error)
        wire = self._ready_wire()
        if not address.isascii() and not wire.smtputf8:
            return (
                Outcome.REJECTED,
                "the mail server does not take addresses that are not ASCII (it does not offer SMTPUTF8)",
            )
        if 0 < wire.largest < len(message):
            raise ProviderUnavailable(
                f"the letter has {len(message):,} octets, and the mail server takes {wire.largest:,} at most",
                subject=self._settings.server,
                remedy="nobody was rejected; let the server take more, or make the letter smaller",
            )
        try:
            outcome, reply = self._transact(wire, mail_address(letter.from_address), address, message)
        except _ConnectionLostError as lost:
            self._hang_up()
            self._lost += 1
            return lost.outcome, lost.reply
        self._lost = 0
        return outcome, reply

    def _ready_wire(self) -> Wire:
        if self._lost >= _MAX_LOST:
            self._lost = 0  # whoever tries again later starts afresh
            raise ProviderUnavailable(
                f"the connection was lost {_MAX_LOST} times, one after the other",
                subject=self._settings.server,
                remedy="look at the log of the mail server; nothing more is sent to it now",
            )
        if 0 < self._settings.messages_per_connection <= self._begun:
            self.close()
        if self._wire is not None and self._in_transaction and not _reset(self._wire):
            self._hang_up()
        if self._wire is None:
            self._wire = open_session(self._settings, self._context)
            self._begun = 0
        self._begun += 1
        self._in_transaction = False
        return self._wire

    def _transact(self, wire: Wire, sender: str, address: str, message: bytes) -> tuple[Outcome, str]:
        size = f" SIZE={len(message)}" if wire.sizes else ""
        options = "" if address.isascii() else " SMTPUTF8 BODY=8BITMIME"
        commands = (f"MAIL FROM:<{sender}>{size}{options}\r\n", f"RCPT TO:<{address}>\r\n", "DATA\r\n")
        step, reply = self._ask(wire, [command.encode() for command in commands])
        if reply.code in _NEEDS_LOGIN:
            raise ProviderUnavailable(
                f"the mail server wants a log-in or encryption first: {reply.text}",
                subject=self._settings.server,
                remedy="check provider.smtp.username, password and tls",
            )
        if step is _Step.MAIL:
            raise ProviderUnavailable(
                f"the sender {sender} is refused: {reply.text}",
                subject=self._settings.server,
                remedy="nobody was rejected; check sender.email and the quota of the account",
            )
        if step is _Step.RCPT:
            self._check_quota(reply.text)
            return _outcome(reply), reply.text
        if reply.kind == _GO_ON:
            self._in_transaction = False
            reply = _hand_over(wire, message)
        outcome = _outcome(reply)
        self._count_refusal(outcome, reply.text)
        return outcome, reply.text

    def _ask(self, wire: Wire, commands: Sequence[bytes]) -> tuple[_Step, Reply]:
        """Give the envelope and ask to write the data; return the answer that refuses, or the last one.

        All commands go out in one write where the server takes them so (RFC 2920), else each after the answer to the
        one before. Raise `_ConnectionLostError` where an answer is none.
        """
        try:
            if wire.pipelining:
                wire.write(b"".join(commands))
            for step in _Step:
                if not wire.pipelining:
                    wire.write(commands[step])
                reply = wire.read()
                proceeds = _GO_ON if step is _Step.DATA else 2
                if reply.code == _CLOSING or reply.kind not in (proceeds, 4, 5):
                    raise _ConnectionLostError(Outcome.RETRY, reply.text)
                if reply.kind != proceeds:
                    break
                self._in_transaction = True
        except FAULTS as error:
            raise _lost(Outcome.RETRY, error) from error
        if wire.pipelining:
            self._pass_over(wire, len(_Step) - 1 - step)
        return step, reply

    def _pass_over(self, wire: Wire, number: int) -> None:
        """Read the answers to what went out behind a command that was refused, and end data that nobody is to get."""
        try:
            answers = [wire.read() for _ in range(number)]
            if answers and answers[-1].kind == _GO_ON:
                if answers[0].kind == 2:  # the server would send an empty message to somebody
                    self._hang_up()
                    return
                wire.write(_END)
                wire.read()
            elif any(answer.code == _CLOSING for answer in answers):
                self._hang_up()
        except FAULTS:
            self._hang_up()

    def _count_refusal(self, outcome: Outcome, reply: str) -> None:
        """Raise where refusals of the message itself follow one another: then it is not about one reader."""
        if outcome in {Outcome.REJECTED, Outcome.RETRY}:
            self._check_quota(reply)
        personal = _ADDRESS.search(reply) is not None
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

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def _reset(wire: Wire) -> bool:
    """Make the server forget a message that it refused; return whether it did."""
    try:
        wire.write(b"RSET\r\n")
        return wire.read().code == 250
    except FAULTS:
        return False


def _hand_over(wire: Wire, message: bytes) -> Reply:
    """Write the data (with its leading dots doubled) and the end of it, and read what became of it."""
    if _LEADING_DOT.search(message):
        message = message.replace(b"\r\n.", b"\r\n..")
    try:
        wire.write(message + _END)
    except FAULTS as error:
        # The end of data is the last octet, and it was not written: the server cannot have taken this.
        raise _lost(Outcome.RETRY, error) from error
    try:
        reply = wire.read()
    except FAULTS as error:
        raise _lost(Outcome.UNCERTAIN, error) from error
    if reply.code == _CLOSING:
        raise _ConnectionLostError(Outcome.RETRY, reply.text)
    if reply.kind not in (2, 4, 5):
        raise _ConnectionLostError(Outcome.UNCERTAIN, f"not an answer to the message: {reply.text}")
    return reply


def _lost(outcome: Outcome, error: Exception) -> _ConnectionLostError:
    return _ConnectionLostError(outcome, f"the connection was lost: {one_line(error)}")


def _outcome(reply: Reply) -> Outcome:
    return {2: Outcome.ACCEPTED, 4: Outcome.RETRY}.get(reply.kind, Outcome.REJECTED)
