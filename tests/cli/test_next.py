"""`newsletter next`: when the coming issues are sent, and schedules that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from tests.cli.command import Command, assert_complains

SEOUL = '[editions.daily]\nschedule = { at = "07:30", days = "mon-fri", timezone = "Asia/Seoul", latest = "12:00" }\n'
BERLIN = '[editions.german]\nlanguage = "de"\nschedule = { at = "02:30", days = "daily", timezone = "Europe/Berlin" }\n'
FRIDAY = "2026-03-27T00:00:00Z"


def settings(command: Command, text: str) -> None:
    (command.folder / "newsletter.toml").write_text(text, encoding="utf-8")


def test_all_editions_in_the_order_of_time(command: Command) -> None:
    settings(command, SEOUL + BERLIN)
    rows = command("next", "--now", FRIDAY, "--count", "5", "--json").ok().json
    assert rows == [
        {
            "edition": "german",
            "day": "2026-03-27",
            "local": "2026-03-27T02:30:00+01:00",
            "utc": "2026-03-27T01:30:00Z",
        },
        {
            "edition": "german",
            "day": "2026-03-28",
            "local": "2026-03-28T02:30:00+01:00",
            "utc": "2026-03-28T01:30:00Z",
        },
        {
            "edition": "german",
            "day": "2026-03-29",
            "local": "2026-03-29T03:00:00+02:00",
            "utc": "2026-03-29T01:00:00Z",
        },
        {
            "edition": "daily",
            "day": "2026-03-30",
            "local": "2026-03-30T07:30:00+09:00",
            "utc": "2026-03-29T22:30:00Z",
        },
        {
            "edition": "german",
            "day": "2026-03-30",
            "local": "2026-03-30T02:30:00+02:00",
            "utc": "2026-03-30T00:30:00Z",
        },
    ]
    text = command("next", "--now", FRIDAY).ok().out
    assert [line.split()[0] for line in text.splitlines()] == ["edition", *(row["edition"] for row in rows)]
    assert "Sun 2026-03-29  03:00 Europe/Berlin  2026-03-29 01:00  12:00" in text


def test_one_edition(command: Command) -> None:
    settings(command, SEOUL + BERLIN)
    rows = command("next", "--now", FRIDAY, "--count", "2", "--edition", "daily", "--json").ok().json
    assert [row["day"] for row in rows] == ["2026-03-30", "2026-03-31"]


@time_machine.travel(datetime(2026, 3, 8, 22, 30, tzinfo=UTC), tick=False)
def test_from_now_on(command: Command) -> None:
    settings(command, SEOUL)
    assert command("next", "--count", "1", "--json").ok().json[0]["utc"] == "2026-03-08T22:30:00Z"
    assert [line.split()[2] for line in command("next").ok().out.splitlines()[1:]] == [
        "2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-09T07:30:00+09:00", "2026-03-08T22:30:00Z"),
        ("2026-03-08T22:30:01Z", "2026-03-09T22:30:00Z"),
        ("2026-03-08T22:30", "2026-03-08T22:30:00Z"),
        ("2026-03-08", "2026-03-08T22:30:00Z"),
    ],
)
def test_how_a_time_is_written(command: Command, text: str, utc: str) -> None:
    settings(command, SEOUL)
    assert command("next", "--now", text, "--json").ok().json[0]["utc"] == utc


@pytest.mark.parametrize(
    "text", ["soon", "", "07:30", "2026-02-30", "2026-03-08T25:00Z", "0001-01-01", "9999-12-31"]
)
def test_a_time_that_is_none(command: Command, text: str) -> None:
    settings(command, SEOUL)
    assert_complains(command("next", "--now", text), "--now", f"{text!r} is")


def test_without_a_schedule_it_says_what_to_set(command: Command) -> None:
    words = ("no edition has a schedule", "below [editions.daily] in newsletter.toml", "schedule = { at = ")
    assert_complains(command("next"), *words)
    assert_complains(command("next", "--json"), *words)
    settings(command, SEOUL + "[editions.korean]\n")
    assert_complains(
        command("next", "--edition", "korean"), "edition korean: has no schedule", "[editions.korean]"
    )
    assert_complains(command("next", "--edition", "weekly"), "there is no edition 'weekly'", "daily, korean")


@pytest.mark.parametrize("count", ["0", "-1", "many", "1000000"])
def test_a_count_that_cannot_be(command: Command, count: str) -> None:
    settings(command, SEOUL)
    assert_complains(command("next", "--count", count), "--count")


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ('at = "7:30"', ("editions.daily.schedule.at", "Local time of sending")),
        ('at = "24:00"', ("editions.daily.schedule.at",)),
        ('at = "13:00"', ("editions.daily.schedule.latest", "12:00 is not after at = 13:00")),
        ('latest = "07:30"', ("editions.daily.schedule.latest", "07:30 is not after at = 07:30")),
        ('days = "feb"', ("editions.daily.schedule.days", "'feb' is no day of the week", "mon-fri")),
        ('days = ""', ("editions.daily.schedule.days", "mon-fri")),
        ('timezone = "Asia/Soul"', ("editions.daily.schedule.timezone", "did you mean 'Asia/Seoul'?")),
        ('timezone = "Nowhere"', ("editions.daily.schedule.timezone", "Europe/Berlin")),
        ('time = "07:30"', ("newsletter.toml", "there is no setting 'editions.daily.schedule.time'")),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    command: Command, schedule: str, words: tuple[str, ...]
) -> None:
    settings(command, f"[editions.daily]\nschedule = {{ {schedule} }}\n")
    for arguments in (["next"], ["config"], ["run"]):
        assert_complains(command(*arguments), *words)
    assert not (command.folder / "newsletter.db").exists()


def test_a_schedule_that_stands_outside_an_edition(command: Command) -> None:
    settings(command, '[schedule]\nat = "07:30"\n')
    assert_complains(command("next"), "newsletter.toml, line 1", "there is no setting 'schedule'", "schedule")
