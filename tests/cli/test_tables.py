"""Tables on a terminal, which is as wide as it is."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from newsletter.cli.tables import width
from tests.cli.command import PROGRAM, Command, entry, papers_file

LONG = "A title that is much longer than any terminal has columns, and in part 한국어로 쓰여 있습니다, " * 3


def on_terminal(command: Command, columns: int, *arguments: str) -> list[str]:
    """Run with a terminal as standard output; return the lines that it got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments], cwd=command.folder, env={**os.environ, "COLUMNS": str(columns)},
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    got = b""
    while True:
        try:
            more = os.read(ours, 65_536)
        except OSError:  # Linux says so where the other end is closed
            break
        if not more:
            break
        got += more
    os.close(ours)
    assert process.wait(30) == 0
    return got.decode().splitlines()


@pytest.mark.parametrize("columns", [60, 80])
def test_the_last_column_ends_with_the_line(people: Command, columns: int) -> None:
    papers = papers_file(
        people.folder / "papers.json", [entry("2601.00001", LONG), entry("2601.00002", "Short")]
    )
    people("run", "--from", papers, "--day", "2026-01-05").ok()
    lines = on_terminal(people, columns, "papers", "list")
    assert [width(line) for line in lines if "A title" in line] in ([columns], [columns - 1])
    assert any(line.endswith("…") for line in lines)
    assert any(line.endswith("Short") for line in lines)
    assert LONG.strip() in people("papers", "list").out, "a file or a pipe gets all of it"
