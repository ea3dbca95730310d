"""The log of a send: its events and ids, and nobody's address in it."""

from __future__ import annotations

import json
import re
import signal
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.command import PEOPLE, SAMPLE, Command, assert_complains, finish, run, smtp_settings
from tests.servers.smtp import At, Fault, SmtpSink
from tests.support.stored import stored

ISSUE = "2024-09-12/daily"
PASSWORD = "hunter2-secret"
LOG = {"NEWSLETTER_LOG__LEVEL": "debug", "NEWSLETTER_LOG__FORMAT": "json", "NEWSLETTER_LOG__FILE": "send.log"}
NOW_LIKE = timedelta(minutes=5)
MASKED = "<(address)> (address) (address)"
COUNTED = "prepared=3 accepted=2 rejected=1 suppressed=0 uncertain=0 waiting=0 cancelled=0"


def quoting(address: str) -> Fault:
    """Return a refusal whose reply quotes an address in several spellings."""
    spellings = f"<{address.upper()}> {address.replace('@', '%40')} b+{address.replace('@', '=')}@x.example"
    return Fault(at=At.RCPT, reply=f"550 5.1.1 {spellings} unknown", recipient=address)


def lines(command: Command) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (command.folder / "send.log").read_text(encoding="utf-8").splitlines()
    ]


def of(rows: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["event"] == event]


def send_with_faults(command: Command, **more: str) -> Mapping[str, str]:
    """Send to four people: one is taken, one refused, one put off, and of one nobody knows."""
    command("subscribers", "add", "lost@example.org").ok()
    faults = [
        quoting(PEOPLE[0]),
        Fault(at=At.RCPT, reply=f"451 4.7.1 <{PEOPLE[1]}> greylisted", recipient=PEOPLE[1]),
        Fault(at=At.DOT, close=True, recipient="lost@example.org"),
    ]
    with SmtpSink(faults=faults, login=("apikey", PASSWORD)) as sink:
        env = smtp_settings(sink, USERNAME="apikey", PASSWORD=PASSWORD) | LOG | more
        env = env | {"NEWSLETTER_DELIVERY__WAIT": "0 s"}
        run(command, "--from", SAMPLE, env=env)
    return env


def test_without_the_setting_there_is_no_log(people: Command) -> None:
    with SmtpSink(faults=[quoting(PEOPLE[0])]) as sink:
        result = people("run", "--from", SAMPLE, env=smtp_settings(sink)).ok()
    assert result.err == ""
    assert not list(people.folder.glob("*.log"))


def test_events_have_the_ids_of_the_database(people: Command) -> None:
    send_with_faults(people)
    rows = lines(people)
    for row in rows:
        assert list(row)[:4] == ["time", "level", "event", "issue"]
        assert row["issue"] == ISSUE
        assert row["time"].endswith("Z")
        assert abs(datetime.fromisoformat(row["time"]) - datetime.now(UTC)) < NOW_LIKE
    receipts = {row["subscriber"]: row for row in of(rows, "receipt")}
    outcomes = {who: (row["level"], row["outcome"], row["attempt"]) for who, row in receipts.items()}
    assert outcomes == {
        1: ("info", "rejected", 1), 2: ("info", "retry", 1), 3: ("debug", "accepted", 1), 4: ("info", "uncertain", 1),
    }  # fmt: skip
    (claim,) = stored(people.folder, "SELECT id FROM claim")
    assert {row["claim"] for row in receipts.values()} == set(claim)
    assert [row["claim"] for row in of(rows, "claim taken") + of(rows, "claim released")] == [*claim, *claim]
    assert all(row["seconds"] >= 0 for row in receipts.values())
    assert [row.get("hard") for row in receipts.values()] == [True, None, None, None]
    assert receipts[1]["reply"] == f"550 5.1.1 {MASKED} unknown"
    assert [row["event"] for row in rows if "receipt" not in row["event"]] == [
        "issue planned", "issue sending", "claim taken", "claim released",
    ]  # fmt: skip
    assert of(rows, "issue planned")[0]["prepared"] == 4


@pytest.mark.parametrize("form", ["json", "text"])
def test_nobody_is_named_and_no_secret(people: Command, form: str) -> None:
    env = send_with_faults(people, NEWSLETTER_LOG__FORMAT=form)
    people("issues", "pause", "2024-09-12", "--reason", f"{PEOPLE[0]} asked", env=env).ok()
    text = (people.folder / "send.log").read_text(encoding="utf-8").lower()
    assert "issue paused" in text
    for address in (*PEOPLE, "lost@example.org", "news@example.org"):
        for spelling in (address, address.replace("@", "%40"), address.replace("@", "=")):
            assert spelling not in text
    assert PASSWORD not in text
    for (key,) in stored(people.folder, "SELECT lower(hex(key)) FROM subscriber"):
        assert key not in text
    assert (people.folder / "send.log").stat().st_mode & 0o077 == 0


def test_addresses_stand_in_it_where_that_is_set(people: Command) -> None:
    send_with_faults(people, NEWSLETTER_LOG__ADDRESSES="true")
    receipts = {row["subscriber"]: row for row in of(lines(people), "receipt")}
    assert [receipts[who]["address"] for who in (1, 2, 3, 4)] == [*PEOPLE, "lost@example.org"]
    assert PEOPLE[1] in receipts[2]["reply"]


def test_the_level_is_kept_to(people: Command) -> None:
    send_with_faults(people, NEWSLETTER_LOG__LEVEL="info")
    assert Counter(row["event"] for row in lines(people)) == {
        "issue planned": 1, "issue sending": 1, "receipt": 3,
    }  # fmt: skip


def test_text_on_standard_error_beside_what_is_read(people: Command) -> None:
    with SmtpSink(faults=[quoting(PEOPLE[0])]) as sink:
        env = smtp_settings(sink) | {"NEWSLETTER_LOG__LEVEL": "info"}
        result = people("run", "--from", SAMPLE, env=env)
    assert "is sent" in result.out
    told = result.err.splitlines()
    assert [re.sub(r"^\S+Z | seconds=\S+", "", line) for line in told] == [
        f"info issue planned issue={ISSUE} prepared=3",
        f"info issue sending issue={ISSUE} was=approved waiting=3",
        f'info receipt issue={ISSUE} claim=1 subscriber=1 attempt=1 outcome=rejected hard=true reply="550 5.1.1 {MASKED} unknown"',
        f"info issue finished issue={ISSUE} was=sending {COUNTED}",
    ]  # fmt: skip


def test_a_provider_that_refuses_pauses_and_hands_let_go_on(people: Command) -> None:
    with SmtpSink(login=("apikey", PASSWORD)) as sink:
        wrong = smtp_settings(sink, USERNAME="apikey", PASSWORD="another-secret") | LOG
        run(people, "--from", SAMPLE, env=wrong, code=1)
        people("issues", "resume", "2024-09-12", env=wrong).ok()
        run(people, "--from", SAMPLE, env=wrong | {"NEWSLETTER_PROVIDER__SMTP__PASSWORD": PASSWORD})
    rows = lines(people)
    (unavailable,) = of(rows, "provider unavailable")
    assert (unavailable["level"], unavailable["claim"]) == ("warning", 1)
    moves = [(row["event"], row.get("was")) for row in rows if row["event"].startswith("issue ")]
    assert moves == [
        ("issue planned", None), ("issue sending", "approved"), ("issue paused", "sending"), ("issue sending", "paused"),
        ("issue finished", "sending"),
    ]  # fmt: skip
    assert "another-secret" not in (people.folder / "send.log").read_text(encoding="utf-8")


def test_what_a_killed_process_held_is_taken_over(people: Command) -> None:
    with SmtpSink(delay=0.5) as sink:
        env = smtp_settings(sink) | LOG
        killed = people.start("run", "--from", str(SAMPLE), env=env)
        end = time.monotonic() + 20
        while not sink.messages and time.monotonic() < end:
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        finish(killed)
        run(people, "--from", SAMPLE, env=env | {"NEWSLETTER_DELIVERY__WAIT": "0 s"})
    (over,) = of(lines(people), "claim taken over")
    assert (over["level"], over["claim"], over["doubtful"]) == ("warning", 1, 1)


def test_a_log_that_cannot_be_written(people: Command) -> None:
    nowhere = {"NEWSLETTER_LOG__LEVEL": "info", "NEWSLETTER_LOG__FILE": "no/such/folder.log"}
    assert_complains(people("run", "--from", SAMPLE, env=nowhere), "log.file", "No such file")
    full = people("run", "--from", SAMPLE, env=nowhere | {"NEWSLETTER_LOG__FILE": "/dev/full"})
    assert (full.code, full.err.count("the log cannot be written")) == (0, 1), full
    assert "is sent" in full.out
    assert "Traceback" not in full.err
