"""`/metrics`: read by Prometheus's own parser, and by nobody who may not."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from newsletter import __version__
from newsletter.models.deliveries import EventKind
from newsletter.sqlite_file import SCHEMA_REVISION
from newsletter.states import DeliveryOutcome
from newsletter.web.exposition import Gauge, exposition
from newsletter.web.metrics import KEPT_SECONDS, Metrics
from tests.support.issues import NOW, add_event, plan_issue
from tests.support.serving import SETTINGS, Answer, Served, serving


def read(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the samples by name and the values of their labels; each family has help and type."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        assert family.name not in found
        rows = found.setdefault(family.name, {})
        for sample in family.samples:
            labels = tuple(sample.labels.values())
            assert labels not in rows
            rows[labels] = sample.value
    return found


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.headers["content-type"]


def fill(served: Served) -> None:
    """Put three readers on the list, of whom one is not confirmed, and plan an issue."""
    served.subscriber("ada@example.org")
    served.subscriber("grace@example.org")
    served.subscriber("mary@example.org", confirmed=False)
    with served.app() as app:
        plan_issue(app.databases.open(), now=lambda: NOW)


def test_prometheus_reads_every_number(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        fill(served)
        answer = served.get("/metrics")
        assert outcome(answer) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = read(answer.body)
    assert set(found) == {
        "newsletter_issues", "newsletter_deliveries", "newsletter_claims_open", "newsletter_last_finished_timestamp_seconds",
        "newsletter_subscribers", "newsletter_notices", "newsletter_build_info", "newsletter_metrics_duration_seconds",
        "newsletter_outcomes",
    }  # fmt: skip
    assert {key: n for key, n in found["newsletter_issues"].items() if n} == {("daily", "sending"): 1}
    assert found["newsletter_deliveries"] == {
        ("daily", state): 2 if state == "waiting" else 0
        for state in ("accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
    }
    assert {key: n for key, n in found["newsletter_subscribers"].items() if n} == {
        ("daily", "active"): 2, ("daily", "pending"): 1,
    }  # fmt: skip
    assert found["newsletter_outcomes"] == {("daily", "no_word"): 0, ("daily", "unsubscribed"): 0}
    assert set(found["newsletter_notices"].values()) == {0}
    assert found["newsletter_claims_open"] == {(): 0}
    assert found["newsletter_last_finished_timestamp_seconds"] == {}
    assert found["newsletter_build_info"] == {(__version__, SCHEMA_REVISION): 1}
    assert 0 < found["newsletter_metrics_duration_seconds"][()] < 60
    assert "@" not in answer.body


def test_what_events_say_of_the_newest_issue_is_there_once_they_say_something(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        fill(served)
        with served.app() as app:
            add_event(app.databases.open(), 1, 2, EventKind.COMPLAINT, outcome=DeliveryOutcome.COMPLAINED)
        found = read(served.get("/metrics").body)["newsletter_outcomes"]
    assert found == {
        ("daily", "bounced"): 0, ("daily", "complained"): 1, ("daily", "no_word"): 0, ("daily", "unsubscribed"): 0,
    }  # fmt: skip


def test_they_are_for_those_who_may_read_them(served: Served) -> None:
    missing = served.get("/no-such-page")
    for forwarded in ("198.51.100.7", "127.0.0.1, 198.51.100.7", "nonsense"):
        answer = served.get("/metrics", x_forwarded_for=forwarded)
        assert (answer.status, answer.body) == (missing.status, missing.body) == (404, missing.body)
    assert served.get("/metrics", x_forwarded_for="127.0.0.9").status == 200
    assert served.ask("HEAD", "/metrics").status == 200


def test_the_networks_are_a_setting(tmp_path: Path) -> None:
    with serving(tmp_path, settings=SETTINGS + 'metrics = ["198.51.100.0/24", "2001:db8::/32"]\n') as served:
        allowed = [
            served.get("/metrics", x_forwarded_for=each).status
            for each in ("198.51.100.7", "2001:db8::1", "127.0.0.1", "203.0.113.9")
        ]
        assert [*allowed, served.get("/metrics").status] == [200, 200, 404, 404, 404]


def test_text_in_labels_is_escaped() -> None:
    odd = 'a "b" \\ c\nd'
    gauge = Gauge(name="x", help="X.", samples=(({"name": odd, "other": ""}, 1.5),))
    assert read(exposition([gauge])) == {"x": {(odd, ""): 1.5}}


@pytest.mark.parametrize(("took", "kept"), [(0.1, KEPT_SECONDS), (2.0, 40.0)])
def test_counting_takes_little_of_the_time(took: float, kept: float) -> None:
    clock, counted = [100.0], [0]

    async def count(_work: object) -> str:
        counted[0] += 1
        clock[0] += took
        return f"counted {counted[0]}\n"

    site = SimpleNamespace(client=lambda _request: ip_address("127.0.0.1"), read=count)
    metrics = Metrics(cast(Any, site), [ip_network("127.0.0.0/8")], clock=lambda: clock[0])
    request = cast(Request, None)

    async def ask() -> str:
        return bytes((await metrics.metrics(request)).body).decode()

    async def story() -> None:
        assert set(await asyncio.gather(ask(), ask(), ask())) == {"counted 1\n"}
        clock[0] = 100.0 + kept - 0.01
        assert await ask() == "counted 1\n"
        clock[0] = 100.0 + kept
        assert await ask() == "counted 2\n"

    with ThreadPoolExecutor(1) as thread:  # a browser of other tests may keep a loop in this one
        thread.submit(lambda: asyncio.run(story())).result()
