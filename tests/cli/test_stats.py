"""`newsletter subscribers stats`: counts that add up, and growth drawn in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.cli.charts import EIGHTHS, axis, bars
from newsletter.cli.subscribers.forms import STATES
from tests.cli.command import Command
from tests.cli.terminal import on_terminal


def test_counts_add_up(people: Command) -> None:
    people("subscribers", "pause", "1", "--days", "2").ok()
    people("subscribers", "unsubscribe", "2").ok()
    document = people("subscribers", "stats", "--json", "--days", "3").ok().json
    daily = document["editions"]["daily"]
    assert list(daily) == [*STATES, "all"]
    assert daily["all"] == sum(daily[state] for state in STATES) == 3
    assert (daily["paused"], daily["active"], daily["unsubscribed"]) == (1, 1, 1)
    today = datetime.now(UTC).date()
    assert [day["day"] for day in document["growth"]] == [
        f"{today - timedelta(days=back)}" for back in (2, 1, 0)
    ]
    assert document["growth"][-1] == {"day": f"{today}", "joined": 3, "left": 1, "readers": 2}


def test_without_a_terminal_it_is_plain(people: Command) -> None:
    text = people("subscribers", "stats").ok().out
    assert text.isascii()
    assert "Readers in the last 30 days: 0 + 3 joined - 0 left = 3" in text
    assert "week from" in text
    assert people("subscribers", "stats", "--days", "1").ok().out.count("Readers today") == 1


def test_nobody_on_the_list(command: Command) -> None:
    assert "newsletter subscribers add" in command("subscribers", "stats").ok().out
    assert command("subscribers", "stats", "--json").ok().json["editions"] == {}


def test_every_edition_and_all_of_them(people: Command) -> None:
    (people.folder / "newsletter.toml").write_text("[editions.daily]\n[editions.weekly]\n")
    people("subscribers", "add", "ada@example.org", "--edition", "weekly").ok()
    lines = people("subscribers", "stats").ok().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["edition", "daily", "weekly", "all"]
    assert [line.split()[-1] for line in lines[1:4]] == ["3", "1", "4"]
    weekly = people("subscribers", "stats", "--edition", "weekly").ok().out
    assert "all" not in [line.partition(" ")[0] for line in weekly.splitlines()]


@pytest.mark.parametrize("columns", [40, 100])
def test_a_terminal_gets_a_chart_of_its_width(people: Command, columns: int) -> None:
    said = on_terminal(people, ["subscribers", "stats", "--days", "200"], columns=columns)
    lines = said.splitlines()
    drawn = [line for line in lines if "┤" in line or "└" in line]
    assert drawn, lines
    assert max(map(len, drawn)) == columns - 1
    assert any("█" in line for line in drawn)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=400), st.integers(20, 200), st.integers(1, 10))
def test_any_numbers_can_be_drawn(values: list[int], columns: int, rows: int) -> None:
    lines = bars(values, columns=columns, rows=rows)
    assert len(lines) == rows + 1
    assert max(map(len, lines)) <= columns
    assert len(axis("2024-09-12", "2024-10-12", lines[-1])) <= max(columns, 23)
    if values[-1] == max(values) > 0:
        assert lines[0][-1] == EIGHTHS[-1], "the highest bar fills its column"


def test_a_chart_begins_at_nothing_unless_that_is_far_away() -> None:
    assert bars([5, 10], columns=20, rows=2)[-2].startswith(" 0 ┤")
    assert bars([900, 1000], columns=20, rows=2)[-2].startswith("  875 ┤")
