"""Processes killed in mid-send, over and over: nobody is lost, and what is repeated stays within its bound.

SMTP leaves a gap that nobody can close (RFC 1047): between the end of the data and the note that it was taken. So a
kill may repeat one message for each open connection, and no more.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.command import SAMPLE, Command, Result, finish, smtp_settings
from tests.delivery.conftest import fill
from tests.servers.smtp_sink import SinkProcess, Taken
from tests.support.issues import address
from tests.support.postgres import PostgresServer
from tests.support.torture import Tally, length, tell

SENDS = length(2, 100)
READERS = length(300, 10_000)
STARTS = length(1, 50)
FEW = 300
ON_POSTGRES = 10  # one send of so many
ISSUE = "2024-09-12/daily"


@dataclass(slots=True, kw_only=True)
class Total(Tally):
    """What all sends of a run together came to."""

    sends: int = 0
    kills: int = 0
    messages: int = 0
    lost: int = 0
    twice: int = 0
    bound: int = 0


@pytest.fixture(scope="module")
def total() -> Iterator[Total]:
    """Return where the sends are added up; what they came to is told at the end."""
    counted = Total()
    yield counted
    tell(f"kills: {counted}")


@pytest.fixture(scope="module")
def crowd_template(postgres: PostgresServer, migrated_template: str) -> str:
    """Return the name of a PostgreSQL database with many subscribers, to clone."""
    with postgres.admin() as admin:
        admin.execute(f"CREATE DATABASE crowd TEMPLATE {migrated_template}".encode())
    fill(postgres.url("crowd"), READERS)
    return "crowd"


@pytest.fixture
def database_env(request: pytest.FixtureRequest, command: Command, seed: int) -> Iterator[dict[str, str]]:
    """Return the variables that name a database with many subscribers: SQLite, and now and then PostgreSQL."""
    if seed % ON_POSTGRES != 1:
        shutil.copy(request.getfixturevalue("filled_file")(READERS), command.folder / "newsletter.db")
        yield {}
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh(template=request.getfixturevalue("crowd_template")) as url:
        yield {"NEWSLETTER_DATABASE__URL": url}


@pytest.mark.parametrize("seed", range(SENDS))
def test_a_kill_loses_nobody_and_repeats_one_a_connection_at_most(
    command: Command, database_env: dict[str, str], seed: int, total: Total
) -> None:
    dice = random.Random(f"kill {seed}")
    connections, moment = dice.randint(2, 8), dice.randrange(READERS)
    with SinkProcess(command.folder, pipelining=dice.random() < 0.5) as sink:
        env = {**smtp_settings(sink, CONNECTIONS=str(connections)), **database_env}
        run = command.start("run", "--from", str(SAMPLE), env=env)
        sink.wait_for(moment, lambda: run.poll() is None)
        killed = _kill(run, after=dice.random() * 0.02)
        _end(command, env, dice)
        doubted = _check_ledger(command, database_env, READERS)
    tell(f"send {seed}: killed at {moment:,} of {READERS:,}, ", end="")
    _check(total, sink.taken(), doubted, READERS, killed=killed, connections=connections)


@pytest.mark.parametrize("seed", range(STARTS))
def test_a_kill_at_any_time_since_the_start_loses_nobody_either(
    command: Command, filled_file: Callable[[int], Path], seed: int, total: Total
) -> None:
    dice = random.Random(f"start {seed}")
    shutil.copy(filled_file(FEW), command.folder / "newsletter.db")
    with SinkProcess(command.folder) as sink:
        env = smtp_settings(sink, CONNECTIONS="2")
        run = command.start("run", "--from", str(SAMPLE), env=env)
        after = dice.random() * 2
        killed = _kill(run, after=after)
        _end(command, env, dice)
        doubted = _check_ledger(command, {}, FEW)
    tell(f"start {seed}: killed after {after:.2f} s, ", end="")
    _check(total, sink.taken(), doubted, FEW, killed=killed, connections=2)


def _check(
    total: Total, taken: list[Taken], doubted: set[str], readers: int, *, killed: bool, connections: int
) -> None:
    """Check that nobody is lost, and that a copy is the same message and stands behind a noted doubt."""
    copies = Counter(each.recipient for each in taken)
    lost = {address(number) for number in range(1, readers + 1)} - set(copies)
    twice, bound = sum(copies.values()) - len(copies), connections * killed
    tell(f"{len(lost)} lost, {twice} twice (bound {bound})")
    total.sends += 1
    total.kills += killed
    total.messages += len(taken)
    total.lost += len(lost)
    total.twice += twice
    total.bound += bound
    assert not lost
    assert twice <= len(doubted) <= bound
    assert {who for who, number in copies.items() if number > 1} <= doubted
    names = {(each.recipient, each.message_id) for each in taken}
    assert len(names) == len(copies) == len({name for _, name in names})


def _kill(process: subprocess.Popen[str], *, after: float) -> bool:
    """Kill a process a little later; False where it had come to its end before."""
    time.sleep(after)
    process.kill()
    return finish(process).code == -signal.SIGKILL


def _end(command: Command, env: dict[str, str], dice: random.Random) -> Result:
    """Go on with the issue, by one door or the other."""
    planned = command("issues", "list", "--json", env=env).json
    if planned and dice.random() < 0.5:
        return command.process("send", "2024-09-12", env=env).ok()
    return command.process("run", "--from", SAMPLE, env=env).ok()


def _check_ledger(command: Command, env: dict[str, str], readers: int) -> set[str]:
    """Check that everybody is accepted; return of whom the ledger says that it was in doubt."""
    issue = command("issues", "show", ISSUE, "--json", env=env).ok().json
    assert issue["state"] == "finished"
    counts = issue["counts"]
    assert counts["prepared"] == readers == counts["accepted"] == sum(counts.values()) - readers
    rows = command("deliveries", "list", ISSUE, "--json", env=env).ok().json
    assert {row["email"] for row in rows} == {address(number) for number in range(1, readers + 1)}
    assert {row["state"] for row in rows} == {"accepted"}
    return {row["email"] for row in rows if row["cause"] == "crash"}
