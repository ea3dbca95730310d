"""A server of Postmark's API (a batch of messages) on loopback that keeps its limits and misbehaves when told."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.threaded import Threaded

TOKEN = "0f1e2d3c-token"
_TO = re.compile(r'(?:"(?P<name>[^"]*)" <)?(?P<address>[a-z0-9.!#$%&\'*+/=^_{}|~-]+@[A-Za-z0-9.-]+)>?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How the next request is answered instead; with ``taken`` it is taken all the same. ``body`` is not Postmark's."""

    status: int = 200
    code: int = 0
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    taken: bool = False
    drops: bool = False
    delay: float = 0.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class PostmarkServer(Threaded):
    """Listens; a context manager. ``codes`` are ErrorCode and Message for addresses that are refused."""

    def __init__(self, *, faults: Sequence[Fault | None] = ()) -> None:
        self.faults = list(faults)
        self.codes: dict[str, tuple[int, str]] = {}
        self.taken: list[dict[str, Any]] = []
        self.requests: list[int] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_fault(self, messages: int) -> Fault | None:
        """Return what is wrong with this request."""
        with self._lock:
            self.requests.append(messages)
            return self.faults.pop(0) if self.faults else None

    def take(self, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Take messages; return an answer for each."""
        with self._lock:
            return [self._take(message) for message in messages]

    def _take(self, message: dict[str, Any]) -> dict[str, Any]:
        found = _TO.fullmatch(message["To"])
        if found is None:
            return {
                "ErrorCode": 300,
                "Message": f"Error parsing 'To': Illegal email address '{message['To']}'.",
            }
        if found["address"] in self.codes:
            code, words = self.codes[found["address"]]
            return {"ErrorCode": code, "Message": words}
        self.taken.append({**message, "Address": found["address"], "Name": found["name"] or ""})
        return {"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{len(self.taken)}", "To": found["address"]}


def _handler(server: PostmarkServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["X-Postmark-Server-Token"] != TOKEN:
                self._answer(401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."}, {})
                return
            messages = json.loads(body)
            if len(messages) > 500 or len(body) > 50_000_000:
                self._answer(422, {"ErrorCode": 410, "Message": "Too many batch messages."}, {})
                return
            fault = server.next_fault(len(messages))
            if fault is None:
                self._answer(200, server.take(messages), {})
                return
            if fault.taken:
                server.take(messages)
            time.sleep(fault.delay)
            if fault.drops:
                self.close_connection = True
                return
            said = {"ErrorCode": fault.code, "Message": f"fault {fault.code}"}
            self._answer(fault.status, said if fault.body is None else fault.body, fault.headers)

        def _answer(self, status: int, body: object, headers: Mapping[str, str]) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
