"""Calls to an API over one connection that is kept, and what an error proves: nothing was taken, or nobody knows.

A server acts on a request that it has whole. What fails before the last octet is handed over was therefore not
taken; what fails behind it may have been. `http_client` fetches and tries again; here every call is made once.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import monotonic
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from newsletter import __version__
from newsletter.errors import ConfigError, one_line

MOST_ANSWER = 1024 * 1024  # octets of an answer that are read
IDLE_SECONDS = 15.0  # after which a connection is opened anew: servers close idle ones, some without a word
_MOST_WORDS = 300  # of a fault: it may quote what a server wrote
_LONGEST_ASKED = 3600.0  # seconds of a pause that are believed
_FAULTS = (OSError, HTTPError, http.client.HTTPException, ValueError)
_OWN_HEADERS = {"User-Agent": f"daily-papers-newsletter/{__version__}"}


class NotSent(Exception):
    """The request did not go out whole: nothing was taken."""


class NoAnswer(Exception):
    """The request went out, and no whole answer came: nobody knows what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an API is: its base address (http or https), the seconds that a call may take, whom TLS trusts."""

    base_url: str
    timeout: float = 30.0
    ca_file: Path | None = None

    def open(self) -> Line:
        """Connect; raise `NotSent` if that fails and `ConfigError` for a place that cannot be used."""
        line = Line(self)
        line.connect()
        return line


class Line:
    """A connection to a place, for one thread; it is opened again where it was lost or idle for long."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection, self._prefix = _connection(place)
        self._used: float | None = None  # None: opened, and not used yet

    def connect(self) -> None:
        """Open the connection; raise `NotSent` if it cannot be had."""
        try:
            self._connection.connect()
        except _FAULTS as error:
            self.close()
            raise NotSent(f"no connection ({_told(error)})") from error

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
        self._used = None

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request once and return the answer, whatever its status; raise `NotSent` or `NoAnswer`."""
        if not self._is_of_use():
            self.close()
            self.connect()
        with self._bounded():
            answer = self._ask(method, path, body, {**_OWN_HEADERS, **(headers or {})})
            if answer is not None:
                return answer
            try:
                answer = self._answer()
            except _FAULTS as error:
                self.close()
                raise NoAnswer(f"no whole answer ({_told(error)})") from error
        self._used = monotonic()
        return answer

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        """Write a request; return what a server refused it with before it was whole (413, 429)."""
        try:
            self._connection.request(
                method, self._prefix + path, body=body or None, headers=headers, preload_content=False
            )
        except _FAULTS as error:
            answer = None
            with suppress(*_FAULTS):
                answer = self._answer()
            self.close()
            if answer is not None and 400 <= answer.status < 500:
                return answer
            raise NotSent(f"the request could not be written whole ({_told(error)})") from error
        return None

    def _answer(self) -> Answer:
        response = self._connection.getresponse()
        if response.status < 200:  # RFC 9110, 15.2: the answer itself comes behind it
            raise ValueError(f"a {response.status} was all that came")
        body = response.read(MOST_ANSWER, decode_content=False)
        if response.read(1, decode_content=False):
            raise ValueError(f"it is larger than {MOST_ANSWER:,} octets")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status, headers=headers, body=body)

    def _is_of_use(self) -> bool:
        connection = self._connection
        if self._used is None:  # the server's TLS tickets may wait to be read, which would look like its end
            return connection.sock is not None
        return connection.is_connected and monotonic() - self._used < IDLE_SECONDS

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Break the connection off in time: the time-out of a socket does not bound a server that drips."""
        timer = Timer(self._place.timeout, self._break_off, [self._connection.sock])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @staticmethod
    def _break_off(sock: socket.socket) -> None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not TLS's own, which is not for two threads


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds a server asks not to be asked, None where it says nothing believable."""
    said = headers.get("retry-after", "").strip()
    return believed(float(said)) if re.fullmatch(r"[0-9]{1,6}", said) else None


def believed(seconds: float) -> float:
    """Return how long a pause that a server asks for is kept: neither no time nor for ever."""
    return min(max(seconds, 1.0), _LONGEST_ASKED)


def _connection(place: Place) -> tuple[HTTPConnection, str]:
    """Return the connection to a place, and what its paths begin with."""
    try:
        parts = urlsplit(place.base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(
            "is no address", subject=place.base_url, remedy="check its host and port"
        ) from error
    prefix = parts.path.rstrip("/")
    if parts.scheme == "http":
        return HTTPConnection(host, port or 80, timeout=place.timeout), prefix
    context = _context(place.ca_file)
    return HTTPSConnection(host, port or 443, timeout=place.timeout, ssl_context=context), prefix


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        raise ConfigError(
            f"cannot be used as certificates ({error.strerror or error})", subject=str(ca_file),
            remedy="name a PEM file",
        ) from error  # fmt: skip
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _told(error: Exception) -> str:
    """Return the words of a fault, without the connection's name and the sentence that urllib3 puts before them."""
    inner = error.args[-1] if error.args else error
    words = one_line(inner)[:_MOST_WORDS]
    own = words.partition("): ")[2] or words or type(error).__name__
    return own.removeprefix("Failed to establish a new connection: ")
