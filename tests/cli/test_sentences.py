"""Whatever becomes of a run, it says so: one that sent nothing is never green without a sentence why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.cli.command import SAMPLE, Command, Result, entry, outbox, papers_file, smtp_settings
from tests.servers.papers_api import Fault, PapersApi
from tests.servers.smtp import At, SmtpSink
from tests.servers.smtp import Fault as SmtpFault

NOW = "2026-01-07T20:00:00+00:00"  # a Wednesday, after the day has closed
TODAY = date(2026, 1, 7)
EARLIER = (TODAY - timedelta(days=1)).isoformat()
SCHEDULE = (
    '[editions.daily]\nschedule = { at = "07:30", days = "daily", timezone = "UTC", latest = "12:00" }\n'
)
FULL = [entry("2601.00001", votes=9)]

Env = dict[str, str]


def sample(command: Command, env: Env, *words: str) -> Result:
    return command("run", "--from", SAMPLE, *words, env=env)


def fetched(command: Command, env: Env, days: dict[str, object], *words: str, **more: str) -> Result:
    with PapersApi(days=days, today=TODAY) as api, time_machine.travel(NOW):  # type: ignore[arg-type]
        return command(
            "run", *words, env={**env, "NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url, **more}
        )


def again(command: Command, env: Env) -> Result:
    sample(command, {}).ok()
    return sample(command, env)


def moved(command: Command, env: Env, *words: str) -> Result:
    with SmtpSink() as sink:
        gone = smtp_settings(sink)
    assert sample(command, gone).code == 1
    command("issues", words[0], "2024-09-12", *words[1:]).ok()
    return sample(command, env)


def paused(command: Command, env: Env) -> Result:
    with SmtpSink() as sink:
        gone = smtp_settings(sink)
    assert sample(command, gone).code == 1
    command("issues", "resume", "2024-09-12").ok()
    command("issues", "pause", "2024-09-12", "--reason", "look at the title").ok()
    return sample(command, env)


def nobody(command: Command, env: Env) -> Result:
    for name in ("ada", "grace", "minjun"):
        command("subscribers", "remove", f"{name}@example.org").ok()
    return sample(command, env)


def without_mail(command: Command, env: Env) -> Result:
    with SmtpSink() as sink:
        gone = smtp_settings(sink)
    return sample(command, {**env, **gone})


def all_refused(command: Command, env: Env) -> Result:
    with SmtpSink(faults=[SmtpFault(at=At.RCPT, reply="550 5.1.1 no such user", times=9)]) as sink:
        return sample(command, {**env, **smtp_settings(sink)})


def failed(command: Command, env: Env) -> Result:
    with PapersApi(faults=[Fault(status=404)] * 9) as api:
        more = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}
        return command("run", "--day", EARLIER, env={**env, **more})


def quiet_then_sent(command: Command, env: Env) -> Result:
    fetched(command, {}, {EARLIER: FULL}, "--day", EARLIER).ok()
    return fetched(command, env, {EARLIER: FULL})


def due(command: Command, env: Env, now: str) -> Result:
    (command.folder / "newsletter.toml").write_text(SCHEDULE, encoding="utf-8")
    papers_file(command.folder / "day.json", FULL)
    command("run", "--if-due", "--now", "2026-01-05T08:00:00Z", "--from", "day.json").ok()
    return command("run", "--if-due", "--now", now, env=env)


@pytest.mark.parametrize(
    ("run", "code", "why", "mark"),
    [
        (sample, 0, "3 of 3 accepted", ""),
        (again, 0, "already sent (3 accepted); nothing was sent", ""),
        (lambda c, e: sample(c, e, "--dry-run"), 0, "Dry run: ", ""),
        (nobody, 0, "Nobody is subscribed to daily; nothing was sent", ""),
        (paused, 0, "look at the title; nothing was sent", "**Waits for a hand.** "),
        (lambda c, e: moved(c, e, "cancel", "--yes"), 0, "is cancelled", ""),
        (without_mail, 1, "is paused: ", "**Failed.** "),
        (all_refused, 1, "reached nobody: 3 rejected", "**Failed.** "),
        (failed, 1, "huggingface failed for 2026-01-06", "**Failed.** "),
        (lambda c, e: fetched(c, e, {}), 0, "(quiet days); nothing was sent", "**Quiet.** "),
        (lambda c, e: fetched(c, e, {}, "--day", EARLIER), 0, "is quiet: ", "**Quiet.** "),
        (quiet_then_sent, 0, "No papers on 2026-01-07 (a quiet day). Issue 2026-01-06/daily is already", "**Quiet.** "),
        (
            lambda c, e: fetched(c, e, {}, NEWSLETTER_EDITIONS__DAILY__QUIET="roll-up"), 0,
            "no paper of the last days is left to send; nothing was sent", "",
        ),
        (lambda c, e: fetched(c, e, {}, "--day", "2026-01-08"), 0, "nothing was sent, run again later", ""),
        (
            lambda c, e: fetched(c, e, {}, "--day", "2026-01-08", NEWSLETTER_EDITIONS__DAILY__NOT_READY="skip"), 0,
            "the day is skipped, nothing was sent", "",
        ),
        (lambda c, e: c("run", "--from", "missing.json", env=e), 2, "missing.json", "**Failed.** "),
        (lambda c, e: due(c, e, "2026-01-05T20:00:00Z"), 0, "Nothing is due for daily: the next send is", ""),
        (lambda c, e: due(c, e, "2026-01-06T13:00:00Z"), 1, "was missed", "**Failed.** **Late.** "),
    ],
    ids=[
        "sent", "already", "dry", "nobody", "by hand", "cancelled", "no server", "all refused", "source", "quiet days",
        "quiet day", "quiet then sent", "roll-up", "not ready", "skipped", "error", "nothing due", "missed",
    ],
)  # fmt: skip
def test_every_end_of_a_run_says_why(
    people: Command, tmp_path: Path, run: Callable[[Command, Env], Result], code: int, why: str, mark: str
) -> None:
    summary = tmp_path / "summary.md"
    result = run(people, {"GITHUB_STEP_SUMMARY": str(summary)})
    assert result.code == code, result
    said = result.out.splitlines()[-1] if code == 0 else result.complaints[-1]
    assert why in said
    heading, nothing, told = summary.read_text(encoding="utf-8").splitlines()
    assert (heading, nothing) == ("### Newsletter daily", "")
    assert told.startswith(f"{mark}{said.removeprefix('newsletter: ')}"), told
    assert len(outbox(people.folder)) in {0, 3}
