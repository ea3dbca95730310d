"""The newest letters to one subscriber, with what became of them."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from newsletter.database import Database
from newsletter.delivery.recent import recent_deliveries
from newsletter.delivery.tables import delivery, delivery_problem
from newsletter.states import DeliveryOutcome, DeliveryState
from newsletter.store.tables import issue
from tests.support.issues import NOW


def test_the_newest_come_first_with_their_last_problem(database: Database) -> None:
    days = [date(2024, 9, number) for number in range(1, 13)]
    with database.write() as connection:
        for number, day in enumerate(days, 1):
            connection.execute(
                sa.insert(issue).values(
                    id=number, edition="daily", day=day, number=number, state="finished", kind="complete", document=b"{}",
                    created_at=NOW,
                )
            )  # fmt: skip
        rows = [
            {
                "issue_id": number, "subscriber_id": who, "variant": 0, "state": DeliveryState.ACCEPTED, "attempt": 1,
                "outcome": DeliveryOutcome.DELIVERED,
            }
            for number in range(1, 13) for who in (7, 8) if (number, who) != (11, 7)
        ]  # fmt: skip
        connection.execute(sa.insert(delivery), rows)
        own = (delivery.c.issue_id == 12, delivery.c.subscriber_id == 7)
        connection.execute(
            sa.update(delivery).where(*own).values(state=DeliveryState.REJECTED, attempt=2, outcome=0)
        )
        for who, attempt, reply in [(7, 1, "451 later"), (7, 2, "550 unknown"), (8, 3, "not theirs")]:
            connection.execute(
                sa.insert(delivery_problem).values(
                    issue_id=12, subscriber_id=who, attempt=attempt, at=NOW + timedelta(hours=attempt), cause="rejected",
                    reply=reply,
                )
            )  # fmt: skip
    with database.read() as connection:
        found = recent_deliveries(connection, 7)
        assert recent_deliveries(connection, 9) == []
    assert [each.issue for each in found] == [f"{day}/daily" for day in [days[11], *days[9:0:-1]]]
    first = found[0]
    assert (first.state, first.attempt, first.outcome) == (DeliveryState.REJECTED, 2, DeliveryOutcome.UNKNOWN)
    assert (first.cause, first.reply, first.at) == ("rejected", "550 unknown", NOW + timedelta(hours=2))
    assert (found[1].outcome, found[1].cause, found[1].at) == (DeliveryOutcome.DELIVERED, "", None)
