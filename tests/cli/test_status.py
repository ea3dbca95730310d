"""`newsletter status`: how everything stands, quickly, and an exit code for a monitor."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import time_machine

from newsletter.config import load, timetables
from newsletter.errors import ConfigError
from newsletter.quick_settings import quick_settings
from tests.cli.command import PEOPLE, SAMPLE, Command, assert_complains, finish, smtp_settings
from tests.cli.test_issues import until
from tests.cli.test_startup import COSTLY, imported
from tests.servers.smtp import At, Fault, SmtpSink

SCHEDULE = 'schedule = { at = "07:30", timezone = "Asia/Seoul", latest = "12:00" }\n'


def test_a_sent_issue_needs_no_hand(people: Command) -> None:
    people("run", "--from", SAMPLE).ok()
    told = people("status", "--json").ok().json
    assert (told["ok"], told["needs"], told["readers"]) == (True, [], {"daily": 3})
    (issue,) = told["issues"]
    assert (issue["issue"], issue["state"], issue["counts"]["accepted"]) == (
        "2024-09-12/daily",
        "finished",
        3,
    )
    text = people("status").ok().out
    assert "Nothing needs a hand." in text
    assert "2024-09-12/daily" in text


def test_the_counts_are_those_of_the_list_of_issues(people: Command) -> None:
    people("run", "--from", SAMPLE).ok()
    (listed,) = people("issues", "list", "--json").ok().json
    (shown,) = people("status", "--json").ok().json["issues"]
    assert shown["counts"] == listed["counts"]


def test_without_a_database_it_says_so_and_makes_none(command: Command) -> None:
    result = command("status", "--json")
    assert (result.code, result.err) == (1, "")
    assert result.json["needs"] == [{"sentence": "There is no database yet.", "command": "newsletter run"}]
    assert list(command.folder.iterdir()) == []


def test_nobody_on_the_list_needs_a_hand(people: Command) -> None:
    for address in ("ada", "grace", "minjun"):
        people("subscribers", "remove", f"{address}@example.org").ok()
    result = people("status")
    assert result.code == 1
    assert "Nobody is subscribed to daily. `newsletter subscribers add EMAIL --edition daily`" in result.out


def test_a_paused_issue_names_its_command(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink)
    assert people("run", "--from", SAMPLE, env=env).code == 1
    result = people("status", "--json")
    assert result.code == 1
    assert [need["command"] for need in result.json["needs"]] == ["newsletter run --edition daily"]
    people("issues", "resume", "2024-09-12").ok()
    people("issues", "pause", "2024-09-12", "--reason", "a wrong title").ok()
    result = people("status")
    assert result.code == 1
    assert "a wrong title; 3 are waiting. `newsletter issues resume 2024-09-12/daily`" in result.out
    assert result.out.count("a wrong title") == 1
    assert result.out.splitlines()[1].split()[-1] == "paused"


def test_an_issue_that_nobody_sends_to_its_end_needs_a_hand(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink)
    people.process("run", "--from", SAMPLE, env=env)
    people("issues", "resume", "2024-09-12").ok()
    with SmtpSink(delay=0.5) as sink:
        env = smtp_settings(sink)
        sending = people.start("send", "2024-09-12", "--limit", "2", env=env)
        until(lambda: len(sink.messages) == 1)
        people("status").ok()
        assert finish(sending).code == 0
    result = people("status", "--json")
    assert result.code == 1
    assert result.json["needs"] == [
        {
            "sentence": "Issue 2024-09-12/daily is not sent to its end; 1 is waiting.",
            "command": "newsletter run --edition daily",
        }
    ]


def test_who_waits_to_try_again_needs_no_hand_while_the_process_lives(people: Command) -> None:
    later = Fault(at=At.RCPT, reply="451 4.7.1 greylisted", recipient=PEOPLE[0])
    with SmtpSink(faults=[later]) as sink:
        run = people.start("run", "--from", SAMPLE, env=smtp_settings(sink))
        until(lambda: len(sink.messages) == 2)
        time.sleep(0.3)
        assert people("status").code == 0
        assert run.poll() is None
        run.terminate()
        finish(run)
    assert "is not sent to its end; 1 is waiting. `newsletter run --edition daily`" in people("status").out


def test_what_a_fault_paused_is_told_though_a_schedule_tries_again(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink)
    assert people("run", "--from", SAMPLE, env=env).code == 1
    (people.folder / "newsletter.toml").write_text(f"[editions.daily]\n{SCHEDULE}", encoding="utf-8")
    result = people("status")
    assert result.code == 1
    assert (
        "3 are waiting. The schedule tries again; this tries now. `newsletter run --edition daily`"
        in result.out
    )


def test_the_next_send_stands_there(people: Command) -> None:
    (people.folder / "newsletter.toml").write_text(f"[editions.daily]\n{SCHEDULE}", encoding="utf-8")
    (coming,) = people("status", "--json").ok().json["next"]
    (following,) = people("next", "--json", "--count", "1").ok().json
    assert coming == following
    assert "Next: daily on " in people("status").ok().out


def test_a_schedule_that_nobody_calls(people: Command) -> None:
    schedule = '[editions.daily]\nschedule = { at = "07:30", days = "daily", latest = "12:00" }\n'
    (people.folder / "newsletter.toml").write_text(schedule, encoding="utf-8")
    people("run", "--if-due", "--now", "2026-01-05T08:00:00Z", "--from", SAMPLE).ok()
    for now, code in (("2026-01-06T12:10:00Z", 0), ("2026-01-06T12:16:00Z", 1), ("2026-01-20T08:00:00Z", 1)):
        with time_machine.travel(now):
            result = people("status")
        assert result.code == code, now
        assert ("nobody looked since" in result.out) is bool(code)
    assert "The send of daily on 2026-01-19 is over" in result.out


def test_another_database_goes_the_usual_way(people: Command, postgres_url: str) -> None:
    env = {"NEWSLETTER_DATABASE__URL": postgres_url}
    people("database", "upgrade", env=env).ok()
    people("subscribers", "add", "ada@example.org", env=env).ok()
    people("run", "--from", SAMPLE, env=env).ok()
    told = people("status", "--json", env=env).ok().json
    (issue,) = told["issues"]
    assert (issue["state"], issue["counts"]["accepted"], told["readers"]) == ("finished", 1, {"daily": 1})


@pytest.mark.parametrize(
    "settings",
    ["[database]\nurl = 7\n", "[database\n", "[editions.daily.schedule]\nat = '7:30'\n", "editions = 1\n"],
)
def test_faulty_settings_are_told_as_ever(people: Command, settings: str) -> None:
    (people.folder / "newsletter.toml").write_text(settings, encoding="utf-8")
    assert_complains(people("status"), "newsletter.toml")


def test_a_file_that_is_no_database_is_told_as_ever(command: Command) -> None:
    (command.folder / "newsletter.db").write_text("not a database, but long enough to be one" * 40)
    assert_complains(command("status"), "newsletter.db", code=1)


@pytest.mark.parametrize("words", [["status"], ["status", "--json"]], ids=" ".join)
def test_it_imports_little(people: Command, words: list[str]) -> None:
    (people.folder / "newsletter.toml").write_text(f"[editions.daily]\n{SCHEDULE}", encoding="utf-8")
    assert not COSTLY & imported(people, words)


SETTINGS = [
    "[editions.a.schedule]\napprove = true\n",
    "", "[web]\nport = 9\n", "[database]\nurl = 'sqlite:///a/b.db'\n", "[database]\nurl = 'sqlite:////tmp/b.db'\n",
    "[editions.daily]\nlanguage = 'ko'\n", f"[editions.daily]\n{SCHEDULE}", "[editions.daily.schedule]\n",
    "[editions.a.schedule]\nat = '06:00'\ndays = 'daily'\n[editions.b]\n", "[editions.a.schedule]\nat = '12:30'\n",
    "[editions.a.schedule]\nat = '07:30:10'\n", "[editions.a.schedule]\nat = 5\n", "[editions.a.schedule]\nten = ''\n",
    "[editions.a.schedule]\ntimezone = 'Nowhere'\n", "[database]\nurl = 'sqlite://'\n", "database = 3\n", "[database]\nurl = ''\n",
]  # fmt: skip


@pytest.mark.parametrize("text", SETTINGS)
@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NEWSLETTER_DATABASE__URL": "sqlite:///c.db"},
        {"NEWSLETTER_EDITIONS__DAILY__SCHEDULE__AT": "08:00"},
    ],
    ids=str,
)
def test_the_quick_settings_are_the_settings(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    file = tmp_path / "newsletter.toml"
    file.write_text(text, encoding="utf-8")
    quick = quick_settings(file, environ)
    if quick is None:
        return
    config = load(file, environ)
    assert quick.database == config.database_address()
    assert quick.tables == timetables(config.settings)


def test_what_is_usual_is_read_quickly(tmp_path: Path) -> None:
    file = tmp_path / "newsletter.toml"
    read = []
    for text in SETTINGS:
        file.write_text(text, encoding="utf-8")
        try:
            load(file, {})
        except ConfigError:
            continue
        read.append(quick_settings(file, {}) is not None)
    assert read.count(True) >= 8
