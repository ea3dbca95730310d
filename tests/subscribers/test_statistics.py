"""Counts and growth, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from subscribers.models import AddressState
from subscribers.standing import Standing
from subscribers.statistics import DayOfGrowth, growth, standings
from subscribers.subscriptions import ListSettings, SubscriberList
from subscribers.suppressions import Suppressions

NOW = datetime(2024, 9, 2, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def grown(
    connection: sa.Connection, since: int, until: int, edition: str | None = None
) -> list[tuple[int, int, int]]:
    counts = standings(connection)
    days = growth(
        connection, counts, edition_name=edition, since=date(2024, 9, since), until=date(2024, 9, until)
    )
    return [(day.joined, day.left, day.readers) for day in days]


def test_an_empty_list_has_no_growth(connection: sa.Connection) -> None:
    assert standings(connection) == {}
    days = growth(connection, {}, edition_name=None, since=NOW.date(), until=NOW.date())
    assert days == [DayOfGrowth(day=NOW.date(), joined=0, left=0, readers=0)]


def test_everybody_is_counted_once_and_growth_leads_to_the_counts(
    people: SubscriberList, connection: sa.Connection
) -> None:
    suppressions = Suppressions(ListSettings(hash_key=b"a key for tests only"))

    def add(name: str, edition: str = "daily", day: int = 0) -> None:
        people.add(connection, f"{name}@example.org", edition=edition, actor="ops", now=NOW + day * DAY)

    for name in ("a", "b", "c", "d", "e", "f"):
        add(name)
    add("a", "weekly", 1)
    people.pause(connection, "b@example.org", until=NOW + 99 * DAY, actor="ops", now=NOW + DAY)
    people.remove(connection, "c@example.org", actor="ops", now=NOW + 2 * DAY)
    suppressions.happened(connection, 4, AddressState.BOUNCED, reason="550", now=NOW + 2 * DAY)
    suppressions.suppress(connection, "e@example.org", reason="x", actor="ops", now=NOW + 3 * DAY)
    suppressions.erase(connection, "f@example.org", actor="ops", now=NOW + 3 * DAY)
    assert standings(connection) == {
        "daily": Counter({
            Standing.ACTIVE: 1, Standing.PAUSED: 1, Standing.UNSUBSCRIBED: 1, Standing.BOUNCED: 1,
            Standing.SUPPRESSED: 1, Standing.ERASED: 1,
        }),
        "weekly": Counter({Standing.ACTIVE: 1}),
    }  # fmt: skip
    assert grown(connection, 1, 6) == [(0, 0, 0), (6, 0, 6), (1, 0, 7), (0, 2, 5), (0, 2, 3), (0, 0, 3)]
    assert grown(connection, 1, 4) == [(0, 0, 0), (6, 0, 6), (1, 0, 7), (0, 2, 5)], (
        "also without the last days"
    )
    assert grown(connection, 3, 3, "weekly") == [(1, 0, 1)]
    assert grown(connection, 4, 4, "none") == [(0, 0, 0)]

    people.add(connection, "d@example.org", edition="daily", actor="ops", now=NOW + 4 * DAY, force="x")
    people.add(connection, "c@example.org", edition="daily", actor="ops", now=NOW + 4 * DAY)
    suppressions.unsuppress(connection, "e@example.org", reason="x", actor="ops", now=NOW + 4 * DAY)
    assert grown(connection, 5, 6) == [(0, 2, 3), (3, 0, 6)]
    people.remove(connection, "d@example.org", actor="ops", now=NOW + 5 * DAY)
    suppressions.happened(connection, 4, AddressState.COMPLAINED, reason="", now=NOW + 6 * DAY)
    assert grown(connection, 6, 8) == [(3, 0, 6), (0, 1, 5), (0, 0, 5)], "who has left does not leave again"
