"""`newsletter subscribers`: leaving, pausing, tags, suppressions, and looking through the list."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.cli.subscribers.forms import STATES
from subscribers.standing import Standing
from tests.cli.command import SAMPLE, Command, Result, assert_complains, outbox

ADA = "ada@example.org"


@pytest.fixture
def two(command: Command) -> Command:
    """Return the command with two editions, Ada on both of them."""
    (command.folder / "newsletter.toml").write_text("[editions.daily]\n[editions.weekly]\n")
    subscribers(command, "add", ADA, "--name", "Ada", "--tag", "lab", "--language", "en").ok()
    subscribers(command, "add", ADA, "--edition", "weekly").ok()
    return command


def subscribers(command: Command, *words: str) -> Result:
    return command("subscribers", *words)


def states(command: Command) -> dict[str, str]:
    return {row["edition"]: row["state"] for row in subscribers(command, "list", "--json").ok().json}


def test_who_asked_to_leave_comes_back_by_force_alone(two: Command) -> None:
    said = subscribers(two, "unsubscribe", ADA, "--edition", "daily", "--reason", "by phone").ok()
    assert said.out == f"{ADA} is off the list of daily.\n"
    assert states(two) == {"daily": "unsubscribed", "weekly": "active"}
    assert_complains(subscribers(two, "add", ADA), "left daily", "(request)", "--force")
    assert_complains(subscribers(two, "add", ADA, "--force"), "--reason")
    assert_complains(subscribers(two, "add", ADA, "--reason", "x"), "--force")
    assert_complains(subscribers(two, "add", ADA, "--force", "--reason", " "), "--reason")
    forced = subscribers(two, "add", ADA, "--force", "--reason", "wrote again").ok()
    assert forced.out == f"{ADA} is on the list of daily again (number 1).\n"
    history = subscribers(two, "show", "1", "--json").ok().json["history"]
    assert [(step["through"], step["reason"]) for step in history][-2:] == [
        ("request", "by phone"),
        ("cli", "wrote again"),
    ]


def test_remove_is_the_operators_own_wish_and_takes_yes(two: Command) -> None:
    assert subscribers(two, "remove", "1", "--yes").ok().out == f"{ADA} is off the list of daily, weekly.\n"
    subscribers(two, "add", ADA).ok()
    subscribers(two, "remove", "1").ok()
    assert "nothing changed" in subscribers(two, "unsubscribe", "1").ok().out
    assert_complains(subscribers(two, "add", ADA), "left daily")


def test_a_pause_ends_by_itself(people: Command) -> None:
    assert "2099" not in subscribers(people, "show", "1").ok().out
    (row,) = subscribers(people, "pause", "1", "--days", "3", "--json").ok().json
    assert row["state"] == "paused"
    until = datetime.fromisoformat(row["paused_until"])
    assert timedelta(days=2, hours=23) < until - datetime.now(UTC) <= timedelta(days=3)
    assert f"paused until {until:%Y-%m-%d}" in subscribers(people, "list").ok().out
    people("run", "--from", SAMPLE).ok()
    assert len(outbox(people.folder)) == 2
    day = (datetime.now(UTC) + timedelta(days=40)).date()
    assert (
        f"gets nothing until {day} of daily"
        in subscribers(people, "pause", ADA, "--until", f"{day}").ok().out
    )
    assert subscribers(people, "resume", ADA).ok().out == f"{ADA} gets letters again of daily.\n"
    assert subscribers(people, "resume", ADA).ok().out == f"{ADA} is on daily (active); nothing changed.\n"
    assert subscribers(people, "resume", ADA, "--json").ok().json == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pause", ADA], "--until YYYY-MM-DD or --days N"),
        (["pause", ADA, "--days", "1", "--until", "2099-01-01"], "--until YYYY-MM-DD or --days N"),
        (["pause", ADA, "--days", "0"], "--days"),
        (["pause", ADA, "--days", "x"], "--days"),
        (["pause", ADA, "--days", "99999999999"], "--days"),
        (["pause", ADA, "--until", "2020-01-01"], "give a later day"),
        (["pause", ADA, "--until", "9999-12-31"], "ten years"),
        (["pause", ADA, "--until", "tomorrow"], "write YYYY-MM-DD"),
        (["pause", "9", "--days", "1"], "no subscriber with this number"),
        (["pause", ADA, "--days", "1", "--edition", "dialy"], "configured are: daily"),
        (["resume", "nobody@example.org"], "is not on the list"),
        (["unsubscribe", ADA, "--reason", "a\nb"], "line break"),
        (["unsubscribe"], "Missing argument 'SUBSCRIBER'"),
        (["tag", ADA], "TAG"),
        (["tag", ADA, "a\nb"], "line break"),
        (["tag", ADA, "x" * 300], "at most 200"),
        (["tag", ADA, ""], "cannot be empty"),
        (["untag", "9", "lab"], "no subscriber with this number"),
        (["suppress", ADA], "--reason"),
        (["suppress", ADA, "--reason", " "], "needs a reason"),
        (["suppress", "9", "--reason", "x"], "no subscriber with this number"),
        (["suppress", "nobody", "--reason", "x"], "@-sign"),
        (["unsuppress", ADA], "--force and --reason TEXT"),
        (["unsuppress", ADA, "--reason", "x"], "--force and --reason TEXT"),
        (["unsuppress", ADA, "--force", "--reason", ""], "needs a reason"),
        (["list", "--state", "activ"], "did you mean active?"),
        (["list", "--state", "x"], "choose one of pending, active"),
        (["list", "--json", "--csv"], "choose one"),
        (["list", "--since", "2024-13-01"], "write YYYY-MM-DD"),
        (["list", "--since", "2024-09-12", "--before", "2024-09-12"], "no day lies between"),
        (["find", " "], "some letters"),
        (["find"], "Missing argument 'TEXT'"),
        (["stats", "--days", "0"], "--days"),
        (["stats", "--edition", "dialy"], "configured are: daily"),
        (["add", ADA, "--language", "klingon!"], "this is no language"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(people: Command, words: list[str], said: str) -> None:
    assert_complains(subscribers(people, *words), said)


def test_tags(people: Command) -> None:
    assert subscribers(people, "tag", ADA, "논문", "lab").ok().out == f"{ADA} has tags: lab, 논문.\n"
    assert "nothing changed" in subscribers(people, "tag", "1", "lab").ok().out
    changed = subscribers(people, "untag", "1", "lab", "none", "--json").ok().json
    assert changed == {"id": 1, "email": ADA, "tags": ["논문"], "changed": ["lab"]}
    assert [row["email"] for row in subscribers(people, "list", "--tag", "논문", "--json").json] == [ADA]
    assert subscribers(people, "untag", "1", "논문").ok().out == f"{ADA} has no tags.\n"


def test_a_suppressed_address_gets_nothing_until_it_is_lifted(people: Command) -> None:
    assert subscribers(people, "suppressions", "list").ok().out == "No address is suppressed.\n"
    subscribers(people, "suppress", "1", "--reason", "asked by letter").ok()
    subscribers(people, "suppress", "Nobody@BÜCHER.example", "--reason", "by phone").ok()
    again = subscribers(people, "suppress", ADA.upper(), "--reason", "other").ok().out
    assert "(asked by letter); nothing changed" in again
    assert [row["state"] for row in subscribers(people, "list", "--json").json] == [
        "suppressed",
        "active",
        "active",
    ]
    rows = subscribers(people, "suppressions", "list", "--json").ok().json
    assert [(row["email"], row["reason"]) for row in rows] == [(ADA, "asked by letter"), (None, "by phone")]
    table = subscribers(people, "suppressions", "list").ok().out.splitlines()
    assert table[0].split() == ["id", "email", "since", "by", "reason"]
    assert "(hash)" in table[2]
    assert_complains(
        subscribers(people, "add", "nobody@xn--bcher-kva.example"), "is suppressed since", "--force"
    )
    people("run", "--from", SAMPLE).ok()
    assert len(outbox(people.folder)) == 2

    lift = ["--force", "--reason", "a mistake"]
    assert subscribers(people, "unsuppress", ADA, *lift).ok().out == f"Mail may go to {ADA} again.\n"
    assert "was not suppressed" in subscribers(people, "unsuppress", ADA, *lift).ok().out
    (lifted,) = subscribers(people, "suppressions", "list", "--lifted", "--json").ok().json
    assert (lifted["reason"], lifted["lifted_reason"]) == ("asked by letter", "a mistake")
    added = subscribers(people, "add", "nobody@bücher.example", *lift).ok().out
    assert added.endswith("Mail may go to the address again.\n")
    assert len(subscribers(people, "suppressions", "list", "--lifted").ok().out.splitlines()) == 3


def test_the_list_is_filtered(two: Command) -> None:
    subscribers(two, "add", "minjun@example.org", "--name", "김민준", "--language", "ko").ok()
    today = datetime.now(UTC).date()

    def found(*words: str) -> list[tuple[int, str]]:
        rows = subscribers(two, "list", "--json", *words).ok().json
        return [(row["id"], row["edition"]) for row in rows]

    assert found() == [(1, "daily"), (1, "weekly"), (2, "daily")]
    assert found("--edition", "weekly") == [(1, "weekly")]
    assert found("--language", "ko") == [(2, "daily")]
    assert found("--tag", "lab", "--edition", "daily") == [(1, "daily")]
    assert found("--since", f"{today + timedelta(days=1)}") == []
    assert (
        len(found("--since", f"{today - timedelta(days=1)}", "--before", f"{today + timedelta(days=1)}")) == 3
    )
    assert found("--before", f"{today - timedelta(days=1)}") == []
    assert found("--state", "ACTIVE") == found()
    assert subscribers(two, "list", "--state", "paused").ok().out == "Nobody on the list is so.\n"
    assert "'nobody'" in subscribers(two, "find", "nobody").ok().out
    for text in ("민준", "MINJUN@", "jun@ex"):
        assert [row["id"] for row in subscribers(two, "find", text, "--json").ok().json] == [2]


def test_the_table_is_aligned_for_wide_letters(two: Command) -> None:
    subscribers(two, "add", "b@example.org", "--name", "김민준", "--tag", "논문").ok()
    subscribers(two, "add", "c@example.org", "--name", "Zoe\u0308", "--tag", "x").ok()
    lines = subscribers(two, "list").ok().out.splitlines()
    assert lines[0].split() == ["id", "email", "edition", "state", "name", "language", "since", "tags"]
    column = lines[0].index("tags")
    assert lines[1][column:] == "lab"
    assert lines[3][column - 3 :] == "논문", "three letters take six columns"
    assert lines[4][column + 1 :] == "x", "a combining mark takes none"


def test_csv_is_safe_in_a_spreadsheet(command: Command) -> None:
    subscribers(command, "add", "=cmd@example.org", "--name", "=1+1", "--tag", "a,b", "--tag", "-x").ok()
    text = subscribers(command, "list", "--csv").ok().out
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["email"], row["name"], row["tags"]) == ("'=cmd@example.org", "'=1+1", '\'-x,"a,b"')
    assert (row["state"], row["edition"], row["paused_until"]) == ("active", "daily", "")
    assert subscribers(command, "find", "cmd", "--csv").ok().out == text
    assert subscribers(command, "list", "--state", "paused", "--csv").ok().out == text.splitlines()[0] + "\n"


def test_show_has_all_there_is(people: Command) -> None:
    people("run", "--from", SAMPLE).ok()
    shown = subscribers(people, "show", ADA, "--json").ok().json
    (delivery,) = shown["deliveries"]
    assert delivery == {
        "issue": "2024-09-12/daily", "state": "accepted", "attempt": 1, "outcome": None, "problem": None,
    }  # fmt: skip
    subscribers(people, "pause", "1", "--until", f"{datetime.now(UTC).date() + timedelta(days=9)}").ok()
    subscribers(people, "suppress", "1", "--reason", "angry").ok()
    text = subscribers(people, "show", "1").ok().out
    for part in ("paused until", "suppressed since", "angry", "2024-09-12/daily  accepted", "new → active",
                 "active → paused", "operator", "CONSENTS", "HISTORY"):  # fmt: skip
        assert part in text, part


def test_the_words_are_those_of_the_list() -> None:
    assert tuple(standing.value for standing in Standing) == STATES
