"""The numbers that a monitor asks for, on both databases."""

from __future__ import annotations

from datetime import timedelta

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import claims, ledger, notices
from newsletter.delivery.gauges import Gauges, gauges
from newsletter.delivery.notices import NoticeState, SignUp
from newsletter.delivery.outcomes import Outcomes
from newsletter.models.papers import DayKind
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import Counts, IssueState
from subscribers.store import deliverable
from tests.support.issues import DAY, LETTER, NOW, add_readers, plan_issue


def read(database: Database) -> Gauges:
    with database.read() as connection:
        return gauges(connection)


def test_an_empty_database_has_numbers_too(database: Database) -> None:
    assert read(database) == Gauges(issues={}, finished={}, deliveries={}, notices={}, open_claims=0)


def test_deliveries_are_those_of_the_newest_issue(database: Database) -> None:
    add_readers(database, 3)
    first = plan_issue(database)
    with database.write() as connection:
        store.move_issue(connection, first, IssueState.FINISHED, NOW)
        second = store.create_issue(
            connection, edition="daily", day=DAY + timedelta(days=1), kind=DayKind.COMPLETE, document={"entries": []}, now=NOW,
        )  # fmt: skip
        ledger.plan(connection, second.id, LETTER, deliverable("daily"))
        store.move_issue(connection, second, IssueState.SENDING, NOW)
        for after in (0, 2):
            held = claims.claim(
                connection, second.id, deliverable("daily"), owner="o", provider="p", exposure=Exposure.FIRST, limit=2,
                after=after, now=NOW,
            )  # fmt: skip
        assert held is not None
        ledger.cancel_waiting(connection, first.id)
        claims.take_over(connection, held.issue_id, held.id, Exposure.NONE, OnUncertain.RESEND, NOW)
        sign_up = SignUp(
            edition="daily", language="en", source="form", text_version="1", network=None, at=NOW
        )
        notices.ask(connection, "ada@example.org", sign_up)
    assert read(database) == Gauges(
        issues={("daily", IssueState.FINISHED): 1, ("daily", IssueState.SENDING): 1},
        finished={"daily": NOW},
        deliveries={"daily": (Counts(prepared=3, waiting=3), Outcomes(unsubscribed=0))},
        notices={NoticeState.PENDING: 1},
        open_claims=1,
    )
