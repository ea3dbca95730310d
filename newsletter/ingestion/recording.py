"""Answers that are kept as they come, and answers that are given again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlencode

from newsletter.errors import SourceError
from newsletter.http_client import Response


class Answers(Protocol):
    """What sources ask: an `HttpClient`, or what stands in for it."""

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return the answer of an address; raise `SourceError` where there is none."""


class RecordingClient:
    """Passes every answer on, and to ``keep`` under its whole address."""

    def __init__(self, client: Answers, keep: Callable[[str, Response], None]) -> None:
        self._client = client
        self._keep = keep

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return the answer of an address."""
        response = self._client.get(url, params=params, headers=headers)
        self._keep(_whole(url, params), response)
        return response


class RecordedClient:
    """Gives kept answers again, and asks nobody."""

    def __init__(self, answers: Mapping[str, Response]) -> None:
        self._answers = answers

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002  # an answer is kept for its address
    ) -> Response:
        """Return the kept answer of an address."""
        whole = _whole(url, params)
        if whole not in self._answers:
            raise SourceError("no answer of it is kept", subject=whole)
        return self._answers[whole]


def _whole(url: str, params: Mapping[str, str] | None) -> str:
    return f"{url}?{urlencode(params)}" if params else url
