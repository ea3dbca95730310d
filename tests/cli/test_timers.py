"""`newsletter init --cron | --systemd`: what has the schedule looked at, with whatever names the folders have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter.schedule import WEEK
from tests.cli.command import PROGRAM, Command, assert_complains, snapshot

FAR = WEEK[(datetime.now(UTC).weekday() + 3) % 7]  # a day of the week that no time zone has now
SCHEDULE = f'[editions.daily]\nschedule = {{ at = "07:30", days = "{FAR}", timezone = "Asia/Seoul" }}\n'
ODD = 'a folder\'s 100% "$HOME" `x` \\ é'


@pytest.fixture(params=["plain", ODD], ids=["plain", "odd"])
def home(request: pytest.FixtureRequest, command: Command) -> Command:
    """Return the command in a folder with a schedule."""
    folder = command.folder / request.param
    folder.mkdir()
    (folder / "newsletter.toml").write_text(SCHEDULE, encoding="utf-8")
    return replace(command, folder=folder)


def last_line(text: str) -> str:
    return text.rstrip("\n").rpartition("\n")[2]


def test_the_line_for_crontab_runs_as_cron_runs_it(home: Command) -> None:
    text = home("init", "--cron").ok().out
    times, line = last_line(text).split(" * * * * ", 1)
    assert times == "*/10"
    assert not re.search(r"(?<!\\)%", line), "cron ends a command at a bare %"
    clean = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
    done = subprocess.run(
        ["/bin/sh", "-c", line.replace("\\%", "%")],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (home.folder / "newsletter.db").is_file()
    assert str(PROGRAM) in line


def unquoted(text: str) -> list[str]:
    """Return the words of ExecStart as systemd reads them."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%").replace("$$", "$") for word in words]


def test_the_units_name_program_and_settings(home: Command) -> None:
    said = home("init", "--systemd", "--out", "units").ok().out
    service = (home.folder / "units" / "newsletter.service").read_text(encoding="utf-8")
    timer = (home.folder / "units" / "newsletter.timer").read_text(encoding="utf-8")
    (start,) = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    settings = str(home.folder / "newsletter.toml")
    assert unquoted(start) == [str(PROGRAM), "--config", settings, "run", "--if-due"]
    assert "OnCalendar=*:0/10" in timer
    assert "systemctl --user enable --now newsletter.timer" in said
    printed = home("init", "--systemd").ok().out
    assert printed == f"# newsletter.service\n{service}\n# newsletter.timer\n{timer}"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_systemd_takes_the_units(home: Command) -> None:
    home("init", "--systemd", "--out", "units").ok()
    units = [home.folder / "units" / name for name in ("newsletter.service", "newsletter.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert "newsletter." not in done.stderr, done.stderr


def test_nothing_is_overwritten_and_nothing_else_is_written(home: Command) -> None:
    for words, name in ((["--cron"], "newsletter.cron"), (["--systemd"], "newsletter.timer")):
        (home.folder / "out").mkdir()
        (home.folder / "out" / name).write_text("mine")
        before = snapshot(home.folder)
        assert_complains(home("init", *words, "--out", "out"), f"out/{name}", "exists already")
        home("init", *words).ok()
        assert snapshot(home.folder) == before
        shutil.rmtree(home.folder / "out")


def test_other_settings_are_named(command: Command) -> None:
    (command.folder / "my.toml").write_text(SCHEDULE, encoding="utf-8")
    (command.folder / "there").mkdir()
    (command.folder / "there" / "newsletter.toml").write_text(SCHEDULE, encoding="utf-8")
    assert (
        f"--config {command.folder / 'my.toml'} run"
        in command("--config", "my.toml", "init", "--cron").ok().out
    )
    assert (
        f"--config {command.folder / 'there' / 'newsletter.toml'} run"
        in command("init", "there", "--cron").ok().out
    )


def test_without_a_schedule_it_is_said(command: Command) -> None:
    assert "warning: there is no newsletter.toml yet" in command("init", "--cron").ok().err
    command("init").ok()
    assert (
        "newsletter.toml has no schedule yet; write below [editions.daily]"
        in command("init", "--cron").ok().err
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cron", "--systemd"], "choose --cron or --systemd"),
        (["--out", "x"], "--out goes with --cron or --systemd"),
        (["--cron", "--out", "/proc/nowhere"], "/proc/nowhere"),
    ],
)
def test_what_cannot_be(command: Command, words: list[str], said: str) -> None:
    assert_complains(command("init", *words), said)


def test_a_folder_that_no_timer_can_name(command: Command) -> None:
    folder = command.folder / "two\nlines"
    folder.mkdir()
    (folder / "newsletter.toml").write_text(SCHEDULE, encoding="utf-8")
    for option in ("--cron", "--systemd"):
        assert_complains(command("init", folder, option), "no timer can take")
