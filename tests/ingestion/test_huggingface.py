"""The Hugging Face source against a real server, with its paging and its faults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from newsletter.errors import SourceError
from newsletter.http_client import HttpClient
from newsletter.ingestion.huggingface import HuggingFaceSource, parse_daily_papers
from newsletter.models.papers import DayKind, DayOfPapers
from tests.servers.papers_api import Fault, PapersApi, redirect, too_many_requests

DAY = date(2024, 9, 12)
EVENING = datetime(2024, 9, 12, 20, tzinfo=UTC)
MORNING = datetime(2024, 9, 12, 7, 30, tzinfo=UTC)


def entries(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {"paper": {"id": f"2409.{number:05}", "title": f"Paper {number}", "upvotes": number}}
        for number in range(first, first + count)
    ]


def fetch(api: PapersApi, now: datetime = EVENING, day: date = DAY) -> DayOfPapers:
    client = HttpClient(sleep=lambda _: None, total=5, read=2)
    source = HuggingFaceSource(client, base_url=f"{api.url}/", closes_at=time(16), clock=lambda: now)
    return source.fetch(day)


def api_of(
    found: Sequence[dict[str, Any]], *, faults: Sequence[Fault | None] = (), most: int = 100
) -> PapersApi:
    return PapersApi(days={"2024-09-12": found}, today=DAY, faults=faults, most=most)


def test_a_closed_day_is_complete() -> None:
    with api_of(entries(14)) as api:
        day = fetch(api)
        assert api.requests == ["/api/daily_papers?date=2024-09-12&limit=100&p=0"]
    assert day.kind is DayKind.COMPLETE
    assert (day.source, day.day, day.taken_at, day.warnings) == ("huggingface", DAY, EVENING, ())
    assert [paper.votes for paper in day.papers] == list(range(14))
    assert day.papers[0].url == "https://arxiv.org/abs/2409.00000"


def test_an_open_day_is_not_ready_but_shows_what_there_is() -> None:
    with api_of(entries(3)) as api:
        day = fetch(api, MORNING)
    assert day.kind is DayKind.NOT_READY
    assert len(day.papers) == 3


def test_the_day_closes_at_its_hour() -> None:
    with api_of(entries(3)) as api:
        assert fetch(api, datetime(2024, 9, 12, 15, 59, 59, tzinfo=UTC)).kind is DayKind.NOT_READY
        assert fetch(api, datetime(2024, 9, 12, 16, tzinfo=UTC)).kind is DayKind.COMPLETE


def test_an_empty_day_is_quiet_once_it_is_closed() -> None:
    with api_of([]) as api:
        assert fetch(api).kind is DayKind.QUIET
        assert fetch(api, MORNING).kind is DayKind.NOT_READY
        assert fetch(api, day=date(2024, 9, 8)).kind is DayKind.QUIET


def test_a_day_in_the_future_is_not_ready() -> None:
    with api_of([]) as api:
        day = fetch(api, day=date(2024, 9, 13))
    assert day.kind is DayKind.NOT_READY
    assert day.papers == ()


@pytest.mark.parametrize(
    ("count", "most", "pages"),
    [
        (14, 100, 1),
        (99, 100, 1),
        (100, 100, 2),
        (101, 100, 2),
        (250, 100, 3),
        (50, 50, 2),
        (70, 50, 2),
        (120, 50, 3),
    ],
)
def test_every_page_is_read(count: int, most: int, pages: int) -> None:
    with api_of(entries(count), most=most) as api:
        day = fetch(api)
        assert len(api.requests) == pages
    assert day.kind is DayKind.COMPLETE
    assert len(day.papers) == count


def test_a_page_that_repeats_itself_ends_the_day() -> None:
    page = Fault(body=json.dumps(entries(100)).encode())
    with api_of([], faults=[page] * 30) as api:
        day = fetch(api)
        assert len(api.requests) == 2
    assert (day.kind, len(day.papers), day.warnings) == (DayKind.COMPLETE, 100, ())


def test_papers_that_move_between_two_pages_stand_once() -> None:
    pages = [entries(100), entries(100, first=90), entries(5, first=190)]
    with api_of([], faults=[Fault(body=json.dumps(page).encode()) for page in pages]) as api:
        day = fetch(api)
    assert [paper.id for paper in day.papers] == [f"2409.{number:05}" for number in range(195)]
    assert day.warnings == ()


def test_a_server_without_end_is_cut() -> None:
    pages = [Fault(body=json.dumps(entries(100, first=100 * number)).encode()) for number in range(40)]
    with api_of([], faults=pages) as api:
        day = fetch(api)
        assert len(api.requests) == 20
    assert (day.kind, len(day.papers)) == (DayKind.CUT, 2000)
    assert "more than 20 pages" in day.warnings[0]


def test_a_later_page_that_fails_cuts_the_day() -> None:
    with api_of(entries(150), faults=[None, *[Fault(status=500)] * 4]) as api:
        day = fetch(api)
    assert (day.kind, len(day.papers)) == (DayKind.CUT, 100)
    assert "answered 500" in day.warnings[0]
    with api_of(entries(150), faults=[None, *[Fault(status=500)] * 4]) as api:
        assert fetch(api, MORNING).kind is DayKind.NOT_READY


def test_passing_faults_are_not_seen() -> None:
    faults = [
        Fault(status=503),
        Fault(drop=0),
        too_many_requests("0"),
        redirect("/api/daily_papers?date=2024-09-12"),
    ]
    with api_of(entries(14), faults=faults[:3]) as api:
        assert (fetch(api).kind, len(api.requests)) == (DayKind.COMPLETE, 4)
    with api_of(entries(14), faults=faults[3:]) as api:
        assert fetch(api).kind is DayKind.COMPLETE


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=500), "answered 500"),
        (Fault(status=404), "answered 404 for 2024-09-12"),
        (Fault(status=400), "answered 400 for 2024-09-12"),
        (Fault(keep=60), "ends in the middle"),
        (Fault(drop=60), "broke in the middle"),
        (Fault(drop=0), "no connection"),
        (too_many_requests("900"), "answered 429"),
        (Fault(body=b"<html>busy</html>"), "is not valid JSON"),
        (Fault(body=b'{"error": "busy"}'), "is another JSON"),
        (Fault(body=b"[1, 2]"), r"is not a list of daily papers.*\$\[0\]"),
        (Fault(body=b"["), "ends in the middle"),
        (Fault(body=b"[" * 200_000), "is not usable JSON"),
        (Fault(body=b"[\xff]"), "is not usable JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_broken_source_is_a_failed_day_with_one_line(fault: Fault, said: str) -> None:
    with api_of(entries(14), faults=[fault] * 4) as api:
        day = fetch(api)
    assert (day.kind, day.papers, len(day.warnings)) == (DayKind.FAILED, (), 1)
    assert "\n" not in day.warnings[0]
    assert api.url in day.warnings[0]
    with pytest.raises(SourceError, match=said):
        raise SourceError(day.warnings[0])


def test_one_bad_entry_is_a_warning() -> None:
    with api_of([*entries(2), {"paper": {"id": None}}, *entries(2, first=5)]) as api:
        day = fetch(api)
    assert (day.kind, len(day.papers)) == (DayKind.COMPLETE, 4)
    assert "$[2].paper.id" in day.warnings[0]


def test_nobody_is_there() -> None:
    with api_of([]) as api:
        pass
    day = fetch(api)
    assert day.kind is DayKind.FAILED
    assert "try again later" in day.warnings[0]


@pytest.mark.timeout(20)  # a hang fails
def test_ten_thousand_papers_are_read_fast() -> None:
    authors = [{"name": f"Author {number}", "hidden": False} for number in range(10)]
    many = [
        {
            "paper": {
                **entry["paper"],
                "id": f"24{number // 1000:02}.{number:05}",
                "authors": authors,
                "summary": "x",
            },
            "title": "x",
            "numComments": 1,
        }
        for number, entry in enumerate(entries(10_000))
    ]
    data = json.dumps(many).encode()
    parsed = parse_daily_papers(data, name="many.json")
    assert len(parsed.papers) == 10_000
    assert parsed.warnings == ()


def test_names_without_end() -> None:
    names = [f"Author {number}" for number in range(664)]
    people = [{"name": name, "hidden": False} for name in names]
    data = json.dumps([{"paper": {"id": "2409.00001", "title": "T", "authors": people}}]).encode()
    assert parse_daily_papers(data, name="x.json").papers[0].authors == tuple(names)


def test_the_day_knows_the_page_where_people_read_it() -> None:
    with PapersApi(days={"2024-09-12": []}, today=DAY) as api:
        assert fetch(api).page == "https://huggingface.co/papers/date/2024-09-12"
