"""Taking in what a provider posts, against reading the same JSON and inserting the same rows with nothing between."""

from __future__ import annotations

import itertools
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from benchmarks.ledger import filled, planned
from newsletter.database import Database
from newsletter.delivery.consequences import Allowance
from newsletter.delivery.events import CHUNK, put_down
from newsletter.delivery.recipients import delivery_id
from newsletter.delivery.working import Work
from newsletter.providers.sendgrid_events import SendGridEvents
from newsletter.store import IssueRecord
from subscribers.book import ListSettings
from subscribers.requests import Requests
from subscribers.store import keys_of
from tests.support.sendgrid_posts import SendGridSigner

BOUND = 0.3
EVENTS, BODY, READERS = 100_000, 5_000, 25_000
_NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
_SIGNER = SendGridSigner()
_COLUMNS = "provider, event_id, kind, issue_id, subscriber_id, at, received_at, payload, state"
_INSERT = f"INSERT OR IGNORE INTO bare ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def bodies(database: Database, issue: IssueRecord) -> list[bytes]:
    """Return what is posted: of each letter that it was processed and delivered, opened and clicked; some bounce."""
    with database.read() as connection:
        keys = keys_of(connection, range(1, READERS + 1))
    kinds = itertools.cycle(["processed", "delivered", "open", "click"])
    events = [
        {
            "email": f"r{number}@example.org", "timestamp": int(_NOW.timestamp()), "event": kind,
            "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>", "sg_event_id": f"{number:022d}{kind}==",
            "sg_message_id": f"14c5d75ce93.dfd.64b469.filter0001.16648.{number}.0", "category": ["daily"],
            "response": "250 OK", "delivery": delivery_id(issue.day, issue.edition, keys[number]),
            "reader": str(number),
        }
        for number in range(1, READERS + 1) for kind in itertools.islice(kinds, EVENTS // READERS)
    ]  # fmt: skip
    return [json.dumps(events[begin : begin + BODY]).encode() for begin in range(0, EVENTS, BODY)]


def measure() -> Iterator[str]:
    """Yield the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        database = filled(folder, READERS)
        posted = [
            (body, _SIGNER.headers(body, _NOW))
            for body in bodies(database, planned(database, itertools.count()))
        ]
        reader = SendGridEvents(key=_SIGNER.verification_key, max_age=timedelta(minutes=10))
        bare = sqlite3.connect(Path(folder) / "newsletter.db", isolation_level=None)
        made = bare.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'event' AND sql IS NOT NULL"
        ).fetchall()
        for (sql,) in made:
            bare.execute(
                sql.replace("event", "bare", 1).replace("ON event", "ON bare").replace("ix_event", "ix_bare")
            )
        bare.execute("PRAGMA synchronous=FULL")

        def taken_in() -> None:
            for body, headers in posted:
                events = reader.read(headers, body, _NOW)
                for begin in range(0, len(events), CHUNK):
                    with database.write(durable=True) as connection:
                        put_down(connection, reader.name, events[begin : begin + CHUNK], _NOW)

        def inserted() -> None:
            for (body, _), values in zip(posted, rows, strict=True):
                orjson.loads(body)
                for begin in range(0, len(values), CHUNK):
                    bare.execute("BEGIN IMMEDIATE")
                    bare.executemany(_INSERT, values[begin : begin + CHUNK])
                    bare.execute("COMMIT")

        taken_in()
        found = bare.execute(f"SELECT {_COLUMNS} FROM event ORDER BY id").fetchall()
        rows = [found[begin : begin + BODY] for begin in range(0, EVENTS, BODY)]
        slow, fast = _medians(bare, {"event": taken_in, "bare": inserted})
        rate = f"{EVENTS / slow:,.0f} against {EVENTS / fast:,.0f} a second"
        yield f"events      {fast / slow:5.2f} of loads and raw inserts ({rate}; at least {BOUND})"
        yield _working(database)
        bare.close()
        database.close()


def _working(database: Database) -> str:
    people = Requests(ListSettings(hash_key=bytes(32)))
    allowance = Allowance(bounces=5, within=timedelta(days=30))
    began = time.perf_counter()
    done = Work(database=database, people=people, allowance=allowance, clock=lambda: _NOW).through()
    assert done.worked == EVENTS, done
    return f"            worked through at {EVENTS / (time.perf_counter() - began):,.0f} a second"


def _medians(bare: sqlite3.Connection, works: Mapping[str, Callable[[], None]], runs: int = 5) -> list[float]:
    """Return the median seconds of filling each of some tables, in turn, which are emptied before."""
    times: dict[str, list[float]] = {table: [] for table in works}
    for table, work in [*works.items()] * runs:
        bare.execute(f"DELETE FROM {table}")
        bare.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        began = time.perf_counter()
        work()
        times[table].append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in times.values()]
