"""What a command imports: nothing that it does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

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
