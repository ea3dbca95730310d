"""Node's tools, pinned in ``tools/node`` and installed there by `make node`; they only check and measure."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "node"
MODULES = FOLDER / "node_modules"
OLDEST = (20, 19)


@cache
def missing() -> str:
    """Return in plain words what is missing for Node's tools, and how to get it; empty if nothing is."""
    wanted = ".".join(map(str, OLDEST))
    if shutil.which("node") is None:
        return f"Node is missing: install Node {wanted} or later with npm, then make node"
    told = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    version = tuple(int(number) for number in re.findall(r"\d+", told)[:2])
    if version < OLDEST:
        return (
            f"Node {told.strip() or 'of some version'} is too old: install {wanted} or later, then make node"
        )
    return "" if (MODULES / ".package-lock.json").is_file() else "Node's tools are missing: make node"


def command(script: str, *arguments: str) -> list[str]:
    """Return the command of a script, named by its path in ``tools/node``."""
    return ["node", str(FOLDER / script), *arguments]


def run(script: str, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
    """Run a script and return what it wrote; ``ok`` are the exit codes that are no failure."""
    # into a file: a tool that ends by process.exit() loses what a pipe has not taken yet
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        done = subprocess.run(
            command(script, *arguments), cwd=FOLDER, stdout=output, stderr=subprocess.PIPE, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        output.seek(0)
        told = output.read()
    if done.returncode not in ok:
        raise RuntimeError(f"{script} failed: {done.stderr.strip() or told.strip()}")
    return told
