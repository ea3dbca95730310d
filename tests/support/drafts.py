"""A newsletter with a draft that waits for its operator's word."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.command import PROGRAM, SAMPLE
from tests.support.serving import SETTINGS


def noon_zone(now: datetime) -> str:
    """Return a time zone in which it is between 12 and 13 o'clock."""
    return f"Etc/GMT{now.hour - 12:+d}"


def settings() -> str:
    """Return settings by which a draft of today can still be decided."""
    zone = noon_zone(datetime.now(UTC))
    return (
        f'{SETTINGS}[alerts]\nemail = "boss@example.org"\n[editions.daily.schedule]\nat = "00:30"\n'
        f'latest = "23:30"\ndays = "daily"\ntimezone = "{zone}"\napprove = true\n'
    )


def newsletter(folder: Path, *arguments: str) -> str:
    """Run the command in a folder; return what it printed."""
    done = subprocess.run([PROGRAM, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def make_draft(folder: Path) -> None:
    """Make a newsletter with one reader and a draft."""
    (folder / "newsletter.toml").write_text(settings(), encoding="utf-8")
    newsletter(folder, "subscribers", "add", "ada@example.org")
    told = newsletter(folder, "run", "--if-due", "--from", str(SAMPLE))
    assert "is a draft" in told
