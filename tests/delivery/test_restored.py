"""A restored ledger, on SQLite and on PostgreSQL: it sends nothing, and what was not settled in it is held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from newsletter.database import Database
from newsletter.delivery import claims, ledger, restored
from newsletter.delivery.tables import claim_table, delivery_problem
from newsletter.errors import DatabaseError
from newsletter.protocols import Exposure
from newsletter.states import IssueState
from subscribers.store import deliverable
from tests.support.issues import NOW, add_readers, plan_issue

MADE = datetime(2024, 9, 13, 8, 0, tzinfo=UTC)


def test_the_first_mark_stays_until_it_is_acknowledged(database: Database) -> None:
    with database.write() as connection:
        restored.check(connection)
        restored.mark(connection, MADE.astimezone(timezone(timedelta(hours=9))))
        restored.mark(connection, MADE + timedelta(days=1))
    with database.read() as connection:
        assert restored.made_at(connection) == MADE
        with pytest.raises(DatabaseError, match="restored from a backup of 2024-09-13 08:00 UTC"):
            restored.check(connection)
    with database.write() as connection:
        assert restored.acknowledge(connection, NOW) == 0
        assert restored.made_at(connection) is None
        restored.check(connection)


def test_what_was_pending_or_claimed_is_uncertain_with_its_reason(database: Database) -> None:
    add_readers(database, 5)
    record = plan_issue(database)
    with database.write() as connection:
        claims.claim(
            connection, record.id, deliverable("daily"), owner="gone:1:1", provider="smtp", exposure=Exposure.FIRST,
            limit=2, after=0, now=NOW,
        )  # fmt: skip
        (told,) = restored.begun(connection)
        assert (told.name, told.state, told.unsettled) == (record.name, IssueState.SENDING, 5)
        assert restored.acknowledge(connection, NOW) == 5
        counts = ledger.counts(connection, record.id)
        assert (counts.uncertain, counts.prepared) == (5, 5)
        rows = connection.execute(select(delivery_problem).order_by(delivery_problem.c.subscriber_id)).all()
        assert [(row.attempt, row.at, row.cause) for row in rows] == [
            *[(1, NOW, "restored")] * 2, *[(0, NOW, "restored")] * 3,
        ]  # fmt: skip
        assert connection.execute(select(claim_table.c.closed_at)).scalars().all() == [NOW]
        assert not ledger.has_due(connection, record.id, NOW + timedelta(days=9))
