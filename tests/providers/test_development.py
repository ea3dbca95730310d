"""Console and files: what developers look at stays on the machine, is readable, and is there once."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.errors import ProviderUnavailable
from newsletter.models.deliveries import Outcome
from newsletter.protocols import Exposure
from newsletter.providers.console import RULE, ConsoleProvider
from newsletter.providers.file import FileProvider
from tests.providers.letters import LETTER, recipient, recipients


def test_the_console_shows_headers_and_text_decoded() -> None:
    screen = io.StringIO()
    letter = replace(LETTER, subject="論文 of the day", text="Café — " * 30)
    with ConsoleProvider(screen).connect() as connection:
        (receipt,) = connection.send(letter, [recipient(1, name="Zoë")])
    assert (receipt.outcome, receipt.reply) == (Outcome.ACCEPTED, "shown on the console")
    lines = screen.getvalue().splitlines()
    assert lines[0] == RULE
    assert "To: Zoë <reader1@example.org>" in lines
    assert "Subject: 論文 of the day" in lines
    assert lines[-1].startswith("Café — Café")


def test_the_console_shows_lines_and_spaces_of_a_letter_as_they_are() -> None:
    screen = io.StringIO()
    with ConsoleProvider(screen).connect() as connection:
        list(connection.send(replace(LETTER, text="first\nhuit\u202f% de\u00a0plus\n"), [recipient(1)]))
    assert screen.getvalue().endswith("\nfirst\nhuit\u202f% de\u00a0plus\n")


def test_nothing_steers_the_terminal() -> None:
    screen = io.StringIO()
    with ConsoleProvider(screen).connect() as connection:
        list(connection.send(replace(LETTER, text="red \x1b[31m and \x9b2J clear\n"), [recipient(1)]))
    assert not {"\x1b", "\x9b"} & set(screen.getvalue())
    assert "red \ufffd[31m and" in screen.getvalue()


def test_a_closed_console_pauses() -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with (
        ConsoleProvider(Closed()).connect() as connection,
        pytest.raises(ProviderUnavailable, match="console: nothing can be shown: Broken pipe"),
    ):
        list(connection.send(LETTER, [recipient(1)]))


def test_a_file_a_delivery_private_and_once(tmp_path: Path) -> None:
    provider = FileProvider(tmp_path / "mails")
    assert provider.exposure is Exposure.NONE
    for expected in ("written to the folder", "already in the folder"):
        with provider.connect() as connection:
            receipts = list(connection.send(LETTER, recipients(2)))
        assert {receipt.reply for receipt in receipts} == {expected}
    files = sorted((tmp_path / "mails").iterdir())
    assert [file.name for file in files] == ["daily.20240912.1.eml", "daily.20240912.2.eml"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "mails").write_text("a file")
    with pytest.raises(ProviderUnavailable, match=r"provider\.file\.path"):
        FileProvider(tmp_path / "mails").connect()


def test_what_a_dead_process_left_is_removed_in_time(tmp_path: Path) -> None:
    (tmp_path / "x.part").write_text("half")
    (tmp_path / "mine.txt").write_text("the user's own")
    now = (tmp_path / "x.part").stat().st_mtime
    for hours, left in ((1, ["mine.txt", "x.part"]), (37, ["mine.txt"])):
        FileProvider(tmp_path, clock=lambda hours=hours: now + hours * 3600).connect()  # type: ignore[misc]
        assert sorted(file.name for file in tmp_path.iterdir()) == left
