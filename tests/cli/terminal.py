"""The command on a terminal of some width."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence

from tests.cli.command import PROGRAM, Command


def on_terminal(
    command: Command, arguments: Sequence[str | os.PathLike[str]], *, columns: int = 80, errors: bool = False
) -> str:
    """Run with a terminal as standard output, and as standard error where ``errors``; return what it got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "PYTHONUTF8": "1"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [PROGRAM, *arguments], cwd=command.folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=theirs if errors else subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    got = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # Linux says so where the other end is closed
            break
        if not part:
            break
        got += part
    os.close(ours)
    assert process.wait(60) == 0
    return got.decode().replace("\r\n", "\n")
