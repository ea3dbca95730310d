"""How everything stands: the quick answer of an SQLite file is that of the rooms that own the rows."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import Connection, insert

from newsletter.database import Database
from newsletter.delivery import restored
from newsletter.delivery.at_a_glance import at_a_glance
from newsletter.delivery.overview import overview
from newsletter.delivery.processes import process_name
from newsletter.delivery.standing import (
    IssueStanding,
    Need,
    NoticesStanding,
    Standing,
    TurnStanding,
    needs,
)
from newsletter.delivery.tables import claim_table, delivery, delivery_problem, delivery_total, notice_table
from newsletter.states import Counts, DeliveryState, IssueState
from newsletter.store import TurnState
from newsletter.store.tables import installation, issue, schedule_run
from subscribers.models import AddressState, SubscriptionState
from subscribers.schema import edition, subscriber, subscription, suppression
from tests.cli.command import Command
from tests.support.issues import DAY, NOW
from tests.support.torture import length

EDITIONS = ("daily", "korean", "weekly")
GONE = f"{process_name().rsplit(':', 2)[0]}:{2**22 + 1}:7"
ELSEWHERE = "another-host:1:7"


@pytest.fixture
def copies(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    path = shutil.copy(migrated_file, tmp_path / "copy.db")
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


def fill(connection: Connection, chance: random.Random) -> None:
    """Write rows of every state, some that only a crash or a hand leaves."""
    near = [NOW - timedelta(seconds=chance.choice([1, 14, 16, 3_599, 3_601, 90_000])) for _ in range(8)]
    for number, name in enumerate(EDITIONS[: chance.randint(0, 3)], 1):
        connection.execute(insert(edition).values(number=number, name=name))
        for index in range(chance.randint(0, 4)):
            person = number * 10 + index
            erased = chance.random() < 0.2
            connection.execute(
                insert(subscriber).values(
                    id=person, key=bytes([person] * 16), name="", created_at=NOW,
                    email=None if erased else f"{person}@example.org",
                    address_key=None if erased else f"{person}", address_hash=None if erased else bytes([person] * 32),
                    state=AddressState.ERASED if erased else chance.choice([AddressState.ACTIVE, *list(AddressState)[:3]]),
                )
            )  # fmt: skip
            connection.execute(
                insert(subscription).values(
                    subscriber_id=person, edition_number=number, state=chance.choice([SubscriptionState.ACTIVE, *SubscriptionState]),
                    created_at=NOW, changed_at=NOW,
                )
            )  # fmt: skip
            if chance.random() < 0.3:
                lifted = chance.choice([None, NOW])
                connection.execute(
                    insert(suppression).values(
                        address_hash=bytes([person] * 32), reason="", at=NOW, actor="test", lifted_at=lifted
                    )
                )
    for number in range(1, chance.randint(0, 6) + 1):
        life, name = chance.choice(list(IssueState)), chance.choice(EDITIONS)
        connection.execute(
            insert(issue).values(
                id=number, edition=name, day=DAY + timedelta(days=number), number=number, state=life.value,
                reason=chance.choice(["", "by hand by ada", "stopped: too much", "no log-in"]), kind="complete",
                document=b"{}", created_at=near[0], sending_at=chance.choice([None, near[1]]),
                finished_at=chance.choice([None, near[2]]),
            )
        )  # fmt: skip
        for person in range(chance.randint(0, 8)):
            became = chance.choice(list(DeliveryState))
            row = {"issue_id": number, "subscriber_id": person, "attempt": 1}
            connection.execute(insert(delivery).values(**row, variant=0, state=int(became), outcome=0))
            if became is DeliveryState.UNCERTAIN or chance.random() < 0.2:
                connection.execute(insert(delivery_problem).values(**row, at=NOW, cause="crash", reply=""))
        if chance.random() < 0.3:
            total = {"issue_id": number, "state": chance.choice([2, 3, 5]), "outcome": 0, "number": 7}
            connection.execute(insert(delivery_total).values(**total))
        for owner in chance.sample([process_name(), GONE, ELSEWHERE], chance.randint(0, 3)):
            connection.execute(
                insert(claim_table).values(
                    issue_id=number, owner=owner, provider="smtp", exposure="first", claimed_at=NOW,
                    heartbeat=chance.choice(near), closed_at=chance.choice([None, NOW]),
                )
            )  # fmt: skip
        if chance.random() < 0.5:
            connection.execute(
                insert(schedule_run).values(
                    edition=name, local_day=DAY + timedelta(days=number), latest=NOW, issue_id=number,
                    state=chance.choice(list(TurnState)).value, reason="a reason", at=NOW,
                )
            )  # fmt: skip
    for state in chance.choices(range(5), k=chance.randint(0, 6)):
        connection.execute(
            insert(notice_table).values(
                kind="welcome", address="a@example.org", payload=b"{}", state=state, attempt=0,
                due=chance.choice(near),
            )
        )  # fmt: skip


def test_the_quick_answer_is_that_of_the_rooms(copies: Database) -> None:
    assert copies.file is not None
    seen: list[Standing] = []
    for seed in range(length(60, 2_000)):
        with copies.write() as connection:
            fill(connection, random.Random(seed))
            if seed % 3 == 0:
                restored.mark(connection, NOW)
            expected = overview(connection, NOW)
        found = at_a_glance(copies.file, NOW)
        assert found == expected, seed
        seen.append(expected)
        with copies.write() as connection:
            tables = (
                schedule_run, delivery, delivery_problem, delivery_total, claim_table, issue, notice_table, suppression,
                subscription, subscriber, edition, installation,
            )  # fmt: skip
            for table in tables:
                connection.execute(table.delete())
    assert {standing.restored for standing in seen} == {None, NOW}
    shown = [each for standing in seen for each in standing.issues]
    assert {each.state for each in shown} == set(IssueState)  # the rows are of every kind
    assert {each.dead_claims for each in shown} >= {0, 1, 2}
    assert len({(each.dead_claims > 0, each.at_work) for each in shown}) == 4
    assert any(each.counts.uncertain and each.state is IssueState.FINISHED for each in shown)
    assert any(standing.notices.overdue not in {0, standing.notices.waiting} for standing in seen)
    assert {number for standing in seen for _, number in standing.readers} >= {0, 1, 2}


def test_both_databases_say_the_same(database: Database, copies: Database) -> None:
    for where in (database, copies):
        with where.write() as connection:
            fill(connection, random.Random(5))
    with database.read() as one, copies.read() as other:
        assert overview(one, NOW) == overview(other, NOW)


def test_another_schema_is_not_read(copies: Database) -> None:
    assert copies.file is not None
    with copies.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert at_a_glance(copies.file, NOW) is None


BASE = Standing(
    issues=(), turns=(), notices=NoticesStanding(waiting=2, overdue=0, failed=1), readers=(("daily", 1),)
)
ISSUE = IssueStanding(
    edition="daily", day=DAY, state=IssueState.PAUSED, reason="no log-in", at=NOW, counts=Counts(waiting=2), dead_claims=0,
    at_work=False,
)  # fmt: skip
SENDING = replace(ISSUE, state=IssueState.SENDING, reason="")
TURN = TurnStanding(edition="daily", day=DAY, state="missed", reason="a source failed.")


def told(standing: Standing, due: Mapping[str, date | None] = MappingProxyType({})) -> list[Need]:
    return list(needs(standing, due))


def test_what_goes_on_by_itself_needs_no_hand() -> None:
    assert told(BASE) == []
    finished = replace(ISSUE, state=IssueState.FINISHED, reason="", counts=Counts(prepared=1, accepted=1))
    assert told(replace(BASE, issues=(replace(SENDING, at_work=True), finished))) == []
    assert told(replace(BASE, issues=(SENDING,)), {"daily": None}) == []
    today = replace(TURN, state="planned", day=DAY + timedelta(days=1))
    assert told(replace(BASE, issues=(SENDING,), turns=(today,)), {"daily": DAY}) == []
    for state in ("nothing", "planned", "held"):
        assert told(replace(BASE, turns=(replace(TURN, state=state),)), {"daily": DAY}) == []


NEEDED = {
    "paused, no schedule": replace(BASE, issues=(ISSUE,)),
    "paused, with a schedule": replace(BASE, issues=(ISSUE,)),
    "approved, no schedule": replace(BASE, issues=(replace(SENDING, state=IssueState.APPROVED),)),
    "not at its end, no schedule": replace(BASE, issues=(SENDING,)),
    "not at its end, the send is over": replace(
        BASE, issues=(SENDING,), turns=(replace(TURN, state="planned"),)
    ),
    "by hand": replace(BASE, issues=(replace(ISSUE, reason="by hand by ada"),)),
    "stopped": replace(BASE, issues=(replace(ISSUE, reason="stopped: too much"),)),
    "held": replace(BASE, issues=(replace(ISSUE, state=IssueState.HELD, reason="too late"),)),
    "draft": replace(BASE, issues=(replace(ISSUE, state=IssueState.DRAFT, reason=""),)),
    "left": replace(BASE, issues=(replace(SENDING, dead_claims=1),)),
    "uncertain": replace(
        BASE, issues=(replace(ISSUE, state=IssueState.FINISHED, reason="", counts=Counts(uncertain=1)),)
    ),
    "missed": replace(BASE, turns=(TURN,)),
    "nobody looked": replace(BASE, turns=(replace(TURN, state="planned", day=DAY - timedelta(days=1)),)),
    "not since": replace(BASE, turns=(replace(TURN, state="waiting"),)),
    "notices": replace(BASE, notices=NoticesStanding(waiting=1, overdue=1, failed=0)),
    "no readers": replace(BASE, readers=(("daily", 0),)),
    "no list": replace(BASE, readers=()),
}


@pytest.mark.parametrize("which", NEEDED)
def test_what_needs_a_hand_names_commands_that_there_are(command: Command, which: str) -> None:
    due = {} if "no schedule" in which else {"daily": DAY}
    (need,) = told(NEEDED[which], due)
    assert need.sentence.endswith(".")
    assert "(" not in need.command  # a shell takes it
    for named in (need.command, *need.sentence.split("`")[1::2]):
        words = named.split()
        assert words[0] == "newsletter"
        assert command(*words[1:], "--help").code == 0
        options = {word for word in words if word.startswith("--")}
        assert options <= set(command(*words[1:], "--help").out.replace(",", " ").replace("/", " ").split())


def test_one_is_told_as_one() -> None:
    one = replace(ISSUE, counts=Counts(waiting=1, uncertain=1))
    waiting, uncertain = told(replace(BASE, issues=(one,)))
    assert waiting.sentence.endswith("; 1 is waiting.")
    assert "Of 1 letter of issue 2024-09-12/daily nobody knows whether it was taken;" in uncertain.sentence


def test_the_schedule_tries_again_what_a_fault_paused() -> None:
    (need,) = told(replace(BASE, issues=(ISSUE,)), {"daily": None})
    assert need == Need(
        sentence="Issue 2024-09-12/daily is paused: no log-in; 2 are waiting. The schedule tries again; this tries now.",
        command="newsletter run --edition daily",
    )
