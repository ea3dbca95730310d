"""What providers post of letters on their way: checked, put down on the disk, then answered; worked through later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.delivery.events import CHUNK, put_down
from newsletter.errors import WebhookRefused
from newsletter.models.deliveries import Event
from newsletter.protocols import EventReader
from newsletter.web.site import Site

PATH = "/events/"
MOST_BYTES = 10 * 1024 * 1024
MOST_HELD = 64 * 1024 * 1024  # bytes of all bodies that are in memory: anybody can send some
MOST_AT_ONCE = 2  # bodies that are read


class EventPosts:
    """The routes. ``arrived`` says that something was put down."""

    def __init__(
        self, site: Site, readers: Mapping[str, EventReader], arrived: Callable[[], None], log: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._site = site
        self._readers = readers
        self._arrived = arrived
        self._log = log
        self._held = 0
        self._turn = asyncio.Semaphore(MOST_AT_ONCE)

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route(f"{PATH}{{provider}}", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """Take the events of a body, and answer once all are on the disk."""
        reader = self._readers.get(request.path_params["provider"])
        if reader is None:
            self._log(f"events refused: nobody's are taken at that address, but at {self._taken()}")
            raise HTTPException(404)
        async with self._body(request) as body, self._turn:
            headers, now = dict(request.headers), self._site.clock()
            try:
                events = await asyncio.to_thread(reader.read, headers, body, now)
            except WebhookRefused as error:
                self._log(f"events of {reader.name} refused: {error.problem}")
                return PlainTextResponse("not proven\n", 401)
            new = await self._put_down(reader.name, events)
        return PlainTextResponse(f"{new} new of {len(events)}\n")

    def _taken(self) -> str:
        return ", ".join(f"{PATH}{name}" for name in self._readers) or "none (docs/events.md)"

    @asynccontextmanager
    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        """Give the body of a request, unless there is too much of others."""
        parts, size = [], 0
        try:
            async for part in request.stream():
                size += len(part)
                self._held += len(part)
                if self._held > MOST_HELD:
                    raise HTTPException(503, "too much at once", headers={"Retry-After": "30"})
                parts.append(part)
            yield b"".join(parts)
        finally:
            self._held -= size

    async def _put_down(self, provider: str, events: Sequence[Event]) -> int:
        """Put events down, some in a transaction, so that other writers have their turn; return how many are new."""
        new, now = 0, self._site.clock()
        try:
            for begin in range(0, len(events), CHUNK):
                some = partial(put_down, provider=provider, events=events[begin : begin + CHUNK], now=now)
                new += await self._site.write(some)
        finally:
            if new:
                self._arrived()
        return new
