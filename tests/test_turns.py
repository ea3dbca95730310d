"""The rows that say what became of each local day's send, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from newsletter import store
from newsletter.database import Database
from newsletter.delivery.deadline import earliest_end
from newsletter.delivery.limits import Limits, WarmUp
from newsletter.errors import DatabaseError, IssueError
from newsletter.models.issues import Turn
from newsletter.models.papers import DayKind
from newsletter.states import IssueState
from newsletter.store import TurnState

NOW = datetime(2026, 1, 6, 7, 30, tzinfo=UTC)
TURN = Turn(day=date(2026, 1, 6), latest=NOW + timedelta(hours=4))


def plan(connection: Any, day: int, turn: Turn = TURN) -> store.IssueRecord:
    """Put an issue down, with its turn."""
    record = store.create_issue(
        connection, edition="daily", day=date(2026, 1, day), kind=DayKind.COMPLETE, document={"entries": []}, now=NOW
    )  # fmt: skip
    store.take_turn(connection, "daily", turn, record.id, NOW)
    return record


def test_a_turn_has_one_issue_and_is_over_once(database: Database) -> None:
    with database.write() as connection:
        assert store.find_turn(connection, "daily", TURN.day) is None
        assert store.put_turn(connection, "daily", TURN, TurnState.WAITING, "not ready", NOW)
        assert store.put_turn(connection, "daily", TURN, TurnState.WAITING, "still not", NOW)
        assert [each.reason for each in store.waiting_turns(connection, "daily")] == ["still not"]
        record = plan(connection, 5)
    with database.write() as connection:
        assert not store.put_turn(connection, "daily", TURN, TurnState.MISSED, "too late", NOW)
        with pytest.raises(IssueError, match="on 2026-01-06: has its issue"):
            plan(connection, 6)
        connection.rollback()
    with database.read() as connection:
        known = store.find_turn(connection, "daily", TURN.day)
        assert known is not None
        assert (known.state, known.issue_id, known.latest, known.reason) == (
            TurnState.PLANNED, record.id, TURN.latest, "",
        )  # fmt: skip
        assert store.waiting_turns(connection, "daily") == []
        assert [each.id for _, each in store.unfinished_turns(connection, "daily")] == [record.id]
        assert store.turn_of(connection, record.id) is not None
        assert store.last_turn(connection, "daily") == TURN.day
        assert store.last_turn(connection, "other") is None
        assert store.find_issue(connection, "daily", date(2026, 1, 6)) is None


def test_a_turn_that_was_given_up_gets_no_issue(database: Database) -> None:
    with database.write() as connection:
        assert store.put_turn(connection, "daily", TURN, TurnState.MISSED, "too late", NOW)
    with pytest.raises(IssueError, match="was given up, by another process"), database.write() as connection:
        plan(connection, 5)
    with database.read() as connection:
        assert store.all_issues(connection, None, 9) == []


@pytest.mark.parametrize("state", [IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED])
def test_an_issue_is_held_with_its_turn_and_goes_on_by_hand(database: Database, state: IssueState) -> None:
    with database.write() as connection:
        record = plan(connection, 5)
        for step in [IssueState.SENDING, IssueState.PAUSED]:
            if record.state is not state:
                record = store.move_issue(connection, record, step, NOW)
        held = store.hold_issue(connection, record, "too late", NOW)
        assert (held.state, held.reason) == (IssueState.HELD, "too late")
        known = store.find_turn(connection, "daily", TURN.day)
        assert known is not None
        assert (known.state, known.reason) == (TurnState.HELD, "too late")
        assert store.unfinished_turns(connection, "daily") == []
        store.move_issue(connection, held, IssueState.SENDING, NOW)
        assert len(store.unfinished_turns(connection, "daily")) == 1


def test_of_two_that_plan_a_turn_at_once_one_does(database: Database) -> None:
    faults: list[Exception] = []

    def plan_another() -> None:
        try:
            with database.write(durable=True, snapshot=True) as connection:
                plan(connection, 6)
        except (IssueError, DatabaseError) as error:
            faults.append(error)

    other = threading.Thread(target=plan_another)
    with database.write(durable=True, snapshot=True) as connection:
        record = plan(connection, 5)
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it waits for this one"
    other.join()
    assert len(faults) == 1
    with database.read() as connection:
        assert [each.id for each in store.all_issues(connection, None, 9)] == [record.id]


@pytest.mark.parametrize(
    ("limits", "number", "left", "end"),
    [
        (Limits(), 1_000_000, None, NOW),
        (Limits(interval=timedelta(seconds=1)), 61, None, NOW + timedelta(minutes=1)),
        (Limits(interval=timedelta(seconds=1)), 0, None, NOW),
        (Limits(per_day=10), 10, 10, NOW),
        (Limits(per_day=10), 11, 10, datetime(2026, 1, 7, tzinfo=UTC)),
        (Limits(per_day=10), 10, 0, datetime(2026, 1, 7, tzinfo=UTC)),
        (Limits(per_day=10), 35, 5, datetime(2026, 1, 9, tzinfo=UTC)),
        (Limits(per_day=10, interval=timedelta(days=1)), 11, 10, NOW + timedelta(days=10)),
        (
            Limits(warm_up=WarmUp(begins=date(2026, 1, 6), first=10, growth=2, until=50)), 31, 10,
            datetime(2026, 1, 8, tzinfo=UTC),
        ),
        (
            Limits(warm_up=WarmUp(begins=date(2026, 1, 6), first=10, growth=2, until=30)), 1_000, 10,
            datetime(2026, 1, 8, tzinfo=UTC),
        ),
    ],
)  # fmt: skip
def test_when_limits_let_a_send_end(limits: Limits, number: int, left: int | None, end: datetime) -> None:
    assert earliest_end(limits, number, NOW, left) == end
