"""Reaching a mail server: connection, encryption, log-in."""

from __future__ import annotations

import base64
import smtplib
import ssl
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from newsletter.errors import ProviderUnavailable, one_line
from newsletter.providers.smtp_wire import FAULTS, Reply, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """How to reach the mail server. ``timeout`` in seconds is for each reply.

    A connection is renewed after ``messages_per_connection``, of which 0 means never.

    ``starttls`` and ``implicit`` check the certificate against ``ca_file``, or the system's authorities.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    timeout: float = 30.0
    messages_per_connection: int = 100
    ca_file: Path | None = None
    local_hostname: str | None = None

    @property
    def server(self) -> str:
        """Return ``host:port``, for messages."""
        return f"{self.host}:{self.port}"


def tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    """Return what checks the server's certificate, for any number of sessions; None where nothing is encrypted."""
    if settings.tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ProviderUnavailable(
            f"no certificates can be read from it: {error.strerror or error}",
            subject=str(settings.ca_file),
            remedy="set provider.smtp.ca_file to a PEM file, or leave it out",
        ) from error


def open_session(settings: SmtpSettings, context: ssl.SSLContext | None) -> Wire:
    """Return a connection that is encrypted by `tls_context` and logged in, as the settings ask."""
    assert (context is None) == (settings.tls == "none")  # without one the certificate would not be checked
    client: smtplib.SMTP | None = None
    try:
        client = _greet(settings, context)
        if settings.tls == "starttls":
            client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
        if settings.username:
            _log_in(client, settings)
        return Wire(client)
    except BaseException as error:
        if client is not None:
            client.close()
        if isinstance(error, FAULTS):
            raise _unreachable(settings, error) from error
        raise


def _greet(settings: SmtpSettings, context: ssl.SSLContext | None) -> smtplib.SMTP:
    where = (settings.host, settings.port, settings.local_hostname or _own_name())
    if settings.tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=settings.timeout, context=context)
    else:
        client = smtplib.SMTP(*where, timeout=settings.timeout)
    try:
        client.ehlo_or_helo_if_needed()
    except BaseException:
        client.close()
        raise
    return client


@cache
def _own_name() -> str:
    """Return what this host calls itself; asking for it may take seconds where DNS is slow."""
    return smtplib.SMTP().local_hostname


def _log_in(client: smtplib.SMTP, settings: SmtpSettings) -> None:
    try:
        client.login(settings.username, settings.password)
    except smtplib.SMTPAuthenticationError as error:
        answer = Reply(code=error.smtp_code, words=_octets(error.smtp_error))
        problem = f"log-in refused: {_without_password(answer.text, settings)}"
    except UnicodeError:
        problem = "log-in refused: user name and password must be ASCII"
    except smtplib.SMTPNotSupportedError:
        problem = "log-in refused: the mail server offers no log-in"
    except smtplib.SMTPServerDisconnected:
        problem = "log-in refused: the mail server closed the connection"
    except (smtplib.SMTPException, ValueError):
        problem = "log-in refused: the mail server offers no way to log in that is known here"
    else:
        return
    # Outside of `except`: the error of the library may repeat what was sent, so it is not the cause of this.
    raise ProviderUnavailable(
        problem, subject=settings.server, remedy="check provider.smtp.username and provider.smtp.password"
    )


def _without_password(answer: str, settings: SmtpSettings) -> str:
    """Drop an answer that repeats what was sent to log in, plain or in base64."""
    sent = (settings.password, f"\0{settings.username}\0{settings.password}")
    for secret in (*sent, *(base64.b64encode(value.encode()).decode() for value in sent)):
        if secret and secret in answer:
            return "the answer is not shown, it repeats the password"
    return answer


def _octets(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _unreachable(settings: SmtpSettings, error: BaseException) -> ProviderUnavailable:
    remedy = "check provider.smtp.host and port, and that the mail server is up"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        problem = "the mail server does not offer STARTTLS"
        remedy = 'nothing was sent in plain text; set provider.smtp.tls to "implicit", or "none" to allow it'
    elif isinstance(error, smtplib.SMTPResponseException):
        answer = Reply(code=error.smtp_code, words=_octets(error.smtp_error))
        problem = f"the mail server refuses: {answer.text}"
    elif isinstance(error, ssl.SSLError):
        problem = f"no secure connection: {one_line(error)}"
        remedy = "check provider.smtp.tls, the port, and that the certificate names this host"
    else:
        problem = f"no connection: {one_line(error)}"
    return ProviderUnavailable(problem, subject=settings.server, remedy=remedy)
