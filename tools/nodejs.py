"""Node's tools, pinned in ``tools/node`` and installed there by `make node`; they only check and measure."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "node"
MODULES = FOLDER / "node_modules"


def missing() -> str:
    """Return in plain words what is missing for Node's tools, and how to get it; empty if nothing is."""
    if shutil.which("node") is None:
        return "Node is missing: apt-get install nodejs npm (20.19 or later), then make node"
    return "" if (MODULES / ".package-lock.json").is_file() else "Node's tools are missing: make node"


def command(script: str, *arguments: str) -> list[str]:
    """Return the command of a script, named by its path in ``tools/node``."""
    return ["node", str(FOLDER / script), *arguments]


def run(script: str, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
    """Run a script and return what it wrote; ``ok`` are the exit codes that are no failure."""
    done = subprocess.run(
        command(script, *arguments), cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode not in ok:
        raise RuntimeError(f"{script} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
