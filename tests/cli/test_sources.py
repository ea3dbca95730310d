"""Several sources in one day, through the command."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import format_datetime

import pytest
import time_machine

from tests.cli.command import Command, entry
from tests.servers.papers_api import Fault, PapersApi

WEDNESDAY = date(2026, 1, 7)
TODAY = WEDNESDAY.isoformat()
RSS = """<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>cs.CL updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.CL</link><pubDate>{made}</pubDate>
<item><title>Shared</title><link>https://arxiv.org/abs/2601.00001</link><guid>oai:arXiv.org:2601.00001v2</guid>
<description>arXiv:2601.00001v2 Announce Type: new &#10;Abstract: A much longer abstract than the other one.</description>
<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Ada L.</dc:creator></item>
<item><title>Only arXiv</title><link>https://arxiv.org/abs/2601.00002</link><guid>oai:arXiv.org:2601.00002v1</guid>
<description>arXiv:2601.00002v1 Announce Type: new &#10;Abstract: We show more.</description>
<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Bo M.</dc:creator></item></channel></rss>"""
BLOG = {
    "version": "https://jsonfeed.org/version/1.1",
    "items": [
        {"id": "1", "title": "Bare", "external_url": "https://arxiv.org/abs/2601.00003v1",
         "date_published": "2026-01-07T09:00:00Z"},
    ],
}  # fmt: skip


@pytest.fixture
def api(command: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[PapersApi]:
    made = format_datetime(datetime(2026, 1, 7, 5, tzinfo=UTC))
    with (
        time_machine.travel("2026-01-08T01:00:00Z", tick=True),
        PapersApi(
            days={TODAY: [entry("2601.00001", "Shared", votes=30, abstract="Short.")]},
            contents={"/rss/cs.CL": RSS.format(made=made).encode(), "/blog": json.dumps(BLOG).encode()},
            arxiv={"2601.00003": ("Bare", "Its abstract, from arXiv.", ["Cem"])},
            today=WEDNESDAY,
        ) as api,
    ):
        (command.folder / "newsletter.toml").write_text(
            f"""
            [sources]
            use = ["huggingface", "arxiv", "blog"]
            history_days = 0
            [sources.huggingface]
            base_url = "{api.url}"
            [sources.arxiv]
            categories = ["cs.CL"]
            feed_url = "{api.url}"
            api_url = "{api.url}"
            pause = 0.2
            [sources.feeds.blog]
            url = "{api.url}/blog"
            """
        )
        command("subscribers", "add", "ada@example.org").ok()
        yield api


def test_they_are_one_day(command: Command, api: PapersApi) -> None:
    result = command("run", "--json").ok()
    assert result.json["kind"] == "complete"
    shown = command("issues", "show", TODAY, "--json").ok().json
    assert [(paper["id"], paper["votes"]) for paper in shown["entries"]] == [
        ("2601.00001", 30), ("2601.00003", None), ("2601.00002", None),
    ]  # fmt: skip
    listed = {p["id"]: p["sources"] for p in command("papers", "list", "--json").ok().json}
    assert listed == {
        "2601.00001": ["huggingface", "arxiv"], "2601.00002": ["arxiv"], "2601.00003": ["blog"],
    }  # fmt: skip
    text = "\n".join(
        section["text"] for paper in shown["entries"] for section in paper["summary"]["sections"]
    )
    assert "A much longer abstract" in text
    assert "Its abstract, from arXiv." in text


def test_one_that_fails_is_a_warning_that_the_issue_keeps(command: Command, api: PapersApi) -> None:
    api.contents["/rss/cs.CL"] = b"<html>down</html>"
    result = command("run")
    assert result.code == 0
    assert "warning   arxiv: " in result.out
    assert result.out.rstrip().endswith("It is without arxiv, which failed.")
    assert "warning: arxiv: " in command("issues", "show", TODAY).ok().out


def test_all_that_fail_are_a_failure(command: Command, api: PapersApi) -> None:
    api.faults = [Fault(status=404, body=b"gone")] * 20
    result = command("run", "--json", "--day", TODAY)
    assert result.code == 1
    assert (result.json["kind"], result.json["state"]) == ("failed", None)


def test_a_feed_is_not_fetched_twice(command: Command, api: PapersApi) -> None:
    command("collect", "--day", TODAY).ok()
    asked = len(api.requests)
    command("collect", "--day", TODAY).ok()
    tags = [
        headers.get("If-None-Match")
        for path, headers in zip(api.requests[asked:], api.headers[asked:], strict=True)
        if not path.startswith("/api/")
    ]
    assert len(tags) == 2
    assert all(tags)
    assert len(command("papers", "list", "--json").ok().json) == 3, "and is read all the same"


def test_requests_to_arxiv_keep_apart(
    command: Command, api: PapersApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("newsletter.app.network.sleep", waits.append)
    for _ in range(2):  # two runs, as two processes that share the database
        command("collect", "--day", TODAY).ok()
    assert len([path for path in api.requests if path.startswith(("/rss/", "/api/query"))]) == 4
    assert len(waits) == 4
    assert waits[0] == 0
    assert all(after > before for before, after in itertools.pairwise(waits)), "each waits behind the last"


def test_a_replay_of_several_sources(command: Command, api: PapersApi) -> None:
    command("run").ok()
    api.contents["/blog"] = b"{}"
    assert "The same bytes" in command("replay", TODAY).ok().out
