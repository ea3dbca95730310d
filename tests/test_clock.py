"""The scheduled send over hundreds of days: whatever is late, broken, killed or called twice, a day is sent once."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter import store
from newsletter.collecting import closed_days
from newsletter.database import Database
from newsletter.delivery import ledger, register
from newsletter.errors import IssueError
from newsletter.models.papers import DayKind
from newsletter.results import RunResult
from newsletter.schedule import Send, timetable
from newsletter.states import IssueState
from newsletter.store import TurnState
from tests.support.clockwork import CLOSES_AT, READERS, Killed, World, on_this_machine
from tests.support.issues import add_readers
from tests.support.torture import length

ZONES = [  # zone, a day near a change of its clocks, when it is sent
    ("America/New_York", date(2026, 3, 8), "02:30", "06:00"),
    ("Europe/Berlin", date(2026, 10, 25), "02:30", "12:00"),
    ("Australia/Lord_Howe", date(2026, 10, 4), "02:15", "04:00"),
    ("America/Santiago", date(2026, 9, 6), "00:15", "18:00"),
    ("Africa/Cairo", date(2026, 4, 24), "00:00", "20:00"),
    ("Asia/Kolkata", date(2026, 6, 1), "21:20", "23:00"),
    ("Asia/Kathmandu", date(2026, 6, 1), "07:30", "12:00"),
    ("Pacific/Apia", date(2011, 12, 30), "05:45", "06:15"),
]
DAYS = length(7, 400)
ZERO = timedelta(0)


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("zone", "change", "at", "latest"), ZONES, ids=[each[0] for each in ZONES])
def test_each_due_day_is_sent_once_or_held_or_missed_with_a_reason(
    zone: str,
    change: date,
    at: str,
    latest: str,
    migrated_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path(shutil.copy(migrated_file, tmp_path / "newsletter.db"))
    table = timetable(at=at, latest=latest, days="daily", timezone=zone, subject="")
    world = World(where=path, table=table, dice=random.Random(f"{zone} {DAYS}"))
    on_this_machine(monkeypatch, world)
    database = Database(path)
    add_readers(database, READERS)
    first = change - timedelta(days=min(DAYS // 2, 60))
    sends = [send for number in range(DAYS) if (send := table.on(first + timedelta(days=number)))]
    assert len(sends) == DAYS - (zone == "Pacific/Apia")
    told: Counter[date] = Counter()
    unchecked: list[Send] = []
    for send in sends:
        unchecked.append(send)
        if not world.started or world.dice.random() < 0.85:  # else the machine was off all day
            live_a_day(world, database, send, told)
            for each in unchecked:
                check_day(world, database, each)
            unchecked.clear()
    check_all(world, database, sends)
    assert not [day for day, times in told.items() if times > 1], "a miss is said once"
    assert not [said for said in world.given_up if "was given up, by another process" not in said]
    database.close()


def test_two_calls_around_the_hour_at_which_a_day_closes_send_one_day(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = database.file or database.engine.url.render_as_string(hide_password=False)
    table = timetable(at="15:30", latest="18:00", days="daily", timezone="UTC", subject="")
    world = World(where=where, table=table, dice=random.Random(1))
    on_this_machine(monkeypatch, world)
    add_readers(database, READERS)
    today = date(2026, 1, 6)
    for back in range(6):
        world.ready_at[today - timedelta(days=back)] = datetime(2026, 1, 1, tzinfo=UTC)
    said: list[RunResult] = []

    def later() -> None:
        world.now += timedelta(minutes=2)
        said.append(world.call())

    world.now = datetime(2026, 1, 6, 15, 59, tzinfo=UTC)
    said.append(world.call(between=later))
    assert [result.day for result in said] == [today, today], (
        "the first joins what the second planned meanwhile"
    )
    assert [result.state for result in said] == [IssueState.FINISHED] * 2
    with database.read() as connection:
        assert [record.day for record in store.all_issues(connection, "daily", 9)] == [today]
    assert len(world.arrived) == READERS


def live_a_day(world: World, database: Database, send: Send, told: Counter[date]) -> None:
    """Call the send at some times of a day, before it, within it and after it, under some misfortune."""
    dice, span = world.dice, send.latest - send.begins
    times = [send.begins - timedelta(minutes=20)] * dice.randrange(2)
    if dice.random() < 0.9:  # else the machine was off until it was too late
        times += sorted(
            send.begins + span * part
            for part in [dice.choice([0, 0.5]), dice.random(), dice.choice([1, 0.9])]
        )
    times += [send.latest + timedelta(minutes=1), send.latest + timedelta(minutes=2)]
    down = dice.random() < 0.15
    for now in times:
        world.now, world.server_down = now, down and dice.random() < 0.9
        calm = dice.random() < 0.4 or now > send.latest
        if calm:
            call_calmly(world, database, send, told)
        else:
            call_unluckily(world, told)


def call_calmly(world: World, database: Database, send: Send, told: Counter[date]) -> None:
    """Call it once, undisturbed: what is due and can be sent is sent then."""
    expected = offered(world, database) if send.begins <= world.now <= send.latest else None
    with database.read() as connection:
        before = store.find_turn(connection, "daily", send.day)
    count(world.call().sentence, told)
    if before is not None and before.state is not TurnState.WAITING:
        return
    with database.read() as connection:
        known = store.find_turn(connection, "daily", send.day)
        if expected is None:
            assert known is None or world.now > send.latest
        else:
            assert known is not None
            assert known.state is expected
        if expected is TurnState.PLANNED and not world.server_down:
            record = store.issue_of_turn(connection, "daily", send.day)
            assert record is not None
            assert record.state is IssueState.FINISHED


def offered(world: World, database: Database) -> TurnState:
    """Return what a call at this time has to come to, by looking at the source as people would."""
    for day in closed_days(world.now, CLOSES_AT):
        with database.read() as connection:
            if store.find_issue(connection, "daily", day) is not None:
                return TurnState.NOTHING
        kind = world.kind(day, world.now)
        if kind is not DayKind.QUIET:
            return TurnState.PLANNED if kind is DayKind.COMPLETE else TurnState.WAITING
    return TurnState.NOTHING


def call_unluckily(world: World, told: Counter[date]) -> None:
    """Call it as a process that may die at any step, and in the midst of which another one may be called."""
    dice, now = world.dice, world.now

    def another() -> None:
        world.now = now + dice.choice([ZERO, ZERO, timedelta(minutes=10), timedelta(hours=1)])
        call_unluckily(world, told)
        world.now = now

    between = another if dice.random() < 0.3 else lambda: None
    try:
        count(world.call(steps=dice.choice([None, dice.randrange(30)]), between=between).sentence, told)
    except Killed:
        pass
    except IssueError as error:
        world.given_up.append(str(error))


def count(sentence: str, told: Counter[date]) -> None:
    """Count the misses that a sentence tells."""
    told.update(date.fromisoformat(part[:10]) for part in sentence.split("The send of daily on ")[1:])


def check_day(world: World, database: Database, send: Send) -> None:
    """After its day a turn is over, with an issue or with a reason."""
    with database.read() as connection:
        known = store.find_turn(connection, "daily", send.day)
        record = store.issue_of_turn(connection, "daily", send.day)
        assert known is not None
        assert known.state is not TurnState.WAITING
        assert (record is None) == (known.state in {TurnState.NOTHING, TurnState.MISSED})
        assert known.state is TurnState.PLANNED or known.reason
        if record is None:
            return
        counts = ledger.counts(connection, record.id)
        tried = any(row.attempt for row in register.rows_of(connection, record.id))
    assert counts.prepared == READERS
    if known.state is TurnState.HELD:
        assert (record.state, counts.accepted) == (IssueState.HELD, 0)
        assert record.reason.startswith("nothing of it was sent by ")
    elif record.state is not IssueState.FINISHED:  # it was begun in time, and then the server was gone
        assert world.server_down
        assert tried


def check_all(world: World, database: Database, sends: list[Send]) -> None:
    """Every issue is one day's, begun in its time, and each reader has it once; what was held nobody has."""
    world.now, world.server_down = sends[-1].latest + timedelta(minutes=3), False
    world.call()
    sent = 0
    with database.read() as connection:
        issues = {record.id: record for record in store.all_issues(connection, "daily", 10_000)}
        for send in sends:
            assert store.find_turn(connection, "daily", send.day) is not None
            record = store.issue_of_turn(connection, "daily", send.day)
            if record is None:
                continue
            del issues[record.id]
            counts = ledger.counts(connection, record.id)
            if record.state is IssueState.HELD:
                assert counts.accepted == 0
                continue
            assert (record.state, counts.accepted) == (IssueState.FINISHED, READERS)
            assert record.sending_at is not None
            assert send.begins <= record.sending_at <= send.latest
            sent += READERS
    assert not issues, "no issue is of no day"
    assert len(world.arrived) == sent
