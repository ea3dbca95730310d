"""What stands around every page: bounds of the body, headers of the answer, one line of log, and no traceback.

Links hold tokens and forms hold addresses, so the log has the pattern of a route instead of its path, and an error
is told by its kind and place, without its words.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.errors import DatabaseError
from newsletter.web.patience import MOST_HEADER_BYTES
from subscribers.errors import StoreError

MOST_BODY_BYTES = 16 * 1024
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLOSE = {"Connection": "close"}
_HUNG_UP = 499  # in the log alone, as proxies write it
_EVERYWHERE = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_OF_PAGES = {
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_PLAIN, _PAGE = _encoded(_EVERYWHERE), _encoded(_EVERYWHERE | _OF_PAGES)


class _TooLarge(Exception):
    """A body is larger than any form of ours."""


class Guard:
    """Wraps the pages. ``fault`` makes the page of a status; ``log`` gets one line a request.

    ``larger`` are the most bytes of a body below paths that take more than a form has.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        fault: Callable[[Scope, int], Response],
        log: Callable[[str], None],
        larger: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._larger = larger
        self._prefix = prefix
        self._fault = fault
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        self._strip(scope)
        scope["app"] = self  # so that the router tells us of what it does not find
        began, status, size, most = time.monotonic(), 0, 0, self._most(scope)

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise _TooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = dict(message["headers"])
                wanted = _PAGE if present.get(b"content-type", b"").startswith(b"text/html") else _PLAIN
                message["headers"] += [pair for pair in wanted if pair[0] not in present]
            await send(message)

        try:
            await self._guarded(scope, bounded, dressed, most)
        except ClientDisconnect:
            status = _HUNG_UP
        except Exception as error:  # noqa: BLE001  # the one place where an error becomes a status
            self._log(f"{_named(scope)} failed: {_told(error)}")
            if not status:
                unavailable = isinstance(error, (DatabaseError, StoreError))
                await self._fault(scope, 503 if unavailable else 500)(scope, receive, dressed)
        self._log(f"{_named(scope)} {status} {1000 * (time.monotonic() - began):.0f} ms")

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        refused: Response | None = None
        if _head_bytes(scope) > MOST_HEADER_BYTES:
            refused = PlainTextResponse("too large\n", 431, headers=_CLOSE)
        elif _declared(scope) > most:
            refused = PlainTextResponse("too large\n", 413, headers=_CLOSE)
        else:
            try:
                await self._app(scope, receive, send)
            except _TooLarge:
                refused = PlainTextResponse("too large\n", 413, headers=_CLOSE)
            except HTTPException as error:
                if error.status_code == 404:
                    refused = self._fault(scope, 404)
                else:
                    headers = {**(error.headers or {}), **_CLOSE}
                    refused = PlainTextResponse(f"{error.detail}\n", error.status_code, headers=headers)
        if refused is not None:
            await refused(scope, receive, send)

    def _most(self, scope: Scope) -> int:
        below = (most for path, most in self._larger.items() if scope["path"].startswith(path))
        return next(below, MOST_BODY_BYTES)

    def _strip(self, scope: Scope) -> None:
        """Take the public address's own path away, which a proxy may leave in front."""
        path = scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            scope["path"] = path[len(self._prefix) :] or "/"


def _head_bytes(scope: Scope) -> int:
    """Return the size of address and headers; uvicorn bounds only what it has not yet read whole."""
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return len(scope["raw_path"]) + len(scope["query_string"]) + headers


def _declared(scope: Scope) -> int:
    """Return the Content-Length; h11 has checked that it is a number."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length[:12])


def _named(scope: Scope) -> str:
    method = scope["method"] if scope["method"] in _METHODS else "?"
    route = scope.get("route")
    return f"{method} {getattr(route, 'path', '(no page)')}"


def _told(error: Exception) -> str:
    """Return kind and place of an error; its words may hold an address."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
