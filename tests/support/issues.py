"""Lists and planned issues for tests of delivery."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, update

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.recipients import Links
from newsletter.delivery.tables import delivery, event_table
from newsletter.models.deliveries import EventKind
from newsletter.models.issues import Letter, placeholder
from newsletter.models.papers import DayKind
from newsletter.states import DeliveryOutcome, IssueState
from newsletter.store import IssueRecord
from subscribers.store import deliverable
from subscribers.subscriptions import ListSettings, SubscriberList

NOW = datetime(2024, 9, 13, 7, 30, tzinfo=UTC)
DAY = date(2024, 9, 12)
LINKS = Links(public_url="https://news.example.org", unsubscribe_mailbox="")
SETTINGS = ListSettings(hash_key=b"a key of the tests, 32 bytes long")
LETTER = Letter(
    subject="PingPong: a benchmark for role play",
    html=f'<html><body><p>Hello</p><a href="{placeholder("unsubscribe_url")}">leave</a></body></html>',
    text=f"Hello\n\nLeave: {placeholder('unsubscribe_url')}\n",
    language="en",
    from_name="Daily Papers",
    from_address="news@example.org",
    date=NOW,
    boundary="=_boundary",
)


class Clock:
    """A clock that goes on when told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


def people() -> SubscriberList:
    """Return the list's use cases with a key of the tests."""
    return SubscriberList(SETTINGS)


def address(number: int) -> str:
    """Return the address of the n-th sample subscriber, counted from 1."""
    return f"reader{number}@example.org"


def add_readers(database: Database, number: int) -> None:
    """Put reader1 ... readerN on the list of the daily edition."""
    with database.write() as connection:
        for index in range(1, number + 1):
            people().add(connection, address(index), edition="daily", actor="test", now=NOW)


def plan_issue(
    database: Database, *, letter: Letter = LETTER, now: Callable[[], datetime] = lambda: NOW
) -> IssueRecord:
    """Plan an issue of no papers for everybody on the list, and begin to send it."""
    with database.write() as connection:
        record = store.create_issue(
            connection, edition="daily", day=DAY, kind=DayKind.COMPLETE, document={"entries": []}, now=now()
        )
        ledger.plan(connection, record.id, letter, deliverable("daily"))
        return store.move_issue(connection, record, IssueState.SENDING, now())


def add_event(
    database: Database, issue: int, subscriber: int, kind: EventKind, *, times: int = 1,
    outcome: DeliveryOutcome | None = None,
) -> None:  # fmt: skip
    """Put down what a provider said of a delivery, and what it proves."""
    with database.write() as connection:
        for _ in range(times):
            connection.execute(
                insert(event_table).values(
                    provider="test", event_id=secrets.token_hex(8), kind=kind.value, issue_id=issue,
                    subscriber_id=subscriber, at=NOW, received_at=NOW, payload=b"",
                )
            )  # fmt: skip
        if outcome is not None:
            own = (delivery.c.issue_id == issue, delivery.c.subscriber_id == subscriber)
            connection.execute(update(delivery).where(*own).values(outcome=int(outcome)))
