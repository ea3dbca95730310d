"""The connections of the server: how many, how long a request may take to come, how long its answer to leave."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 1_000
REQUEST_SECONDS = 15.0  # for headers and body of one request, from its first byte or the connection's start
ANSWER_SECONDS = 90.0  # for the work and for a client that reads slowly
IDLE_SECONDS = 5  # between two requests of a connection
MOST_HEADER_BYTES = 16 * 1024


class Patient(H11Protocol):
    """uvicorn's HTTP/1.1, which waits for nobody for ever; it has no limits of this kind."""

    _limit: asyncio.TimerHandle | None = None
    _answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._within(REQUEST_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Take some bytes; what is no HTTP at all ends the connection."""
        if self._limit is None:
            self._within(REQUEST_SECONDS)
        try:
            super().data_received(data)
        except Exception:  # noqa: BLE001  # h11 and uvicorn raise several for bytes that come out of turn
            self.transport.abort()
            return
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request, a little."""
        self._within(None)
        self._answering = False
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limit."""
        self._within(None)
        super().connection_lost(exc)

    def _look(self) -> None:
        """Give the answer its own time once the whole request is there."""
        cycle: Any = self.cycle
        whole = cycle is not None and not cycle.response_complete and not cycle.more_body
        if whole and not self._answering:
            self._answering = True
            self._within(ANSWER_SECONDS)

    def _within(self, seconds: float | None) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = None if seconds is None else self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._limit = None
        self.transport.abort()
