"""The sources of a day, built from the settings, with what they share: the client, the pace, the memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import TYPE_CHECKING

from newsletter.database import Database
from newsletter.settings import Sources

if TYPE_CHECKING:
    from newsletter.http_client import Response
    from newsletter.ingestion.recording import Answers
    from newsletter.protocols import Source
    from newsletter.store import RawAnswer


class Network:
    """Builds sources. ``database`` keeps answers, memory and pace; without one nothing is kept.

    ``answers`` stands in for the network in a replay.
    """

    def __init__(
        self, settings: Sources, *, clock: Callable[[], datetime], database: Database | None = None,
        answers: Answers | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._clock = clock
        self._database = database
        self._answers = answers
        self._taken: list[RawAnswer] = []

    def source(self) -> Source:
        """Return the configured sources as one."""
        return self._hugging_face(self._client())

    def history(self) -> Source | None:
        """Return what can be asked for earlier days, once each; None where no source can."""
        return self._hugging_face(self._client(tries=1)) if "huggingface" in self._settings.use else None

    def taken(self) -> list[RawAnswer]:
        """Hand over the answers since the last call."""
        taken, self._taken = self._taken, []
        return taken

    def _client(self, *, tries: int = 4) -> Answers:
        from newsletter.http_client import HttpClient
        from newsletter.ingestion.recording import RecordingClient

        if self._answers is not None:
            return self._answers
        client = HttpClient(total=self._settings.huggingface.timeout, tries=tries)
        return client if self._database is None else RecordingClient(client, self._keep)

    def _keep(self, url: str, response: Response) -> None:
        from newsletter.store import RawAnswer

        self._taken.append(RawAnswer(url=url, status=response.status, body=response.body))

    def _hugging_face(self, client: Answers) -> Source:
        from newsletter.ingestion.huggingface import HuggingFaceSource

        own = self._settings.huggingface
        return HuggingFaceSource(
            client, base_url=own.base_url, closes_at=time.fromisoformat(own.closes_at), clock=self._clock,
        )  # fmt: skip
