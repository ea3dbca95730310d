"""The server: sockets, one thread a connection, and what it keeps of the calls."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import orjson

from tests.servers.sendgrid.answers import errors, rate_headers, refusal
from tests.servers.sendgrid.events import Poster, Webhook
from tests.servers.sendgrid.faults import Cut, Fault, Script, due
from tests.servers.sendgrid.mail import Delivered, mails
from tests.servers.sendgrid.rules import MOST_OCTETS, Broken, broken_rules, recipients_of
from tests.servers.sendgrid.suppressions import Lists
from tests.servers.sendgrid.wire import Answer, Head, Wire

SEND = "/v3/mail/send"
STATE = "/state"  # not SendGrid's: what a server that runs as a process of its own tells of itself; never at fault
KEY = "SG.local-key"


class SendGridApi:
    """Takes mail for ``key``, and checks every rule unless it is not ``checked``: then any body is taken unread.

    ``certificate`` makes it speak TLS. ``senders`` are the addresses that may send (None: any); paths of
    ``forbidden`` are refused to the key. ``rate`` is how many calls are let in within how many seconds. Each
    answer takes ``delay`` seconds. Without ``keep`` only ``counts`` (address -> mails) is kept of what was taken.
    ``faults`` meet the calls in order (None for none), or are a function of a call's number, from 1.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        key: str = KEY,
        certificate: ssl.SSLContext | None = None,
        faults: Script = (),
        senders: Collection[str] | None = None,
        forbidden: Collection[str] = (),
        rate: tuple[int, float] | None = None,
        delay: float = 0.0,
        checked: bool = True,
        keep: bool = True,
        webhook: Webhook | None = None,
        port: int = 0,
    ) -> None:
        self._key, self._certificate, self._faults = key, certificate, faults
        self._senders, self._forbidden, self._rate = senders, forbidden, rate
        self._delay, self._checked, self._keep, self._asked_port = delay, checked, keep, port
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._window = (0.0, 0)  # when it ends, how many calls it had
        self.poster = None if webhook is None else Poster(webhook)
        self.port = 0
        self.requests = 0
        self.connections = 0
        self.calls: list[tuple[str, int]] = []  # path and status of each, in the order they were answered
        self.payloads: list[dict[str, Any]] = []
        self.delivered: list[Delivered] = []
        self.counts: Counter[str] = Counter()
        self.suppressions = Lists()

    @property
    def url(self) -> str:
        """Its base address."""
        scheme = "http" if self._certificate is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    def state(self) -> dict[str, Any]:
        """Return the counts of calls and of mails for each address, and how the events went."""
        with self._lock:
            state = {"requests": self.requests, "connections": self.connections, "counts": dict(self.counts)}
        if self.poster is not None:
            state |= self.poster.state()
        return state

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, self._asked_port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._begin(self._accept, self._listener)
        if self.poster is not None:
            self.poster.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        assert self._listener is not None
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            still = list(self._open)
        for each in still:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()
        if self.poster is not None:
            self.poster.stop()

    def _begin(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, name="sendgrid-api", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._begin(self._connection, sock)

    def _connection(self, plain: socket.socket) -> None:
        with suppress(OSError), plain:
            sock = self._secured(plain)
            with self._lock:
                self._open.add(sock)
            try:
                self._serve(Wire(sock))
            finally:
                with self._lock:
                    self._open.discard(sock)
                sock.close()

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._certificate is None:
            return plain
        plain.settimeout(10)
        sock = self._certificate.wrap_socket(plain, server_side=True)
        sock.settimeout(None)
        return sock

    def _serve(self, wire: Wire) -> None:
        while not self._ended.is_set() and (head := wire.head()) is not None:
            if head.path == STATE:
                wire.send(Answer(status=200, body=orjson.dumps(self.state())).whole())
                continue
            with self._lock:
                self.requests += 1
                number = self.requests
            fault = due(self._faults, number)
            if fault is None and not self._checked:
                if wire.body(head.length) is None:
                    return
                self._ended.wait(self._delay)
                wire.send(_TAKEN)
            elif not self._call(wire, head, number, fault or _NOTHING):
                return

    def _call(self, wire: Wire, head: Head, number: int, fault: Fault) -> bool:
        """Work one call; return whether the connection goes on."""
        if fault.cut is Cut.BEFORE:
            if fault.status is not None:
                wire.send(self._faulty(fault, Answer(status=fault.status)).whole())
                wire.linger()
            return False
        if fault.cut is Cut.BODY:
            wire.body(head.length // 2)
            return False
        body = wire.body(head.length)
        if body is None:
            return False
        answer = self._worked(head, body, number) if fault.takes else Answer(status=202)
        answer = self._faulty(fault, answer)
        self.calls.append((head.path, answer.status))
        if self._ended.wait(self._delay + fault.delay) or fault.cut is Cut.AFTER:
            return False
        if fault.cut is Cut.HEADERS:
            octets = answer.head()
            wire.send(octets[: len(octets) // 2])
            return False
        if fault.cut is Cut.ANSWER:
            wire.send(answer.head(missing=10) + answer.body)
            return False
        wire.send(answer.whole(), drip=fault.drip, wait=self._ended.wait)
        return True

    def _faulty(self, fault: Fault, answer: Answer) -> Answer:
        """Return what is said instead of, or of, an answer."""
        headers, status, body = {**answer.headers}, answer.status, answer.body
        if fault.status is not None:
            status = fault.status
            headers = {"Content-Type": "application/json"}
            body = (
                fault.body
                if fault.body is not None
                else errors(Broken(message=f"error {status}", field=None))
            )
            if status == 429:
                headers |= rate_headers(self._rate or (600, 60.0), 0, time.time() + fault.reset)
        if fault.nameless:
            headers.pop("X-Message-Id", None)
        return Answer(status=status, headers=headers | dict(fault.headers), body=body)

    def _worked(self, head: Head, body: bytearray, number: int) -> Answer:
        limits, is_over = self._counted()
        if is_over:
            return refusal(429, "too many requests", headers=limits)
        if head.headers.get("authorization") != f"Bearer {self._key}":
            return refusal(401, "The key is not known, or no longer.")
        if head.path in self._forbidden:
            return refusal(403, "access forbidden")
        answer = self._routed(head, body, number)
        return Answer(status=answer.status, headers={**limits, **answer.headers}, body=answer.body)

    def _routed(self, head: Head, body: bytearray, number: int) -> Answer:
        if head.path != SEND:
            return self.suppressions.answered(head, body) or refusal(404, "Not Found")
        if head.method != "POST":
            return refusal(405, "method not allowed")
        return self._send(head, body, number)

    def _send(self, head: Head, body: bytes | bytearray, number: int) -> Answer:
        if len(body) > MOST_OCTETS:
            return refusal(413, "The payload is larger than 30 MB.")
        if head.headers.get("content-type", "").partition(";")[0] != "application/json":
            return refusal(415, "The content type is application/json.")
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError:
            return refusal(400, "Bad Request")
        broken = broken_rules(request)
        if broken:
            return Answer(status=400, headers={"Content-Type": "application/json"}, body=errors(*broken))
        if self._senders is not None and _sender_of(request) - set(self._senders):
            return refusal(403, "The from address is no verified sender.", field="from")
        if ((request.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable"):
            return Answer(status=200)
        message_id = secrets.token_urlsafe(16)
        self._take(request, number, message_id)
        return Answer(status=202, headers={"X-Message-Id": message_id})

    def _take(self, request: dict[str, Any], number: int, message_id: str) -> None:
        taken = list(mails(request, number, message_id)) if self._keep or self.poster is not None else []
        addresses = [each["email"] for block in request["personalizations"] for each in recipients_of(block)]
        with self._lock:
            self.counts.update(addresses)
            if self._keep:
                self.delivered += taken
                self.payloads.append(request)
        if self.poster is not None:
            self.poster.take(taken)

    def _counted(self) -> tuple[dict[str, str], bool]:
        """Count a call; return the headers that tell how many more there may be, and whether it is one too many."""
        rate = self._rate or (600, 60.0)
        with self._lock:
            ends, calls = self._window
            if time.time() >= ends:
                ends, calls = time.time() + rate[1], 0
            self._window = (ends, calls + 1)
        return rate_headers(
            rate, max(0, rate[0] - calls - 1), ends
        ), self._rate is not None and calls >= rate[0]


def _sender_of(request: dict[str, Any]) -> set[str]:
    return {each["from"]["email"] for each in (request, *request["personalizations"]) if "from" in each}


_NOTHING = Fault()
_TAKEN = Answer(status=202, headers={"X-Message-Id": "unchecked"}).whole()
