"""`newsletter completion`: what a shell gets, tried in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, Command, assert_complains

TRY = """
eval "$(newsletter completion bash)"
COMP_WORDS=(newsletter "$@")
COMP_CWORD=$#
_newsletter_completion newsletter
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words: str) -> list[str]:
    """Return what bash would offer for the last word."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    bash = ["bash", "--norc", "-c", TRY, "bash", *words]
    done = subprocess.run(bash, capture_output=True, text=True, check=True, env={**os.environ, "PATH": path})
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is missing")
def test_bash_completes_commands_options_and_states() -> None:
    assert {"subscribers", "run", "completion"} <= set(complete(""))
    assert complete("sub") == ["subscribers"]
    assert complete("subscribers", "uns") == ["unsubscribe", "unsuppress"]
    assert "list" in complete("subscribers", "suppressions", "")
    assert complete("subscribers", "list", "--sta") == ["--state"]
    assert complete("subscribers", "list", "--state", "p") == ["pending", "paused"]
    assert complete("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(command: Command, shell: str) -> None:
    script = command("completion", shell).ok().out
    assert "_NEWSLETTER_COMPLETE" in script
    assert f"{shell}_complete" in script


@pytest.mark.parametrize("words", [["completion"], ["completion", "powershell"]])
def test_another_shell_is_one_line(command: Command, words: list[str]) -> None:
    assert_complains(command(*words), "bash")
    assert list(Path(command.folder).iterdir()) == []
