"""How a command begins: it imports nothing that it does not need, in any locale, and Ctrl-C ends it in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import newsletter
from tests.cli.command import SAMPLE, Command

COSTLY = {
    "alembic", "email.message", "email_validator", "feedparser", "jinja2", "mjml", "msgspec", "newsletter.app",
    "newsletter.config", "sqlalchemy", "subscribers", "urllib3",
}  # fmt: skip
SCRIPT = """
import json, sys
from newsletter.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("\\n" + json.dumps(sorted(sys.modules)))
"""


def imported(command: Command, words: Sequence[str]) -> set[str]:
    """Return the modules that a fresh process has after a command."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], cwd=command.folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"]], ids=" ".join)
def test_help_imports_click_and_little_more(command: Command, words: list[str]) -> None:
    found = imported(command, words)
    assert not COSTLY & found
    assert {name for name in found if name.startswith("newsletter")} == {
        "newsletter", "newsletter.cli", "newsletter.errors",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "preview",
        "lint",
        "run",
        "next",
        "issues",
        "subscribers",
        "serve",
        "templates",
        "config",
        "database",
        "init",
        "demo",
    ],
)
def test_the_help_of_a_command_opens_nothing(command: Command, name: str) -> None:
    unneeded = COSTLY - {"msgspec", "newsletter.config"}
    assert not unneeded & imported(command, [name, "--help"])


@pytest.mark.parametrize("words", [["config"], ["init"]], ids=" ".join)
def test_settings_need_no_database(command: Command, words: list[str]) -> None:
    assert not {"sqlalchemy", "mjml", "jinja2", "feedparser", "urllib3"} & imported(command, words)


def test_the_list_needs_no_letter(command: Command) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    found = imported(command, ["subscribers", "list"])
    assert not {"mjml", "feedparser", "jinja2", "urllib3", "alembic", "smtplib"} & found


def test_a_preview_of_a_file_needs_no_network(command: Command) -> None:
    assert not {"urllib3", "smtplib", "alembic"} & imported(command, ["preview", "--from", str(SAMPLE)])


def test_both_ways_to_call_it(command: Command) -> None:
    module = subprocess.run(
        [sys.executable, "-m", "newsletter", "--help"],
        cwd=command.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert module.stdout == command.process("--help").ok().out
    assert command.process("--version").ok().out.startswith("newsletter, version ")


def test_a_locale_without_letters_can_work_in_any_folder(command: Command) -> None:
    there = replace(command, folder=command.folder / "\u00e9 \ud55c\uae00")
    there.folder.mkdir()
    env = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    there("subscribers", "add", "a@example.org").ok()
    for words in (["stats"], ["backup", "create", "--out", "b.gz"]):
        there.process(*words, env=env).ok()
    assert (there.folder / "b.gz").is_file()


def test_ctrl_c_while_it_is_loaded_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(newsletter.__file__).parents[1]}"}
    ended = subprocess.run(
        [sys.executable, "-m", "newsletter", "status"], env=env, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "newsletter: stopped\n")
