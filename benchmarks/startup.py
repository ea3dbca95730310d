"""`newsletter --help` and `newsletter status` against `import click`: all as a whole process."""

from __future__ import annotations

import compileall
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import newsletter
from benchmarks.clock import medians
from newsletter.sample import sample_day_path

BOUND = 2.0


def measure(runs: int = 15) -> Iterator[str]:
    """Yield the lines of the report, of a program that is compiled as an installed one is."""
    compileall.compile_dir(Path(newsletter.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schedule = (
            '[editions.daily]\nschedule = { at = "07:30", timezone = "Asia/Seoul", latest = "12:00" }\n'
        )
        (folder / "newsletter.toml").write_text(schedule, encoding="utf-8")
        _run(folder, "subscribers", "add", "ada@example.org")
        _run(folder, "run", "--from", str(sample_day_path()))
        for what, words in (("start-up", "--help"), ("status", "status")):
            ours, bare = medians(
                lambda words=words: _run(folder, words),  # type: ignore[misc]
                lambda: subprocess.run([sys.executable, "-c", "import click"], check=True),
                runs=runs,
            )
            times = f"{ours * 1000:.0f} ms against {bare * 1000:.0f}"
            yield f"{what:<12}{ours / bare:5.2f} x `import click` ({times}; at most {BOUND})"


def _run(folder: Path, *words: str) -> None:
    command = str(Path(sys.executable).with_name("newsletter"))
    subprocess.run([command, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
