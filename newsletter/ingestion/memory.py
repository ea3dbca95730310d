"""What a feed said of its content the last time, so that it need not send the same again (RFC 9110, 13.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from newsletter.http_client import Response
from newsletter.ingestion.recording import Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A content and its validators; either may be empty."""

    etag: str
    last_modified: str
    body: bytes


class Memory(Protocol):
    """Keeps what was remembered of addresses."""

    def recall(self, url: str) -> Remembered | None:
        """Return what is remembered of an address."""

    def remember(self, url: str, remembered: Remembered) -> None:
        """Keep it."""


class RememberingClient:
    """Asks only for what has changed; who calls it sees the whole content every time."""

    def __init__(self, client: Answers, memory: Memory) -> None:
        self._client = client
        self._memory = memory

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return the content, from the server or from memory."""
        known = self._memory.recall(url)
        asked = dict(headers or {})
        if known is not None and known.etag:
            asked["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            asked["If-Modified-Since"] = known.last_modified
        response = self._client.get(url, params=params, headers=asked)
        if response.status == 304 and known is not None:
            return replace(response, status=200, body=known.body)
        etag, last_modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
        if response.status == 200 and (etag or last_modified):
            self._memory.remember(url, Remembered(etag=etag, last_modified=last_modified, body=response.body))
        return response
