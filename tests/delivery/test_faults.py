"""Seeded misfortunes, many at once: in the end the ledger accounts for everybody, and the mail server agrees.

Senders that are killed, two or three at a time, beside people who leave; a server that misbehaves at any command; a
clock that jumps; a database that is locked, full, or replaced by a backup.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from newsletter.database import Database
from newsletter.delivery import ledger, tables
from newsletter.errors import DatabaseError
from newsletter.states import DeliveryState, IssueState
from subscribers import schema
from tests.delivery.senders import NO_DATABASE, Conditions, start
from tests.servers.smtp_sink import MOMENTS, Fate, Misbehaviour, SinkProcess
from tests.support.issues import add_readers, address, people, plan_issue
from tests.support.torture import length, tell

SCENARIOS = length(8, 1_000)
READERS = 60
ROUNDS = 25  # of senders, after which an issue must be finished
LATE = 0.5  # seconds; senders wait half as long
KILLED = -9
DOUBTS = ("crash", "uncertain")


@dataclass(slots=True, kw_only=True)
class Total:
    """What all scenarios of a run together came to."""

    scenarios: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    broken: int = 0  # senders that the database let down
    restores: int = 0
    messages: int = 0
    lost: int = 0
    twice: int = 0
    doubts: int = 0
    unknown_to_backup: int = 0


@pytest.fixture(scope="module")
def total() -> Iterator[Total]:
    """Return where the scenarios are added up; what they came to is told at the end, and was not nothing."""
    counted = Total()
    yield counted
    tell(f"faults: {counted}")
    if counted.scenarios >= 100:  # that few of them would meet nothing is possible
        assert len(counted.faults) == len(Fate)
        assert min(counted.kills, counted.broken, counted.restores, counted.doubts) > 0


class Scenario:
    """One issue, and what befalls it."""

    def __init__(self, seed: int, database: Database, sink: SinkProcess, total: Total) -> None:
        self.dice = random.Random(f"fault {seed}")
        self.seed, self.database, self.sink, self.total = seed, database, sink, total
        self.left_before: set[str] = set()
        self.backup: Path | None = None
        self.known_to_backup: set[str] = set()

    def plan(self) -> None:
        add_readers(self.database, READERS)
        self.issue = plan_issue(self.database).id
        for number in self.dice.sample(range(1, READERS + 1), self.dice.choice([0, 0, 3])):
            self.leave(number)
            self.left_before.add(address(number))

    def leave(self, number: int) -> None:
        with self.database.write() as connection:
            people().remove(connection, address(number), actor="test", now=datetime.now(UTC))

    def conditions(self, round_: int) -> Conditions:
        """Draw what a sender has to live with; the later ones live in peace, days ahead."""
        if round_ >= 3:
            return Conditions(ahead=timedelta(days=2 * round_))
        size = self.database.file.stat().st_size if self.database.file else 0
        trouble = self.dice.choice(["", "", "full", "no more octets"])
        return Conditions(
            jumps=self.dice.choice([0, 0, 0.01]), seed=self.dice.randrange(10**6), connections=self.dice.randint(1, 4),
            busy=self.dice.choice([0.1, 30]),
            pages=size // 4096 + self.dice.randint(0, 2) if trouble == "full" else 0,
            octets=size + self.dice.randint(0, 60_000) if trouble == "no more octets" else 0,
        )  # fmt: skip

    def run(self) -> None:
        """Let senders come and go until the issue is finished."""
        for round_ in range(ROUNDS):
            senders = [
                start(self.url, self.sink.port, self.conditions(round_))
                for _ in range(self.dice.choice([1, 1, 2, 3]))
            ]
            with self.disturbed(round_):
                if round_ < 3 and self.dice.random() < 0.5:
                    moment = self.sink.count() + self.dice.randrange(READERS)
                    self.sink.wait_for(moment, lambda: any(sender.is_alive() for sender in senders))  # noqa: B023
                    senders[0].kill()
            for sender in senders:
                sender.join(60)
                assert sender.exitcode in {0, NO_DATABASE, KILLED}, f"a sender ended with {sender.exitcode}"
                self.total.kills += sender.exitcode == KILLED
                self.total.broken += sender.exitcode == NO_DATABASE
            if round_ == 1 and self.backup is not None:
                self.restore()
            if round_ >= 2 and self.state() is IssueState.FINISHED:
                return
        pytest.fail(f"not finished after {ROUNDS} rounds: {self.state()}")

    @property
    def url(self) -> str:
        return self.database.engine.url.render_as_string(hide_password=False)

    def state(self) -> IssueState:
        with self.database.read() as connection:
            return ledger.state_of(connection, self.issue)

    @contextmanager
    def disturbed(self, round_: int) -> Iterator[None]:
        """Let people leave, lock the database, or take a backup, while senders are at work."""
        acts = [self.many_leave, self.lock] if round_ < 2 else []
        if round_ == 0 and self.database.is_sqlite and self.dice.random() < 0.3:
            acts.append(self.copy)
        chosen = [act for act in acts if act == self.copy or self.dice.random() < 0.4]
        threads = [threading.Thread(target=self.soon(act, self.dice.random() * 0.2)) for act in chosen]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()

    @staticmethod
    def soon(act: Callable[[], None], seconds: float) -> Callable[[], None]:
        def later() -> None:
            time.sleep(seconds)
            act()

        return later

    def many_leave(self) -> None:
        for number in random.Random(self.seed).sample(range(1, READERS + 1), 8):
            with suppress(DatabaseError):
                self.leave(number)

    def lock(self) -> None:
        """Hold the write lock for a while, longer than some senders wait."""
        if self.database.file is None:
            with self.database.write() as connection:
                connection.execute(text("LOCK TABLE delivery IN EXCLUSIVE MODE"))
                time.sleep(0.3)
            return
        holder = sqlite3.connect(self.database.file, timeout=5, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(0.3)
        holder.close()

    def copy(self) -> None:
        assert self.database.file is not None
        self.backup = self.database.copy_to(self.database.file.with_name("backup.db"))
        opened = Database(self.backup, read_only=True)
        self.known_to_backup = {
            who for who, state in self.rows(opened).items() if state is DeliveryState.ACCEPTED
        }
        opened.close()

    def restore(self) -> None:
        """Put the backup in the place of the database, as an operator does when nothing runs."""
        assert self.database.file is not None
        assert self.backup is not None
        self.database.close()
        for ending in ("-wal", "-shm"):
            self.database.file.with_name(self.database.file.name + ending).unlink(missing_ok=True)
        self.backup.rename(self.database.file)
        self.total.restores += 1

    def rows(self, database: Database) -> dict[str, DeliveryState]:
        wanted = select(schema.subscriber.c.email, tables.delivery.c.state).join(
            tables.delivery, tables.delivery.c.subscriber_id == schema.subscriber.c.id
        )
        with database.read() as connection:
            return {email: DeliveryState(state) for email, state in connection.execute(wanted)}

    def doubts(self) -> Counter[str]:
        """Count how often the ledger noted of somebody that a letter may have been taken."""
        problem = tables.delivery_problem.c
        wanted = select(schema.subscriber.c.email).join(
            tables.delivery_problem, problem.subscriber_id == schema.subscriber.c.id
        )
        with self.database.read() as connection:
            return Counter(connection.execute(wanted.where(problem.cause.in_(DOUBTS))).scalars())

    def check(self) -> None:
        """Hold the ledger against what the server saw."""
        time.sleep(LATE if (Fate.LATE in {fate for _, fate in self.sink.faults()}) else 0)
        taken = self.sink.taken()
        copies = Counter(each.recipient for each in taken)
        rows, doubts = self.rows(self.database), self.doubts()
        with self.database.read() as connection:
            counts = ledger.counts(connection, self.issue)
        parts = (counts.accepted, counts.rejected, counts.suppressed, counts.uncertain, counts.cancelled)
        assert counts.prepared == READERS == sum(parts) == len(rows)
        assert not set(copies) & self.left_before
        accepted = {who for who, state in rows.items() if state is DeliveryState.ACCEPTED}
        lost = accepted - set(copies)
        forgotten = self.forgotten(copies)
        self.add(copies, lost, doubts, forgotten)
        assert not lost
        for who, number in copies.items():
            assert (
                rows[who] in {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN}
                or doubts[who]
                or who in forgotten
            )
            assert number <= 1 + doubts[who] or who in forgotten
        names = {(each.recipient, each.message_id) for each in taken}
        assert len(names) == len(copies) == len({name for _, name in names})

    def forgotten(self, copies: Counter[str]) -> set[str]:
        """Whom a restored backup did not know to have the letter: only they may have it again without a note."""
        return set(copies) - self.known_to_backup if self.backup is not None else set()

    def add(self, copies: Counter[str], lost: set[str], doubts: Counter[str], forgotten: set[str]) -> None:
        total = self.total
        total.scenarios += 1
        total.faults.update(fate.value for _, fate in self.sink.faults())
        total.messages += sum(copies.values())
        total.lost += len(lost)
        total.twice += sum(number - 1 for who, number in copies.items() if who not in forgotten)
        total.doubts += sum(number for who, number in doubts.items() if who not in forgotten)
        total.unknown_to_backup += sum(number - 1 for who, number in copies.items() if who in forgotten)


def misbehaviour(seed: int) -> Misbehaviour:
    """Draw how the mail server behaves: well, or badly at some moments, in some ways."""
    dice = random.Random(f"server {seed}")
    some = tuple(dice.sample(MOMENTS, dice.randint(1, len(MOMENTS))))
    return Misbehaviour(
        seed=seed, odds=dice.choice([0, 0.02, 0.05, 0.3]), most=dice.choice([2, 6]), late=LATE,
        moments=dice.choice([some, ("DOT",)]),  # where the doubt is
        fates=tuple(fate.value for fate in dice.sample(list(Fate), dice.randint(1, len(Fate)))),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(SCENARIOS))
def test_the_ledger_and_the_server_agree(
    seeded_database: Database, tmp_path: Path, seed: int, total: Total
) -> None:
    pipelining = seed % 2 == 0
    with SinkProcess(tmp_path, pipelining=pipelining, misbehaviour=misbehaviour(seed)) as sink:
        scenario = Scenario(seed, seeded_database, sink, total)
        scenario.plan()
        scenario.run()
        scenario.check()
