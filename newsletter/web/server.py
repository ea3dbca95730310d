"""The server of the pages: its socket, its threads, and a clean end."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Protocol

import uvicorn
from starlette.types import ASGIApp

from newsletter.errors import InputError
from newsletter.web.patience import IDLE_SECONDS, MOST_CONNECTIONS, MOST_HEADER_BYTES, Patient
from newsletter.web.writing import Writer

GRACE_SECONDS = 10  # for requests that are on their way when the server ends
_AGAIN_SECONDS = 30.0
_OTHER_FILES = 200


class Drain(Protocol):
    """What works beside the pages: on what they cause, or what the schedule says."""

    def run(self, stop: Event, wake: Event) -> None:
        """Do what is due until ``stop``; ``wake`` (set with ``stop`` too) says that there is something new."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket on an address; raise `InputError` for one that cannot be had."""
    found: socket.socket | None = None
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, number)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(1024)
    except (OSError, UnicodeError) as error:
        if found is not None:
            found.close()
        raise InputError(
            f"port {port} of {host} cannot be used ({getattr(error, 'strerror', None) or error})",
            subject="newsletter serve", remedy="choose another --port (0 for any that is free) or --host",
        ) from error  # fmt: skip
    return found


def address_of(listening: socket.socket) -> str:
    """Return the http address of a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server:
    """Answers until SIGTERM or Ctrl-C. ``drains``, by what they work on, run beside it and are woken by ``wake``."""

    def __init__(
        self, listening: socket.socket, app: ASGIApp, writer: Writer[Any], *, drains: Mapping[str, Drain], wake: Event,
        complain: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._listening = listening
        self._app = app
        self._writer = writer
        self._drains = drains
        self._wake = wake
        self._stop = Event()
        self._complain = complain

    def run(self) -> None:
        """Answer; at the end let everything that was begun come to its end."""
        _allow_files(MOST_CONNECTIONS + _OTHER_FILES)
        logging.getLogger("uvicorn.error").setLevel(
            logging.CRITICAL + 1
        )  # its lines are for those who run uvicorn
        config = uvicorn.Config(
            self._app, http=Patient, ws="none", lifespan="off", loop="asyncio", log_config=None, access_log=False,
            proxy_headers=False, server_header=False, timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS, h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        )  # fmt: skip
        threads = [Thread(target=self._drain, args=each, daemon=True) for each in self._drains.items()]
        self._writer.start()
        for thread in threads:
            thread.start()
        try:
            asyncio.run(_Quiet(config).serve([self._listening]))
        finally:
            self._writer.close()
            self._stop.set()
            self._wake.set()
            for thread in threads:
                thread.join(GRACE_SECONDS)

    def _drain(self, what: str, drain: Drain) -> None:
        """Work; whatever goes wrong there, the pages go on and it is tried again."""
        while not self._stop.is_set():
            try:
                drain.run(self._stop, self._wake)
            except Exception as error:  # noqa: BLE001  # told by its kind: its words may hold an address
                self._complain(f"{what} came to a halt: {type(error).__name__}; trying again")
                self._stop.wait(_AGAIN_SECONDS)


def _allow_files(wanted: int) -> None:
    """Let the process have so many files and connections open, as far as the system allows it to say so itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class _Quiet(uvicorn.Server):
    """uvicorn's server, which would end the process by the signal that it had already obeyed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal."""
        known = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in known}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
