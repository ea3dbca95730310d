"""What is known of an issue's letters, on both databases: nothing is told that nobody said, and each letter counts once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import rollup
from newsletter.delivery.domains import by_domain
from newsletter.delivery.figures import figures
from newsletter.delivery.outcomes import Outcomes, Reach, added, left_after, reach
from newsletter.delivery.tables import delivery
from newsletter.models.deliveries import EventKind
from newsletter.models.papers import DayKind
from newsletter.states import DeliveryOutcome, DeliveryState, IssueState
from newsletter.store import IssueRecord
from subscribers.models import Step, SubscriptionState, Through
from subscribers.store import mailboxes
from subscribers.store.subscriptions import move_subscription, subscriptions_of
from tests.support.issues import DAY, NOW, add_event, add_readers, people, plan_issue

DELIVERED, BOUNCED, COMPLAINED = (
    DeliveryOutcome.DELIVERED,
    DeliveryOutcome.BOUNCED,
    DeliveryOutcome.COMPLAINED,
)


@pytest.fixture
def sent(database: Database) -> IssueRecord:
    """Return an issue that eight of nine got."""
    add_readers(database, 8)
    with database.write() as connection:
        people().add(connection, "ada@lovelace.example", edition="daily", actor="test", now=NOW)
    issue = plan_issue(database)
    with database.write() as connection:
        connection.execute(update(delivery).values(state=int(DeliveryState.ACCEPTED)))
        refused = update(delivery).where(delivery.c.subscriber_id == 1)
        connection.execute(refused.values(state=int(DeliveryState.REJECTED)))
    return issue


def known(database: Database, issue: IssueRecord) -> Reach:
    with database.read() as connection:
        return reach(connection, issue)


def leave(database: Database, number: int, *, after: timedelta, was: SubscriptionState | None = None) -> None:
    """Have a reader leave the daily edition, some time after the issue began to be sent."""
    with database.write() as connection:
        [own] = subscriptions_of(connection, number)
        step = Step(actor="test", through=Through.ONE_CLICK, at=NOW + after)
        if was is not None:
            move_subscription(connection, own, was, step)
            [own] = subscriptions_of(connection, number)
        move_subscription(connection, own, SubscriptionState.UNSUBSCRIBED, step)


def test_without_events_nothing_is_known(database: Database, sent: IssueRecord) -> None:
    found = known(database, sent)
    assert found.outcomes == Outcomes(no_word=8, unsubscribed=0)
    assert found.events == {}


def test_each_delivery_counts_once_under_the_worst_of_it(database: Database, sent: IssueRecord) -> None:
    add_event(database, sent.id, 2, EventKind.HARD, outcome=BOUNCED)
    assert known(database, sent).outcomes == Outcomes(bounced=1, complained=0, no_word=7, unsubscribed=0)

    add_event(database, sent.id, 3, EventKind.DELIVERED, outcome=DELIVERED)
    add_event(database, sent.id, 4, EventKind.DELIVERED)
    add_event(database, sent.id, 4, EventKind.COMPLAINT, times=2, outcome=COMPLAINED)
    add_event(database, sent.id, 3, EventKind.OPENED, times=3)
    add_event(database, sent.id, 5, EventKind.OPENED)
    add_event(database, sent.id, 3, EventKind.OPENED_BY_MACHINE, times=2)
    found = known(database, sent)
    assert found.outcomes == Outcomes(delivered=1, bounced=1, complained=1, no_word=5, unsubscribed=0)
    assert list(found.events.items()) == [
        ("hard", 1), ("complaint", 1), ("opened", 2), ("opened-by-machine", 1),
    ]  # fmt: skip


def test_delivered_is_known_where_all_of_it_came_to_a_bad_end(database: Database, sent: IssueRecord) -> None:
    add_event(database, sent.id, 2, EventKind.DELIVERED)
    add_event(database, sent.id, 2, EventKind.COMPLAINT, outcome=COMPLAINED)
    assert known(database, sent).outcomes.delivered == 0


def test_those_who_left_are_counted_until_the_next_issue_of_the_edition(
    database: Database, sent: IssueRecord
) -> None:
    day = timedelta(days=1)
    leave(database, 1, after=-timedelta(seconds=1))
    leave(database, 2, after=timedelta())
    leave(database, 3, after=day - timedelta(seconds=1), was=SubscriptionState.PAUSED)
    leave(database, 4, after=day)
    leave(database, 5, after=timedelta(hours=1), was=SubscriptionState.PENDING)  # who never confirmed
    assert known(database, sent).outcomes.unsubscribed == 3
    with database.write() as connection:
        for edition, number in (("weekly", 0), ("daily", 1)):
            other = store.create_issue(
                connection, edition=edition, day=DAY + number * day, kind=DayKind.COMPLETE, document={"entries": []}, now=NOW
            )  # fmt: skip
            assert left_after(connection, other) is None
            assert reach(connection, other).outcomes.unsubscribed is None
            other = store.move_issue(connection, other, IssueState.SENDING, NOW + number * day)
        assert reach(connection, sent).outcomes.unsubscribed == 2
        assert reach(connection, other).outcomes.unsubscribed == 1


def test_the_domains_add_up_also_of_those_who_are_gone(database: Database, sent: IssueRecord) -> None:
    add_event(database, sent.id, 9, EventKind.HARD, outcome=BOUNCED)
    add_event(database, sent.id, 2, EventKind.COMPLAINT, outcome=COMPLAINED)
    leave(database, 9, after=timedelta(hours=1))
    for _ in range(2):
        leave(database, 3, after=timedelta(hours=1), was=SubscriptionState.ACTIVE)
    with database.read() as connection:
        found = figures(connection, sent, mailboxes())
    assert {each.domain: each.outcomes for each in found.domains} == {
        "example.org": Outcomes(bounced=0, complained=1, no_word=6, unsubscribed=1),
        "lovelace.example": Outcomes(bounced=1, complained=0, no_word=0, unsubscribed=1),
    }
    assert found.reach.outcomes == Outcomes(bounced=1, complained=1, no_word=6, unsubscribed=2)


def test_what_was_counted_stays_when_the_deliveries_go(database: Database, sent: IssueRecord) -> None:
    add_event(database, sent.id, 3, EventKind.DELIVERED, outcome=DELIVERED)
    before = known(database, sent)
    with database.write() as connection:
        ended = store.move_issue(connection, sent, IssueState.FINISHED, NOW)
        while rollup.roll_up(connection, sent.id, 4):
            pass
    assert known(database, ended) == before
    with database.read() as connection:
        [others] = by_domain(connection, [sent.id], mailboxes(), before, [])
    assert (others.domain, others.counts, others.outcomes) == ("others", before.counts, before.outcomes)


def test_sums_keep_what_somebody_told() -> None:
    silent, told = Outcomes(no_word=5, unsubscribed=1), Outcomes(bounced=2, complained=0, no_word=1)
    assert added([silent, told]) == Outcomes(bounced=2, complained=0, no_word=6, unsubscribed=1)
    assert added([]) == Outcomes()
