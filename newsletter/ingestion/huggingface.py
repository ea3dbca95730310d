"""The Hugging Face Daily Papers as a source: one day, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from newsletter.errors import SourceError
from newsletter.ingestion.daily_papers import Page, page_of_day, parse_daily_papers, read_page
from newsletter.ingestion.merged import merge_papers
from newsletter.ingestion.recording import Answers
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from newsletter.protocols import Source

__all__ = ["HuggingFaceSource", "parse_daily_papers"]

PAGE_SIZE = 100
MOST_PAGES = 20
_DEFAULT_SIZE = 50  # what a server that overlooks `limit` gives


@dataclass(slots=True)
class _Collected:
    papers: list[Paper] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    kind: DayKind | None = None  # set where an answer decided it


class HuggingFaceSource(Source):
    """Asks the API for a day. ``closes_at`` (UTC) is when that day's submissions end, on the day itself.

    A page that cannot be read (half a JSON) is asked for up to ``reads`` times in all.
    """

    name = "huggingface"

    def __init__(
        self,
        client: Answers,
        *,
        base_url: str,
        closes_at: time,
        clock: Callable[[], datetime],
        token: str = "",
        reads: int = 2,
    ) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/api/daily_papers"
        self._closes_at = closes_at
        self._clock = clock
        self._reads = reads
        self._headers = {"Accept": "application/json"}
        if token:  # the client gives it to this host alone
            self._headers["Authorization"] = f"Bearer {token}"

    def fetch(self, day: date) -> DayOfPapers:
        """Return the day's papers; faults of the source are kind FAILED (nothing) or CUT (a part)."""
        now = self._clock()
        closed = now >= datetime.combine(day, self._closes_at, tzinfo=UTC)
        collected = self._collect(day, closed=closed)
        papers, _ = merge_papers([collected.papers])  # repeated where votes moved one to the next page
        kind = collected.kind
        if kind is None:
            kind = DayKind.NOT_READY if not closed else DayKind.COMPLETE if papers else DayKind.QUIET
        return DayOfPapers(
            source=self.name,
            day=day,
            kind=kind,
            papers=papers,
            taken_at=now,
            page=page_of_day(day),
            warnings=tuple(collected.warnings),
        )

    def _collect(self, day: date, *, closed: bool) -> _Collected:
        collected = _Collected()
        try:
            for page in self._pages(day, closed=closed):
                if page is None:
                    collected.kind = DayKind.NOT_READY
                    return collected
                collected.papers.extend(page.papers)
                collected.warnings.extend(page.warnings)
        except SourceError as error:
            if not collected.papers:
                collected.kind = DayKind.FAILED
            elif closed:
                collected.kind = DayKind.CUT
            collected.warnings.append(str(error))
        return collected

    def _pages(self, day: date, *, closed: bool) -> Iterator[Page | None]:
        """Yield the day's pages, None if the server says that the day has not come.

        A page is the last one if it is short, empty or brings nothing new. A full one is never believed to be the
        last, nor is one of 50 where all were of 50, the size of a server that overlooks ``limit``.
        """
        seen: set[str] = set()
        full = {PAGE_SIZE, _DEFAULT_SIZE}
        for number in range(MOST_PAGES):
            page = self._page(day, number, closed=closed)
            ids = {paper.id for paper in page.papers} if page else set()
            if page is None or not ids - seen:
                if number == 0:
                    yield page
                return
            yield page
            seen |= ids
            if page.length not in full:
                return
            full = {page.length}
        raise SourceError(
            f"the day {day} has more than {MOST_PAGES} pages; the rest is left out",
            subject=self._url,
            remedy="check sources.huggingface.base_url",
        )

    def _page(self, day: date, number: int, *, closed: bool) -> Page | None:
        for _ in range(self._reads - 1):
            body = self._body(day, number, closed=closed)
            try:
                return None if body is None else self._read(body, day, number)
            except SourceError:  # half an answer: the next may be whole
                continue
        body = self._body(day, number, closed=closed)
        return None if body is None else self._read(body, day, number)

    def _read(self, body: bytes, day: date, number: int) -> Page:
        return read_page(body, name=f"{self._url} ({day}, page {number + 1})")

    def _body(self, day: date, number: int, *, closed: bool) -> bytes | None:
        query = {"date": day.isoformat(), "limit": str(PAGE_SIZE), "p": str(number)}
        response = self._client.get(self._url, params=query, headers=self._headers)
        if response.status == 400 and not closed:
            return None
        if response.status != 200:
            raise SourceError(
                f"the server answered {response.status} for {day}, page {number + 1}",
                subject=self._url,
                remedy="check sources.huggingface.base_url, or try again later",
            )
        return response.body
