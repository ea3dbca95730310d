"""Commands that look, in a folder without a newsletter: they make none, and say that there is none."""

from __future__ import annotations

import pytest

from tests.cli.command import Command

NONE_YET = "there is no newsletter in this folder yet; `newsletter init`"
DAY = "2024-09-12"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("subscribers list", 0), ("subscribers find ada", 0), ("subscribers show ada@example.org", 2),
        ("subscribers stats", 0), ("subscribers export", 0), ("subscribers suppressions list", 0), ("issues list", 0),
        (f"issues show {DAY}", 2), (f"deliveries list {DAY}", 2), (f"deliveries show {DAY} 1", 2),
        (f"deliveries export {DAY} --out who.csv", 2), ("stats", 0), ("papers list", 2), ("rank", 2), ("papers show 2409.00001", 2),
        ("notices list", 0), ("events list", 0), ("events stats", 0),
    ],
)  # fmt: skip
def test_looking_makes_no_file_and_says_that_there_is_nothing(
    command: Command, words: str, code: int
) -> None:
    result = command(*words.split())
    assert result.code == code
    assert list(command.folder.iterdir()) == []
    assert NONE_YET in result.err
    assert "--config FILE" in result.err


def test_the_json_of_nothing_is_an_empty_list(command: Command) -> None:
    result = command("subscribers", "list", "--json")
    assert result.json == []
    assert NONE_YET in result.err


def test_a_folder_with_settings_has_a_newsletter(command: Command) -> None:
    command("init").ok()
    before = sorted(command.folder.iterdir())
    result = command("subscribers", "list").ok()
    assert "Nobody is on the list" in result.out
    assert result.err == ""
    assert sorted(command.folder.iterdir()) == before
