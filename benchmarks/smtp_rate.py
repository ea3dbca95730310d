"""The SMTP provider against Postfix's `smtp-source`: messages of 60 KB to Postfix's `smtp-sink`, on loopback.

Four connections each. The provider composes every message for its reader and gives a receipt; the sink throws it away.
Both programs come with Debian's package `postfix`, which need not be installed::

    mkdir -p build/postfix && cd build/postfix && apt-get download postfix && dpkg-deb -x postfix_*.deb .

``POSTFIX`` names another folder that it was unpacked to, ``SMTP_MESSAGES`` another number of messages a run.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.clock import medians
from benchmarks.ledger import filled, planned
from newsletter.composer import Composer
from newsletter.delivery import ledger
from newsletter.delivery.recipients import Links
from newsletter.delivery.sender import Sending
from newsletter.models.deliveries import Outcome, Recipient
from newsletter.models.issues import Letter, placeholder
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from subscribers.store import deliverable
from tools import nodejs

CONNECTIONS = 4
NODE_RUNS = 3
OCTETS = 60_000
MESSAGES = int(os.environ.get("SMTP_MESSAGES", "4000"))
FOLDER = Path(os.environ.get("POSTFIX", Path(__file__).parent.parent / "build" / "postfix"))


def measure(runs: int = 5) -> Iterator[str]:
    """Yield the lines of the report: the provider alone, and a whole send with its ledger."""
    sink, source = FOLDER / "usr/sbin/smtp-sink", FOLDER / "usr/sbin/smtp-source"
    if not (sink.is_file() and source.is_file()):
        yield f"smtp            - x smtp-source, not measured: {FOLDER} lacks it (benchmarks/smtp_rate.py says how)"
        return
    letter = _letter()
    pages = [
        [_reader(1 + number) for number in range(start, MESSAGES, CONNECTIONS)]
        for start in range(CONNECTIONS)
    ]
    with _serving(sink) as port:
        ours, theirs = medians(lambda: _send(port, letter, pages), lambda: _postfix(source, port), runs=runs)
    yield _line("smtp      ", ours, theirs)
    with _serving(sink) as port, _whole_send(port, letter, 2 * (runs + 1) + NODE_RUNS + 1) as send:
        for connections in (CONNECTIONS, 2 * CONNECTIONS):
            ours, theirs = medians(partial(send, connections), lambda: _postfix(source, port), runs=runs)
            yield _line(f"smtp+ledger, {connections} connections", ours, theirs)
        yield _beside_nodemailer(port, letter, send)


@contextmanager
def _whole_send(port: int, letter: Letter, sends: int) -> Iterator[Callable[[int], None]]:
    """Give what sends the next of some issues that are planned, by so many connections, on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        database, days = filled(folder, MESSAGES), itertools.count()
        issues = [planned(database, days, letter) for _ in range(sends)]

        def send(connections: int) -> None:
            issue = issues.pop()
            Sending(
                database=database, provider=_provider(port), issue=issue, letter=letter,
                audience=deliverable("daily"), connections=connections, clock=lambda: datetime.now(UTC),
                links=Links(public_url="https://news.example.org", unsubscribe_mailbox=""),
            ).run()  # fmt: skip
            with database.read() as connection:
                if ledger.counts(connection, issue.id).accepted != MESSAGES:
                    raise RuntimeError("not every message was accepted")

        yield send
        database.close()


def _beside_nodemailer(port: int, letter: Letter, send: Callable[[int], None], runs: int = NODE_RUNS) -> str:
    """Return the line about nodemailer's pool, which times itself: Node's start is not counted."""
    if lack := nodejs.missing():
        return f"smtp+ledger     - x nodemailer's pool, not measured: {lack}"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"subject": letter.subject, "html": letter.html, "text": letter.text}, file)
        file.flush()
        how = (str(port), str(CONNECTIONS), str(MESSAGES), file.name)
        times = []

        def pool() -> None:
            times.append(json.loads(nodejs.run("pool.mjs", *how))["seconds"])

        ours, _ = medians(partial(send, CONNECTIONS), pool, runs=runs)
    theirs = statistics.median(times[1:])
    rates = f"{MESSAGES / ours:,.0f} against {MESSAGES / theirs:,.0f} a second; at least 5"
    return f"smtp+ledger {theirs / ours:5.2f} x nodemailer's pool of {CONNECTIONS} ({rates})"


def _line(name: str, ours: float, theirs: float) -> str:
    return (
        f"{name} {theirs / ours:5.2f} x smtp-source -d -s {CONNECTIONS} ({MESSAGES / ours:,.0f} messages of"
        f" {OCTETS:,} octets a second against {MESSAGES / theirs:,.0f}; at least 0.9)"
    )


def _provider(port: int) -> SmtpProvider:
    return SmtpProvider(SmtpSettings(host="127.0.0.1", port=port, tls="none"))


def _send(port: int, letter: Letter, pages: list[list[Recipient]]) -> None:
    provider = _provider(port)

    def work(page: list[Recipient]) -> int:
        with provider.connect() as connection:
            return sum(receipt.outcome is Outcome.ACCEPTED for receipt in connection.send(letter, page))

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        accepted = sum(threads.map(work, pages))
    if accepted != MESSAGES:
        raise RuntimeError(f"{accepted} of {MESSAGES} messages were accepted")


def _postfix(source: Path, port: int) -> None:
    how = ["-d", "-s", str(CONNECTIONS), "-m", str(MESSAGES), "-l", str(OCTETS), "-M", "bench.example"]
    subprocess.run([source, *how, f"127.0.0.1:{port}"], env=_environment(), check=True, capture_output=True)


@contextmanager
def _serving(sink: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to work as root
    process = subprocess.Popen([sink, *user, f"127.0.0.1:{port}", "100"], env=_environment())
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("smtp-sink does not answer")


def _environment() -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": str(FOLDER / "usr/lib/postfix")}


def _letter() -> Letter:
    """Return a letter of which a message has about `OCTETS`, most of them HTML, as ours have."""
    link = placeholder("unsubscribe_url")
    letter = Letter(
        subject="Daily papers", html="", text="", language="en", from_name="Paper Post", from_address="n@example.org",
        date=datetime(2026, 1, 5, tzinfo=UTC), boundary="=_b",
    )  # fmt: skip
    line = '<p style="margin:0">A paper shows something new, with a number: 47.3 %.</p>\n'

    def of(lines: int) -> Letter:
        html = f'{line * lines}<a href="{link}">Unsubscribe</a>\n'
        text = f"{'A paper shows something new.' * 2}\n" * (lines // 4) + f"{link}\n"
        return replace(letter, html=html, text=text)

    few, many = (len(Composer(of(lines)).compose(_reader(1))) for lines in (40, 440))
    return of(40 + round((OCTETS - few) * 400 / (many - few)))


def _reader(number: int) -> Recipient:
    link = f"https://news.example.org/u/{number:040}"
    return Recipient(
        subscriber_id=number, address=f"reader{number}@example.org", name=f"Reader {number}",
        delivery_id=f"daily.20260105.{number}", message_id=f"<daily.20260105.{number}@example.org>",
        values={"unsubscribe_url": link},
        headers=(("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
    )  # fmt: skip


if __name__ == "__main__":
    print(measure())
