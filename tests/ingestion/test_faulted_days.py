"""Five hundred days with random faults: each ends in the right kind, and nothing that came is lost."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from newsletter.http_client import HttpClient, Response
from newsletter.ingestion.feed_sources import FeedSource
from newsletter.ingestion.huggingface import HuggingFaceSource
from newsletter.ingestion.merged import MergedSource
from newsletter.models.papers import DayKind, Paper
from tests.servers.papers_api import Fault, PapersApi, too_many_requests
from tests.support.torture import length

DAY = date(2024, 9, 12)
AFTER = datetime(2024, 9, 13, 12, tzinfo=UTC)
TOTAL, TRIES, READS, SIZE = 30.0, 4, 2, 100
AGAIN = {
    "500": Fault(status=500, body=b""),
    "429": too_many_requests(),
    "429 with time": too_many_requests("1"),
    "closed": Fault(drop=0),
    "broken": Fault(drop=1),
}
GARBAGE = {"half": Fault(keep=1), "page": Fault(body=b"<p>Sorry")}
FINAL = {"404": Fault(status=404, body=b"{}"), "429 for long": too_many_requests("100")}
FAULTS = AGAIN | GARBAGE | FINAL


@dataclass(slots=True)
class Time:
    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits[-1] += seconds


@dataclass(slots=True)
class Counted:
    """Tells the waiting of one `get` from that of the next."""

    client: HttpClient
    clock: Time

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        self.clock.waits.append(0.0)
        return self.client.get(url, params=params, headers=headers)


def answer(script: list[str]) -> str:
    """Tell what one `get` ends with: "ok", "garbage" or "error"."""
    for _ in range(TRIES):
        met = script.pop(0) if script else "none"
        if met not in AGAIN:
            return "error" if met in FINAL else "garbage" if met in GARBAGE else "ok"
    return "error"


def expected_pages(script: list[str], count: int) -> tuple[int, bool]:
    """Tell how many papers come of ``count``, and whether all pages did."""
    for page in range(count // SIZE + 1):
        for _ in range(READS):
            came = answer(script)
            if came != "garbage":
                break
        if came != "ok":
            return page * SIZE, False
    return count, True


def entries(count: int) -> list[dict[str, object]]:
    return [
        {"paper": {"id": f"2409.{n:05}", "title": f"Paper {n}", "authors": [{"name": "A"}], "upvotes": n}}
        for n in range(count)
    ]


def feed(count: int) -> bytes:
    items = [
        {
            "id": f"x{n}",
            "url": f"https://a.example/{n}",
            "title": "T",
            "date_published": "2024-09-12T08:00:00Z",
        }
        for n in range(count)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()


def kind_of(count: int, whole: bool) -> DayKind:
    if not whole:
        return DayKind.CUT if count else DayKind.FAILED
    return DayKind.COMPLETE if count else DayKind.QUIET


def merged_kind(kinds: list[DayKind]) -> DayKind:
    if DayKind.CUT in kinds:
        return DayKind.CUT
    if DayKind.COMPLETE in kinds:
        return DayKind.COMPLETE
    return DayKind.FAILED if DayKind.FAILED in kinds else DayKind.QUIET


def unchanged(papers: object) -> tuple[tuple[Paper, ...], tuple[str, ...]]:
    assert isinstance(papers, tuple)
    return papers, ()


def test_seeded_faulted_days() -> None:
    seen: set[DayKind] = set()
    with PapersApi(today=date(2024, 9, 14)) as api:
        for seed in range(length(100, 500)):
            dice = random.Random(seed)
            count, items = dice.choice([0, 3, 99, 100, 150, 230]), dice.choice([0, 2])
            names = ["none", "none", *AGAIN, *FAULTS]
            script = [dice.choice(names) for _ in range(dice.randrange(9))]
            both = dice.random() < 0.5
            api.days = {"2024-09-12": entries(count)}
            api.contents = {"/feed": feed(items)}
            api.faults = [FAULTS.get(name) for name in script]
            api.requests.clear()
            clock = Time()
            client = HttpClient(total=TOTAL, tries=TRIES, clock=lambda c=clock: c.now, sleep=clock.sleep)  # type: ignore[misc]
            counted = Counted(client, clock)
            papers_api = HuggingFaceSource(
                counted, base_url=api.url, closes_at=time(16), clock=lambda: AFTER, reads=READS
            )
            other = FeedSource("blog", counted, url=f"{api.url}/feed", clock=lambda: AFTER)
            sources = [papers_api, other] if both else [papers_api]
            day = MergedSource(sources, complete=unchanged, clock=lambda: AFTER).fetch(DAY)  # type: ignore[arg-type]

            left = list(script)
            came, whole = expected_pages(left, count)
            kinds, total = [kind_of(came, whole)], came
            if both:
                good = answer(left) == "ok"
                kinds.append(kind_of(items if good else 0, good))
                total += items if good else 0
            where = f"seed {seed}: {count} papers, {script}, {day.warnings}"
            assert [part.kind for part in day.parts] == kinds, where
            assert day.kind is merged_kind(kinds), where
            assert len(day.papers) == total, where
            given = {f"2409.{n:05}" for n in range(came)}
            assert given == {paper.id for paper in day.papers if "huggingface" in paper.sources}, where
            assert max(clock.waits, default=0.0) <= TOTAL, where
            seen.add(day.kind)
    assert seen == {DayKind.COMPLETE, DayKind.QUIET, DayKind.CUT, DayKind.FAILED}
