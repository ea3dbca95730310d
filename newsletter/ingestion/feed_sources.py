"""Feeds as sources of a day: arXiv's own, and any RSS, Atom or JSON feed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from newsletter.errors import SourceError
from newsletter.ingestion.arxiv_ids import normalize_arxiv_id
from newsletter.ingestion.feed import read_feed
from newsletter.ingestion.json_feed import is_json_feed, read_json_feed
from newsletter.ingestion.merged import merge_papers
from newsletter.ingestion.parsed import ParsedFile
from newsletter.ingestion.recording import Answers
from newsletter.models.papers import DayKind, DayOfPapers, Paper

SATURDAY = 5
_FEEDS = "application/rss+xml, application/atom+xml, application/feed+json, */*;q=0.5"
IDS_A_REQUEST = 100


class FeedSource:
    """Any feed. A day's papers are the items published on it (UTC); those without a date are today's."""

    def __init__(self, name: str, client: Answers, *, url: str, clock: Callable[[], datetime]) -> None:
        self.name = name
        self._client = client
        self._url = url
        self._clock = clock

    def fetch(self, day: date) -> DayOfPapers:
        """Return the items of a day, which is closed when it is over."""
        now = self._clock()
        try:
            feed = _read(self._client, self._url)
        except SourceError as error:
            return _failed(self.name, day, now, error)
        papers = tuple(
            replace(paper, sources=(self.name,))
            for paper in feed.papers
            if (paper.published_at or now).astimezone(UTC).date() == day
        )
        dated = [paper.published_at for paper in feed.papers if paper.published_at]
        if dated and not papers and (oldest := min(dated).astimezone(UTC).date()) > day:
            missed = SourceError(f"the feed shows nothing older than {oldest}", subject=self._url)
            return _failed(self.name, day, now, missed)
        closed = now >= datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
        kind = DayKind.NOT_READY if not closed else DayKind.COMPLETE if papers else DayKind.QUIET
        return DayOfPapers(
            source=self.name, day=day, kind=kind, papers=papers, taken_at=now, warnings=feed.warnings
        )


class ArxivFeedSource:
    """arXiv's feed of announcements: one request for all categories. It shows one day, the newest.

    ``announced`` are the kinds of announcement that count; ``pace`` waits for our turn.
    """

    name = "arxiv"

    def __init__(
        self,
        client: Answers,
        *,
        base_url: str,
        categories: Sequence[str],
        announced: frozenset[str],
        pace: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/rss/{'+'.join(categories)}"
        self._announced = announced
        self._pace = pace
        self._clock = clock

    def fetch(self, day: date) -> DayOfPapers:
        """Return the announcements of a day; the feed is whole as soon as it is there."""
        now = self._clock()
        try:
            self._pace()
            feed = _read(self._client, self._url, announced=self._announced)
            if feed.day is None:
                raise SourceError("the feed does not say of what day it is", subject=self._url)
            if feed.day > day:
                raise SourceError(f"arXiv's feed shows {feed.day} only", subject=self._url)
        except SourceError as error:
            return _failed(self.name, day, now, error)
        papers = feed.papers if feed.day == day else ()
        quiet = feed.day == day or day.weekday() >= SATURDAY  # no announcements on weekends
        kind = DayKind.COMPLETE if papers else DayKind.QUIET if quiet else DayKind.NOT_READY
        return DayOfPapers(
            source=self.name, day=day, kind=kind, papers=papers, taken_at=now, warnings=feed.warnings
        )


class ArxivApi:
    """arXiv's API, asked for what papers lack: 100 ids a request, one request at a time."""

    def __init__(self, client: Answers, *, base_url: str, pace: Callable[[], None]) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/api/query"
        self._pace = pace

    def complete(self, papers: Sequence[Paper]) -> tuple[tuple[Paper, ...], tuple[str, ...]]:
        """Return the papers with abstracts and authors filled in where arXiv has them, and warnings."""
        lacking = [paper.id for paper in papers if _lacks(paper)]
        found: list[Paper] = []
        warnings: list[str] = []
        for start in range(0, len(lacking), IDS_A_REQUEST):
            self._ask(lacking[start : start + IDS_A_REQUEST], found, warnings)
        known = {paper.id for paper in papers}
        merged, _ = merge_papers([papers, [replace(each, sources=()) for each in found if each.id in known]])
        return merged, tuple(warnings)

    def _ask(self, ids: list[str], found: list[Paper], warnings: list[str]) -> None:
        """Ask for some papers; where arXiv calls an id wrong, which fails the whole request, find it by halving."""
        self._pace()
        try:
            response = self._client.get(
                self._url, params={"id_list": ",".join(ids), "max_results": str(len(ids))}
            )
            if response.status == 400 and len(ids) > 1:
                middle = len(ids) // 2
                self._ask(ids[:middle], found, warnings)
                self._ask(ids[middle:], found, warnings)
                return
            found.extend(_parse(response.status, response.body, self._url).papers)
        except SourceError as error:
            warnings.append(
                f"arxiv: {', '.join(ids[:3])}{' ...' if len(ids) > 3 else ''} not completed ({error})"
            )


def _lacks(paper: Paper) -> bool:
    """Tell whether arXiv is asked about a paper. What Hugging Face hides (authors) stays hidden."""
    whole = paper.abstract and paper.authors
    return not whole and "huggingface" not in paper.sources and normalize_arxiv_id(paper.id) is not None


def _read(client: Answers, url: str, *, announced: frozenset[str] | None = None) -> ParsedFile:
    response = client.get(url, headers={"Accept": _FEEDS})
    feed = _parse(response.status, response.body, url, announced=announced)
    if not feed.whole:
        raise SourceError("the feed breaks off in the middle", subject=url, remedy="try again later")
    return feed


def _parse(status: int, body: bytes, url: str, *, announced: frozenset[str] | None = None) -> ParsedFile:
    start = body[:4096].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if status not in {200, 400}:
        raise SourceError(
            f"the server answered {status}", subject=url, remedy="check the address, or try again later"
        )
    if is_json_feed(start):
        return read_json_feed(body, name=url)
    feed = read_feed(body, name=url, announced=announced)  # an error of arXiv's says why in its own words
    if status != 200:
        raise SourceError(f"the server answered {status}", subject=url, remedy="check the address")
    return feed


def _failed(name: str, day: date, now: datetime, error: SourceError) -> DayOfPapers:
    return DayOfPapers(
        source=name, day=day, kind=DayKind.FAILED, papers=(), taken_at=now, warnings=(str(error),)
    )
