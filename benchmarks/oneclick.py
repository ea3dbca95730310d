"""One-click unsubscribes beside a send: 300 POSTs a second, open loop, while 600 rows a minute are settled.

Everything is real: `newsletter serve` as a process, HTTP, one SQLite file. A request is sent at its time, whether those
before it are answered or not, so a server that falls behind shows it. ``ONECLICK_SECONDS`` makes it longer.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

from newsletter import store
from newsletter.app import App
from newsletter.config import load
from newsletter.database import Database
from newsletter.delivery import claims, ledger
from newsletter.delivery.receipts import settle
from newsletter.delivery.recipients import key_text
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.models.issues import Letter
from newsletter.models.papers import DayKind
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import IssueState
from subscribers.models import AddressState, SubscriptionState
from subscribers.schema import subscriber, subscription
from subscribers.store import deliverable

RATE = 300  # a second
ROWS_A_MINUTE = 600
BOUND = 0.100  # seconds, of the 99th in a hundred
SECONDS = float(os.environ.get("ONECLICK_SECONDS", "5"))
_DAY = date(2026, 1, 5)
_STAYING = 1_000  # they stand first in the issue and are settled meanwhile
_BODY = b"List-Unsubscribe=One-Click"
_LETTER = Letter(
    subject="A day", html="<html></html>", text="A day", language="en", from_name="N", from_address="n@example.org",
    date=datetime(2026, 1, 5, tzinfo=UTC), boundary="=_b",
)  # fmt: skip


def measure(seconds: float = SECONDS) -> str:
    """Return the line of the report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number = int(RATE * seconds)
        keys = _people(folder, number)
        process, port = _serve(folder)
        stop, settled = threading.Event(), [0]
        settling = threading.Thread(target=_settle, args=(folder, stop, settled))
        settling.start()
        try:
            times, refused = asyncio.run(_clicks(port, keys))
        finally:
            stop.set()
            settling.join()
            process.send_signal(signal.SIGKILL)  # what was answered is there all the same
            process.wait()
        left = _left(folder)
    times.sort()
    p50, p99, worst = (1000 * times[min(len(times) - 1, int(share * len(times)))] for share in (0.5, 0.99, 1))
    kept = "all there after a kill" if left == number - refused else f"{number - refused - left} ARE LOST"
    return (
        f"one-click   p99 {p99:5.1f} ms (p50 {p50:.1f}, worst {worst:.0f}; at most {1000 * BOUND:.0f}), {number} at"
        f" {RATE}/s beside {settled[0]} settled rows, {refused} refused, {kept}"
    )


def _people(folder: Path, number: int) -> list[str]:
    """Put people on a list, and plan an issue for them; return the paths of the links of the last ones."""
    (folder / "newsletter.toml").write_text("")
    app = App(load(folder / "newsletter.toml", {}), lambda _line: None)
    now, total = datetime.now(UTC), _STAYING + number
    try:
        operator = app.people.subscribers()
        with app.databases.open().write() as connection:
            first = operator.add(connection, "r0@example.org", edition="daily", actor="b", now=now)
            edition = operator.edition_number(connection, "daily")
            keys = [first.subscriber.key, *(secrets.token_bytes(16) for _ in range(1, total))]
            one = {"name": "", "state": AddressState.ACTIVE, "created_at": now}
            people = [
                {
                    **one, "id": first.subscriber.id + index, "key": keys[index], "email": f"r{index}@example.org",
                    "address_key": f"r{index}@example.org", "address_hash": secrets.token_bytes(32),
                }
                for index in range(1, total)
            ]  # fmt: skip
            own = {"state": SubscriptionState.ACTIVE, "created_at": now, "changed_at": now}
            subscriptions = [
                {**own, "subscriber_id": each["id"], "edition_number": edition} for each in people
            ]
            connection.execute(subscriber.insert(), people)
            connection.execute(subscription.insert(), subscriptions)
            record = store.create_issue(
                connection,
                edition="daily",
                day=_DAY,
                kind=DayKind.COMPLETE,
                document={"entries": []},
                now=now,
            )
            ledger.plan(connection, record.id, _LETTER, deliverable("daily"))
            store.move_issue(connection, record, IssueState.SENDING, now)
    finally:
        app.close()
    return [f"/u/{key_text(key)}/{edition}" for key in keys[_STAYING:]]


def _serve(folder: Path) -> tuple[subprocess.Popen[str], int]:
    command = str(Path(sys.executable).with_name("newsletter"))
    process = subprocess.Popen(
        [command, "serve", "--port", "0"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )  # fmt: skip
    assert process.stdout is not None
    found = re.search(r":(\d+)/", process.stdout.readline())
    assert found is not None
    return process, int(found[1])


def _settle(folder: Path, stop: threading.Event, settled: list[int]) -> None:
    """Claim rows and settle one after the other, at the rate, as a send does."""
    database = Database(folder / "newsletter.db")
    try:
        with database.read() as connection:
            record = store.find_issue(connection, "daily", _DAY)
        assert record is not None
        last = 0
        while not stop.is_set():
            now = datetime.now(UTC)
            with database.write(durable=True) as connection:
                held = claims.claim(
                    connection, record.id, deliverable("daily"), after=last, limit=50, owner="b", provider="outbox",
                    exposure=Exposure.NONE, now=now,
                )  # fmt: skip
            if held is None:
                return
            last = held.last
            for row in held.rows:
                if stop.wait(60 / ROWS_A_MINUTE):
                    return
                receipt = Receipt(subscriber_id=row.subscriber_id, outcome=Outcome.ACCEPTED, reply="250")
                with database.write() as connection:
                    settle(connection, held, row, receipt, datetime.now(UTC), on_uncertain=OnUncertain.RESEND)
                settled[0] += 1
    finally:
        database.close()


async def _clicks(port: int, paths: list[str]) -> tuple[list[float], int]:
    """Send every request at its time; return how long each took from then, and how many were refused."""
    began = time.perf_counter() + 0.2
    tasks = []
    for index, path in enumerate(paths):
        due = began + index / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(_click(port, path, due)))
    done = await asyncio.gather(*tasks)
    return [took for took, _ in done], sum(not well for _, well in done)


async def _click(port: int, path: str, due: float) -> tuple[float, bool]:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(_BODY)}\r\nConnection: close\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + _BODY)
        answer = await reader.read()
        writer.close()
    except ConnectionError:
        answer = b""
    return time.perf_counter() - due, answer.startswith(b"HTTP/1.1 200 ")


def _left(folder: Path) -> int:
    database = Database(folder / "newsletter.db")
    try:
        with database.read() as connection:
            return len(
                connection.exec_driver_sql(
                    "SELECT 1 FROM subscription WHERE state = 3"  # unsubscribed
                ).all()
            )
    finally:
        database.close()


if __name__ == "__main__":
    print(measure())
