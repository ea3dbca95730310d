"""Tables on a terminal, which is as wide as it is."""

from __future__ import annotations

import pytest

from newsletter.cli.tables import width
from tests.cli.command import Command, entry, papers_file
from tests.cli.terminal import on_terminal

LONG = "A title that is much longer than any terminal has columns, and in part 한국어로 쓰여 있습니다, " * 3


@pytest.mark.parametrize("columns", [60, 80])
def test_the_last_column_ends_with_the_line(people: Command, columns: int) -> None:
    papers = papers_file(
        people.folder / "papers.json", [entry("2601.00001", LONG), entry("2601.00002", "Short")]
    )
    people("run", "--from", papers, "--day", "2026-01-05").ok()
    lines = on_terminal(people, ["papers", "list"], columns=columns).splitlines()
    assert [width(line) for line in lines if "A title" in line] in ([columns], [columns - 1])
    assert any(line.endswith("…") for line in lines)
    assert any(line.endswith("Short") for line in lines)
    assert LONG.strip() in people("papers", "list").out, "a file or a pipe gets all of it"
