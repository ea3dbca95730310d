"""`newsletter --help` against `import click`: both as a whole process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.clock import medians

BOUND = 2.0


def measure(runs: int = 15) -> str:
    """Return the line of the report."""
    command = str(Path(sys.executable).with_name("newsletter"))

    def run(*arguments: str) -> None:
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)

    ours, bare = medians(
        lambda: run(command, "--help"), lambda: run(sys.executable, "-c", "import click"), runs=runs
    )
    times = f"{ours * 1000:.0f} ms against {bare * 1000:.0f}"
    return f"start-up    {ours / bare:5.2f} x `import click` ({times}; at most {BOUND})"
