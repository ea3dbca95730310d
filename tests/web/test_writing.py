"""What is answered is on disk: writing in groups, on both databases, and after a kill."""

from __future__ import annotations

import http.client
import signal
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from newsletter.database import Database
from newsletter.delivery.recipients import key_text
from newsletter.errors import DatabaseError
from newsletter.web import writing
from newsletter.web.writing import Writer
from subscribers.book import ListSettings
from subscribers.models import SubscriptionState, Through
from subscribers.requests import Requests
from subscribers.subscriptions import SubscriberList
from tests.support.serving import serving

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
SETTINGS = ListSettings(hash_key=b"a key of the tests, 32 bytes long")
PEOPLE, LIST = Requests(SETTINGS), SubscriberList(SETTINGS)
LEFT = SubscriptionState.UNSUBSCRIBED


def readers(database: Database, number: int) -> list[tuple[bytes, int]]:
    """Put people on the list; return their links."""
    with database.write() as connection:
        return [
            (
                LIST.add(
                    connection, f"r{index}@example.org", edition="daily", actor="test", now=NOW
                ).subscriber.key,
                LIST.edition_number(connection, "daily"),
            )
            for index in range(number)
        ]


def writer_of(database: Database) -> Writer[tuple[bytes, int]]:
    return Writer(
        database,
        lambda connection, links: PEOPLE.leave_all(connection, links, through=Through.ONE_CLICK, now=NOW),
    )


def left(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM subscription WHERE state = 3")).scalar_one())


def test_groups_and_single_works_are_all_done(database: Database) -> None:
    links = readers(database, 30)
    writer = writer_of(database)
    waiting: list[Future[Any]] = [
        writer.add(link) for link in (*links, links[0], (b"x" * 16, 1), (links[0][0], 99))
    ]

    def fails(connection: Connection) -> None:
        connection.execute(text("UPDATE subscriber SET name = 'spoilt'"))
        raise ZeroDivisionError

    def breaks(connection: Connection) -> None:
        connection.execute(text("SELECT * FROM no_such_table"))

    failing, breaking = writer.submit(fails), writer.submit(breaks)
    naming = writer.submit(lambda connection: LIST.show(connection, "r1@example.org").subscriber.name)
    writer.start()
    for future in waiting:
        assert future.result(10) is None
    with pytest.raises(ZeroDivisionError):
        failing.result(10)
    with pytest.raises(Exception, match="no_such_table"):
        breaking.result(10)
    assert naming.result(10) == ""
    writer.close()
    assert left(database) == 30
    with pytest.raises(DatabaseError):
        writer.add(links[0])


def test_many_at_once_leave_as_one_does(database: Database) -> None:
    links = readers(database, 4)
    with database.write() as connection:
        LIST.pause(
            connection, "r1@example.org", until=datetime(2027, 1, 1, tzinfo=UTC), actor="test", now=NOW
        )
        PEOPLE.leave(connection, *links[2], through=Through.FORM, now=NOW, reason="too many")
        PEOPLE.leave(connection, *links[3], through=Through.ONE_CLICK, now=NOW)
    with database.write() as connection:
        assert PEOPLE.leave_all(connection, links[:3] * 2, through=Through.ONE_CLICK, now=NOW) == 2
        assert PEOPLE.leave_all(connection, [], through=Through.ONE_CLICK, now=NOW) == 0
    with database.read() as connection:
        found = [LIST.show(connection, f"r{index}@example.org") for index in range(4)]
    assert all(each.subscriptions[0].state is LEFT for each in found)
    assert all(each.subscriptions[0].paused_until is None for each in found)
    assert found[0].history[-1] == found[3].history[-1]
    assert [len(each.history) for each in found] == [2, 3, 2, 2]
    assert found[2].history[-1].step.reason == "too many"


def test_two_servers_beside_an_operator(database: Database) -> None:
    """Rows are locked by all three; nobody is lost and nothing stands still."""
    links = readers(database, 60)
    writers = [writer_of(database), writer_of(database)]
    for writer in writers:
        writer.start()
    waiting = [writer.add(link) for link in links[:50] for writer in writers]

    def operate() -> None:
        for index in range(49, -1, -1):
            with database.write() as connection:
                LIST.remove(connection, f"r{index}@example.org", actor="test", now=NOW)

    operator = threading.Thread(target=operate)
    operator.start()
    for future in waiting:
        future.result(30)
    operator.join(30)
    for writer in writers:
        writer.close()
    assert left(database) == 50
    with database.read() as connection:
        histories = [LIST.show(connection, f"r{index}@example.org").history for index in range(50)]
    left_once = [
        [each.from_state for each in history].count(SubscriptionState.ACTIVE) for history in histories
    ]
    assert left_once == [1] * 50


def test_too_much_is_refused_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 3)
    writer = writer_of(database)
    waiting = [writer.add((b"x" * 16, 1)) for _ in range(3)]
    with pytest.raises(DatabaseError):
        writer.add((b"x" * 16, 1))
    writer.start()
    assert [future.result(10) for future in waiting] == [None] * 3
    writer.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_answered_survives_a_kill(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    url = ""
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_url")
        opened = Database(url)
        opened.upgrade()
        opened.close()
    with serving(tmp_path, url=url) as served:
        with served.app() as app:
            people = app.people.subscribers()
            with app.databases.open().write() as connection:
                keys = [
                    people.add(
                        connection, f"k{index}@example.org", edition="daily", actor="t", now=NOW
                    ).subscriber.key
                    for index in range(40)
                ]
                number = people.edition_number(connection, "daily")
        answered: list[int] = []

        def click(first: int) -> None:
            for index in range(first, 40, 4):
                try:
                    if served.one_click(f"/u/{key_text(keys[index])}/{number}").status == 200:
                        answered.append(index)
                except (OSError, http.client.HTTPException):  # cut off in the middle of an answer
                    return
                if len(answered) >= 20:
                    served.process.send_signal(signal.SIGKILL)

        threads = [threading.Thread(target=click, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert served.process.wait(10) == -signal.SIGKILL
        assert len(answered) >= 20
        with served.app() as app, app.databases.open().read() as connection:
            people = app.people.subscribers()
            states = {
                index: people.show(connection, f"k{index}@example.org").subscriptions[0].state
                for index in answered
            }
        assert set(states.values()) == {LEFT}


def test_who_hung_up_takes_nobody_else_down(database: Database) -> None:
    people = readers(database, 2)
    writer: Writer[tuple[bytes, int]] = Writer(
        database,
        lambda connection, links: PEOPLE.leave_all(connection, links, through=Through.ONE_CLICK, now=NOW),
    )
    gone = writer.add(people[0])
    assert gone.cancel()
    writer.start()
    writer.add(people[1]).result(10)
    writer.close()
    with database.read() as connection:
        assert {row.state for row in LIST.listing(connection)} == {LEFT}, "the work is done all the same"


def test_a_database_that_is_away_is_the_answer_for_all_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def away(**_options: object) -> Any:
        tried.append(1)
        raise DatabaseError("database is locked")

    monkeypatch.setattr(database, "write", away)
    writer: Writer[int] = Writer(database, lambda _connection, _items: None)
    waiting = [writer.add(number) for number in range(50)]
    writer.start()
    for each in waiting:
        with pytest.raises(DatabaseError, match="locked"):
            each.result(10)
    writer.close()
    assert len(tried) == 1
