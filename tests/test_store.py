"""Days, votes and issues, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from newsletter import store
from newsletter.database import Database
from newsletter.models.papers import DayKind, DayOfPapers, DayPart, Paper, Section
from newsletter.states import IssueState

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
        assert store.put_setting(connection, "suppression_key", "first") == "first"
        assert store.put_setting(connection, "suppression_key", "second") == "first"
        assert store.get_setting(connection, "suppression_key") == "first"


def test_a_day_keeps_apart_what_each_source_gave(database: Database) -> None:
    parts = (
        DayPart(source="huggingface", kind=DayKind.COMPLETE, papers=1),
        DayPart(source="arxiv", kind=DayKind.FAILED, papers=0, warnings=("no connection",)),
    )
    day = replace(collected(FULL), source="huggingface+arxiv", parts=parts)
    save(database, day)
    with database.read() as connection:
        assert store.load_day(connection, "huggingface+arxiv", DAY) == day


def test_of_two_collections_of_a_day_the_later_counts(database: Database) -> None:
    save(database, replace(collected(FULL), source="a"))
    save(database, replace(collected(BARE, taken_at=NOW + timedelta(hours=1)), source="b"))
    save(database, replace(collected(taken_at=NOW + timedelta(hours=2), kind=DayKind.FAILED), source="c"))
    with database.read() as connection:
        found = store.find_day(connection, DAY)
    assert found is not None
    assert found.source == "b", "one without papers does not count"


def test_a_paper_knows_its_days_and_its_last_votes(database: Database) -> None:
    save(database, collected(FULL))
    save(
        database,
        collected(replace(FULL, votes=99), taken_at=NOW + timedelta(days=6), day=DAY + timedelta(days=6)),
    )
    with database.read() as connection:
        found = store.find_paper(connection, FULL.id)
        assert store.find_paper(connection, "2409.99999") is None
    assert found is not None
    paper, days = found
    assert (paper.votes, days) == (99, (DAY, DAY + timedelta(days=6)))


def test_a_paper_counts_as_sent_once_its_issue_is_being_sent(database: Database) -> None:
    record = issue(database, "daily", DAY)
    ids = [FULL.id, BARE.id, "never"]
    tomorrow, later = DAY + timedelta(days=1), NOW + timedelta(hours=1)

    def sent(edition: str = "daily", but_on: date = tomorrow, as_of: datetime = later) -> dict[str, date]:
        with database.read() as connection:
            return store.sent_papers(connection, edition, ids, but_on=but_on, as_of=as_of)

    assert sent() == {}
    with database.write() as connection:
        store.move_issue(connection, record, IssueState.SENDING, NOW)
    assert sent() == {FULL.id: DAY, BARE.id: DAY}
    assert sent(but_on=DAY) == {}, "its own day does not count"
    assert sent(edition="weekly") == {}
    assert sent(as_of=NOW - timedelta(seconds=1)) == {}, "not yet, at that time"
    with database.read() as connection:
        assert store.issues_of(connection, FULL.id) == {"daily": DAY}


def test_ten_thousand_candidates_are_looked_up(database: Database) -> None:
    record = issue(database, "daily", DAY)
    with database.write() as connection:
        store.move_issue(connection, record, IssueState.SENDING, NOW)
        ids = [f"slug-{number}" for number in range(10_000)]
        assert store.sent_papers(connection, "daily", ids, but_on=DAY + timedelta(days=1), as_of=NOW) == {
            BARE.id: DAY
        }


def test_the_last_answer_of_each_address_as_of_a_time(database: Database) -> None:
    def keep(url: str, body: bytes, minutes: int, day: date = DAY) -> None:
        with database.write() as connection:
            answer = store.RawAnswer(url=url, status=200, body=body)
            store.keep_answer(connection, day, answer, NOW + timedelta(minutes=minutes))

    keep("https://a/", b"first", 0)
    keep("https://a/", b"second" * 1000, 10)
    keep("https://b/", b"", 5)
    keep("https://a/", b"of another day", 1, DAY - timedelta(days=40))
    with database.read() as connection:
        now = store.answers_of(connection, DAY, NOW + timedelta(hours=1))
        then = store.answers_of(connection, DAY, NOW + timedelta(minutes=5))
        assert store.answers_of(connection, DAY, NOW - timedelta(minutes=1)) == {}
    assert {url: answer.body for url, answer in now.items()} == {
        "https://a/": b"second" * 1000,
        "https://b/": b"",
    }
    assert then["https://a/"].body == b"first"
    with database.write() as connection:
        assert store.forget_answers(connection, DAY - timedelta(days=30)) == 1
        assert len(store.answers_of(connection, DAY, NOW + timedelta(hours=1))) == 2


def test_what_a_feed_said_is_remembered(database: Database) -> None:
    with database.write() as connection:
        assert store.recall(connection, "https://a/") is None
        store.remember(connection, "https://a/", '"1"', "", b"<rss/>")
        store.remember(connection, "https://a/", '"2"', "Thu, 12 Sep 2024 00:00:00 GMT", b"<rss>2</rss>")
    with database.read() as connection:
        assert store.recall(connection, "https://a/") == (
            '"2"',
            "Thu, 12 Sep 2024 00:00:00 GMT",
            b"<rss>2</rss>",
        )


def test_turns_towards_a_host_are_apart_for_everybody(database: Database) -> None:
    pause = timedelta(seconds=3)

    def turn(now: datetime) -> timedelta:
        with database.write() as connection:
            return store.reserve_turn(connection, "arxiv", pause, now)

    assert [turn(NOW) for _ in range(3)] == [timedelta(0), pause, 2 * pause]
    assert turn(NOW + timedelta(minutes=1)) == timedelta(0), "after a while there is no queue"
    assert turn(NOW - timedelta(days=1)) <= 60 * pause, "a clock that went back does not wait a day"


def test_two_processes_never_take_the_same_turn(database: Database) -> None:
    pause, waits = timedelta(seconds=3), []

    def take() -> None:
        for _ in range(5):
            with database.write() as connection:
                waits.append(store.reserve_turn(connection, "arxiv", pause, NOW))

    take()
    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [number * pause for number in range(20)]
