"""Sends by SendGrid that are killed, over an API that misbehaves: nobody is lost, and nobody gets a second copy.

A request whose answer is missing may have been taken, so its readers are held. Where events come, they settle who has
the letter; who is still held then does not have it. Where none come, the ledger says how many are in doubt.
"""

from __future__ import annotations

import random
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import SAMPLE, SENDER, Command, finish
from tests.servers.sendgrid.process import Running, running
from tests.servers.sendgrid.server import KEY
from tests.support.issues import address
from tests.support.serving import serving
from tests.support.torture import Tally, length, tell

SENDS = length(3, 100)
READERS = length(1_500, 10_000)
ROUNDS = 40  # of runs, after which an issue must be finished
ISSUE = "2024-09-12/daily"
MANNERS: dict[str, tuple[str, ...]] = {  # in which events come
    "never": ("--never",),
    "at once": (),
    "late, twice": ("--late", "2", "--copies", "2"),
    "out of order, three times": ("--late", "1", "--copies", "3", "--shuffled"),
}


@dataclass(slots=True, kw_only=True)
class Total(Tally):
    """What all sends of a run together came to."""

    sends: int = 0
    kills: int = 0
    mails: int = 0
    lost: int = 0
    twice: int = 0
    in_doubt: int = 0  # at the end of a send
    settled_by_events: int = 0
    held_without_events: int = 0


@pytest.fixture(scope="module")
def total() -> Iterator[Total]:
    """Return where the sends are added up; what they came to is told at the end."""
    counted = Total()
    yield counted
    tell(f"SendGrid: {counted}")


class Send:
    """One send, its API and where its events go."""

    def __init__(self, command: Command, api: Running, dice: random.Random) -> None:
        self.command, self.api, self.dice = command, api, dice
        own = {
            "API_KEY": KEY, "BASE_URL": api.url, "CA_FILE": str(api.ca_file), "TIMEOUT": "1",
            "CONNECTIONS": str(dice.randint(2, 8)),
        }  # fmt: skip
        self.env = {
            **SENDER, "NEWSLETTER_PROVIDER__NAME": "sendgrid", "NEWSLETTER_DELIVERY__BREAKER__FAILED": "1",
            "NEWSLETTER_DELIVERY__WAIT": "20 s",
            **{f"NEWSLETTER_PROVIDER__SENDGRID__{name}": value for name, value in own.items()},
        }  # fmt: skip

    def killed(self, moment: int) -> bool:
        """Begin it, and kill the process when so many readers have it; False where it had come to its end before."""
        process = self.command.start("run", "--from", str(SAMPLE), env=self.env)
        while process.poll() is None and sum(self.api.state()["counts"].values()) < moment:
            time.sleep(0.02)
        time.sleep(self.dice.random() * 0.05)
        process.kill()
        return finish(process).code == -signal.SIGKILL

    def ended(self) -> dict[str, Any]:
        """Go on until it is finished: a key that is refused pauses it, and the next run goes on."""
        for _ in range(ROUNDS):
            result = self.command.process("run", "--from", SAMPLE, env=self.env)
            assert "Traceback" not in result.err
            issue = self.issue()
            if issue["state"] == "finished":
                return issue
            assert issue["state"] in {"paused", "sending"}, issue
        pytest.fail(f"not finished after {ROUNDS} runs: {issue}")

    def issue(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.command("issues", "show", ISSUE, "--json", env=self.env).ok().json
        return shown

    def states(self) -> dict[str, str]:
        rows = self.command("deliveries", "list", ISSUE, "--json", env=self.env).ok().json
        return {row["email"]: row["state"] for row in rows}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize("seed", range(SENDS))
def test_a_kill_loses_nobody_and_repeats_nothing(
    command: Command, filled_file: Callable[[int], Path], seed: int, total: Total
) -> None:
    dice = random.Random(f"sendgrid {seed}")
    manner = [*MANNERS][seed % len(MANNERS)]
    shutil.copy(filled_file(READERS), command.folder / "newsletter.db")
    port = free_port()
    with ExitStack() as stack:
        options = [
            "--events",
            f"http://127.0.0.1:{port}/events/sendgrid",
            "--retries",
            "50",
            *MANNERS[manner],
        ]
        faults = ["--share", "0.15", "--seed", str(seed), "--slow", "1.5"]
        api = stack.enter_context(running(*options, *faults, ca_file=command.folder / "ca.pem"))
        if manner != "never":
            key = api.state()["public_key"]
            settings = f'[provider.sendgrid]\nwebhook_key = "{key}"\n'
            stack.enter_context(serving(command.folder, "--port", str(port), settings=settings))
        send = Send(command, api, dice)
        moment = dice.randrange(1, READERS * 7 // 10)  # some are held, and never counted
        killed = send.killed(moment)
        issue = send.ended()
        in_doubt = issue["counts"]["uncertain"]
        if manner != "never":
            heard(api, send)
        states, taken = send.states(), Counter(api.state()["counts"])
    tell(f"send {seed} ({manner}): killed at {moment:,}, {in_doubt:,} in doubt", end="")
    check(total, states, taken, killed=killed, in_doubt=in_doubt, events=manner != "never")


def heard(api: Running, send: Send) -> None:
    """Wait until everything was posted and worked through."""
    deadline = time.monotonic() + 60
    while not api.state()["settled"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert api.state()["lost"] == 0
    while any(each["waiting"] for each in send.command("events", "stats", "--json", env=send.env).ok().json):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def check(
    total: Total, states: dict[str, str], taken: Counter[str], *, killed: bool, in_doubt: int, events: bool
) -> None:
    """Check that everybody is accounted for, by the ledger and by the API alike."""
    everybody = {address(number) for number in range(1, READERS + 1)}
    by_state: dict[str, set[str]] = {}
    for who, state in states.items():
        by_state.setdefault(state, set()).add(who)
    held = by_state.get("uncertain", set())
    lost = by_state.get("accepted", set()) - set(taken)
    twice = sum(number - 1 for number in taken.values())
    tell(f", {len(held):,} held at last; {len(lost)} lost, {twice} twice")
    total.sends += 1
    total.kills += killed
    total.mails += sum(taken.values())
    total.lost += len(lost)
    total.twice += twice
    total.in_doubt += in_doubt
    if events:
        total.settled_by_events += in_doubt - len(held)
    else:
        total.held_without_events += len(held)
    assert set(states) == everybody
    assert set(by_state) <= {"accepted", "uncertain", "rejected"}
    assert not lost
    assert twice == 0
    assert not by_state.get("rejected", set()) & set(taken)
    assert set(taken) <= by_state["accepted"] | held
    if events:  # they prove who has it, so nobody who is held does
        assert not held & set(taken)
