"""Issues that are listed, paused, gone on with and cancelled by hand."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time

import pytest

from tests.cli.command import PROGRAM, SAMPLE, SENDER, Command, assert_complains
from tests.servers.smtp import SmtpSink

DAY = "2024-09-12"


def readers(command: Command, count: int) -> None:
    lines = "".join(f"reader{number}@example.org\n" for number in range(count))
    (command.folder / "readers.csv").write_text(f"email\n{lines}", encoding="utf-8")
    command("subscribers", "import", "readers.csv", "--consent", "at a workshop").ok()


def smtp(sink: SmtpSink, **more: str) -> dict[str, str]:
    return SENDER | {
        "NEWSLETTER_PROVIDER__NAME": "smtp", "NEWSLETTER_PROVIDER__SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_PROVIDER__SMTP__PORT": str(sink.port), "NEWSLETTER_PROVIDER__SMTP__TLS": "none",
    } | more  # fmt: skip


def test_without_issues_the_list_says_so(command: Command) -> None:
    assert "no issue yet" in command("issues", "list").ok().out
    assert command("issues", "list", "--json").ok().json == []


def test_the_list_has_every_issue_with_its_counts(command: Command) -> None:
    readers(command, 2)
    command("run", "--from", str(SAMPLE)).ok()
    (row,) = command("issues", "list", "--json").ok().json
    assert (row["issue"], row["state"], row["number"]) == (f"{DAY}/daily", "finished", 1)
    assert row["counts"]["accepted"] == 2
    assert f"{DAY}/daily" in command("issues", "list", "--edition", "daily").ok().out


def test_a_finished_issue_cannot_be_paused_or_resumed(command: Command) -> None:
    readers(command, 1)
    command("run", "--from", str(SAMPLE)).ok()
    for verb in ("pause", "resume"):
        result = command("issues", verb, DAY)
        assert result.code == 1
        assert result.err == f"newsletter: issue {DAY}/daily: is finished; there is nothing to {verb}\n"
    missing = command("issues", "pause", "2024-01-01")
    assert (missing.code, len(missing.err.splitlines())) == (2, 1)


def test_a_pause_by_hand_ends_by_hand(command: Command) -> None:
    readers(command, 40)
    with SmtpSink(delay=0.1) as sink:
        env = smtp(sink)
        run = command.start("run", "--from", str(SAMPLE), "--json", env=env)
        until(lambda: len(sink.messages) >= 3)
        began = time.monotonic()
        command("issues", "pause", DAY, "--reason", "a wrong picture", env=env).ok()
        out, _ = run.communicate(timeout=20)
        assert time.monotonic() - began < 2.5
        assert run.returncode == 0
        assert "a wrong picture" in json.loads(out)["sentence"]
        taken = len(sink.messages)
        assert taken < 40
        again = command("run", "--from", str(SAMPLE), env=env).ok()
        assert "is paused" in again.out
        assert len(sink.messages) == taken
        resumed = command("issues", "resume", DAY, env=env).ok().out
        assert resumed.endswith("`newsletter run --edition daily` sends what is waiting.\n")
        command("run", "--from", str(SAMPLE), env=env).ok()
        assert len({message.recipients for message in sink.messages}) == len(sink.messages) == 40


def test_a_pause_by_hand_takes_the_place_of_one_that_would_end_by_itself(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp(sink)
    assert "no connection" in people("run", "--from", SAMPLE, env=env).err
    people("issues", "pause", DAY).ok()
    told = people("issues", "pause", DAY, "--reason", "wrong letter", "--json").ok().json
    assert told["reason"].startswith("by hand by ")
    assert told["reason"].endswith(": wrong letter")
    assert people("issues", "pause", DAY, "--json").ok().json["reason"] == told["reason"]
    with SmtpSink() as sink:
        env = smtp(sink)
        assert "nothing was sent" in people("run", "--from", SAMPLE, env=env).ok().out
        assert sink.messages == []
        people("issues", "resume", DAY).ok()
        people("run", "--from", SAMPLE, env=env).ok()
        assert len(sink.messages) == 3


def test_who_was_not_written_to_before_a_cancel_never_is(command: Command) -> None:
    readers(command, 40)
    with SmtpSink(delay=0.1) as sink:
        env = smtp(sink)
        run = command.start("run", "--from", str(SAMPLE), "--json", env=env)
        until(lambda: len(sink.messages) >= 3)
        command("issues", "cancel", DAY, "--yes", env=env).ok()
        out, _ = run.communicate(timeout=20)
        assert "is cancelled" in json.loads(out)["sentence"]
        taken = len(sink.messages)
        counts = command("issues", "show", DAY, "--json", env=env).ok().json["counts"]
        assert (counts["accepted"], counts["cancelled"], counts["waiting"]) == (taken, 40 - taken, 0)
        command("run", "--from", str(SAMPLE), env=env).ok()
        assert len(sink.messages) == taken


def test_what_a_killed_run_held_is_cancelled_too(command: Command) -> None:
    readers(command, 40)
    with SmtpSink(delay=0.1) as sink:
        env = smtp(sink)
        run = command.start("run", "--from", str(SAMPLE), env=env)
        until(lambda: len(sink.messages) >= 3)
        run.kill()
        run.communicate()
        command("issues", "cancel", DAY, "--yes", env=env).ok()
        counts = command("issues", "show", DAY, "--json", env=env).ok().json["counts"]
        assert counts["waiting"] == 0
        assert counts["uncertain"] == 1, (
            "the one in flight is not said to be cancelled: it may have been taken"
        )
        assert counts["prepared"] == 40 == counts["accepted"] + counts["cancelled"] + 1
    assert_complains(command("issues", "cancel", DAY), "--yes")


def test_what_is_not_confirmed_is_not_cancelled(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp(sink)
    people("run", "--from", SAMPLE, env=env)
    terminal, inner = pty.openpty()
    os.write(terminal, b"n\n")
    refused = subprocess.run(
        [PROGRAM, "issues", "cancel", DAY], cwd=people.folder, stdin=inner, capture_output=True, text=True, check=False
    )  # fmt: skip
    os.close(terminal)
    os.close(inner)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.endswith("Nothing was cancelled.\n")
    assert people("issues", "show", DAY, "--json").ok().json["state"] == "paused"


def test_a_schedule_goes_on_with_what_is_resumed(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp(sink)
    people("run", "--from", SAMPLE, env=env)
    (people.folder / "newsletter.toml").write_text("[editions.daily.schedule]\n", encoding="utf-8")
    assert "3 waiting" in (told := people("issues", "resume", DAY).ok().out)
    assert told.endswith(
        " The schedule sends what is waiting; `newsletter run --edition daily` does so now.\n"
    )


def until(done: object, seconds: float = 20) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            pytest.fail("it did not happen")
        time.sleep(0.02)
