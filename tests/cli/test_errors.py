"""Wrong use: one line that helps, the right exit code, a traceback only when asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from newsletter.cli import COMMANDS
from tests.cli.command import PROGRAM, SAMPLE, Command, assert_complains
from tests.cli.terminal import on_terminal

SUBCOMMANDS = [
    ("issues", "show"), ("subscribers", "add"), ("subscribers", "remove"), ("subscribers", "list"),
    ("subscribers", "show"), ("database", "upgrade"), ("database", "show"),
]  # fmt: skip


@pytest.mark.parametrize("words", [*((name,) for name in COMMANDS), *SUBCOMMANDS], ids=" ".join)
def test_every_command_has_help(command: Command, words: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        result = command(*words, option).ok()
        assert result.out.startswith(f"Usage: newsletter {' '.join(words)}")
        assert result.err == ""
    overview = command("--help").out
    assert words[0] in overview


def test_the_short_help_is_the_command_s_own() -> None:
    for name, (place, text) in COMMANDS.items():
        assert place.removesuffix("_") == f"newsletter.cli.{name}:{name}"
        assert text.endswith(".")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "frobnicate"),
        (["previw"], "preview"),
        (["--nonsense"], "newsletter --help"),
        (["run", "--dryrun"], "--dry-run"),
        (["run", "now"], "newsletter run --help"),
        (["subscribers", "ad"], "newsletter subscribers --help"),
        (["subscribers", "add"], "newsletter subscribers add --help"),
        (["subscribers", "add", "a@example.org", "b@example.org"], "newsletter subscribers add --help"),
        (["issues", "show"], "newsletter issues show --help"),
        (["preview", "--top"], "--top"),
        (["--config"], "newsletter --help"),
        (["run", "--day"], "newsletter run --help"),
        (["subscribers", "confirm", "a@example.org", "--consent"], "newsletter subscribers confirm --help"),
        (["--config", "x.toml", "backup", "create", "--out"], "newsletter backup create --help"),
    ],
)
def test_wrong_use(command: Command, words: list[str], said: str) -> None:
    result = command(*words)
    assert_complains(result, said)
    assert result.out == ""
    assert list(command.folder.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["subscribers"], ["issues"], ["database"]])
def test_without_a_command_the_help_is_shown(command: Command, words: list[str]) -> None:
    result = command(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: newsletter")
    assert "Commands:" in result.err


@pytest.mark.parametrize(
    "words", [["--debug", "preview", "--from", "x"], ["preview", "--from", "x", "--debug"]]
)
def test_debug_shows_a_traceback_wherever_it_stands(command: Command, words: list[str]) -> None:
    result = command(*words)
    assert result.code == 2
    assert result.err.startswith("Traceback (most recent call last):")
    assert result.err.splitlines()[-1].startswith("newsletter: x: there is no such file")


def test_debug_changes_nothing_else(command: Command) -> None:
    assert command("--debug", "preview").ok().out == command("preview").ok().out


def test_a_fault_of_ours_is_one_line_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault\nof two lines")

    monkeypatch.setattr("newsletter.config.load", broken)
    monkeypatch.setattr("newsletter.cli.config.load", broken)
    result = command("config")
    assert result.code == 1
    assert result.err == (
        "newsletter: unexpected ZeroDivisionError: a fault of two lines; run it again with --debug for the details\n"
    )


@pytest.mark.parametrize(("words", "lines"), [(["config"], 1), (["--help"], 1), (["subscribers", "list"], 0)])
def test_a_reader_who_leaves_early_is_no_fault(command: Command, words: list[str], lines: int) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    process = subprocess.Popen(
        [PROGRAM, *words], cwd=command.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) in {0, 1}


def test_a_fault_of_the_system_says_where(command: Command) -> None:
    (command.folder / "file").write_text("a file")
    assert_complains(command("demo", "file/demo"), "file/demo: Not a directory", code=1)


def test_exit_codes_of_a_process(command: Command) -> None:
    assert command.process("subscribers", "add", "ada@example.org").code == 0
    assert_complains(command.process("preview", "--from", "absent"), "absent")
    (command.folder / "outbox").write_text("a file")
    assert_complains(command.process("run", "--from", SAMPLE), "outbox", code=1)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_the_terminal(command: Command, encoding: str) -> None:
    command("subscribers", "add", "ada@example.org", "--name", "민준 🐼").ok()
    result = command.process("subscribers", "list", env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert result.code == 0, result.err
    assert "ada@example.org" in result.out


def test_a_file_name_that_is_no_text(command: Command) -> None:
    path = Path(os.fsdecode(os.fsencode(command.folder) + b"/caf\xe9.md"))
    path.write_text("## Day\n\nan odd line\n\n### [Paper](https://arxiv.org/abs/2601.00001)\n\nVote: x\n")
    assert "line 3" in command.process("preview", "--from", path).ok().err
    path.write_text("")
    assert_complains(command.process("preview", "--from", path), "the file is empty")


def test_a_terminal_sees_the_progress(command: Command) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    seen = on_terminal(command, ["run", "--from", SAMPLE], errors=True)
    assert "\x1b[?25lsend       [" in seen
    assert "] 1/1" in seen.replace("  ", " ")
    assert "\nsend      1 prepared = 1 accepted" in seen
