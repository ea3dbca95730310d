"""A real local server that behaves like the Hugging Face Daily Papers API, faults included."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one request; without ``status`` and ``body`` the right answer is given.

    ``delay`` is in seconds before the answer, ``drip`` and ``drip_headers`` between its bytes. ``keep`` cuts the body to so many
    bytes (half a JSON, a whole answer); ``drop`` closes the connection after that many bytes of a longer one.
    """

    status: int | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    drip: float = 0
    drip_headers: float = 0
    keep: int | None = None
    drop: int | None = None


def redirect(location: str, status: int = 302) -> Fault:
    """Answer with a redirect."""
    return Fault(status=status, body=b"", headers={"Location": location})


def too_many_requests(retry_after: str | None = None) -> Fault:
    """Answer 429, with or without Retry-After."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(status=429, body=b"", headers=headers)


def gzip_bomb(megabytes: int) -> Fault:
    """Answer with spaces: so many megabytes of them, very small while compressed."""
    packed = gzip.compress(b" " * (1024 * 1024 * megabytes), compresslevel=9)
    return Fault(status=200, body=packed, headers={"Content-Encoding": "gzip"})


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class PapersApi:
    """Serves ``days`` (ISO date -> entries). ``faults`` meet the requests in order, None for none.

    Use it as a context manager; ``url`` is its base address, ``requests`` the paths (with query) asked for.
    A day after ``today`` (default: the real one, UTC) is answered with 400. ``contents`` (path -> body) are
    feeds, served with an ETag; ``arxiv`` (id -> title, abstract, authors) is what its API knows, and it answers
    400 for the whole request where an id is wrong.
    """

    def __init__(
        self,
        *,
        days: Mapping[str, Sequence[Entry]] | None = None,
        faults: Sequence[Fault | None] = (),
        today: date | None = None,
        most: int = 100,
        contents: Mapping[str, bytes] | None = None,
        arxiv: Mapping[str, tuple[str, str, Sequence[str]]] | None = None,
    ) -> None:
        self.contents = dict(contents or {})
        self.arxiv = dict(arxiv or {})
        self.days = dict(days or {})
        self.faults = list(faults)
        self.today = today
        self.most = most
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, bytes]:
        """Return status and body for a path, as the API would."""
        parts = urlsplit(path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if parts.path in self.contents:
            return 200, self.contents[parts.path]
        if parts.path == "/api/query":
            return self._arxiv_answer(query.get("id_list", "").split(","))
        if parts.path != "/api/daily_papers":
            return 404, b'{"error":"Not found"}'
        try:
            day = date.fromisoformat(query["date"])
            limit, page = min(int(query.get("limit", 50)), self.most), int(query.get("p", 0))
        except (KeyError, ValueError):
            return 400, b'{"error":"Invalid query"}'
        if day > (self.today or datetime.now(UTC).date()):
            return 400, b'{"error":"The date is in the future"}'
        entries = self.days.get(day.isoformat(), ())
        return 200, json.dumps(list(entries[page * limit : (page + 1) * limit])).encode()

    def _arxiv_answer(self, ids: Sequence[str]) -> tuple[int, bytes]:
        wrong = [each for each in ids if not re.fullmatch(r"\d{4}\.\d{4,5}", each)]
        entries = [(each, *self.arxiv[each]) for each in ids if each in self.arxiv]
        if wrong:
            entries = [("../errors#incorrect_id", "Error", f"incorrect id format for {wrong[0]}", ())]
        items = "".join(
            f"<entry><id>http://arxiv.org/{'abs' if not wrong else 'api'}/{escape(key)}</id><title>{escape(title)}</title>"
            f"<summary>{escape(abstract)}</summary>"
            + "".join(f"<author><name>{escape(name)}</name></author>" for name in names)
            + "</entry>"
            for key, title, abstract, names in entries
        )
        feed = (
            '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" '
            'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"><id>https://arxiv.org/api/x</id>'
            f"<title>arXiv Query</title><opensearch:totalResults>{len(entries)}</opensearch:totalResults>{items}</feed>"
        )
        return (400 if wrong else 200), feed.encode()

    def take(self, path: str, headers: dict[str, str]) -> Fault:
        """Record a request and return what shall happen to it."""
        with self._lock:
            self.requests.append(path)
            self.headers.append(headers)
            return (self.faults.pop(0) if self.faults else None) or Fault()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # a head and a body written apart would wait 40 ms for each other

            def do_GET(self) -> None:
                fault = api.take(self.path, dict(self.headers.items()))
                time.sleep(fault.delay)
                status, body = api.answer(self.path)
                tag = f'"{zlib.crc32(body)}"' if urlsplit(self.path).path in api.contents else ""
                if tag and self.headers.get("If-None-Match") == tag:
                    status, body = 304, b""
                status = status if fault.status is None else fault.status
                body = (body if fault.body is None else fault.body)[: fault.keep]
                try:
                    self._send(status, body, fault, tag)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def _send(self, status: int, body: bytes, fault: Fault, tag: str) -> None:
                if fault.drop == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if tag:
                    self.send_header("ETag", tag)
                for name, value in fault.headers.items():
                    self.send_header(name, value)
                if fault.drip_headers:
                    self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200, fault.drip_headers)
                self.end_headers()
                if fault.drop is not None:
                    self.close_connection = True
                    body = body[: fault.drop]
                if not fault.drip:
                    self.wfile.write(body)
                    return
                self._drip(body, fault.drip)

            def _drip(self, data: bytes, pause: float) -> None:
                for index in range(len(data)):
                    self.wfile.write(data[index : index + 1])
                    time.sleep(pause)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing: the requests are recorded."""

        return Handler
