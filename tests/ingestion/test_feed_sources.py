"""Feeds as sources, against a real local server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from newsletter.app.network import StoredMemory
from newsletter.database import Database
from newsletter.http_client import HttpClient
from newsletter.ingestion.feed_sources import ArxivApi, ArxivFeedSource, FeedSource
from newsletter.ingestion.memory import Memory, Remembered, RememberingClient
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from tests.servers.papers_api import Fault, PapersApi

DAY = date(2026, 1, 7)  # a Wednesday
EVENING = datetime(2026, 1, 7, 18, tzinfo=UTC)
NEXT_DAY = datetime(2026, 1, 8, 1, tzinfo=UTC)
RSS = """<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>cs.CL updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.CL</link>
<pubDate>{made}</pubDate>{items}</channel></rss>"""
ITEM = """<item><title>{title}</title><link>https://arxiv.org/abs/{id}</link><guid>oai:arXiv.org:{id}v1</guid>
<description>arXiv:{id}v1 Announce Type: {kind} &#10;Abstract: We show {title}.</description>
<pubDate>{made}</pubDate><arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>Ada L., Bo M.</dc:creator></item>"""


def arxiv_feed(kinds: Mapping[str, str], day: date = DAY) -> bytes:
    made = format_datetime(datetime(day.year, day.month, day.day, 5, tzinfo=UTC))
    items = "".join(
        ITEM.format(id=key, title=f"Paper {key}", kind=kind, made=made) for key, kind in kinds.items()
    )
    return RSS.format(made=made, items=items).encode()


def arxiv(api: PapersApi, day: date = DAY, now: datetime = EVENING, announced: str = "new") -> DayOfPapers:
    source = ArxivFeedSource(
        HttpClient(backoff=0.01), base_url=api.url, categories=["cs.AI", "cs.CL"],
        announced=frozenset(announced.split()), pace=lambda: None, clock=lambda: now,
    )  # fmt: skip
    return source.fetch(day)


ALL = {"2601.00001": "new", "2601.00002": "cross", "2601.00003": "replace", "2601.00004": "replace-cross"}
PATH = "/rss/cs.AI+cs.CL"


class TestArxivFeed:
    @pytest.mark.parametrize(
        ("announced", "ids"),
        [("new", [1]), ("new cross", [1, 2]), ("replace", [3, 4]), ("new cross replace", [1, 2, 3, 4])],
    )
    def test_one_request_for_all_categories(self, announced: str, ids: list[int]) -> None:
        with PapersApi(contents={PATH: arxiv_feed(ALL)}) as api:
            day = arxiv(api, announced=announced)
        assert [paper.id for paper in day.papers] == [f"2601.0000{number}" for number in ids]
        assert day.kind is DayKind.COMPLETE
        assert api.requests == [PATH]
        paper = day.papers[0]
        assert (paper.authors, paper.votes, paper.votable) == (("Ada L.", "Bo M."), None, False)
        assert paper.abstract.startswith("We show Paper")

    @pytest.mark.parametrize(
        ("day", "kinds", "expected"),
        [
            (DAY, {}, DayKind.QUIET),  # a holiday
            (date(2026, 1, 8), ALL, DayKind.NOT_READY),
            (date(2026, 1, 10), ALL, DayKind.QUIET),  # a Saturday
            (date(2026, 1, 6), ALL, DayKind.FAILED),  # it shows the newest day only
        ],
    )
    def test_what_kind_of_day_it_is(self, day: date, kinds: Mapping[str, str], expected: DayKind) -> None:
        with PapersApi(contents={PATH: arxiv_feed(kinds)}) as api:
            found = arxiv(api, day)
        assert (found.kind, found.papers) == (expected, ())
        assert bool(found.warnings) == (expected is DayKind.FAILED)

    def test_a_wrong_category_is_said_in_arxivs_words(self) -> None:
        body = b"<rss version='2.0'><channel><title>Feed error for query: cs.XX</title><description>Bad archive 'xx'</description></channel></rss>"
        with PapersApi(contents={PATH: body}) as api:
            day = arxiv(api)
        assert day.kind is DayKind.FAILED
        assert "Bad archive" in day.warnings[0]

    @pytest.mark.parametrize(
        "fault", [Fault(status=404, body=b""), Fault(body=b"<html>down</html>"), Fault(keep=40)]
    )
    def test_a_broken_feed_is_a_failed_day(self, fault: Fault) -> None:
        with PapersApi(contents={PATH: arxiv_feed(ALL)}, faults=[fault] * 4) as api:
            assert arxiv(api).kind is DayKind.FAILED

    def test_a_feed_that_breaks_off_in_the_middle_is_a_failed_day(self) -> None:
        whole = arxiv_feed(ALL)
        with PapersApi(contents={PATH: whole[: whole.rindex(b"<item>") + 60]}) as api:
            day = arxiv(api)
        assert (day.kind, day.papers) == (DayKind.FAILED, ())
        assert "breaks off in the middle" in day.warnings[0]


def feed(api: PapersApi, path: str, day: date = DAY, now: datetime = NEXT_DAY) -> DayOfPapers:
    return FeedSource("blog", HttpClient(backoff=0.01), url=api.url + path, clock=lambda: now).fetch(day)


def json_feed(*items: Mapping[str, object]) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items}).encode()


class TestAnyFeed:
    def test_the_items_of_the_day_are_its_papers(self) -> None:
        body = json_feed(
            {"id": "1", "title": "Of &lt;today&gt;", "url": "https://example.org/1", "content_html": "<p>Text</p>",
             "date_published": "2026-01-07T23:30:00-00:00", "authors": [{"name": "Ada"}], "tags": ["llm"]},
            {"id": "2", "title": "Of tomorrow", "url": "https://example.org/2",
             "date_published": "2026-01-07T23:30:00-05:00"},
            {"id": 3, "title": "A paper", "external_url": "https://arxiv.org/abs/2601.00009v2",
             "date_published": "2026-01-07T00:00:00Z"},
        )  # fmt: skip
        with PapersApi(contents={"/feed.json": body}) as api:
            day = feed(api, "/feed.json")
        assert day.kind is DayKind.COMPLETE
        first, second = day.papers
        assert (first.title, first.abstract, first.authors, first.keywords) == (
            "Of <today>",
            "Text",
            ("Ada",),
            ("llm",),
        )
        assert second.id == "2601.00009"
        assert {paper.sources for paper in day.papers} == {("blog",)}

    def test_points_become_votes(self) -> None:
        item = "<item><title>T</title><link>https://example.org/x</link><pubDate>Wed, 07 Jan 2026 10:00:00 GMT</pubDate><description>Points: 77</description></item>"
        with PapersApi(
            contents={
                "/rss": RSS.format(made="", items=item).replace("rss.arxiv.org", "example.org").encode()
            }
        ) as api:
            (paper,) = feed(api, "/rss").papers
        assert (paper.votes, paper.votable) == (77, True)

    @pytest.mark.parametrize(
        ("day", "now", "kind"),
        [
            (DAY, EVENING, DayKind.NOT_READY),
            (DAY, NEXT_DAY, DayKind.QUIET),
            (date(2026, 1, 9), NEXT_DAY, DayKind.NOT_READY),
        ],
    )
    def test_a_feed_without_items_of_the_day(self, day: date, now: datetime, kind: DayKind) -> None:
        with PapersApi(contents={"/feed.json": json_feed()}) as api:
            assert feed(api, "/feed.json", day, now).kind is kind

    def test_a_day_that_the_feed_shows_no_longer_is_failed(self) -> None:
        item = {
            "id": "1",
            "title": "T",
            "url": "https://example.org/1",
            "date_published": "2026-01-07T10:00:00Z",
        }
        with PapersApi(contents={"/feed.json": json_feed(item)}) as api:
            earlier, later = (
                feed(api, "/feed.json", date(2026, 1, 6)),
                feed(api, "/feed.json", date(2026, 1, 7)),
            )
        assert (earlier.kind, later.kind) == (DayKind.FAILED, DayKind.COMPLETE)
        assert "shows nothing older than 2026-01-07" in earlier.warnings[0]

    def test_a_feed_with_a_slip_is_read_to_its_end(self) -> None:
        items = "".join(
            f"<item><title>R&D &nbsp;{n}</title><link>https://example.org/{n}</link>"
            "<pubDate>Wed, 07 Jan 2026 10:00:00 GMT</pubDate></item>" for n in range(3)
        )  # fmt: skip
        body = f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'
        with PapersApi(contents={"/rss": body.encode()}) as api:
            day = feed(api, "/rss")
        assert (day.kind, len(day.papers)) == (DayKind.COMPLETE, 3)
        assert "damaged" in day.warnings[0]

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
    def test_a_time_outside_the_calendar_is_none(self, time: str) -> None:
        item = {"id": "1", "title": "T", "url": "https://example.org/1", "date_published": time}
        with PapersApi(contents={"/feed.json": json_feed(item)}) as api:
            day = feed(api, "/feed.json", NEXT_DAY.date())
        assert [paper.published_at for paper in day.papers] == [None]

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b"[" * 100_000, b'{"version": "https://jsonfeed.org/version/1", "items": ' + b"[" * 100_000,
                 b"<a>" * 100_000, b"\x00\x01\x02", b'{"version": "https://jsonfeed.org/version/1", "items": [1', b"<rss>"],
        ids=lambda body: repr(body[:8] + body[-8:]),
    )  # fmt: skip
    @pytest.mark.timeout(20)  # a hang fails
    def test_what_is_no_feed_is_a_failed_day(self, body: bytes) -> None:
        with PapersApi(contents={"/feed": body}) as api:
            day = feed(api, "/feed")
        assert day.kind is DayKind.FAILED
        assert "\n" not in day.warnings[0]

    @pytest.mark.parametrize(
        ("declared", "written", "title"),
        [
            ("iso-8859-1", "iso-8859-1", "Zoë"),
            ("utf-16", "utf-16", "Zoë"),
            ("utf-8", "utf-8", "Zoë"),
            ("utf-8", "iso-8859-1", "Zo"),  # it says one thing and is another
        ],
    )
    def test_encodings_right_and_wrong(self, declared: str, written: str, title: str) -> None:
        item = "<item><title>Zoë</title><link>https://example.org/x</link><pubDate>Wed, 07 Jan 2026 10:00:00 GMT</pubDate></item>"
        body = f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel><title>x</title>{item}</channel></rss>'
        with PapersApi(contents={"/rss": body.encode(written)}) as api:
            (paper,) = feed(api, "/rss").papers
        assert paper.title.startswith(title)

    def test_one_bad_item_is_a_warning(self) -> None:
        good = {
            "id": "1",
            "title": "Good",
            "url": "https://example.org/1",
            "date_published": "2026-01-07T10:00:00Z",
        }
        with PapersApi(
            contents={"/f": json_feed(good, {"title": "no id"}, {"id": "2", "title": [1]})}
        ) as api:
            day = feed(api, "/f")
        assert [paper.title for paper in day.papers] == ["Good"]
        assert len(day.warnings) == 2


class FakeMemory:
    """A memory of this process; it passes the database's tests."""

    def __init__(self) -> None:
        self.kept: dict[str, Remembered] = {}

    def recall(self, url: str) -> Remembered | None:
        return self.kept.get(url)

    def remember(self, url: str, remembered: Remembered) -> None:
        self.kept[url] = remembered


@pytest.mark.parametrize("kind", ["fake", "stored"])
def test_the_same_content_is_not_fetched_twice(kind: str, migrated_file: Path, tmp_path: Path) -> None:
    database = Database(Path(shutil.copy(migrated_file, tmp_path / "newsletter.db")))
    memory: Memory = FakeMemory() if kind == "fake" else StoredMemory(database)
    with PapersApi(contents={"/f": json_feed()}) as api:
        client = RememberingClient(HttpClient(), memory)
        first, again = client.get(api.url + "/f"), client.get(api.url + "/f")
        assert (again.status, again.body) == (200, first.body)
        assert "If-None-Match" in api.headers[1]
        api.contents["/f"] = json_feed({"id": "new"})
        assert client.get(api.url + "/f").body == api.contents["/f"]
        assert memory.recall(api.url + "/f") is not None
        assert memory.recall(api.url + "/other") is None
    database.close()


class TestArxivApi:
    @staticmethod
    def paper(key: str, **more: object) -> Paper:
        return Paper(id=key, title="T", url=f"https://arxiv.org/abs/{key}", sources=("blog",), **more)  # type: ignore[arg-type]

    def test_what_lacks_is_filled_a_hundred_at_a_time(self) -> None:
        ids = [f"2601.{number:05}" for number in range(150)]
        turns: list[int] = []
        known = {key: ("Other title", f"Abstract of {key}.", ["Ada", "Bo"]) for key in ids}
        with PapersApi(arxiv=known) as api:
            complete = ArxivApi(HttpClient(), base_url=api.url, pace=lambda: turns.append(1)).complete
            papers, warnings = complete([self.paper(key, votes=3) for key in ids])
        assert len(api.requests) == len(turns) == 2
        assert warnings == ()
        assert [(p.id, p.title, p.votes, p.abstract, p.authors, p.sources) for p in papers] == [
            (key, "T", 3, f"Abstract of {key}.", ("Ada", "Bo"), ("blog",)) for key in ids
        ]

    def test_only_what_lacks_something_is_asked_for_and_never_what_is_hidden(self) -> None:
        whole = self.paper("2601.00001", abstract="A.", authors=("Ada",))
        hidden = Paper(
            id="2601.00002", title="T", url="https://x.org", abstract="A.", sources=("huggingface",)
        )
        other = Paper(id="slug-1", title="T", url="https://x.org", sources=("blog",))
        with PapersApi() as api:
            papers, _ = ArxivApi(HttpClient(), base_url=api.url, pace=lambda: None).complete(
                [whole, hidden, other]
            )
        assert papers == (whole, hidden, other)
        assert api.requests == []

    def test_a_server_that_fails_is_a_warning(self) -> None:
        papers = [self.paper("2601.00001")]
        with PapersApi(faults=[Fault(status=503)] * 4) as api:
            client = HttpClient(backoff=0.01, sleep=lambda _seconds: None)
            same, warnings = ArxivApi(client, base_url=api.url, pace=lambda: None).complete(papers)
        assert list(same) == papers
        assert len(warnings) == 1
        assert "2601.00001 not completed" in warnings[0]

    def test_one_wrong_id_does_not_cost_the_others(self) -> None:
        known = {"2601.00001": ("T", "One.", ["Ada"]), "2601.00002": ("T", "Two.", ["Bo"])}
        odd = self.paper("cs/0112017")  # the test's server knows no old ids, and calls them wrong
        with PapersApi(arxiv=known) as api:
            papers, warnings = ArxivApi(HttpClient(), base_url=api.url, pace=lambda: None).complete(
                [self.paper("2601.00001"), odd, self.paper("2601.00002")]
            )
        assert [paper.abstract for paper in papers] == ["One.", "", "Two."]
        assert len(warnings) == 1
        assert "cs/0112017" in warnings[0]
