"""HTTP/1.1 over a plain socket, quick enough not to be what a benchmark measures."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

_MOST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request but for its body. Header names are in lower case; ``target`` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """Octets of the body."""
        return int(self.headers.get("content-length") or 0)

    @property
    def path(self) -> str:
        """The path without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self, *, missing: int = 0) -> bytes:
        """Return the status line and the headers; a cut body is said to be so many octets longer than it is."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body) + missing}", "", ""]
        return "\r\n".join(lines).encode()

    def whole(self) -> bytes:
        """Return all of it."""
        return self.head() + self.body


class Wire:
    """One client's connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._read = bytearray()

    def head(self) -> Head | None:
        """Return the next request's head; None once the client has gone."""
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            read = self._sock.recv(65536)
            if not read or len(self._read) > _MOST_HEAD:
                return None
            self._read += read
        line, *rest = bytes(self._read[:end]).decode("latin-1").split("\r\n")
        del self._read[: end + 4]
        method, _, target = line.partition(" ")
        pairs = (each.partition(":") for each in rest)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Head(method=method, target=target.partition(" ")[0], headers=headers)

    def body(self, length: int) -> bytearray | None:
        """Return so many octets; None if the client goes before."""
        body = bytearray(length)
        there = min(length, len(self._read))
        body[:there] = self._read[:there]
        del self._read[:there]
        view = memoryview(body)
        while there < length:
            read = self._sock.recv_into(view[there:])
            if not read:
                return None
            there += read
        return body

    def send(
        self, octets: bytes, *, drip: float = 0.0, wait: Callable[[float], object] | None = None
    ) -> None:
        """Write; with ``drip`` an octet at a time, waiting so many seconds before each."""
        if not drip or wait is None:
            self._sock.sendall(octets)
            return
        for index in range(len(octets)):
            wait(drip)
            self._sock.sendall(octets[index : index + 1])

    def linger(self) -> None:
        """End the sending side and read what still comes, so that an early answer is not lost to a reset."""
        with suppress(OSError):
            self._sock.settimeout(1)
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(65536):
                pass
