"""The server in a process of its own, apart from the interpreter lock of what is measured or killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.servers.sendgrid.server import STATE

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that runs; ``ca_file`` is what its TLS is checked with, if it speaks it."""

    url: str
    ca_file: Path | None

    def state(self) -> Any:
        """Return what it tells of itself (see `SendGridApi.state`)."""
        trusted = None if self.ca_file is None else str(self.ca_file)
        with urllib3.PoolManager(ca_certs=trusted) as pool:
            return json.loads(pool.request("GET", self.url + STATE).data)


@contextmanager
def running(*options: str, ca_file: Path | None = None) -> Iterator[Running]:
    """Start it with the options of its command line; it speaks TLS if there is a file to write its authority to."""
    secured = () if ca_file is None else ("--tls", str(ca_file))
    command = [sys.executable, "-m", "tests.servers.sendgrid", *options, *secured]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, "the server did not start"
            yield Running(url=url, ca_file=ca_file)
        finally:
            process.terminate()
