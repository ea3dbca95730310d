"""The preview studio: one page on this machine alone, with the letter in a frame that can do nothing.

The standard library's server is enough for one person on loopback. What keeps others out: it is bound to 127.0.0.1;
a request whose Host is another name is refused (a foreign page that points its name here); nothing but GET is
answered, and nothing changes anything; no answer may be framed or read by a page of another origin. The letter is
served under a policy of its own, without scripts, forms or requests but pictures, and in a sandbox, so that it
cannot touch the page around it. Its links may open a new tab, because a link is there to be tried.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Event, Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from newsletter.errors import InputError
from newsletter.web.desk import Desk, keep_fresh
from newsletter.web.framing import Scheme, framed
from newsletter.web.making import Maker
from newsletter.web.proof import Proof, as_json

HOST = "127.0.0.1"
HEARTBEAT = 15.0  # seconds: a browser that left is noticed when it is written to
_ASSETS = Path(__file__).parent / "assets"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LETTER_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_PICTURES = {"on": "https: http: data:", "off": "'none'"}


class Studio:
    """The server. `address` can be opened as soon as it is made; `run` answers until Ctrl-C."""

    def __init__(self, maker: Maker, *, port: int, explain: Callable[[Exception], str]) -> None:
        self._maker = maker
        self._explain = explain
        self._desk = Desk()
        try:
            self._server = _Server(self._desk, port)
        except OSError as error:
            raise InputError(
                f"port {port} cannot be used ({error.strerror or error})",
                subject="--port",
                remedy="choose another one, 0 for any that is free",
            ) from error

    @property
    def address(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self._server.server_port}/"

    def run(self) -> None:
        """Answer requests, and make the letter again after each change, until the process is interrupted."""
        stop = Event()
        maker = Thread(target=keep_fresh, args=(self._desk, self._maker, stop, self._explain), daemon=True)
        maker.start()
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            stop.set()
            self._desk.close()
            self._server.server_close()
            maker.join(timeout=5)


class _Server(ThreadingHTTPServer):
    """Knows the desk; tells nobody of a browser that hung up."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk = desk
        super().__init__((HOST, port), _Handler)
        own = {"127.0.0.1", "localhost", "[::1]"}
        self.hosts = {f"{name}:{self.server_port}" for name in own} | (
            own if self.server_port == 80 else set()
        )

    def server_bind(self) -> None:
        """Bind without asking a name server for the machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the library's signature
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            print(f"newsletter: a request failed: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201


class _Refused(Exception):
    """A request that is answered with a status and one line."""

    def __init__(self, status: HTTPStatus, line: str) -> None:
        self.status = status
        super().__init__(line)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    timeout = 30
    pages: ClassVar[dict[str, str]] = {
        "/": "studio.html",
        "/studio.css": "studio.css",
        "/studio.js": "studio.js",
        "/icon.svg": "icon.svg",
    }

    def do_GET(self) -> None:
        """Answer, or refuse in one line."""
        try:
            if self.headers.get("Host", "").lower() not in self.server.hosts:
                raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "this is not the name of the studio")
            url = urlsplit(self.path)
            if url.path != "/" and self.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
                raise _Refused(HTTPStatus.FORBIDDEN, "the studio answers its own page alone")
            self._answer(url.path, {name: values[-1] for name, values in parse_qs(url.query).items()})
        except (_Refused, ValueError) as refused:
            status = refused.status if isinstance(refused, _Refused) else HTTPStatus.BAD_REQUEST
            self._send(f"{refused}\n".encode(), "text/plain; charset=utf-8", status=status)

    def _answer(self, path: str, query: dict[str, str]) -> None:
        if path in self.pages:
            asset = _ASSETS / self.pages[path]
            self._send(asset.read_bytes(), f"{_TYPES[asset.suffix]}; charset=utf-8")
        elif path == "/state":
            state = json.dumps(as_json(self.server.desk.state()), ensure_ascii=False)
            self._send(state.encode(), "application/json")
        elif path == "/events":
            self._events()
        elif path == "/letter":
            self._letter(query)
        elif path == "/issue.txt":
            self._send(self._proof().text.encode(), "text/plain; charset=utf-8")
        elif path == "/issue.md":
            self._send(self._proof().markdown.encode(), "text/plain; charset=utf-8")
        elif path == "/issue.eml":
            self._send(self._proof().message, "message/rfc822", attachment="issue.eml")
        else:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _proof(self) -> Proof:
        proof = self.server.desk.state().proof
        if proof is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no letter yet")
        return proof

    def _letter(self, query: dict[str, str]) -> None:
        """Send the letter as the kind of client that was asked for shows it."""
        scheme, pictures = query.get("scheme", "light"), query.get("pictures", "on")
        if scheme not in {each.value for each in Scheme} or pictures not in _PICTURES:
            raise _Refused(
                HTTPStatus.BAD_REQUEST, "scheme is light, dark or inverted, and pictures are on or off"
            )
        self._send(
            framed(self._proof().html, Scheme(scheme), pictures=pictures == "on").encode(),
            "text/html; charset=utf-8",
            policy=_LETTER_POLICY.format(pictures=_PICTURES[pictures]),
        )

    def _events(self) -> None:
        """Say the version of the letter, and again whenever there is a new one, while the page listens."""
        self._head(HTTPStatus.OK, "text/event-stream", _PAGE_POLICY)
        self.end_headers()
        version: str | None = self.server.desk.state().version
        while version is not None:
            self.wfile.write(f"data: {version}\n\n".encode())
            self.wfile.flush()
            version = self.server.desk.wait(version, HEARTBEAT)

    def _refuse_method(self) -> None:
        line = b"the studio only shows things: use GET\n"
        self._send(line, "text/plain; charset=utf-8", status=HTTPStatus.METHOD_NOT_ALLOWED)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse_method  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no proper request; the library calls this."""
        self._send(
            f"{HTTPStatus(code).phrase}\n".encode(), "text/plain; charset=utf-8", status=HTTPStatus(code)
        )

    def _send(
        self, body: bytes, kind: str, *, status: HTTPStatus = HTTPStatus.OK, policy: str = _PAGE_POLICY,
        attachment: str = "",
    ) -> None:  # fmt: skip
        self._head(status, kind, policy)
        self.send_header("Content-Length", str(len(body)))
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        if attachment:
            self.send_header("Content-Disposition", f'attachment; filename="{attachment}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, policy: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)

    def version_string(self) -> str:
        """Return no more than the name."""
        return "newsletter"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the terminal is for faults."""
