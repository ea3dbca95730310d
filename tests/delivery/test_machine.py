"""Any sequence of claims, answers, deaths, leavings and the operator's wishes, beside a model of the ledger."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from newsletter import store
from newsletter.app.delivering import resolve
from newsletter.app.halting import move
from newsletter.database import Database
from newsletter.delivery import claims, ledger, receipts, register, tables
from newsletter.delivery.owners import resolve_dead_claims
from newsletter.delivery.recipients import recipient
from newsletter.delivery.settling import settling
from newsletter.dispatch import Dispatcher
from newsletter.errors import InputError, IssueError, ProviderUnavailable
from newsletter.letters import Identity
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import DeliveryState, IssueState
from newsletter.store import tables as store_tables
from newsletter.templating.issue import Design
from subscribers import schema
from subscribers.store import deliverable
from tests.delivery.model import CLAIMED, PENDING, Held, Model, Row
from tests.support.fake_provider import Answer, FakeProvider
from tests.support.issues import DAY, LETTER, LINKS, NOW, Clock, add_readers, address, people, plan_issue
from tests.support.torture import length

PEOPLE = 5
ELSEWHERE = "another host:1:1"  # only silence tells that it is dead
TABLES = [
    *tables.metadata.sorted_tables,
    *store_tables.metadata.sorted_tables,
    *schema.metadata.sorted_tables,
]
somebody = st.integers(0, PEOPLE - 1)
some_claim = st.integers(0, 2)
answers = st.builds(
    lambda taken, sure, refused: (
        taken,
        (Outcome.ACCEPTED if taken else refused) if sure else Outcome.UNCERTAIN,
    ),
    st.booleans(), st.booleans(), st.sampled_from([Outcome.RETRY, Outcome.REJECTED]),
)  # fmt: skip


class LedgerMachine(RuleBasedStateMachine):
    """An issue of a few people; claims of owners elsewhere, and the real sender beside them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self.database, self.clock = database, clock
        clock.now = NOW
        with database.write() as connection:
            for table in reversed(TABLES):
                connection.execute(table.delete())
        self.app: Any = SimpleNamespace(
            databases=SimpleNamespace(open=lambda: database), people=SimpleNamespace(subscribers=people)
        )
        self.names: dict[int, str] = {}
        self.accepted: set[int] = set()

    @initialize(
        exposure=st.sampled_from(Exposure),
        doubt=st.sampled_from(OnUncertain),
        absent=st.sets(somebody, max_size=2),
    )
    def plan(self, exposure: Exposure, doubt: OnUncertain, absent: set[int]) -> None:
        add_readers(self.database, PEOPLE)
        with self.database.read() as connection:
            found = connection.execute(select(schema.subscriber.c.id).order_by(schema.subscriber.c.id))
            self.numbers = list(found.scalars())
        self.model = Model(exposure=exposure, on_uncertain=doubt, here=set(self.numbers))
        for who in absent:
            self.leave(who)
        self.issue = plan_issue(self.database).id
        self.model.state = IssueState.SENDING
        self.model.rows = {number: Row(number) for number in self.model.here}

    def record(self) -> store.IssueRecord:
        with self.database.read() as connection:
            found = store.find_issue(connection, "daily", DAY)
        assert found is not None
        return found

    def email(self, number: int) -> str:
        return address(self.numbers.index(number) + 1)

    def some(self, which: int) -> Held:
        """Return one of the last claims."""
        last = self.model.held[-3:]
        return last[which % len(last)]

    @rule(who=somebody)
    def leave(self, who: int) -> None:
        with self.database.write() as connection:
            people().remove(connection, address(who + 1), actor="test", now=self.clock())
        self.model.here.discard(self.numbers[who])

    @rule(who=somebody)
    def come_back(self, who: int) -> None:
        with self.database.write() as connection:
            people().add(
                connection, address(who + 1), edition="daily", actor="test", now=self.clock(), force="asked"
            )
        self.model.here.add(self.numbers[who])

    @rule()
    def plan_again(self) -> None:
        with pytest.raises(IssueError, match="exists already"):
            plan_issue(self.database)

    @rule(limit=st.integers(1, PEOPLE))
    def claim(self, limit: int) -> None:
        with self.database.write() as connection:
            claim = claims.claim(
                connection, self.issue, deliverable("daily"), owner=ELSEWHERE, provider="fake",
                exposure=self.model.exposure, limit=limit, after=0, now=self.clock(),
            )  # fmt: skip
        due = self.model.due(self.clock(), limit)
        assert (claim is None) == (not due)
        if claim is None:
            return
        staying = self.model.take(due, claim.id)
        assert [row.subscriber_id for row in claim.rows] == [row.number for row in staying]
        assert [row.attempt for row in claim.rows] == [row.attempt for row in staying]
        if staying:
            self.model.held.append(Held(claim=claim, heartbeat=self.clock()))
            self.name(claim)

    def name(self, claim: claims.Claim) -> None:
        """Check that a delivery has the same Message-ID at every attempt, and nobody else has it."""
        for row in claim.rows:
            made = recipient(row, edition="daily", day=DAY, links=LINKS, from_address=LETTER.from_address)
            assert self.names.setdefault(row.subscriber_id, made.message_id) == made.message_id
        assert len(set(self.names.values())) == len(self.names)

    @precondition(lambda self: bool(self.model.held))
    @rule(which=some_claim, taken=st.booleans())
    def hand_over(self, which: int, taken: bool) -> None:
        """An owner, slow or not, writes the next letter, or all of them at once."""
        self.write(self.some(which), taken)

    def write(self, held: Held, taken: bool) -> None:
        if held.in_flight or held.stopped or held.position == len(held.claim.rows):
            return
        held.in_flight, held.taken = True, taken
        at_once = self.model.exposure is Exposure.ALL
        rows = held.claim.rows[held.position :] if at_once else held.claim.rows[held.position :][:1]
        for row in rows if taken else ():
            self.model.receive(row.subscriber_id)

    @precondition(lambda self: bool(self.model.held))
    @rule(which=some_claim, sure=st.booleans(), refused=st.sampled_from([Outcome.RETRY, Outcome.REJECTED]))
    def answer(self, which: int, sure: bool, refused: Outcome) -> None:
        self.settle(self.some(which), sure, refused)

    def settle(self, held: Held, sure: bool, refused: Outcome) -> None:
        if not held.in_flight:
            return
        given = held.claim.rows[held.position]
        known = Outcome.ACCEPTED if held.taken else refused
        outcome = known if sure else Outcome.UNCERTAIN
        receipt = Receipt(subscriber_id=given.subscriber_id, outcome=outcome, reply="a reply")
        ours = self.settle_in_ledger(held.claim, given, receipt)
        row = self.model.rows[given.subscriber_id]
        assert ours == (row.state is CLAIMED and row.claim == held.claim.id)
        held.position += 1
        held.in_flight = self.model.exposure is Exposure.ALL and held.position < len(held.claim.rows)
        held.stopped = not ours
        held.in_flight &= ours
        if ours:
            row.settle(outcome, self.clock(), resend=self.model.resends)

    def settle_in_ledger(self, claim: claims.Claim, row: claims.ClaimedRow, receipt: Receipt) -> bool:
        if receipt.outcome is Outcome.ACCEPTED:
            with settling(self.database) as quick:
                return quick.accept(claim, row)
        with self.database.write() as connection:
            return receipts.settle(
                connection, claim, row, receipt, self.clock(), on_uncertain=self.model.on_uncertain
            )

    @rule(limit=st.integers(1, PEOPLE), taken=st.booleans(), sure=st.booleans())
    def answer_too_late(self, limit: int, taken: bool, sure: bool) -> None:
        """An owner writes a letter and hears nothing until somebody else took over and claimed anew."""
        before = len(self.model.held)
        self.claim(limit)
        if len(self.model.held) > before:
            held = self.model.held[-1]
            self.write(held, taken)
            self.silence(16)
            self.claim(PEOPLE)
            self.settle(held, sure, Outcome.RETRY)

    @precondition(lambda self: bool(self.model.held))
    @rule(which=some_claim)
    def end_claim(self, which: int) -> None:
        """An owner ends its claim, or breaks down with a letter on its way."""
        held = self.some(which)
        doubt = self.model.exposure if held.in_flight else Exposure.NONE
        with self.database.write() as connection:
            claims.take_over(
                connection, self.issue, held.claim.id, doubt, self.model.on_uncertain, self.clock()
            )
            if ledger.state_of(connection, self.issue) is IssueState.CANCELLED:
                ledger.cancel_waiting(connection, self.issue)
        self.model.end(held, doubt, self.clock(), resend=self.model.resends)
        held.stopped, held.in_flight = True, False
        if self.model.state is IssueState.CANCELLED:
            self.model.move(self.model.ordered(PENDING), DeliveryState.CANCELLED)

    @precondition(lambda self: bool(self.model.held))
    @rule(which=some_claim)
    def beat(self, which: int) -> None:
        held = self.some(which)
        with self.database.write() as connection:
            claims.beat(connection, [held.claim.id], self.clock())
        held.heartbeat = self.clock()

    @rule(seconds=st.sampled_from([0, 10, 16]))
    def silence(self, seconds: int) -> None:
        """Nobody beats for a while; then a process looks for the dead."""
        self.clock.forward(seconds=seconds)
        resolve_dead_claims(self.database, self.record(), self.clock(), self.model.on_uncertain, "fake")
        self.model.end_dead(self.clock(), resend=self.model.resends)

    @rule(seconds=st.sampled_from([-86_400, -60, 61, 600, 50_000]))
    def time_jumps(self, seconds: int) -> None:
        self.clock.forward(seconds=seconds)

    @rule(to=st.sampled_from([IssueState.PAUSED, IssueState.SENDING]))
    def halt_or_go_on(self, to: IssueState) -> None:
        allowed = {IssueState.PAUSED: IssueState.SENDING, IssueState.SENDING: IssueState.PAUSED}
        if self.model.state is IssueState.FINISHED and to is IssueState.SENDING:
            return  # allowed, and then there is nothing to send
        if self.model.state not in {to, allowed[to]}:
            with pytest.raises(IssueError, match=r"cannot become|is finished; there is nothing to"):
                move(self.app, "daily", DAY, to, actor="test")
            return
        move(self.app, "daily", DAY, to, actor="test")
        self.model.state, self.model.by_hand = to, True

    @rule(sure=st.integers(0, 4))
    def cancel(self, sure: int) -> None:
        if sure:
            return  # now and then is enough: it is the end
        self.model.end_dead(self.clock(), resend=False)
        if self.model.state is IssueState.FINISHED:
            with pytest.raises(IssueError, match="is finished; there is nothing to cancel"):
                move(self.app, "daily", DAY, IssueState.CANCELLED, actor="test")
            return
        move(self.app, "daily", DAY, IssueState.CANCELLED, actor="test")
        self.model.state = IssueState.CANCELLED
        self.model.move(self.model.ordered(PENDING), DeliveryState.CANCELLED)

    @rule(state=st.sampled_from([DeliveryState.REJECTED, DeliveryState.UNCERTAIN]), who=st.none() | somebody)
    def send_again(self, state: DeliveryState, who: int | None) -> None:
        """`deliveries retry`, `deliveries resolve --resend`."""
        if self.model.state is IssueState.CANCELLED:
            with pytest.raises(InputError, match="cancelled for good"):
                resolve(self.app, "daily", DAY, [state], None, sent=False)
            return
        given = None if who is None else address(who + 1)
        done = resolve(self.app, "daily", DAY, [state], given, sent=False)
        chosen = self.chosen(state, who)
        here = [row for row in chosen if row.number in self.model.here]
        assert done == register.Resolved(moved=self.model.move(here, PENDING), gone=len(chosen) - len(here))
        if done.moved and self.model.state is IssueState.FINISHED:
            self.model.state = IssueState.SENDING

    @rule(who=st.none() | somebody)
    def assume_sent(self, who: int | None) -> None:
        given = None if who is None else address(who + 1)
        done = resolve(self.app, "daily", DAY, [DeliveryState.UNCERTAIN], given, sent=True)
        assert done.moved == self.model.move(
            self.chosen(DeliveryState.UNCERTAIN, who), DeliveryState.ACCEPTED
        )

    def chosen(self, state: DeliveryState, who: int | None) -> list[Row]:
        return [row for row in self.model.ordered(state) if who is None or row.number == self.numbers[who]]

    @rule(script=st.lists(answers, min_size=PEOPLE, max_size=PEOPLE), breaks_at=st.none() | somebody)
    def run(self, script: list[tuple[bool, Outcome]], breaks_at: int | None) -> None:
        """The real sender goes on with the issue, with these answers, until the provider breaks down."""
        planned: dict[int, Answer | ProviderUnavailable] = {
            number: Answer(outcome=outcome, taken=taken)
            for number, (taken, outcome) in zip(self.numbers, script, strict=True)
        }
        if breaks_at is not None:
            planned[self.numbers[breaks_at]] = ProviderUnavailable("down")
        provider = FakeProvider(
            script={self.email(number): [answer] for number, answer in planned.items()},
            exposure=self.model.exposure,
            on_uncertain=self.model.on_uncertain,
        )
        self.dispatcher(provider).go_on(self.record(), dry_run=False)
        tried = self.model_run(planned)
        assert provider.tried == tried

    def dispatcher(self, provider: FakeProvider) -> Dispatcher:
        identity = Identity(
            newsletter="Daily", from_name="Daily", from_address=LETTER.from_address, links=LINKS
        )
        return Dispatcher(
            edition="daily", database=self.database, provider=provider, design=Design(name="Daily", postal_address=""),
            identity=identity, connections=1, clock=self.clock, report=lambda _line: None,
        )  # fmt: skip

    def model_run(self, planned: dict[int, Answer | ProviderUnavailable]) -> list[int]:
        """Do in the model what a run does; return whom it wrote to, in order."""
        model, now, tried = self.model, self.clock(), list[int]()
        if model.state is IssueState.PAUSED and not model.by_hand:
            model.state = IssueState.SENDING
        if model.state is not IssueState.SENDING:
            return tried
        model.end_dead(now, resend=model.resends)
        rows, broke = model.take(model.due(now, PEOPLE), claim=-1), False
        for row in rows:
            answer = planned[row.number]
            tried.append(row.number)
            if isinstance(answer, ProviderUnavailable):
                broke = True
                break
            if answer.taken:
                model.receive(row.number)
            row.settle(answer.outcome, now, resend=model.resends)
        for row in model.ordered(CLAIMED):
            if row.claim == -1:  # what a broken provider left
                row.state, row.attempt = PENDING, row.attempt - 1
        if broke:
            model.state, model.by_hand = IssueState.PAUSED, False
        elif not model.ordered(PENDING, CLAIMED):
            model.state = IssueState.FINISHED
        return tried

    @invariant()
    def the_ledger_is_as_the_model(self) -> None:
        row = tables.delivery.c
        with self.database.read() as connection:
            found = connection.execute(select(row.subscriber_id, row.state, row.attempt)).all()
            counts = ledger.counts(connection, self.issue)
            state = ledger.state_of(connection, self.issue)
        expected = {each.number: (each.state, each.attempt) for each in self.model.rows.values()}
        assert {number: (DeliveryState(state), attempt) for number, state, attempt in found} == expected
        assert state is self.model.state
        parts = (
            counts.accepted,
            counts.rejected,
            counts.suppressed,
            counts.uncertain,
            counts.waiting,
            counts.cancelled,
        )
        assert counts.prepared == sum(parts) == len(self.model.rows)

    @invariant()
    def what_is_accepted_stays_accepted(self) -> None:
        now = {row.number for row in self.model.ordered(DeliveryState.ACCEPTED)}
        assert self.accepted <= now
        self.accepted = now

    @invariant()
    def a_second_copy_stands_behind_a_noted_doubt(self) -> None:
        problem = tables.delivery_problem.c
        with self.database.read() as connection:
            noted = connection.execute(
                select(problem.subscriber_id, func.count())
                .where(problem.cause.in_(["crash", Outcome.UNCERTAIN.value]))
                .group_by(problem.subscriber_id)
            )
            doubts = Counter({row[0]: row[1] for row in noted})
        for number, copies in self.model.copies.items():
            assert copies <= 1 + doubts[number]


def test_any_sequence(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("newsletter.app.now", clock)

    class Bound(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(database, clock)

    examples = length(10, 300) if database.is_sqlite else length(4, 100)
    run_state_machine_as_test(Bound, settings=settings(max_examples=examples, stateful_step_count=40))
