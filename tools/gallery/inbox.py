"""Sends the gallery through SMTP to MailDev, an inbox on this machine: ``python -m tools.gallery.inbox``."""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from newsletter.letters import example_reader, make_letter
from newsletter.models.deliveries import Outcome
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from newsletter.templating.issue import render
from tools import nodejs
from tools.gallery.plates import IDENTITY, PLATES
from tools.processes import ended

HOST = "127.0.0.1"
SMTP_PORT, PAGE_PORT = 1025, 1080
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A MailDev that runs on this machine, and the ports it listens on."""

    smtp: int
    page: int

    @property
    def address(self) -> str:
        """Return the address of its page."""
        return f"http://{HOST}:{self.page}/"


@contextmanager
def maildev(*, smtp: int = 0, page: int = 0) -> Iterator[Inbox]:
    """Run MailDev on the loopback; a port of 0, or one that is taken, becomes a free one."""
    inbox = Inbox(smtp=_free_port(smtp), page=_free_port(page))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                nodejs.command(
                    "node_modules/maildev/dist/bin/maildev.js",
                    "--ip", HOST, "--smtp", str(inbox.smtp), "--web-ip", HOST, "--web", str(inbox.page),
                    "--mail-directory", str(Path(folder, "mail")),
                ),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder,
            )  # fmt: skip
        with ended(process):
            _wait(process, inbox, log)
            yield inbox


def send(inbox: Inbox, now: datetime) -> Iterator[str]:
    """Send each letter of the gallery to a reader who has its name; yield the subjects."""
    provider = SmtpProvider(SmtpSettings(host=HOST, port=inbox.smtp, tls="none"))
    with provider.connect() as connection:
        for plate in PLATES:
            issue = plate.make()
            letter = make_letter(render(issue, plate.design), issue, IDENTITY, now)
            reader = example_reader(letter, issue, IDENTITY)
            address = f"{plate.name}@example.org"
            reader = reader._replace(
                address=address,
                name=plate.name,
                message_id=f"<{plate.name}.{reader.delivery_id}@example.org>",
                values={**reader.values, "address": address},
            )
            for receipt in connection.send(letter, [reader]):
                if receipt.outcome is not Outcome.ACCEPTED:
                    raise RuntimeError(f"MailDev did not take {plate}: {receipt.reply}")
            yield letter.subject


def _free_port(wanted: int) -> int:
    with socket.socket() as listener:
        try:
            listener.bind((HOST, wanted))
        except OSError:
            listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], inbox: Inbox, log: Path) -> None:
    """Wait until both ports answer; raise with MailDev's own words if it stops or takes too long."""
    end = time.monotonic() + _START_SECONDS
    for port in (inbox.smtp, inbox.page):
        while True:
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"MailDev did not start: {log.read_text(errors='replace').strip()}")
            time.sleep(0.1)


def main(arguments: list[str] | None = None) -> int:
    """Send the gallery and keep the inbox open until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtp", type=int, default=SMTP_PORT, help="port to send to (1025, else a free one)")
    parser.add_argument(
        "--page", type=int, default=PAGE_PORT, help="port of the page (1080, else a free one)"
    )
    options = parser.parse_args(arguments)
    lack = nodejs.missing()
    if lack:
        parser.exit(2, f"{lack}\n")
    with contextlib.suppress(KeyboardInterrupt), maildev(smtp=options.smtp, page=options.page) as inbox:
        sent = list(send(inbox, datetime.now(UTC)))
        print(f"{len(sent)} letters are in the inbox at {inbox.address} (Ctrl-C ends it)", flush=True)
        while True:
            time.sleep(3600)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
