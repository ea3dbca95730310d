"""A log file that is moved away, or goes; and texts that would break a line."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from newsletter.logs import INFO, logged, tell


def test_a_file_that_was_moved_away_is_begun_again(tmp_path: Path) -> None:
    file, moved = tmp_path / "send.log", tmp_path / "send.log.1"
    complaints: list[str] = []
    with logged(
        "info", form="text", file=file, addresses=False, stream=io.StringIO(), warn=complaints.append
    ):
        tell(INFO, "before")
        file.rename(moved)
        tell(INFO, "after")
    with logged(
        "info", form="text", file=file, addresses=False, stream=io.StringIO(), warn=complaints.append
    ):
        tell(INFO, "again")
    tell(INFO, "when it is over")
    assert [line.split()[-1] for line in moved.read_text().splitlines()] == ["before"]
    assert [line.split()[-1] for line in file.read_text().splitlines()] == ["after", "again"]
    assert complaints == []


def test_a_folder_that_goes_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    complaints: list[str] = []
    with logged(
        "info", form="json", file=folder / "send.log", addresses=False, stream=io.StringIO(), warn=complaints.append
    ):  # fmt: skip
        shutil.rmtree(folder)
        tell(INFO, "one")
        tell(INFO, "two")
    assert len(complaints) == 1
    assert "cannot be written" in complaints[0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_reply_breaks_a_line_or_steers_a_terminal(form: str) -> None:
    reply = 'a\nb\r\u2028c\x1b[31m\x9b "d" 論文 reply=x'
    stream = io.StringIO()
    with logged("info", form=form, file=None, addresses=False, stream=stream, warn=print):
        tell(INFO, "receipt", reply=reply, empty="", none=None, zero=0)
    (line,) = stream.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    if form == "json":
        told = json.loads(line)
        assert (told["reply"], told["zero"], "empty" in told, "none" in told) == (reply, 0, False, False)
    else:
        text, _, rest = line.partition(" reply=")[2].rpartition(" zero=")
        assert (json.loads(text), rest) == (reply, "0")
