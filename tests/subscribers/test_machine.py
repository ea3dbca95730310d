"""Any sequence of commands and departures, beside a model of what the list must then be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from subscribers.addresses import parse_address
from subscribers.errors import Suppressed, UnknownSubscriber
from subscribers.models import Step, SubscriptionState, Through
from subscribers.selection import Chosen
from subscribers.store import deliverable, metadata, move_subscription
from subscribers.subscriptions import ListSettings, SubscriberList
from tests.subscribers.conftest import with_foreign_keys

EDITIONS = ("daily", "weekly")
emails = st.sampled_from(
    [
        "a@example.org",
        "A@EXAMPLE.org",
        "b@example.org",
        "b+1@example.org",
        "c@bücher.example",
        "C@xn--bcher-kva.example",
    ]
)
editions = st.sampled_from(EDITIONS)


class ListMachine(RuleBasedStateMachine):
    """The model: for each (person, edition) whether it is active, and if not, by which way it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = with_foreign_keys(sa.create_engine("sqlite://"))
        self.connection = self.engine.connect()
        metadata.create_all(self.connection)
        self.people = SubscriberList(ListSettings(hash_key=b"a key for tests only"))
        self.now = datetime(2024, 9, 12, tzinfo=UTC)
        self.model: dict[tuple[str, str], Through | None] = {}
        self.numbers: dict[str, int] = {}
        self.steps = 0

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    @rule(email=emails, edition=editions)
    def add(self, email: str, edition: str) -> None:
        person = parse_address(email).key
        ended = self.model.get((person, edition), Through.CLI)
        if ended not in {None, Through.CLI}:
            with pytest.raises(Suppressed):
                self.people.add(self.connection, email, edition=edition, actor="operator", now=self.now)
            return
        added = self.people.add(self.connection, email, edition=edition, actor="operator", now=self.now)
        assert added.created == ((person, edition) not in self.model)
        assert added.reactivated == (not added.created and ended is Through.CLI)
        assert added.subscription.state is SubscriptionState.ACTIVE
        assert self.numbers.setdefault(person, added.subscriber.id) == added.subscriber.id
        self.steps += added.created or added.reactivated
        self.model[person, edition] = None

    @rule(email=emails, edition=st.none() | editions, by_number=st.booleans())
    def remove(self, email: str, edition: str | None, by_number: bool) -> None:
        person = parse_address(email).key
        given = str(self.numbers.get(person, 99)) if by_number else email
        if person not in self.numbers:
            with pytest.raises(UnknownSubscriber):
                self.people.remove(self.connection, given, edition=edition, actor="operator", now=self.now)
            return
        ended = self.people.remove(self.connection, given, edition=edition, actor="operator", now=self.now)
        wanted = EDITIONS if edition is None else (edition,)
        expected = {name for name in wanted if self.model.get((person, name), Through.CLI) is None}
        assert {subscription.edition for subscription in ended} == expected
        assert all(subscription.state is SubscriptionState.UNSUBSCRIBED for subscription in ended)
        self.steps += len(expected)
        self.model.update({(person, name): Through.CLI for name in expected})

    @rule(email=emails, edition=editions)
    def leave_with_one_click(self, email: str, edition: str) -> None:
        person = parse_address(email).key
        if (person, edition) not in self.model:
            return
        details = self.people.show(self.connection, email)
        subscription = next(one for one in details.subscriptions if one.edition == edition)
        step = Step(actor="subscriber", through=Through.ONE_CLICK, at=self.now)
        move_subscription(self.connection, subscription, SubscriptionState.UNSUBSCRIBED, step)
        self.steps += 1
        self.model[person, edition] = Through.ONE_CLICK

    @invariant()
    def the_list_is_as_the_model_says(self) -> None:
        self.now += timedelta(minutes=1)
        rows = list(self.people.listing(self.connection))
        listed = {(parse_address(row.email).key, row.edition): row.state for row in rows}
        states = {
            place: SubscriptionState.ACTIVE if ended is None else SubscriptionState.UNSUBSCRIBED
            for place, ended in self.model.items()
        }
        assert len(rows) == len(listed)
        assert listed == states
        found = [
            list(self.people.listing(self.connection, Chosen(state=state))) for state in SubscriptionState
        ]
        assert sum(map(len, found)) == len(rows), "every subscription is in one state"

    @invariant()
    def nobody_who_left_is_written_to(self) -> None:
        for edition in EDITIONS:
            found = {row.email.lower() for row in self.connection.execute(deliverable(edition))}
            assert found == {
                person for (person, name), ended in self.model.items() if name == edition and ended is None
            }

    @invariant()
    def history_keeps_every_step(self) -> None:
        kept = [self.people.show(self.connection, str(number)).history for number in self.numbers.values()]
        assert sum(map(len, kept)) == self.steps
        for steps in kept:
            for edition in EDITIONS:
                states = [entry for entry in steps if entry.edition == edition]
                for before, after in pairwise(states):
                    assert after.from_state is before.to_state
                    assert after.step.at >= before.step.at

    @invariant()
    def numbers_are_unique(self) -> None:
        assert len(set(self.numbers.values())) == len(self.numbers)


TestListMachine = ListMachine.TestCase
TestListMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
