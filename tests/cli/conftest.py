"""The command, in a folder of its own and without settings from outside."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.command import PEOPLE, Command


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command `newsletter` in an empty folder, with the environment free of its variables."""
    for name in os.environ:
        if name.startswith("NEWSLETTER_"):
            monkeypatch.delenv(name)
    return Command(folder=tmp_path, monkeypatch=monkeypatch, capsys=capsys)


@pytest.fixture
def people(command: Command) -> Command:
    """Return the command with three subscribers on the list."""
    for address in PEOPLE:
        command("subscribers", "add", address).ok()
    return command


@pytest.fixture
def readers(command: Command, migrated_file: Path) -> Command:
    """Return the same, with a schema that was made once for all tests."""
    shutil.copy(migrated_file, command.folder / "newsletter.db")
    for address in PEOPLE:
        command("subscribers", "add", address).ok()
    return command
