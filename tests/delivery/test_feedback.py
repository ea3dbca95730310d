"""What mails that came back do to the list and the ledger, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter.database import Database
from newsletter.delivery import tables
from newsletter.delivery.consequences import Allowance
from newsletter.delivery.feedback import Effect, Feedback, Happening, take
from newsletter.delivery.recipients import delivery_id
from newsletter.states import DeliveryOutcome
from subscribers.models import AddressState
from subscribers.requests import Requests
from tests.support.issues import DAY, NOW, SETTINGS, add_readers, address, plan_issue

ALLOWANCE = Allowance(bounces=3, within=timedelta(days=30))
PEOPLE = Requests(SETTINGS)
SOFT = Feedback(kind=Happening.SOFT, recipient=address(1), status="4.2.2", reason="there is no room for it")
HARD = replace(SOFT, kind=Happening.HARD, status="5.1.1")


@pytest.fixture
def planned(database: Database) -> Database:
    add_readers(database, 2)
    plan_issue(database)
    return database


def act(database: Database, found: Feedback, event: str = "a", days: float = 0) -> Effect:
    with database.write() as connection:
        return take(
            connection, PEOPLE, found, event_id=event, allowance=ALLOWANCE, now=NOW + timedelta(days=days)
        )


def state(database: Database, number: int = 1) -> AddressState:
    with database.read() as connection:
        return PEOPLE.find(connection, address(number)).state


def named(database: Database, number: int = 1, edition: str = "daily") -> str:
    """Return the Message-ID of a reader's letter."""
    with database.read() as connection:
        key = PEOPLE.find(connection, address(number)).key
    return f"{delivery_id(DAY, edition, key)}@example.org"


def outcome(database: Database) -> DeliveryOutcome:
    with database.read() as connection:
        own = select(tables.delivery.c.outcome).where(tables.delivery.c.subscriber_id == 1)
        return DeliveryOutcome(connection.execute(own).scalar_one())


def test_a_mail_acts_once(planned: Database) -> None:
    proven = replace(HARD, original_id=named(planned))

    assert act(planned, proven) is Effect.SUPPRESSED
    assert act(planned, proven) is Effect.KNOWN
    assert (state(planned), outcome(planned)) == (AddressState.BOUNCED, DeliveryOutcome.BOUNCED)
    with planned.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.event_table)).scalar_one() == 1


def test_outcomes_never_go_back(planned: Database) -> None:
    complained = replace(HARD, kind=Happening.COMPLAINT, original_id=named(planned))

    assert act(planned, complained, "a") is Effect.COMPLAINED
    assert act(planned, replace(SOFT, original_id=named(planned)), "b") is Effect.COUNTED
    assert (state(planned), outcome(planned)) == (AddressState.COMPLAINED, DeliveryOutcome.COMPLAINED)


@pytest.mark.parametrize(
    "original",
    [
        "20240912.daily.0123456789abcdef01234567@example.org",
        "20249999.daily.0123456789abcdef01234567@example.org",
        "x@y",
    ],
)
def test_a_name_that_is_not_the_readers_proves_nothing(planned: Database, original: str) -> None:
    assert act(planned, replace(HARD, original_id=original)) is Effect.COUNTED
    assert (state(planned), outcome(planned)) == (AddressState.ACTIVE, DeliveryOutcome.UNKNOWN)


def test_a_letter_that_was_never_planned_proves_nothing(planned: Database) -> None:
    other = named(planned, edition="weekly")

    assert act(planned, replace(HARD, original_id=other)) is Effect.COUNTED
    assert act(planned, replace(HARD, original_id=named(planned, 2)), "b") is Effect.COUNTED
    assert state(planned) is state(planned, 2) is AddressState.ACTIVE


def test_soft_bounces_of_several_days_suppress(planned: Database) -> None:
    effects = [act(planned, SOFT, str(day), day) for day in (0, 0.1, 1, 40, 41, 41.2, 42)]

    assert effects == [Effect.COUNTED] * 6 + [Effect.SUPPRESSED]
    assert state(planned) is AddressState.BOUNCED


def test_a_refusal_for_our_own_sake_counts_for_nothing(planned: Database) -> None:
    policy = replace(SOFT, policy=True, original_id=named(planned))

    assert [act(planned, policy, str(day), day) for day in range(9)] == [Effect.NOTED] * 9
    assert (state(planned), outcome(planned)) == (AddressState.ACTIVE, DeliveryOutcome.BOUNCED)


@pytest.mark.parametrize(
    ("found", "effect"),
    [
        (replace(HARD, recipient="stranger@example.org"), Effect.NOBODY),
        (replace(HARD, recipient="no address@@"), Effect.NOBODY),
        (replace(HARD, recipient="1"), Effect.NOBODY),
        (replace(HARD, recipient=""), Effect.NOBODY),
        (replace(SOFT, action="delayed"), Effect.IGNORED),
        (replace(SOFT, kind=Happening.AUTO_REPLY), Effect.IGNORED),
        (replace(SOFT, kind=Happening.OTHER, action="delivered"), Effect.IGNORED),
        (replace(SOFT, kind=Happening.OTHER), Effect.LEFT),
        (replace(SOFT, kind=Happening.COMPLAINT), Effect.LEFT),
        (Feedback(kind=Happening.UNSUBSCRIBE, link=(bytes(16), 1)), Effect.NOBODY),
        (Feedback(kind=Happening.UNSUBSCRIBE, link=(bytes(16), 999_999_999)), Effect.NOBODY),
    ],
)
def test_what_changes_nothing(planned: Database, found: Feedback, effect: Effect) -> None:
    assert act(planned, found) is effect

    with planned.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.event_table)).scalar_one() == 0
