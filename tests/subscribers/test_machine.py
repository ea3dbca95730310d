"""Any sequence of commands, requests and events, beside a model of what the list must then be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from subscribers import schema
from subscribers.addresses import parse_address
from subscribers.errors import SubscribersError, Suppressed, UnknownSubscriber
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.requests import UNDO_FOR, Answer, Requests
from subscribers.selection import Chosen
from subscribers.standing import Standing, standing
from subscribers.statistics import READERS, growth, standings
from subscribers.store import deliverable, metadata, wake
from subscribers.store.people import subscriber_by_address
from subscribers.store.subscriptions import ensure_edition
from subscribers.subscriptions import Added, ListSettings, SubscriberList
from subscribers.suppressions import Suppressions
from subscribers.traces import Traces
from tests.subscribers.conftest import with_foreign_keys

PENDING, ACTIVE, PAUSED, LEFT = SubscriptionState
EDITIONS = ("daily", "weekly")
SPELLINGS = {
    "b+1@example.org": ("b+1@example.org", "B+1@example.org"),
    "c@xn--bcher-kva.example": ("c@bücher.example", "C@xn--bcher-kva.example"),
}
people = st.sampled_from(sorted(SPELLINGS))
editions = st.sampled_from(EDITIONS)
some_editions = st.none() | editions
by_link = st.sampled_from([Through.ONE_CLICK, Through.MAILTO, Through.FORM])
hours = st.integers(1, 24 * 40)


@dataclass
class Life:
    """One subscription: its state; who ended it since it was active, from what, when; consents to confirm.

    The person's own leaving stands before the operator's.
    """

    state: SubscriptionState
    ended_by: Through | None = None
    ended_from: SubscriptionState | None = None
    ended_at: datetime | None = None
    until: datetime | None = None
    steps: int = 1
    open_consents: list[int] = field(default_factory=list)

    def move(self, state: SubscriptionState, *, until: datetime | None = None) -> None:
        self.state, self.until, self.steps = state, until, self.steps + 1
        if state is ACTIVE:
            self.ended_by = self.ended_from = self.ended_at = None

    def end(self, through: Through, now: datetime) -> None:
        if through is not Through.CLI or self.ended_by in {None, Through.CLI}:
            self.ended_by, self.ended_from, self.ended_at = through, self.state, now
        self.move(LEFT)


@dataclass
class Person:
    """One who is on the list now."""

    number: int
    address: AddressState = AddressState.ACTIVE
    steps: int = 0
    tags: set[str] = field(default_factory=set)
    lives: dict[str, Life] = field(default_factory=dict)


def left_by_the_person(life: Life) -> bool:
    """Whether the person ended a subscription and was not active since."""
    return life.state in {PENDING, LEFT} and life.ended_by not in {None, Through.CLI}


class ListMachine(RuleBasedStateMachine):
    """The model: whoever is on the list, which addresses are suppressed, and the numbers of those who were erased."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = with_foreign_keys(sa.create_engine("sqlite://"))
        self.connection = self.engine.connect()
        metadata.create_all(self.connection)
        own = ListSettings(hash_key=b"a key for tests only")
        self.people, self.requests, self.suppressions = SubscriberList(own), Requests(own), Suppressions(own)
        self.start = self.now = datetime(2024, 9, 12, tzinfo=UTC)
        self.model: dict[str, Person] = {}
        self.suppressed: set[str] = set()
        self.erased: dict[int, tuple[str, int]] = {}
        self.erased_lives = Counter[str]()

    @initialize()
    def both_editions_have_a_number(self) -> None:
        self.editions = {name: ensure_edition(self.connection, name) for name in EDITIONS}

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def barred(self, person: str) -> bool:
        known = self.model.get(person)
        return person in self.suppressed or (known is not None and known.address is not AddressState.ACTIVE)

    def lives(self, person: str, edition: str | None) -> Iterator[tuple[str, Life]]:
        for name, life in self.model[person].lives.items():
            if edition in {None, name}:
                yield name, life

    def key(self, person: str) -> bytes:
        found = subscriber_by_address(self.connection, person)
        assert found is not None
        return found.key

    def known_or_new(self, person: str) -> Person:
        if person not in self.model:
            found = subscriber_by_address(self.connection, person)
            assert found is not None
            self.model[person] = Person(number=found.id)
        return self.model[person]

    @rule(person=people, edition=editions, spelling=st.integers(0, 1), force=st.booleans())
    def add(self, person: str, edition: str, spelling: int, force: bool) -> None:
        known = self.model.get(person)
        life = known.lives.get(edition) if known else None
        by_the_person = life is not None and left_by_the_person(life)
        if not force and (self.barred(person) or by_the_person):
            with pytest.raises(Suppressed), self.connection.begin_nested():
                self._add(person, edition, spelling, force="")
            return
        added = self._add(person, edition, spelling, force="the person wrote to us" if force else "")
        assert added.lifted == (force and self.barred(person))
        if force:
            self.lift(person)
        known = self.known_or_new(person)
        if life is None:
            assert added.created
            known.lives[edition] = Life(ACTIVE)
        elif life.state in {PENDING, LEFT}:
            assert added.reactivated
            life.move(ACTIVE)
        assert added.subscription.state is known.lives[edition].state

    def _add(self, person: str, edition: str, spelling: int, *, force: str) -> Added:
        email = SPELLINGS[person][spelling]
        return self.people.add(
            self.connection, email, edition=edition, actor="ops", now=self.now, force=force
        )

    def lift(self, person: str) -> None:
        self.suppressed.discard(person)
        known = self.model.get(person)
        if known and known.address is not AddressState.ACTIVE:
            known.address, known.steps = AddressState.ACTIVE, known.steps + 1

    @rule(person=people, edition=some_editions, by_number=st.booleans(), wish=st.booleans())
    def remove(self, person: str, edition: str | None, by_number: bool, wish: bool) -> None:
        through = Through.REQUEST if wish else Through.CLI
        known = self.model.get(person)
        given = str(known.number) if by_number and known else person
        if known is None:
            with pytest.raises(UnknownSubscriber):
                self.people.remove(self.connection, given, actor="ops", now=self.now)
            return
        ended = self.people.remove(
            self.connection, given, edition=edition, actor="ops", now=self.now, through=through
        )
        expected = {name for name, life in self.lives(person, edition) if life.state is not LEFT}
        assert {each.edition for each in ended} == expected
        for _, life in self.lives(person, edition):
            self.leaves(life, through)

    def leaves(self, life: Life, through: Through) -> None:
        operator_first = life.ended_by is Through.CLI and through is not Through.CLI
        if life.state is not LEFT or operator_first:
            life.end(through, self.now)

    @rule(person=people, edition=editions, through=by_link, together=st.booleans())
    def leave_by_link(self, person: str, edition: str, through: Through, together: bool) -> None:
        life = self.model[person].lives.get(edition) if person in self.model else None
        key = self.key(person) if person in self.model else b"a key of nobody!"
        link = (key, self.editions[edition])
        if together:
            ended = self.requests.leave_all(self.connection, [link, link], through=through, now=self.now)
            assert ended == (life is not None and life.state is not LEFT)
        else:
            answer = self.requests.leave(self.connection, *link, through=through, now=self.now).answer
            done = life is not None and life.state is not LEFT
            assert answer is (Answer.DONE if done else Answer.REFUSED if life is None else Answer.ALREADY)
        if life is not None:
            self.leaves(life, through)

    @rule(person=people, edition=editions)
    def come_back(self, person: str, edition: str) -> None:
        life = self.model[person].lives.get(edition) if person in self.model else None
        key = self.key(person) if person in self.model else b"a key of nobody!"
        answer = self.requests.come_back(self.connection, key, self.editions[edition], now=self.now).answer
        if life is None or self.barred(person):
            assert answer is Answer.REFUSED
        elif life.state is not LEFT:
            assert answer is Answer.ALREADY
        else:
            assert life.ended_at is not None
            own = life.ended_by in {Through.FORM, Through.ONE_CLICK, Through.MAILTO}
            may = own and self.now - life.ended_at <= UNDO_FOR and life.ended_from is not LEFT
            assert answer is (Answer.DONE if may else Answer.REFUSED)
            if may:
                life.move(PENDING if life.ended_from is PENDING else ACTIVE)

    @rule(person=people, edition=editions, spelling=st.integers(0, 1))
    def ask(self, person: str, edition: str, spelling: int) -> None:
        asked = self.requests.ask(
            self.connection, SPELLINGS[person][spelling], edition=edition, source="form", text_version="1",
            now=self.now,
        )  # fmt: skip
        if self.barred(person):
            assert asked.answer is Answer.REFUSED
            return
        known = self.known_or_new(person)
        life = known.lives.get(edition)
        if life is not None and life.state in {ACTIVE, PAUSED}:
            assert asked.answer is Answer.ALREADY
            return
        assert asked.answer is Answer.TO_CONFIRM
        assert asked.consent is not None
        if life is None:
            life = known.lives[edition] = Life(PENDING)
        elif life.state is LEFT:
            life.move(PENDING)
        life.open_consents.append(asked.consent)

    @rule(person=people, edition=editions, newest=st.booleans())
    def confirm(self, person: str, edition: str, newest: bool) -> None:
        life = self.model[person].lives.get(edition) if person in self.model else None
        if life is None or not life.open_consents:
            assert self.requests.confirm(self.connection, 10_000, now=self.now).answer is Answer.REFUSED
            return
        consent = life.open_consents[-1 if newest else 0]
        answer = self.requests.confirm(self.connection, consent, now=self.now).answer
        if self.barred(person) or life.state is LEFT:
            assert answer is Answer.REFUSED
        elif life.state is not PENDING:
            assert answer is Answer.ALREADY
        else:
            assert answer is Answer.DONE
            life.open_consents.remove(consent)
            life.move(ACTIVE)
            again = self.requests.confirm(self.connection, consent, now=self.now).answer
            assert again is Answer.ALREADY

    @rule(person=people, edition=editions)
    def ask_again(self, person: str, edition: str) -> None:
        life = self.model[person].lives.get(edition) if person in self.model else None
        if person not in self.model:
            with pytest.raises(UnknownSubscriber):
                self.requests.ask_again(self.connection, person, edition, now=self.now)
            return
        asked = self.requests.ask_again(self.connection, person, edition, now=self.now)
        if life is None or self.barred(person):
            assert asked.answer is Answer.REFUSED
        elif life.state is not PENDING:
            assert asked.answer is Answer.ALREADY
        elif left_by_the_person(life):
            assert asked.answer is Answer.REFUSED
        else:
            assert asked.answer is Answer.TO_CONFIRM
            assert asked.consent is not None
            if asked.consent not in life.open_consents:
                assert life.open_consents == [], "an open one is taken up"
                life.open_consents.append(asked.consent)

    @rule(person=people, edition=editions)
    def confirm_by_word(self, person: str, edition: str) -> None:
        life = self.model[person].lives.get(edition) if person in self.model else None

        def act() -> bool:
            return self.people.confirm(
                self.connection, person, edition=edition, consent="told us", actor="ops", now=self.now
            )

        if life is None:
            with pytest.raises(UnknownSubscriber):
                act()
        elif self.barred(person) or left_by_the_person(life):
            with pytest.raises(Suppressed):
                act()
        else:
            assert act() == (life.state is PENDING)
            if life.state is PENDING:
                life.move(ACTIVE)

    @rule(person=people, edition=some_editions, away=hours)
    def pause(self, person: str, edition: str | None, away: int) -> None:
        if person not in self.model:
            return
        until = self.now + timedelta(hours=away)
        self.people.pause(self.connection, person, until=until, edition=edition, actor="ops", now=self.now)
        for _, life in self.lives(person, edition):
            if life.state is ACTIVE or (life.state is PAUSED and life.until != until):
                life.move(PAUSED, until=until)

    @rule(person=people, edition=some_editions)
    def resume(self, person: str, edition: str | None) -> None:
        if person not in self.model:
            return
        self.people.resume(self.connection, person, edition=edition, actor="ops", now=self.now)
        for _, life in self.lives(person, edition):
            if life.state is PAUSED:
                life.move(ACTIVE)

    @rule(passed=hours)
    def time_passes(self, passed: int) -> None:
        self.now += timedelta(hours=passed)
        lives = [life for known in self.model.values() for life in known.lives.values()]
        due = [life for life in lives if life.state is PAUSED and life.until and life.until <= self.now]
        assert wake(self.connection, self.now) == len(due)
        for life in due:
            life.move(ACTIVE)

    @rule(person=people)
    def suppress(self, person: str) -> None:
        reason = f"{person} is angry" if person in self.model else "by letter"
        self.suppressions.suppress(self.connection, person, reason=reason, actor="ops", now=self.now)
        self.suppressed.add(person)

    @rule(person=people)
    def unsuppress(self, person: str) -> None:
        lifted = self.suppressions.unsuppress(
            self.connection, person, reason="asked", actor="ops", now=self.now
        )
        assert lifted == self.barred(person)
        self.lift(person)

    @rule(person=people, state=st.sampled_from([AddressState.BOUNCED, AddressState.COMPLAINED]))
    def event(self, person: str, state: AddressState) -> None:
        known = self.model.get(person)
        if known is None:
            return
        reason = f"550 <{person.upper()}> unknown"
        new = self.suppressions.happened(self.connection, known.number, state, reason=reason, now=self.now)
        self.suppressed.add(person)
        worse = known.address is AddressState.ACTIVE or (
            known.address is AddressState.BOUNCED and state is AddressState.COMPLAINED
        )
        assert new == worse
        if worse:
            known.address, known.steps = state, known.steps + 1

    @precondition(lambda self: self.model)
    @rule(data=st.data(), by_number=st.booleans())
    def erase(self, data: st.DataObject, by_number: bool) -> None:
        person = data.draw(st.sampled_from(sorted(self.model)))
        known = self.model.pop(person)
        self.suppressions.erase(
            self.connection, str(known.number) if by_number else person, actor="ops", now=self.now
        )
        moved = sum(life.state is not LEFT for life in known.lives.values())
        steps = sum(life.steps for life in known.lives.values()) + known.steps + moved + 1
        self.erased[known.number] = (person, steps)
        self.erased_lives.update(known.lives.keys())
        self.suppressed.add(person)

    @precondition(lambda self: self.erased)
    @rule(data=st.data())
    def nothing_is_done_to_the_erased(self, data: st.DataObject) -> None:
        number = str(data.draw(st.sampled_from(sorted(self.erased))))
        for act in (
            lambda: self.people.remove(self.connection, number, actor="ops", now=self.now, reason="x"),
            lambda: self.people.resume(self.connection, number, actor="ops", now=self.now),
            lambda: self.people.tag(self.connection, number, ["x"]),
            lambda: self.suppressions.erase(self.connection, number, actor="ops", now=self.now),
        ):
            with pytest.raises(SubscribersError, match="is erased"):
                act()

    @rule(person=people, labels=st.sets(st.sampled_from(["lab", "beta"]), min_size=1), away=st.booleans())
    def tag(self, person: str, labels: set[str], away: bool) -> None:
        known = self.model.get(person)
        if known is None:
            return
        changed = (self.people.untag if away else self.people.tag)(self.connection, person, labels)
        assert set(changed) == (labels & known.tags if away else labels - known.tags)
        known.tags = known.tags - labels if away else known.tags | labels
        assert self.people.find(self.connection, person).tags == tuple(sorted(known.tags))

    @invariant()
    def every_state_is_as_the_model_says(self) -> None:
        rows = list(self.people.listing(self.connection))
        found = {(parse_address(row.email).key, row.edition): (row.state, row.paused_until) for row in rows}
        assert len(found) == len(rows)
        assert found == {
            (person, edition): (life.state, life.until)
            for person, known in self.model.items()
            for edition, life in known.lives.items()
        }

    @invariant()
    def only_who_wants_it_and_may_get_it_is_written_to(self) -> None:
        for edition in EDITIONS:
            found = {row.email.lower() for row in self.connection.execute(deliverable(edition))}
            assert found == {
                person
                for person, known in self.model.items()
                if edition in known.lives and known.lives[edition].state is ACTIVE and not self.barred(person)
            }

    @invariant()
    def history_keeps_every_step_and_each_joins_the_one_before(self) -> None:
        kept = {known.number: self.steps_of(known) for known in self.model.values()}
        kept |= {number: steps for number, (_, steps) in self.erased.items()}
        entries: dict[int, list[sa.Row[Any]]] = {number: [] for number in kept}
        for row in self.connection.execute(sa.select(schema.history).order_by(schema.history.c.id)):
            entries[row.subscriber_id].append(row)
        for number, steps in kept.items():
            assert len(entries[number]) == steps
            for subscription in {row.subscription_id for row in entries[number]}:
                own = [row for row in entries[number] if row.subscription_id == subscription]
                assert own[0].from_state is (AddressState.ACTIVE if subscription is None else None)
                for before, after in pairwise(own):
                    assert after.from_state is before.to_state
                    assert after.at >= before.at

    def steps_of(self, known: Person) -> int:
        return sum(life.steps for life in known.lives.values()) + known.steps

    def standings(self) -> dict[str, Counter[Standing]]:
        expected: dict[str, Counter[Standing]] = {name: Counter() for name in EDITIONS}
        for person, known in self.model.items():
            for edition, life in known.lives.items():
                where = standing(life.state, known.address, suppressed=person in self.suppressed)
                expected[edition][where] += 1
        for edition in EDITIONS:
            expected[edition][Standing.ERASED] += self.erased_lives[edition]
        return expected

    @invariant()
    def counts_add_up(self) -> None:
        counts, expected = standings(self.connection), self.standings()
        for edition in EDITIONS:
            assert +counts.get(edition, Counter()) == +expected[edition]

    @rule(edition=editions)
    def growth_leads_to_the_counts(self, edition: str) -> None:
        readers = sum(self.standings()[edition][where] for where in READERS)
        days = growth(
            self.connection, standings(self.connection), edition_name=edition, since=self.start.date(),
            until=self.now.date(),
        )  # fmt: skip
        assert days[0].readers == days[0].joined - days[0].left, "nobody was there before the first day"
        assert all(day.readers >= 0 for day in days)
        assert days[-1].readers == readers

    @rule(where=st.sampled_from(Standing))
    def a_list_has_as_many_rows_as_are_counted(self, where: Standing) -> None:
        rows = list(self.people.listing(self.connection, Chosen(state=where)))
        assert len(rows) == sum(each[where] for each in self.standings().values())

    @invariant()
    def who_is_erased_has_no_address_anywhere(self) -> None:
        gone = {person for person, _ in self.erased.values()} - set(self.model)
        if not gone:
            return
        texts = [
            value.lower()
            for table in (schema.subscriber, schema.tag, schema.history, schema.consent, schema.suppression)
            for row in self.connection.execute(sa.select(table))
            for value in row
            if isinstance(value, str)
        ]
        needles = {needle for person in gone for needle in Traces(person).needles()}
        assert [text for text in texts if any(needle in text for needle in needles)] == []

    @invariant()
    def numbers_are_never_used_again(self) -> None:
        numbers = [known.number for known in self.model.values()]
        assert len({*numbers, *self.erased}) == len(numbers) + len(self.erased)


TestListMachine = ListMachine.TestCase
TestListMachine.settings = settings(max_examples=20, stateful_step_count=35)
