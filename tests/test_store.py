"""Days, votes and issues, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter import store
from newsletter.database import Database
from newsletter.errors import DatabaseError
from newsletter.models import DayKind, DayOfPapers, IssueState, Paper, Section

NOW = datetime(2024, 9, 13, 7, 30, 1, 123456, tzinfo=UTC)
DAY = date(2024, 9, 12)
FULL = Paper(
    id="2409.06820",
    title="PingPong: A Benchmark",
    url="https://arxiv.org/abs/2409.06820",
    abstract="We measure role play.\nWith $\\alpha$ and 한국어.",
    authors=("Ilya Gusev", "Zoë 王"),
    votes=45,
    image="https://example.org/a.png",
    submitted_at=NOW,
    published_at=NOW - timedelta(days=2),
    short_summary="One sentence.",
    keywords=("role play", "LLM"),
    code_url="https://example.org/code",
    code_stars=3,
    project_url="https://example.org/",
    organization="Example",
    comments=2,
    sections=(Section(heading="What's New", text="Something."),),
    sources=("huggingface", "digest"),
)
BARE = Paper(id="slug-1", title="No votes", url="https://example.org/1")


def collected(
    *papers: Paper, taken_at: datetime = NOW, kind: DayKind = DayKind.COMPLETE, day: date = DAY
) -> DayOfPapers:
    return DayOfPapers(
        source="huggingface", day=day, kind=kind, papers=papers, taken_at=taken_at, page="https://example.org/day",
        warnings=("an odd line",),
    )  # fmt: skip


def save(database: Database, day: DayOfPapers) -> None:
    with database.write() as connection:
        store.save_day(connection, day)


def load(database: Database, day: date = DAY) -> DayOfPapers | None:
    with database.read() as connection:
        return store.load_day(connection, "huggingface", day)


def test_a_day_comes_back_as_it_was_collected(database: Database) -> None:
    day = collected(FULL, BARE, replace(BARE, id="slug-2", votes=0))
    save(database, day)
    assert load(database) == day


def test_a_day_that_was_never_collected_is_none(database: Database) -> None:
    assert load(database) is None
    with database.read() as connection:
        assert store.newest_day(connection) is None
        assert store.find_day(connection, DAY) is None


def test_collecting_again_keeps_the_order_of_the_last_time_and_every_vote(database: Database) -> None:
    save(database, collected(FULL, BARE))
    later = NOW + timedelta(hours=3)
    save(database, collected(BARE, replace(FULL, votes=61, title="A better title"), taken_at=later))
    found = load(database)
    assert found is not None
    assert [(paper.id, paper.votes, paper.title) for paper in found.papers] == [
        (BARE.id, None, BARE.title),
        (FULL.id, 61, "A better title"),
    ]
    with database.read() as connection:
        history = store.vote_history(connection, FULL.id)
    assert [(seen.votes, seen.taken_at) for seen in history] == [(45, NOW), (61, later)]


def test_the_same_collection_twice_is_one_observation(database: Database) -> None:
    save(database, collected(FULL))
    save(database, collected(FULL))
    with database.read() as connection:
        assert len(store.vote_history(connection, FULL.id)) == 1


def test_a_failed_collection_takes_no_paper_away(database: Database) -> None:
    save(database, collected(FULL))
    save(database, collected(kind=DayKind.FAILED, taken_at=NOW + timedelta(hours=1)))
    found = load(database)
    assert found is not None
    assert found.kind is DayKind.FAILED
    assert [paper.id for paper in found.papers] == [FULL.id]


def test_the_newest_day_is_the_newest_that_has_papers(database: Database) -> None:
    for offset, papers in ((0, (FULL,)), (1, (FULL, BARE)), (2, ())):
        save(database, collected(*papers, day=DAY + timedelta(days=offset)))
    with database.read() as connection:
        newest = store.newest_day(connection)
        found = store.find_day(connection, DAY)
    assert newest is not None
    assert newest.day == DAY + timedelta(days=1)
    assert found is not None
    assert found.day == DAY


def test_ten_thousand_papers_are_one_day(database: Database) -> None:
    papers = tuple(replace(BARE, id=f"slug-{number}", votes=number) for number in range(10_000))
    save(database, collected(*papers))
    save(database, collected(*papers, taken_at=NOW + timedelta(hours=1)))
    found = load(database)
    assert found is not None
    assert found.papers == papers


def issue(database: Database, edition: str, day: date) -> store.IssueRecord:
    with database.write() as connection:
        document = {"date": str(day), "entries": [{"id": FULL.id}, {"id": BARE.id}]}
        return store.create_issue(
            connection, edition=edition, day=day, kind=DayKind.COMPLETE, document=document, now=NOW
        )


def test_issues_are_numbered_in_their_edition(database: Database) -> None:
    numbers = [
        issue(database, edition, DAY + timedelta(days=n)).number for n in range(2) for edition in ("a", "b")
    ]
    assert numbers == [1, 1, 2, 2]


def test_an_issue_that_was_begun_is_found_until_it_is_finished(database: Database) -> None:
    record = issue(database, "daily", DAY)
    assert record.name == "2024-09-12/daily"
    with database.write() as connection:
        assert [found.id for found in store.unfinished_issues(connection, "daily")] == [record.id]
        assert store.unfinished_issues(connection, "weekly") == []
        record = store.move_issue(connection, record, IssueState.SENDING, NOW)
        record = store.move_issue(connection, record, IssueState.FINISHED, NOW + timedelta(minutes=1))
        assert store.unfinished_issues(connection, "daily") == []
    assert (record.sending_at, record.finished_at) == (NOW, NOW + timedelta(minutes=1))


def test_a_fact_about_the_installation_is_written_once(database: Database) -> None:
    with database.write() as connection:
        assert store.get_setting(connection, "suppression_key") is None
        store.put_setting(connection, "suppression_key", "first")
    with pytest.raises(DatabaseError), database.write() as connection:
        store.put_setting(connection, "suppression_key", "second")
    with database.read() as connection:
        assert store.get_setting(connection, "suppression_key") == "first"
