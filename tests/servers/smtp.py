"""A real SMTP server in a thread, on a free port of 127.0.0.1, that can be told to misbehave.

::

    with SmtpSink(faults=[Fault(at=At.RCPT, reply="550 5.1.1 nobody", recipient="a@example.org")]) as sink:
        ...  # connect to sink.host, sink.port
        sink.messages  # what was taken, in order
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class At(Enum):
    """A moment of the dialogue: the greeting, a command, or the dot that ends the data."""

    CONNECT = "CONNECT"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "DOT"
    RSET = "RSET"
    QUIT = "QUIT"


@dataclass(slots=True, kw_only=True)
class Fault:
    """What the server does instead of its duty: say ``reply`` (any line), then close or stall if asked.

    It begins after ``skip`` matching moments and lasts for ``times``. ``recipient`` narrows RCPT, DATA and
    DOT to one address. With ``taken`` (at the DOT only) the message is kept all the same.
    """

    at: At
    reply: str = ""
    close: bool = False
    stall: bool = False
    skip: int = 0
    times: int = 1
    recipient: str = ""
    taken: bool = False

    def strikes(self, at: At, recipient: str) -> bool:
        """Return whether it happens now; every matching moment counts."""
        if at is not self.at or (self.recipient and self.recipient != recipient):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message that was taken, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    options: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Dialogue:
    """What the server's connections share: the script, and what was seen."""

    faults: Sequence[Fault]
    delay: float = 0.0
    messages: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    connections: int = 0

    def fault(self, at: At, recipient: str = "") -> Fault | None:
        return next((fault for fault in self.faults if fault.strikes(at, recipient)), None)


class SmtpSink:
    """Takes every message unless a fault says otherwise.

    ``certificate`` offers STARTTLS, or speaks TLS at once if ``implicit_tls``. ``login`` is the one user name
    and password, and is then required, by one of ``mechanisms``. Without ``smtputf8`` non-ASCII addresses are refused. ``pipelining`` is
    offered (it works in every case); so is SIZE, with ``largest``, unless that is None. Each message takes ``delay``
    seconds.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        faults: Sequence[Fault] = (),
        certificate: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
        mechanisms: Sequence[str] = ("LOGIN", "PLAIN"),
        smtputf8: bool = True,
        pipelining: bool = False,
        largest: int | None = 2**25,
        delay: float = 0.0,
    ) -> None:
        self._dialogue = _Dialogue(faults=faults, delay=delay)
        self._controller = _Controller(
            self._dialogue,
            hostname=self.host,
            port=0,
            ssl_context=certificate if implicit_tls else None,
            server_hostname="sink.example",
            tls_context=None if implicit_tls else certificate,
            auth_required=login is not None,
            auth_require_tls=certificate is not None and not implicit_tls,
            auth_exclude_mechanism={"LOGIN", "PLAIN"} - set(mechanisms),
            authenticator=_authenticator(self._dialogue, login),
            enable_SMTPUTF8=smtputf8,
            data_size_limit=largest,
            offers=("PIPELINING",) if pipelining else (),
        )

    @property
    def port(self) -> int:
        """The port it listens on, once entered."""
        return self._controller.port

    @property
    def messages(self) -> list[Mail]:
        """What was taken, in order."""
        return self._dialogue.messages

    @property
    def commands(self) -> list[str]:
        """Every command of every connection, in order, without its arguments."""
        return self._dialogue.commands

    @property
    def logins(self) -> list[str]:
        """The mechanism of every log-in that was tried, in order."""
        return self._dialogue.logins

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self._dialogue.connections

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._controller.hang_up(), self._controller.loop).result(10)
        self._controller.stop()


def _authenticator(dialogue: _Dialogue, login: tuple[str, str] | None) -> Any:
    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        dialogue.logins.append(mechanism)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    return check


class _Controller(Controller):
    def __init__(self, dialogue: _Dialogue, **options: Any) -> None:
        super().__init__(object(), **options)
        self._dialogue = dialogue
        self._open: list[_Server] = []

    def factory(self) -> SMTP:
        self._open.append(_Server(self._dialogue, self.handler, loop=self.loop, **self.SMTP_kwargs))
        return self._open[-1]

    async def hang_up(self) -> None:
        """End every connection, also the stalled ones: a closed loop would leave their sockets open."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._open:
            server.abort()
        await asyncio.sleep(0)

    def _trigger_server(self) -> None:
        """Learn the port (aiosmtpd refuses 0, its issue 276) without the visit that would meet the faults."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        self._factory_invoker()


class _Server(SMTP):
    """aiosmtpd's server, which before each answer looks whether a fault is due."""

    def __init__(
        self, dialogue: _Dialogue, handler: object, *, auth_required: bool, offers: Sequence[str], **options: Any
    ) -> None:  # fmt: skip
        super().__init__(handler, **options)
        self._offers = offers
        self._auth_required = auth_required  # as an argument it warns where TLS is not required too
        self._dialogue = dialogue
        for at in (At.EHLO, At.STARTTLS, At.AUTH, At.MAIL, At.RCPT, At.DATA, At.RSET, At.QUIT):
            self._smtp_methods[at.value] = self._guarded(at, self._smtp_methods[at.value])
        self._handle_hooks["DATA"] = self._take

    def abort(self) -> None:
        """Close the connection, if there is one, without a word."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def _guarded(self, at: At, method: Any) -> Any:
        async def guarded(argument: str | None) -> None:
            self._dialogue.commands.append(at.value)
            fault = self._dialogue.fault(at, self._recipient(at, argument))
            if fault is None:
                await method(argument)
            else:
                await self._misbehave(fault)

        return guarded

    async def push(self, status: Any) -> None:
        """Say a line; what is offered stands before the last one of the answer to EHLO."""
        for offer in self._offers if status == "250 HELP" else ():
            await super().push(f"250-{offer}")
        await super().push(status)

    def _recipient(self, at: At, argument: str | None) -> str:
        if at is At.RCPT:
            return (argument or "").partition("<")[2].partition(">")[0]
        return self.envelope.rcpt_tos[0] if self.envelope and self.envelope.rcpt_tos else ""

    async def _handle_client(self) -> None:
        self._dialogue.connections += 1
        fault = self._dialogue.fault(At.CONNECT)
        if fault is not None:
            await self._misbehave(fault)
            self._writer.close()
        else:
            await super()._handle_client()

    async def _take(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self._dialogue.delay)
        fault = self._dialogue.fault(At.DOT, envelope.rcpt_tos[0])
        if fault is None or fault.taken:
            self._dialogue.messages.append(
                Mail(
                    sender=envelope.mail_from or "",
                    recipients=tuple(envelope.rcpt_tos),
                    data=envelope.original_content or b"",
                    options=tuple(envelope.mail_options),
                )
            )
        if fault is None:
            return f"250 2.0.0 taken as {len(self._dialogue.messages)}"
        if fault.stall or fault.close:
            await self._misbehave(fault)
        return fault.reply

    async def _misbehave(self, fault: Fault) -> None:
        """Say and do what the script says; after a stall or a close there is no way back."""
        if fault.reply:
            await self.push(fault.reply)
        if fault.stall:
            await asyncio.sleep(3600)
        if fault.close:
            self._writer.close()
            await asyncio.sleep(3600)  # until the connection's end cancels this
