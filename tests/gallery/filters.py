"""SpamAssassin and rspamd, offline: nothing is asked of a name server or of anybody else."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from tools.processes import ended

_RULE = re.compile(r"^ ?(-?\d+\.\d)\s+([A-Z][A-Z0-9_]+) ", re.MULTILINE)
# What would ask the network, or keep what it learned in a database.
_ONLINE = (
    *(
        "arc",
        "asn",
        "bimi",
        "dkim",
        "dmarc",
        "fuzzy_check",
        "greylist",
        "hfilter",
        "history_redis",
        "mx_check",
    ),
    *(
        "neural",
        "phishing",
        "ratelimit",
        "rbl",
        "redis",
        "replies",
        "reputation",
        "spf",
        "surbl",
        "url_redirector",
    ),
)
_START_SECONDS = 60.0
Scores = dict[str, dict[str, float]]


def spamassassin(messages: Mapping[str, bytes], folder: Path) -> Scores:
    """Return the points of each rule that each message meets."""
    scores: Scores = {}
    files = _written(messages, folder)
    told = subprocess.run(
        ["spamassassin", "-L", "-t", "-x", *map(str, files)], capture_output=True, text=True, errors="replace",
        timeout=100, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"},
    ).stdout  # fmt: skip
    # The report of each message follows it, in the order of the files.
    reports = told.split("Content analysis details:")[1:]
    for name, report in zip(sorted(messages), reports, strict=True):
        body = report.split("\n\n", 2)[1]
        scores[name] = {rule: float(points) for points, rule in _RULE.findall(body)}
    return scores


@contextmanager
def rspamd(folder: Path, kept: Path) -> Iterator[int]:
    """Run rspamd on the loopback, without what it needs a network for; yield its port.

    What it compiles at its first start (a quarter of a minute) stays in ``kept``.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    kept.mkdir(parents=True, exist_ok=True)
    override = folder / "override.d"
    override.mkdir()
    settings = {
        "options": f'control_socket = "{folder}/socket mode=0600";'
        ' dns { nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }',
        "worker-normal": f'bind_socket = "127.0.0.1:{port}"; count = 1;',
        "worker-controller": "enabled = false;",
        "worker-proxy": "enabled = false;",
        "logging": 'type = "console"; level = "error";',
        **dict.fromkeys(_ONLINE, "enabled = false;"),
    }
    for name, text in settings.items():
        suffix = "inc" if name.startswith(("options", "worker", "logging")) else "conf"
        (override / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    places = {"DBDIR": kept, "RUNDIR": folder, "LOGDIR": folder, "LOCAL_CONFDIR": folder}
    variables = [word for name, place in places.items() for word in ("--var", f"{name}={place}")]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_program("rspamd") or "rspamd", "-f", "-i", "-p", str(folder / "pid"), *variables],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    with ended(process):
        _wait(process, port, log)
        yield port


def ask_rspamd(port: int, messages: Mapping[str, bytes], folder: Path) -> Scores:
    """Return the points of each rule that each message meets, as if a mail server had handed it in."""
    scores: Scores = {}
    for name, file in zip(sorted(messages), _written(messages, folder), strict=True):
        done = subprocess.run(
            [
                *("rspamc", "-h", f"127.0.0.1:{port}", "--json", "-i", "192.0.2.25"),
                *("--hostname", "mail.example.org", "--helo", "mail.example.org"),
                *("-F", "papers@example.org", "-r", "reader@example.org", "symbols", str(file)),
            ],
            capture_output=True, timeout=60, check=True,
        )  # fmt: skip
        symbols = json.loads(done.stdout)["symbols"]
        scores[name] = {rule: symbol["score"] for rule, symbol in symbols.items()}
    return scores


def positive(scores: Scores, allowed: Mapping[str, float] = MappingProxyType({})) -> list[str]:
    """Return message, rule and points of every rule that counts more against a message than is ``allowed``."""
    return sorted(
        f"{message}: {rule} {points:.2f}"
        for message, rules in scores.items()
        for rule, points in rules.items()
        if points > allowed.get(rule, 0) + 0.001
    )


def lacking(*programs: str) -> str:
    """Return in plain words which programs are missing and how to get them; empty if none is."""
    missing = [name for name in programs if _program(name) is None]
    return f"{' and '.join(missing)} is missing: apt-get install {missing[0]}" if missing else ""


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _written(messages: Mapping[str, bytes], folder: Path) -> list[Path]:
    files = []
    for name in sorted(messages):
        files.append(folder / f"{name}.eml")
        files[-1].write_bytes(messages[name])
    return files


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"rspamd did not start: {log.read_text(errors='replace').strip()}")
        time.sleep(0.1)
