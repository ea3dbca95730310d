"""Import beside a loop that does the same with the plain tools, export, memory, and the last page of a long list.

`BENCHMARK_LINES=1000000 python -m benchmarks.transfer` measures the size that is asked for.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
import random
import resource
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

from email_validator import validate_email

from newsletter.database import Database
from subscribers.selection import Chosen, page

LINES = 100_000
MEMORY = 150  # MB
_COMMAND = [sys.executable, "-m", "newsletter", "subscribers"]
_BATCH = 1_000


def measure() -> Iterator[str]:
    """Yield the lines of the report."""
    lines = int(os.environ.get("BENCHMARK_LINES", str(LINES)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        people = _write(folder / "people.csv", lines)
        loop = _timed_loop(people, folder / "loop.db")
        memory: list[float] = []
        taken, peak = _run(folder, "import", str(people), "--consent", "a fair, 2024")
        memory.append(peak)
        given, peak = _run(folder, "export", "--out", str(folder / "out.csv"))
        memory.append(peak)
        again, peak = _run(folder, "import", str(people), "--consent", "a fair, 2024")
        memory.append(peak)
        first, last = _pages(folder / "newsletter.db", lines)
    yield (
        f"import      {loop / taken:5.2f} x the speed of a loop of csv, validate_email and INSERT "
        f"({lines:,} lines: {taken:.1f} s against {loop:.1f}; at least 0.5)"
    )
    yield f"import      {taken / again:5.2f} x the speed of the first, when it is done again ({again:.1f} s)"
    yield f"export      {taken / given:5.2f} x the speed of import ({given:.1f} s; at least 1)"
    yield f"memory      {max(memory):5.0f} MB at most in import and export (at most {MEMORY})"
    yield (
        f"listing     {last / first:5.2f} x the first page for the last ({last * 1000:.1f} ms against "
        f"{first * 1000:.1f}; about 1)"
    )


def _write(path: Path, lines: int) -> Path:
    chance = random.Random(1)
    domains = ["example.org", "mail.example.com"] + [f"firm{number}.example" for number in range(3_000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name,language\n")
        for number in range(lines):
            domain = domains[min(int(chance.expovariate(1 / 50)), len(domains) - 1)]
            language = "ko" if number % 3 else "en"
            file.write(f"person.{chance.getrandbits(40):x}.{number}@{domain},Person {number},{language}\n")
    return path


def _timed_loop(people: Path, where: Path) -> float:
    """Return the seconds of the plain way: each row read, checked and inserted, in the same tables."""
    opened = Database(where)
    opened.ensure_schema()
    opened.close()
    key = secrets.token_bytes(32)
    began = perf_counter()
    with (
        closing(sqlite3.connect(where, isolation_level=None)) as database,
        people.open(encoding="utf-8") as file,
    ):
        database.execute("INSERT INTO edition (name) VALUES ('daily')")
        database.execute("BEGIN IMMEDIATE")
        rows: list[tuple[int, str, str, bytes, bytes, str, str]] = []
        for number, row in enumerate(csv.DictReader(file), start=1):
            checked = validate_email(row["email"], check_deliverability=False)
            address = f"{checked.local_part.casefold()}@{checked.ascii_domain}"
            digest = hmac.digest(key, address.encode(), hashlib.sha256)
            rows.append(
                (number, checked.normalized, address, digest, secrets.token_bytes(16), row["name"], row["language"])
            )  # fmt: skip
            if len(rows) == _BATCH:
                _insert(database, rows)
        _insert(database, rows)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return perf_counter() - began


def _insert(database: sqlite3.Connection, rows: list[tuple[int, str, str, bytes, bytes, str, str]]) -> None:
    database.executemany(
        "INSERT INTO subscriber (id, email, address_key, address_hash, key, name, language, state, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 10, 0)",
        rows,
    )
    numbers = [(row[0], row[0]) for row in rows]
    database.executemany(
        "INSERT INTO subscription (id, subscriber_id, edition_number, state, created_at, changed_at)"
        " VALUES (?, ?, 1, 1, 0, 0)",
        numbers,
    )
    database.executemany(
        "INSERT INTO history (subscriber_id, subscription_id, at, to_state, actor, through, reason)"
        " VALUES (?, ?, 0, 1, 'loop', 1, '')",
        numbers,
    )
    database.executemany(
        "INSERT INTO consent (subscription_id, source, text_version, given_at) VALUES (?, 'a fair, 2024', '', 0)",
        [row[:1] for row in numbers],
    )
    rows.clear()


def _run(folder: Path, *words: str) -> tuple[float, float]:
    """Run a command as a process of its own; return its seconds and its peak of memory in MB."""
    repository = str(Path(__file__).parent.parent)
    began = perf_counter()
    process = subprocess.Popen(
        [*_COMMAND, *words], cwd=folder, stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": repository},
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return perf_counter() - began, _megabytes(usage)


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * 1024 / 1_000_000


def _pages(where: Path, lines: int, runs: int = 21) -> tuple[float, float]:
    """Return the median seconds of the first page of the list and of the last."""
    opened = Database(where, read_only=True)
    places: tuple[tuple[tuple[int, int] | None, list[float]], ...] = ((None, []), ((lines - 1_000, 1), []))
    with opened.read() as connection:
        for _ in range(runs):
            for after, times in places:
                began = perf_counter()
                assert len(connection.execute(page(Chosen(), after)).all()) == min(1_000, lines)
                times.append(perf_counter() - began)
    opened.close()
    return median(places[0][1]), median(places[1][1])


if __name__ == "__main__":
    for line in measure():
        print(line)
