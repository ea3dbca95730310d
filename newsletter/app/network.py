"""The sources of a day, built from the settings, with what they share: the client, the pace, the memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from time import sleep
from typing import TYPE_CHECKING

from newsletter.database import Database
from newsletter.settings.sources import Sources

if TYPE_CHECKING:
    from newsletter.http_client import Response
    from newsletter.ingestion.feed_sources import ArxivApi
    from newsletter.ingestion.memory import Remembered
    from newsletter.ingestion.recording import Answers
    from newsletter.protocols import Source
    from newsletter.store import RawAnswer

ARXIV = "arxiv"


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
        self._turn: datetime | None = None
        self._free_at: dict[str, float] = {}

    def source(self) -> Source:
        """Return the configured sources as one."""
        from newsletter.ingestion.merged import MergedSource

        used = [self._build(name) for name in self._settings.use]
        return MergedSource(used, complete=self._arxiv_api().complete, clock=self._clock)

    def history(self) -> Source | None:
        """Return what can be asked for earlier days, once each; None where no source can."""
        return self._hugging_face(tries=1, reads=1) if "huggingface" in self._settings.use else None

    def taken(self) -> list[RawAnswer]:
        """Hand over the answers since the last call."""
        taken, self._taken = self._taken, []
        return taken

    def _client(self, *, tries: int = 4, remembering: bool = False) -> Answers:
        from newsletter.http_client import HttpClient
        from newsletter.ingestion.memory import RememberingClient
        from newsletter.ingestion.recording import RecordingClient

        if self._answers is not None:
            return self._answers
        total = self._settings.huggingface.timeout
        client: Answers = HttpClient(total=total, tries=tries, free_at=self._free_at)
        if self._database is None:
            return client
        if remembering:
            client = RememberingClient(client, StoredMemory(self._database))
        return RecordingClient(client, self._keep)

    def _keep(self, url: str, response: Response) -> None:
        from newsletter.store import RawAnswer

        self._taken.append(RawAnswer(url=url, status=response.status, body=response.body))

    def _build(self, name: str) -> Source:
        from newsletter.ingestion.feed_sources import ArxivFeedSource, FeedSource

        if name == "huggingface":
            return self._hugging_face()
        client = self._client(remembering=True)
        if name == ARXIV:
            arxiv = self._settings.arxiv
            return ArxivFeedSource(
                client, base_url=arxiv.feed_url, categories=arxiv.categories, announced=frozenset(arxiv.announce),
                pace=self._wait_for_turn, clock=self._clock,
            )  # fmt: skip
        return FeedSource(name, client, url=self._settings.feeds[name].url, clock=self._clock)

    def _hugging_face(self, *, tries: int = 4, reads: int = 2) -> Source:
        from newsletter.ingestion.huggingface import HuggingFaceSource

        own = self._settings.huggingface
        return HuggingFaceSource(
            self._client(tries=tries), base_url=own.base_url, closes_at=time.fromisoformat(own.closes_at),
            clock=self._clock, token=own.token.reveal(), reads=reads,
        )  # fmt: skip

    def _arxiv_api(self) -> ArxivApi:
        from newsletter.ingestion.feed_sources import ArxivApi

        return ArxivApi(self._client(), base_url=self._settings.arxiv.api_url, pace=self._wait_for_turn)

    def _wait_for_turn(self) -> None:
        """Wait for the next turn towards arXiv: one for all processes that share the database."""
        from newsletter import store

        pause = timedelta(seconds=self._settings.arxiv.pause)
        if self._answers is not None or not pause:
            return
        if self._database is None:
            wait = timedelta() if self._turn is None else max(timedelta(), self._turn - self._clock())
            self._turn = self._clock() + wait + pause
        else:
            with self._database.write() as connection:
                wait = store.reserve_turn(connection, ARXIV, pause, self._clock())
        sleep(wait.total_seconds())


class StoredMemory:
    """What was remembered of feeds, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recall(self, url: str) -> Remembered | None:
        """Return what is remembered of an address."""
        from newsletter import store
        from newsletter.ingestion.memory import Remembered

        with self._database.read() as connection:
            known = store.recall(connection, url)
        return None if known is None else Remembered(etag=known[0], last_modified=known[1], body=known[2])

    def remember(self, url: str, remembered: Remembered) -> None:
        """Keep it."""
        from newsletter import store

        with self._database.write() as connection:
            store.remember(connection, url, remembered.etag, remembered.last_modified, remembered.body)
