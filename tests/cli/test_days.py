"""Days as they come: quiet, late, cut, failed; papers once; what was left is carried; replays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.cli.command import Command, Result, assert_complains, entry
from tests.servers.papers_api import Fault, PapersApi

WEDNESDAY = date(2026, 1, 7)
EVENING = "2026-01-07T18:00:00Z"  # after the day is closed
Days = Mapping[str, Sequence[dict[str, Any]]]


def day_before(number: int) -> str:
    """Return the ISO date so many days before Wednesday."""
    return (WEDNESDAY - timedelta(days=number)).isoformat()


TODAY = day_before(0)
MANY: Days = {TODAY: [entry(f"2601.{number:05}", votes=500 - number) for number in range(150)]}
FULL: Days = {TODAY: [entry("2601.00001", "First", votes=30), entry("2601.00002", "Second", votes=7)]}


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(EVENING, tick=True):
        yield


@pytest.fixture
def reader(command: Command) -> Command:
    """Return the command with one reader on the list."""
    command("subscribers", "add", "ada@example.org").ok()
    return command


def call(
    command: Command, days: Days, *words: str, faults: Sequence[Fault | None] = (), **env: str
) -> Result:
    """Call the command against a server that has these days."""
    with PapersApi(days=days, today=WEDNESDAY, faults=faults) as api:
        return command(*words, env={"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url, **env})


def run(command: Command, days: Days, *words: str, faults: Sequence[Fault | None] = (), **env: str) -> Result:
    return call(command, days, "run", "--json", *words, faults=faults, **env)


EARLY = "2026-01-07T12:00:00Z"  # before the day is closed


def sent(command: Command, day: str = TODAY) -> list[str]:
    """Return the ids of a day's issue in sending order."""
    return [paper["id"] for paper in command("issues", "show", day, "--json").ok().json["entries"]]


def mails(command: Command) -> int:
    folder = command.folder / "outbox" / "new"
    return len(list(folder.iterdir())) if folder.exists() else 0


def text_of(command: Command) -> str:
    (mail,) = (command.folder / "outbox" / "new").iterdir()
    return mail.read_text()


class TestWhichDay:
    def test_the_newest_closed_day_is_taken(self, reader: Command) -> None:
        assert run(reader, FULL).ok().json["day"] == TODAY

    def test_before_it_is_closed_the_day_before_is_taken(self, reader: Command) -> None:
        days = {**FULL, day_before(1): [entry("2601.00009")]}
        with time_machine.travel("2026-01-07T15:59:00Z"):
            assert run(reader, days).ok().json["day"] == day_before(1)

    def test_monday_morning_takes_fridays(self, reader: Command) -> None:
        with (
            time_machine.travel("2026-01-12T08:00:00Z"),
            PapersApi(days={"2026-01-09": [entry("2601.00003")]}, today=date(2026, 1, 12)) as api,
        ):
            result = reader("run", "--json", env={"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}).ok()
        assert result.json["day"] == "2026-01-09"

    def test_an_issue_ends_the_search(self, reader: Command) -> None:
        run(reader, FULL).ok()
        days = {**FULL, day_before(1): [entry("2601.00009")]}
        result = run(reader, days).ok()
        assert (result.json["day"], result.json["state"]) == (TODAY, "finished")
        assert "already sent" in result.json["sentence"]
        assert mails(reader) == 1

    def test_days_without_papers_are_said_to_be_quiet(self, reader: Command) -> None:
        result = run(reader, {}).ok()
        assert result.json["kind"] == "quiet"
        assert (
            result.json["sentence"]
            == f"No papers on {day_before(4)} to {TODAY} (quiet days); nothing was sent."
        )


class TestKinds:
    @pytest.mark.parametrize(
        ("words", "faults", "kind", "code"),
        [
            (["--day", TODAY], [], "complete", 0),
            (["--day", day_before(3)], [], "quiet", 0),
            (["--day", "2026-01-08"], [], "not_ready", 0),
            (["--day", TODAY], [Fault(status=500)] * 9, "failed", 1),
            (["--day", TODAY], [Fault(keep=30)] * 9, "failed", 1),
            (["--day", TODAY], [Fault(status=404, body=b"{}")] * 9, "failed", 1),
        ],
    )
    def test_each_ends_in_a_sentence_that_names_it(
        self,
        reader: Command,
        words: list[str],
        faults: list[Fault],
        kind: str,
        code: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        result = run(reader, FULL, *words, faults=faults)
        assert (result.code, result.json["kind"]) == (code, kind), result
        assert mails(reader) == (kind == "complete")
        assert result.json["sentence"]

    def test_a_day_that_is_not_ready_is_waited_for(self, reader: Command) -> None:
        with time_machine.travel(EARLY):
            result = run(reader, FULL, "--day", TODAY).ok()
        assert result.json["kind"] == "not_ready"
        assert "run again later" in result.json["sentence"]
        assert run(reader, FULL, "--day", TODAY).ok().json["state"] == "finished"

    def test_a_day_that_is_not_ready_is_sent_where_that_is_wanted(self, reader: Command) -> None:
        with time_machine.travel(EARLY):
            result = run(
                reader, FULL, "--day", TODAY, NEWSLETTER_EDITIONS__DAILY__NOT_READY="send-what-is-there"
            ).ok()
        assert (result.json["kind"], result.json["state"]) == ("not_ready", "finished")
        assert sent(reader) == ["2601.00001", "2601.00002"]

    def test_a_day_that_is_not_ready_is_skipped_where_that_is_wanted(self, reader: Command) -> None:
        with time_machine.travel(EARLY):
            result = run(reader, FULL, "--day", TODAY, NEWSLETTER_EDITIONS__DAILY__NOT_READY="skip").ok()
        assert "the day is skipped" in result.json["sentence"]

    def test_a_note_for_a_quiet_day(self, reader: Command) -> None:
        result = run(reader, {}, NEWSLETTER_EDITIONS__DAILY__QUIET="note").ok()
        assert (result.json["kind"], result.json["state"]) == ("quiet", "finished")
        assert sent(reader) == []
        assert "No papers" in text_of(reader)

    def test_a_roll_up_for_a_quiet_day_takes_the_best_that_was_not_sent(self, reader: Command) -> None:
        earlier = {day_before(1): [entry(f"2601.0000{n}", votes=10 * n) for n in range(1, 9)]}
        call(reader, earlier, "collect", "--day", day_before(1)).ok()
        result = run(reader, {}, NEWSLETTER_EDITIONS__DAILY__QUIET="roll-up").ok()
        assert result.json["state"] == "finished"
        assert sent(reader) == [f"2601.0000{n}" for n in (8, 7, 6, 5, 4)]

    def test_a_roll_up_of_nothing_is_not_sent(self, reader: Command) -> None:
        result = run(reader, {}, NEWSLETTER_EDITIONS__DAILY__QUIET="roll-up").ok()
        assert result.json["state"] is None
        assert "no paper of the last days is left to send" in result.json["sentence"]

    def test_the_step_summary_of_github_gets_the_sentence(self, reader: Command, tmp_path: Path) -> None:
        summary = tmp_path / "summary.md"
        result = run(reader, FULL, GITHUB_STEP_SUMMARY=str(summary)).ok()
        assert result.json["sentence"] in summary.read_text()


class TestOnce:
    def test_a_paper_comes_once_over_all_days(self, reader: Command) -> None:
        yesterday = {day_before(1): [entry("2601.00001", "First", votes=12), entry("2601.00003", votes=9)]}
        run(reader, yesterday, "--day", day_before(1)).ok()
        run(reader, {**FULL, **yesterday}).ok()
        assert sent(reader, day_before(1)) == ["2601.00001", "2601.00003"]
        assert sent(reader) == ["2601.00002"]

    def test_a_day_of_which_all_was_sent_sends_nothing(self, reader: Command) -> None:
        yesterday = {day_before(1): FULL[TODAY]}
        run(reader, yesterday, "--day", day_before(1)).ok()
        result = run(reader, {**FULL, **yesterday}).ok()
        assert "all were sent before" in result.json["sentence"]
        assert mails(reader) == 1

    def test_what_was_not_sent_is_carried_into_the_places_that_are_left(self, reader: Command) -> None:
        yesterday = {day_before(1): [entry(f"2601.0001{n}", votes=20 - n) for n in range(6)]}
        run(reader, yesterday, "--day", day_before(1), NEWSLETTER_EDITIONS__DAILY__TOP="4").ok()
        run(reader, {**FULL, **yesterday}, NEWSLETTER_EDITIONS__DAILY__TOP="3").ok()
        assert sent(reader) == ["2601.00001", "2601.00014", "2601.00002"], "by votes, whichever day"

    def test_it_is_carried_for_some_days_only(self, reader: Command) -> None:
        old = {day_before(4): [entry("2601.00044", votes=99)], day_before(3): [entry("2601.00033", votes=98)]}
        for number in (3, 4):
            call(reader, old, "collect", "--day", day_before(number)).ok()
        run(reader, {**FULL, **old}).ok()
        assert sent(reader) == ["2601.00033", "2601.00001", "2601.00002"]

    def test_why_each_candidate_is_where_it_is(self, reader: Command) -> None:
        days = {
            day_before(1): [entry("2601.00001", votes=30), entry("2601.00008", votes=5)],
            TODAY: [entry("2601.00001", votes=31), entry("2601.00002", votes=7), entry("2601.00003", votes=7),
                    entry("2601.00004", votes=1)],
        }  # fmt: skip
        run(reader, {day_before(1): days[day_before(1)][:1]}, "--day", day_before(1)).ok()
        for day in (day_before(1), TODAY):
            call(reader, days, "collect", "--day", day).ok()
        rows = {
            row["id"]: (row["place"], row["reason"])
            for row in reader("rank", "--explain", "--json").ok().json
        }
        assert rows["2601.00001"] == (None, f"sent on {day_before(1)}")
        assert rows["2601.00003"] == (1, "7 votes")
        assert rows["2601.00002"][0] == 2
        assert "tie broken by" in rows["2601.00002"][1]
        assert rows["2601.00008"] == (3, f"5 votes, carried from {day_before(1)}")
        assert rows["2601.00004"][0] == 4, "filled up to five"
        assert "too few votes" in rows["2601.00004"][1]
        assert "2601.00001" not in reader("rank").ok().out
        assert f"sent on {day_before(1)}" in reader("rank", "--explain").ok().out

    def test_why_a_paper_was_left_out_is_kept(self, reader: Command) -> None:
        run(reader, FULL, NEWSLETTER_EDITIONS__DAILY__TOP="1").ok()
        shown = reader("papers", "show", "2601.00002", "--json").ok().json
        assert shown["left_out"] == {f"{TODAY}/daily": "7 votes, after the first 1"}
        assert (
            f"left out of {TODAY}/daily: 7 votes, after the first 1"
            in reader("papers", "show", "2601.00002").out
        )
        assert reader("papers", "show", "2601.00001", "--json").ok().json["left_out"] == {}


class TestCut:
    def test_a_day_of_which_pages_are_missing_waits(self, reader: Command) -> None:
        result = run(reader, MANY, "--day", TODAY, faults=[None, *[Fault(status=500)] * 4]).ok()
        assert result.json["kind"] == "cut"
        assert "is cut" in result.json["sentence"]
        assert mails(reader) == 0
        assert run(reader, MANY, "--day", TODAY).ok().json["kind"] == "complete"

    def test_it_is_sent_where_that_is_wanted(self, reader: Command) -> None:
        result = run(
            reader, MANY, "--day", TODAY, faults=[None, *[Fault(status=500)] * 4],
            NEWSLETTER_EDITIONS__DAILY__NOT_READY="send-what-is-there",
        ).ok()  # fmt: skip
        assert (result.json["kind"], result.json["state"]) == ("cut", "finished")
        assert len(sent(reader)) == 15
        assert "not complete when this letter was made" in " ".join(text_of(reader).split())


class TestCollect:
    def test_votes_are_observed_each_time(self, command: Command) -> None:
        for hour, votes in ((1, 2), (2, 5), (3, 42)):
            with time_machine.travel(f"2026-01-07T0{hour}:00:00Z"):
                call(command, {TODAY: [entry("2601.00001", votes=votes)]}, "collect", "--day", TODAY).ok()
        shown = command("papers", "show", "2601.00001v3", "--json").ok().json
        assert [seen["votes"] for seen in shown["history"]] == [2, 5, 42]
        assert shown["days"] == [TODAY]
        assert "▁▁█" in command("papers", "show", "2601.00001").ok().out

    def test_a_run_observes_earlier_days_again(self, reader: Command) -> None:
        yesterday = {day_before(1): [entry("2601.00009", votes=3)]}
        call(reader, yesterday, "collect", "--day", day_before(1)).ok()
        run(reader, {**FULL, day_before(1): [entry("2601.00009", votes=50)]}).ok()
        assert sent(reader) == ["2601.00009", "2601.00001", "2601.00002"], "with the votes of now"

    def test_earlier_days_that_fail_are_one_warning(self, reader: Command) -> None:
        result = call(reader, FULL, "run", faults=[None, *[Fault(status=500)] * 60])
        assert result.code == 0
        warnings = [line for line in result.out.splitlines() if line.startswith("warning")]
        assert len(warnings) == 1
        assert "not collected again" in warnings[0]
        assert sent(reader) == ["2601.00001", "2601.00002"]

    def test_every_day_since_one(self, command: Command) -> None:
        days = {**FULL, day_before(2): [entry("2601.00009", votes=3)]}
        rows = call(command, days, "collect", "--since", day_before(2), "--json").ok().json
        assert [(row["day"], row["kind"], row["papers"]) for row in rows] == [
            (TODAY, "complete", 2), (day_before(2), "complete", 1),
        ]  # fmt: skip
        listed = command("papers", "list", "--day", day_before(2), "--json").ok().json
        assert [paper["id"] for paper in listed] == ["2601.00009"]

    def test_what_cannot_be_collected(self, command: Command) -> None:
        failed = call(command, FULL, "collect", "--day", TODAY, faults=[Fault(status=404, body=b"{}")] * 9)
        assert failed.code == 1
        assert_complains(command("collect", "--since", "2099-01-01"), "is in the future")
        for name in ("collect", "run", "lint", "preview"):
            assert_complains(command(name, "--day", "2099-01-01"), "--day", "2099-01-01 is in the future")
        assert_complains(command("collect", "--since", TODAY, "--day", TODAY), "exclude each other")
        assert_complains(command("papers", "show", "2601.99999"), "was not collected")
        assert_complains(command("papers", "list"), "no day was collected yet")
        assert_complains(command("rank"), "no day was collected yet")
        assert_complains(command("rank", "--day", TODAY), f"newsletter collect --day {TODAY}")


class TestReplay:
    @pytest.fixture
    def api(self, reader: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[PapersApi]:
        """Return a server that stays the same address, as a real one does."""
        days = {**FULL, day_before(1): [entry("2601.00009", votes=3)]}
        with PapersApi(days=days, today=WEDNESDAY) as api:
            monkeypatch.setenv("NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL", api.url)
            reader("collect", "--day", day_before(1)).ok()
            reader("run").ok()
            yield api

    def test_the_same_bytes_come_again(self, reader: Command, api: PapersApi) -> None:
        assert sent(reader) == ["2601.00001", "2601.00002", "2601.00009"], "one of them carried"
        api.days = {TODAY: [entry("2601.00001", "Renamed", votes=300)]}
        with time_machine.travel("2026-01-07T22:00:00Z"):
            reader("collect", "--day", TODAY).ok()
            assert reader("papers", "list", "--json").ok().json[0]["title"] == "Renamed"
            assert "The same bytes" in reader("replay", TODAY).ok().out

    @pytest.mark.parametrize(
        ("setting", "value", "now", "days"),
        [
            ("NOT_READY", "send-what-is-there", EARLY, FULL),
            ("QUIET", "note", EVENING, {}),
            ("QUIET", "roll-up", EVENING, {day_before(5): FULL[TODAY]}),
        ],
        ids=["partial", "note", "roll-up"],
    )
    def test_issues_of_unusual_days_come_again(
        self, reader: Command, setting: str, value: str, now: str, days: Days
    ) -> None:
        env = {f"NEWSLETTER_EDITIONS__DAILY__{setting}": value}
        with PapersApi(days=days, today=WEDNESDAY) as api, time_machine.travel(now, tick=True):
            env["NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL"] = api.url
            for day in days:
                reader("collect", "--day", day, env=env)
            assert "1 of 1 accepted" in reader("run", "--day", TODAY, env=env).ok().out
            assert "The same bytes" in reader("replay", TODAY, env=env).ok().out
            if setting == "QUIET":
                changed = {**env, f"NEWSLETTER_EDITIONS__DAILY__{setting}": "skip"}
                assert_complains(reader("replay", TODAY, env=changed), "make no issue of a day that is quiet")

    def test_a_difference_is_printed(self, reader: Command, api: PapersApi) -> None:
        result = reader("replay", TODAY, env={"NEWSLETTER_EDITIONS__DAILY__LANGUAGE": "ko"})
        assert result.code == 1
        assert "--- sent text" in result.out
        assert "+++ replayed text" in result.out

    def test_an_issue_is_frozen_whatever_the_source_says_later(self, reader: Command, api: PapersApi) -> None:
        before = (reader("issues", "show", TODAY, "--json").ok().out, text_of(reader))
        api.days = {TODAY: [entry("2601.00001", "Renamed", votes=1), entry("2601.00005")]}
        reader("collect", "--day", TODAY).ok()
        reader("run").ok()
        assert (reader("issues", "show", TODAY, "--json").ok().out, text_of(reader)) == before

    def test_other_sources_cannot_be_replayed(self, reader: Command, api: PapersApi) -> None:
        env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": "https://elsewhere.example.org"}
        assert_complains(reader("replay", TODAY, env=env), "not those that the sources of now ask for")

    def test_what_cannot_be_replayed(self, reader: Command) -> None:
        assert_complains(reader("replay", TODAY), "there is no such issue")
        run(reader, FULL, NEWSLETTER_SOURCES__KEEP_RAW_DAYS="0").ok()
        assert_complains(reader("replay", TODAY), "no answers of its sources are kept")
