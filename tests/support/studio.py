"""A preview studio that runs as a process of its own, and a browser's way to ask it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.command import PROGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request brought."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStudio:
    """A studio and the folder it runs in."""

    folder: Path
    address: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rstrip("/").rpartition(":")[2])

    def get(self, path: str, *, method: str = "GET", host: str | None = None) -> Answer:
        """Ask for a page; ``host`` is the Host header, the address itself without it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers={} if host is None else {"Host": host})
            answer = connection.getresponse()
            return Answer(
                status=answer.status, headers=dict(answer.headers), body=answer.read().decode("utf-8")
            )
        finally:
            connection.close()

    def state(self) -> Any:
        """Return what the page is told."""
        return json.loads(self.get("/state").body)

    def when(self, word: str, path: str = "/letter", seconds: float = 15.0) -> str:
        """Return a page as soon as it holds a word; fail if it does not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            body = self.get(path).body
            if word in body:
                return body
            time.sleep(0.05)
        raise AssertionError(f"{word!r} did not come into {path} within {seconds} s: {self.state()}")

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C, and return the exit code and what stood on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=10)
        return self.process.returncode, err


@contextmanager
def studio(
    folder: Path, *arguments: str | Path, env: Mapping[str, str] | None = None
) -> Iterator[RunningStudio]:
    """Run a studio on a free port."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    process = subprocess.Popen(
        [PROGRAM, "preview", "--serve", "--port", "0", "--no-open", *arguments], cwd=folder, text=True,
        env={**clean, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a shell may ignore it
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "http://127.0.0.1:" in line, (line, process.communicate(timeout=10))
        running = RunningStudio(folder=folder, address=line[line.index("http") :].split()[0], process=process)
        for _ in range(200):
            state = running.state()
            if state["proof"] is not None or state["fault"]:
                break
            time.sleep(0.05)
        yield running
    finally:
        process.kill()
        process.communicate()
