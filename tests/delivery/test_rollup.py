"""Old issues are kept as counts, which are right while they are made and after."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import ledger, rollup, tables
from newsletter.delivery.sender import Sending
from newsletter.models.deliveries import Outcome
from newsletter.states import Counts, IssueState
from newsletter.store import IssueRecord
from subscribers.store import deliverable
from tests.support.fake_provider import Answer, FakeProvider
from tests.support.issues import DAY, LETTER, LINKS, NOW, Clock, add_readers, address, plan_issue

LATER = NOW + timedelta(seconds=1)
EXPECTED = Counts(prepared=12, accepted=10, rejected=2)


@pytest.fixture
def sent(database: Database) -> IssueRecord:
    add_readers(database, 12)
    issue = plan_issue(database)
    refused = [Answer(outcome=Outcome.REJECTED, reply="550 5.1.1 no such user")]
    provider = FakeProvider(script={address(2): refused, address(9): refused})
    Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"),
        links=LINKS, clock=Clock(),
    ).run()  # fmt: skip
    with database.write() as connection:
        return store.move_issue(connection, issue, IssueState.FINISHED, NOW)


def rows(database: Database) -> int:
    with database.read() as connection:
        tables_of = (tables.delivery, tables.delivery_problem, tables.claim_table)
        return sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables_of
        )


def counts(database: Database, issue: IssueRecord) -> Counts:
    with database.read() as connection:
        return ledger.counts(connection, issue.id)


@pytest.mark.parametrize("chunk", [1, 5, 6, 12, 100])
def test_the_counts_are_right_after_every_chunk(database: Database, sent: IssueRecord, chunk: int) -> None:
    more, chunks = True, 0
    while more:
        with database.write() as connection:
            more = rollup.roll_up(connection, sent.id, chunk)
        chunks += 1
        assert counts(database, sent) == EXPECTED
    assert chunks == -(-12 // chunk)
    assert rows(database) == 0
    with database.read() as connection:
        assert rollup.is_rolled_up(connection, sent.id)
        assert rollup.old_issues(connection, LATER) == {}


def test_two_processes_count_nothing_twice(database: Database, sent: IssueRecord) -> None:
    def work() -> None:
        more = True
        while more:
            with database.write() as connection:
                more = rollup.roll_up(connection, sent.id, 2)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(database, sent) == EXPECTED
    assert rows(database) == 0


def test_only_ended_issues_that_were_made_earlier_are_old(database: Database, sent: IssueRecord) -> None:
    with database.read() as connection:
        assert rollup.old_issues(connection, NOW) == {}
        assert rollup.old_issues(connection, LATER) == {sent.id: f"{DAY}/daily"}
    with database.write() as connection:
        store.move_issue(connection, sent, IssueState.SENDING, NOW)
    with database.write() as connection:
        assert rollup.old_issues(connection, LATER) == {}
        assert not rollup.roll_up(connection, sent.id)
    assert counts(database, sent) == EXPECTED
    assert rows(database) > 12
