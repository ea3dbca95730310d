"""The ledger against the bare SQLite beneath it: settling with a commit for each receipt, and planning an issue."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.clock import medians
from newsletter import store
from newsletter.database import Database
from newsletter.delivery import claims, ledger
from newsletter.delivery.processes import process_name
from newsletter.delivery.settling import settling
from newsletter.models.issues import Letter
from newsletter.models.papers import DayKind
from newsletter.protocols import Exposure
from newsletter.states import IssueState
from newsletter.store import IssueRecord
from subscribers.store import deliverable
from subscribers.subscriptions import ListSettings, SubscriberList

SETTLE_BOUND, PLAN_BOUND, SPACE_BOUND = 0.7, 0.35, 24
PAGE = 500
ROWS, PLANNED = 20_000, 1_000_000
_NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
_LETTER = Letter(
    subject="Papers", html="<p>Hello</p>", text="Hello\n", language="en", from_name="Papers",
    from_address="news@example.org", date=_NOW, boundary="=_b",
)  # fmt: skip
_COPIES = """
WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO subscriber (id, key, email, address_key, address_hash, name, language, state, created_at)
SELECT i, randomblob(16), 'r' || i || '@example.org', 'r' || i || '@example.org', randomblob(32), s.name, s.language,
    s.state, s.created_at FROM n, subscriber s WHERE s.id = 1
"""
_SUBSCRIPTIONS = """
INSERT INTO subscription (subscriber_id, edition_number, state, paused_until, created_at, changed_at)
SELECT p.id, s.edition_number, s.state, s.paused_until, s.created_at, s.changed_at
FROM subscriber p, subscription s WHERE p.id > 1 AND s.subscriber_id = 1
"""
_COLUMNS = "issue_id, subscriber_id, variant, state, attempt, claim_id, outcome"
_DELIVERY = """
CREATE TABLE raw (issue_id INTEGER NOT NULL, subscriber_id INTEGER NOT NULL, variant SMALLINT NOT NULL,
    state SMALLINT NOT NULL, attempt SMALLINT NOT NULL, claim_id INTEGER, outcome SMALLINT NOT NULL,
    PRIMARY KEY (issue_id, subscriber_id)) WITHOUT ROWID
"""


def filled(folder: str, people: int) -> Database:
    """Return a database with a list of ``people`` in the daily edition, and a bare table like the ledger's."""
    path = Path(folder) / "newsletter.db"
    database = Database(path)
    database.ensure_schema()
    with database.write() as connection:
        SubscriberList(ListSettings(hash_key=bytes(32))).add(
            connection, "first@example.org", edition="daily", actor="benchmark", now=_NOW
        )
    with closing(sqlite3.connect(path)) as driver, driver:
        driver.execute(_COPIES, (people,))
        driver.execute(_SUBSCRIPTIONS)
        driver.execute(_DELIVERY)
    return database


def planned(database: Database, days: Iterator[int], letter: Letter = _LETTER) -> IssueRecord:
    """Plan one more issue for everybody, and begin to send it."""
    with database.write(durable=True) as connection:
        record = store.create_issue(
            connection, edition="daily", day=date(2026, 1, 1) + timedelta(days=next(days)), kind=DayKind.COMPLETE,
            document={"entries": []}, now=_NOW,
        )  # fmt: skip
        ledger.plan(connection, record.id, letter, deliverable("daily"))
        return store.move_issue(connection, record, IssueState.SENDING, _NOW)


def settle(runs: int = 5) -> str:
    """Return the line about settling."""
    with tempfile.TemporaryDirectory() as folder:
        database, days = filled(folder, ROWS), itertools.count()
        bare = sqlite3.connect(Path(folder) / "newsletter.db", isolation_level=None)
        bare.execute("PRAGMA synchronous=NORMAL")

        def claimed() -> claims.Claim:
            claim = _claim(database, planned(database, days).id, ROWS)
            assert claim is not None
            return claim

        claims = [claimed() for _ in range(runs + 1)]
        bare.execute(
            "INSERT INTO raw SELECT issue_id, subscriber_id, variant, state, attempt, claim_id, outcome FROM delivery"
        )
        ours, raw = iter(claims), iter(claims)

        def with_ledger() -> None:
            claim = next(ours)
            with settling(database) as accepting:
                assert all(accepting.accept(claim, row) for row in claim.rows)

        def without() -> None:
            claim = next(raw)
            sql = "UPDATE raw SET state = 2 WHERE issue_id = ? AND subscriber_id = ? AND claim_id = ? AND state = 1"
            for row in claim.rows:
                bare.execute(sql, (claim.issue_id, row.subscriber_id, claim.id))

        slow, fast = medians(with_ledger, without, runs=runs)
        bare.close()
        database.close()
    rate = f"{ROWS / slow:,.0f} against {ROWS / fast:,.0f} a second"
    return f"settling    {fast / slow:5.2f} of raw commits of the same rows ({rate}; at least {SETTLE_BOUND})"


def plan(runs: int = 5) -> str:
    """Return the line about planning."""
    with tempfile.TemporaryDirectory() as folder:
        database, days, numbers = filled(folder, PLANNED), itertools.count(), itertools.count()
        bare = sqlite3.connect(Path(folder) / "newsletter.db", isolation_level=None)
        bare.execute("PRAGMA synchronous=FULL")

        def without() -> None:
            bare.execute(
                "INSERT INTO raw SELECT ?, id, 0, 0, 0, NULL, 0 FROM subscriber ORDER BY id", (next(numbers),)
            )

        slow, fast = medians(lambda: planned(database, days), without, runs=runs)
        bare.close()
        database.close()
    times = f"{slow:.2f} s against {fast:.2f} for {PLANNED:,}"
    return f"planning    {fast / slow:5.2f} of a raw INSERT ... SELECT ({times}; at least {PLAN_BOUND})"


def space() -> str:
    """Return the line about the room that a sent issue takes: its rows, its claims, every page that they fill."""
    with tempfile.TemporaryDirectory() as folder:
        database = filled(folder, PLANNED)
        issue, after = planned(database, itertools.count()), 0
        with settling(database) as accepting:
            while claim := _claim(database, issue.id, PAGE, after):
                for row in claim.rows:
                    accepting.accept(claim, row)
                after = claim.last
        database.close()
        with closing(sqlite3.connect(Path(folder) / "newsletter.db")) as driver:
            tables = "name IN ('delivery', 'delivery_problem', 'claim', 'ix_claim_issue_id_closed_at')"
            (octets,) = driver.execute(f"SELECT sum(pgsize) FROM dbstat WHERE {tables}").fetchone()
    return f"space       {octets / PLANNED:5.1f} bytes a recipient of {PLANNED:,} (at most {SPACE_BOUND})"


def _claim(database: Database, issue_id: int, size: int, after: int = 0) -> claims.Claim | None:
    with database.write() as connection:
        return claims.claim(
            connection, issue_id, deliverable("daily"), owner=process_name(), provider="smtp",
            exposure=Exposure.FIRST, limit=size, after=after, now=_NOW,
        )  # fmt: skip


def measure() -> tuple[str, ...]:
    """Return the lines of the report."""
    return settle(), plan(), space()
