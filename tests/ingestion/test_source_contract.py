"""What every source of papers does, whatever it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from newsletter.http_client import HttpClient
from newsletter.ingestion.files import FileSource
from newsletter.ingestion.huggingface import HuggingFaceSource
from newsletter.models.papers import DayKind
from newsletter.protocols import Source
from tests.servers.papers_api import PapersApi

DAY = date(2024, 9, 12)
NOW = datetime(2024, 9, 13, tzinfo=UTC)
ENTRIES = [{"paper": {"id": f"2409.0000{n}", "title": f"T{n}", "upvotes": 9 - n}} for n in (1, 2, 1)]


@pytest.fixture(params=["huggingface", "file"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    if request.param == "file":
        path = tmp_path / "x.json"
        path.write_text(json.dumps(ENTRIES), encoding="utf-8")
        yield FileSource([path], day=None, clock=lambda: NOW)
        return
    with PapersApi(days={DAY.isoformat(): ENTRIES}, today=NOW.date()) as api:
        yield HuggingFaceSource(HttpClient(), base_url=api.url, closes_at=time(8), clock=lambda: NOW)


def test_a_day_is_what_was_asked_for(source: Source) -> None:
    day = source.fetch(DAY)
    assert (day.source, day.day, day.kind) == (source.name, DAY, DayKind.COMPLETE)
    assert day.taken_at == NOW
    assert day.taken_at.tzinfo is UTC


def test_papers_stand_once_in_the_order_of_the_source(source: Source) -> None:
    papers = source.fetch(DAY).papers
    assert [paper.id for paper in papers] == ["2409.00001", "2409.00002"]
    assert all(paper.sources == ("huggingface",) for paper in papers)


def test_asking_twice_gives_the_same(source: Source) -> None:
    assert source.fetch(DAY) == source.fetch(DAY)
