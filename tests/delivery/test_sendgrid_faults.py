"""Seeded faults of SendGrid's API, people who leave, events of every manner: the ledger and the API agree in the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from newsletter.database import Database
from newsletter.delivery import ledger, tables
from newsletter.delivery.breaker import Threshold
from newsletter.delivery.consequences import Allowance
from newsletter.delivery.events import put_down
from newsletter.delivery.sender import Sending
from newsletter.delivery.working import Work
from newsletter.errors import ProviderUnavailable
from newsletter.providers.sendgrid import SendGridProvider, SendGridSettings
from newsletter.providers.sendgrid_events import SendGridEvents
from newsletter.states import DeliveryOutcome, DeliveryState
from newsletter.store import IssueRecord
from subscribers import schema
from subscribers.models import AddressState
from subscribers.requests import Requests
from subscribers.store import deliverable
from tests.servers.sendgrid import Fate, SendGridApi, seeded
from tests.servers.sendgrid.events import events_of
from tests.servers.sendgrid.server import KEY
from tests.support.issues import LETTER, LINKS, SETTINGS, add_readers, address, people, plan_issue
from tests.support.sendgrid_posts import SendGridSigner, body_of
from tests.support.torture import Tally, length, tell

SCENARIOS = length(12, 1_000)
READERS = 60
ROUNDS = 60  # of sends, after which nothing may wait
SIGNER = SendGridSigner()
TRIPS_NEVER = Threshold(rejected=1, failed=1, bounced=1, complained=1)


@dataclass(slots=True, kw_only=True)
class Total(Tally):
    """What all scenarios of a run together came to."""

    scenarios: int = 0
    requests: int = 0
    mails: int = 0
    twice: int = 0
    rejected: int = 0
    settled_by_events: int = 0
    held: int = 0
    suppressed: int = 0


@pytest.fixture(scope="module")
def total() -> Iterator[Total]:
    """Return where the scenarios are added up; what they came to is told at the end, and was not nothing."""
    counted = Total()
    yield counted
    tell(f"faults of SendGrid: {counted}")
    if counted.scenarios >= 100:
        assert min(counted.settled_by_events, counted.held, counted.suppressed) > 0


class Later:
    """A clock that goes on a minute each time that a pause is waited for."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery, and what became of its address: None while it is written to."""

    state: DeliveryState
    outcome: DeliveryOutcome
    given_up: AddressState | None


def rows_of(database: Database) -> dict[str, Row]:
    """Return the deliveries by address."""
    person, own = schema.subscriber.c, tables.delivery.c
    wanted = select(person.email, own.state, own.outcome, person.state).join(
        tables.delivery, own.subscriber_id == person.id
    )
    with database.read() as connection:
        return {
            email: Row(
                DeliveryState(state), DeliveryOutcome(outcome),
                None if address_state == AddressState.ACTIVE else AddressState(address_state),
            )
            for email, state, outcome, address_state in connection.execute(wanted)
        }  # fmt: skip


def send(database: Database, issue: IssueRecord, api: SendGridApi, dice: random.Random) -> None:
    """Send until nothing waits; a key that is refused, or a pause, ends a round."""
    provider = SendGridProvider(SendGridSettings(api_key=KEY, base_url=api.url, timeout=0.4))
    clock = Later()
    for _ in range(ROUNDS):
        try:
            Sending(
                database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"),
                links=LINKS, clock=clock, connections=dice.randint(1, 4), threshold=TRIPS_NEVER,
            ).run()  # fmt: skip
        except ProviderUnavailable:
            clock.ahead += timedelta(minutes=5)
        with database.read() as connection:
            if not ledger.counts(connection, issue.id).waiting:
                return
    pytest.fail(f"something waits after {ROUNDS} rounds")


def hear(database: Database, api: SendGridApi, fates: dict[str, Fate], dice: random.Random) -> None:
    """Take in what SendGrid posts of what it has: out of order, several times, in several bodies."""
    told = [
        event
        for index, mail in enumerate(api.delivered)
        for event in events_of(
            mail, fates.get(mail.address, Fate.DELIVERED), datetime.now(UTC).timestamp(), index
        )
    ]
    told *= dice.randint(1, 3)
    dice.shuffle(told)
    reader = SendGridEvents(key=SIGNER.verification_key, max_age=timedelta(minutes=10))
    work = Work(
        database=database, people=Requests(SETTINGS), allowance=Allowance(bounces=5, within=timedelta(days=30)),
        clock=lambda: datetime.now(UTC),
    )  # fmt: skip
    while told:
        size = dice.randint(1, 40)
        part, told = told[:size], told[size:]
        body, now = body_of(part), datetime.now(UTC)
        events = reader.read(SIGNER.headers(body, now), body, now)
        with database.write() as connection:
            put_down(connection, reader.name, events, now)
        if dice.random() < 0.3:
            work.through()
    worked = work.through()
    assert worked.failed == 0


@pytest.mark.parametrize("seed", range(SCENARIOS))
def test_the_ledger_accounts_for_everybody_and_the_api_agrees(
    seeded_database: Database, seed: int, total: Total
) -> None:
    dice = random.Random(f"sendgrid fault {seed}")
    add_readers(seeded_database, READERS)
    issue = plan_issue(seeded_database)
    left = {address(number) for number in dice.sample(range(1, READERS + 1), dice.choice([0, 0, 4]))}
    for who in left:
        with seeded_database.write() as connection:
            people().remove(connection, who, actor="test", now=datetime.now(UTC))
    fates = {address(number): dice.choice([*Fate]) for number in range(1, READERS + 1) if dice.random() < 0.2}
    with SendGridApi(faults=seeded(seed, dice.choice([0.1, 0.4, 0.7]), delay=0.6)) as api:
        send(seeded_database, issue, api, dice)
        before = rows_of(seeded_database)
        events = dice.random() < 0.7
        if events:
            hear(seeded_database, api, fates, dice)
        after = rows_of(seeded_database)
        taken, requests = Counter(mail.address for mail in api.delivered), api.requests
    state = {who: row.state for who, row in after.items()}
    held = {who for who, each in state.items() if each is DeliveryState.UNCERTAIN}
    accepted = {who for who, each in state.items() if each is DeliveryState.ACCEPTED}
    total.scenarios += 1
    total.requests += requests
    total.mails += taken.total()
    total.twice += taken.total() - len(taken)
    total.rejected += sum(each is DeliveryState.REJECTED for each in state.values())
    doubted = {who for who, row in before.items() if row.state is DeliveryState.UNCERTAIN}
    total.settled_by_events += len(doubted - held)
    total.held += len(held)
    assert set(taken.values()) <= {1}
    assert accepted <= set(taken) <= accepted | held
    assert {who for who, each in state.items() if each is DeliveryState.SUPPRESSED} == left
    if not events:
        assert after == before
        return
    assert held.isdisjoint(taken)
    check_outcomes(after, fates, set(taken), total)


def check_outcomes(rows: dict[str, Row], fates: dict[str, Fate], taken: set[str], total: Total) -> None:
    """Check that each delivery, and each address, is what its events say, and no other is touched."""
    outcomes = {
        Fate.BOUNCED: DeliveryOutcome.BOUNCED, Fate.BLOCKED: DeliveryOutcome.BOUNCED,
        Fate.DROPPED: DeliveryOutcome.BOUNCED, Fate.COMPLAINED: DeliveryOutcome.COMPLAINED,
        Fate.PROCESSED: DeliveryOutcome.UNKNOWN,
    }  # fmt: skip
    given_up = {
        Fate.BOUNCED: AddressState.BOUNCED, Fate.DROPPED: AddressState.BOUNCED, Fate.COMPLAINED: AddressState.COMPLAINED,
    }  # fmt: skip
    for who, row in rows.items():
        fate = fates.get(who, Fate.DELIVERED)
        expected = outcomes.get(fate, DeliveryOutcome.DELIVERED) if who in taken else DeliveryOutcome.UNKNOWN
        assert row.outcome is expected, (who, fate)
        address_state = given_up.get(fate) if who in taken else None
        assert row.given_up is address_state, (who, fate)
        total.suppressed += address_state is not None
