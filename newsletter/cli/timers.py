"""What has `newsletter run --if-due` called every ten minutes: a line for crontab, or units for systemd."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from newsletter.errors import InputError

CRON = """\
# Every ten minutes `newsletter run --if-due` sends what the schedule says is due; cron mails what goes wrong.
# Cron has not your shell's environment: secrets go into the settings file, or as NAME=VALUE lines above this one.
*/10 * * * * {command} >/dev/null
"""
SERVICE = """\
[Unit]
Description=Send the newsletter if it is due

[Service]
Type=oneshot
# Secrets, as NAME=VALUE lines; the file need not be there:
EnvironmentFile=-{environment}
ExecStart={command}
"""
TIMER = """\
[Unit]
Description=Look every ten minutes whether the newsletter is due

[Timer]
OnCalendar=*:0/10
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
"""
_PATH = {"%": "%%"}  # of a program, in which systemd knows nothing else
_WORD = str.maketrans({**_PATH, "$": "$$", "\\": "\\\\", '"': '\\"'})


def command_of(settings: Path) -> list[str]:
    """Return the words that call this program, with absolute paths."""
    program = Path(sys.executable).parent / "newsletter"
    words = [str(program)] if program.is_file() else [sys.executable, "-m", "newsletter"]
    words += ["--config", str(settings.absolute()), "run", "--if-due"]
    for word in words:
        if not word.isprintable():
            raise InputError("holds a character that no timer can take", subject=repr(word), remedy="move it")
    return words


def crontab(words: list[str]) -> str:
    """Return the lines for crontab, where % would be a line's end."""
    return CRON.format(command=shlex.join(words).replace("%", "\\%"))


def units(words: list[str], settings: Path) -> dict[str, str]:
    """Return the units for systemd by their names."""
    program, *rest = words
    if set(program) & set("\\\"'"):
        raise InputError(
            "holds a quote, which systemd takes in no program", subject=program, remedy="move it"
        )
    path = str.maketrans(_PATH)
    environment = str(settings.absolute().with_name("newsletter.env")).translate(path)
    command = " ".join([f'"{program.translate(path)}"', *(f'"{word.translate(_WORD)}"' for word in rest)])
    return {
        "newsletter.service": SERVICE.format(command=command, environment=environment),
        "newsletter.timer": TIMER,
    }
