"""Processes by their host, number and start, and whether they live. It needs no database."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

DEAD_AFTER = timedelta(seconds=15)


def process_name() -> str:
    """Return this process's name as the owner of claims: host, process id and start time."""
    return _name_of(os.getpid())


@lru_cache(maxsize=1)  # a child that was forked has a number of its own
def _name_of(pid: int) -> str:
    return f"{_host()}:{pid}:{_start_time(pid)}"


def is_dead(owner: str, heartbeat: datetime, now: datetime) -> bool:
    """Tell whether an owner is gone: at once on the same host, after 15 s without a heartbeat elsewhere."""
    if not is_here(owner):
        return now - heartbeat > DEAD_AFTER
    _, pid, started = owner.rsplit(":", 2)
    return _start_time(int(pid)) != started


def is_here(owner: str) -> bool:
    """Tell whether an owner is, or was, a process whose number means the same here: its death shows at once."""
    return owner.rsplit(":", 2)[0] == _host()


def _host() -> str:
    """Return where process ids mean the same: this boot of this machine, this container."""
    import socket

    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{boot}/{space}".replace(":", "")


def _start_time(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; empty if there is no such process, or only its remains.

    Where the kernel does not tell (no /proc), it is "0" for every process that lives.
    """
    if Path("/proc/self").exists():
        try:
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
            return "" if fields[0] in {"Z", "X"} else fields[19]
        except (OSError, IndexError):
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "0"
