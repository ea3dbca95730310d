"""Sends over SMTP, with the standard library, one connection and one message after the other (RFC 5321).

What an answer proves decides the receipt: an end of data that was never written was not taken (retry), one
that was written and not answered may have been (uncertain).
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from newsletter.composer import Composer
from newsletter.errors import MessageRejected, ProviderUnavailable
from newsletter.messages import mail_address
from newsletter.models import Letter, Outcome, Receipt, Recipient
from newsletter.protocols import Connection, Exposure
from newsletter.providers.smtp_session import FAULTS, SmtpSettings, one_line, open_session, parse_reply
from newsletter.refusals import judge

__all__ = ["SmtpProvider", "SmtpSettings"]

_GOODBYE_SECONDS = 5.0  # how long QUIT may take; nothing depends on its answer
_MAX_LOST = 2  # connections lost one after the other before the server counts as unavailable
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


class _ConnectionLostError(Exception):
    """The connection cannot be used any more; ``outcome`` is what is proven of the message in hand."""

    def __init__(self, outcome: Outcome, reply: str) -> None:
        super().__init__(reply)
        self.outcome = outcome
        self.reply = reply


class _SmtpConnection:
    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._client: smtplib.SMTP | None = open_session(settings)
        self._in_transaction = False  # the server may still hold the sender of a refused message
        self._lost = 0
        self._refused = 0

    def close(self) -> None:
        """Say goodbye if the connection still stands."""
        if self._client is not None:
            if self._client.sock is not None:
                self._client.sock.settimeout(min(_GOODBYE_SECONDS, self._settings.timeout))
            with suppress(*FAULTS):
                self._client.docmd("QUIT")
        self._hang_up()

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
        client = self._ready_client()
        if not address.isascii() and not client.has_extn("smtputf8"):
            return (
                Outcome.REJECTED,
                "the mail server does not take addresses that are not ASCII (it does not offer SMTPUTF8)",
            )
        try:
            outcome, reply = self._transact(client, mail_address(letter.from_address), address, message)
        except _ConnectionLostError as lost:
            self._hang_up()
            self._lost += 1
            return lost.outcome, lost.reply
        self._lost = 0
        return outcome, reply

    def _ready_client(self) -> smtplib.SMTP:
        if self._lost >= _MAX_LOST:
            self._lost = 0  # whoever tries again later starts afresh
            raise ProviderUnavailable(
                f"the connection was lost {_MAX_LOST} times, one after the other",
                subject=self._settings.server,
                remedy="look at the log of the mail server; nothing more is sent to it now",
            )
        if self._client is not None and self._in_transaction:
            try:
                code, _ = self._client.rset()
            except FAULTS:
                code = -1
            if code != 250:
                self._hang_up()
        if self._client is None:
            self._client = open_session(self._settings)
        self._in_transaction = False
        return self._client

    def _transact(
        self, client: smtplib.SMTP, sender: str, address: str, message: bytes
    ) -> tuple[Outcome, str]:
        ascii_only = address.isascii()
        client.command_encoding = "ascii" if ascii_only else "utf-8"
        options = "" if ascii_only else " SMTPUTF8 BODY=8BITMIME"
        code, reply = self._command(client, f"MAIL FROM:<{sender}>{options}")
        if code // 100 != 2:
            raise ProviderUnavailable(
                f"the sender {sender} is refused: {reply}",
                subject=self._settings.server,
                remedy="nobody was rejected; check sender.email and the quota of the account",
            )
        self._in_transaction = True
        code, reply = self._command(client, f"RCPT TO:<{address}>")
        if code // 100 != 2:
            self._check_quota(reply)
            return _outcome(code), reply
        code, reply = self._command(client, "DATA", proceed=3)
        if code // 100 == 3:
            self._in_transaction = False
            outcome, reply = _hand_over(client, message)
        else:
            outcome = _outcome(code)
        self._count_refusal(outcome, reply)
        return outcome, reply

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

    def _command(self, client: smtplib.SMTP, command: str, *, proceed: int = 2) -> tuple[int, str]:
        """Send a command that comes before the data; the answer's first digit is ``proceed``, 4 or 5.

        Raise for answers that concern no recipient, and `_ConnectionLostError` where there is none.
        """
        try:
            code, reply = parse_reply(client.docmd(command))
        except FAULTS as error:
            raise _lost(Outcome.RETRY, error) from error
        if code in _NEEDS_LOGIN:
            raise ProviderUnavailable(
                f"the mail server wants a log-in or encryption first: {reply}",
                subject=self._settings.server,
                remedy="check provider.smtp.username, password and tls",
            )
        if code == _CLOSING or code // 100 not in (proceed, 4, 5):
            raise _ConnectionLostError(Outcome.RETRY, reply)
        return code, reply

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _hand_over(client: smtplib.SMTP, message: bytes) -> tuple[Outcome, str]:
    """Write the data (with its leading dots doubled) and the end of it, and read what became of it."""
    try:
        client.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    except FAULTS as error:
        # The end of data is the last octet, and it was not written: the server cannot have taken this.
        raise _lost(Outcome.RETRY, error) from error
    try:
        code, reply = parse_reply(client.getreply())
    except FAULTS as error:
        raise _lost(Outcome.UNCERTAIN, error) from error
    if code == _CLOSING:
        raise _ConnectionLostError(Outcome.RETRY, reply)
    if code // 100 not in (2, 4, 5):
        raise _ConnectionLostError(Outcome.UNCERTAIN, f"not an answer to the message: {reply}")
    return _outcome(code), reply


def _lost(outcome: Outcome, error: Exception) -> _ConnectionLostError:
    return _ConnectionLostError(outcome, f"the connection was lost: {one_line(error)}")


def _outcome(code: int) -> Outcome:
    return {2: Outcome.ACCEPTED, 4: Outcome.RETRY}.get(code // 100, Outcome.REJECTED)
