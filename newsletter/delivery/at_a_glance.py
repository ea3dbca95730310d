"""How everything stands in an SQLite file, asked without an engine: a monitor calls this every minute.

Building the engine takes several times as long as all of these questions. `overview` asks the same of any database.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from newsletter.delivery.processes import is_dead
from newsletter.delivery.standing import OVERDUE, IssueStanding, NoticesStanding, Standing, TurnStanding
from newsletter.sqlite_file import SCHEMA_REVISION, read_only_file
from newsletter.states import Counts, IssueState, counts_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_ISSUES = """
SELECT id, edition, day, state, reason, coalesce(finished_at, sending_at, created_at)
FROM issue WHERE state IN ('draft', 'approved', 'sending', 'paused', 'held')
OR (edition, day) IN (SELECT edition, max(day) FROM issue GROUP BY edition)
OR id IN (SELECT p.issue_id FROM delivery_problem AS p
          JOIN delivery AS d ON d.issue_id = p.issue_id AND d.subscriber_id = p.subscriber_id WHERE d.state = 4)
ORDER BY day DESC, edition
"""
_COUNTS = """
SELECT state, count(*) FROM delivery WHERE issue_id = :issue GROUP BY state
UNION ALL SELECT state, number FROM delivery_total WHERE issue_id = :issue
"""
_LAST_CLAIMS = """
SELECT owner, heartbeat, closed_at FROM claim WHERE issue_id = :issue
AND (closed_at IS NULL OR id = (SELECT max(id) FROM claim WHERE issue_id = :issue))
"""
_TURNS = """
SELECT edition, local_day, state, reason FROM schedule_run
WHERE (edition, local_day) IN (SELECT edition, max(local_day) FROM schedule_run GROUP BY edition) ORDER BY edition
"""
_RESTORED = "SELECT value FROM installation WHERE name = 'restored'"
_NOTICES = """
SELECT count(*) FILTER (WHERE state < 2), count(*) FILTER (WHERE state < 2 AND due < ?),
       count(*) FILTER (WHERE state = 3) FROM notice
"""
_READERS = """
SELECT e.name, (SELECT count(*) FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber_id
                WHERE s.edition_number = e.number AND s.state = 1 AND p.state = 10
                AND NOT EXISTS (SELECT 1 FROM suppression AS b
                                WHERE b.address_hash = p.address_hash AND b.lifted_at IS NULL))
FROM edition AS e ORDER BY e.name
"""


def at_a_glance(file: Path, now: datetime) -> Standing | None:
    """Return how everything stands; None for a file of another schema, or one that cannot be read."""
    try:
        with closing(read_only_file(file)) as driver:
            driver.isolation_level = None
            driver.execute("BEGIN")
            known = driver.execute("SELECT version_num FROM alembic_version").fetchone()
            return _standing(driver, now) if known == (SCHEMA_REVISION,) else None
    except sqlite3.Error:
        return None


def _standing(driver: sqlite3.Connection, now: datetime) -> Standing:
    waiting, overdue, failed = driver.execute(_NOTICES, (_number_of(now - OVERDUE),)).fetchone()
    return Standing(
        issues=tuple(_issues(driver, now)),
        turns=tuple(
            TurnStanding(edition=edition, day=date.fromisoformat(day), state=state, reason=reason)
            for edition, day, state, reason in driver.execute(_TURNS)
        ),
        notices=NoticesStanding(waiting=waiting, overdue=overdue, failed=failed),
        readers=tuple(driver.execute(_READERS)),
        restored=next((_written(value) for (value,) in driver.execute(_RESTORED)), None),
    )


def _issues(driver: sqlite3.Connection, now: datetime) -> Iterator[IssueStanding]:
    for number, edition, day, state, reason, at in driver.execute(_ISSUES).fetchall():
        last = driver.execute(_LAST_CLAIMS, {"issue": number}).fetchall()
        dead = [closed for owner, heartbeat, closed in last if is_dead(owner, _time_of(heartbeat), now)]
        yield IssueStanding(
            edition=edition, day=date.fromisoformat(day), state=IssueState(state), reason=reason, at=_time_of(at),
            counts=_counts(driver, number), dead_claims=dead.count(None), at_work=len(dead) < len(last),
        )  # fmt: skip


def _counts(driver: sqlite3.Connection, issue: int) -> Counts:
    of: Counter[int] = Counter()
    for state, number in driver.execute(_COUNTS, {"issue": issue}):
        of[state] += number
    return counts_of(of)


def _written(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC)


def _time_of(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND


def _number_of(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
