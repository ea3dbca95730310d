"""A server that takes what is posted to it, as a webhook or a ping service does, and misbehaves when told to."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.servers.threaded import Threaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was posted."""

    method: str
    path: str
    body: str
    kind: str


@dataclass(kw_only=True)
class Hearing(Threaded):
    """Listens. ``status`` is its answer; with ``silent`` it has none, ``drip`` one that never ends, ``closes`` it hangs up.

    Use it as a context manager; ``url`` is its address.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    drip: bool = False
    closes: bool = False
    heard: list[Heard] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        super().__exit__(kind, error, trace)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hearing = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                kind = self.headers.get("Content-Type", "")
                hearing.heard.append(Heard(method=self.command, path=self.path, body=body, kind=kind))
                if hearing.closes:
                    return
                if hearing.silent:
                    hearing._ended.wait(60)
                    return
                try:
                    self._answer()
                except (BrokenPipeError, ConnectionResetError):
                    return

            def _answer(self) -> None:
                if hearing.drip:
                    for letter in "HTTP/1.0 200 " + "x" * 10_000:
                        self.wfile.write(letter.encode())
                        if hearing._ended.is_set():
                            return
                        time.sleep(0.05)
                self.send_response(hearing.status)
                for name, value in hearing.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: what came is kept."""

        return Handler
