"""Requests for many at once: settled together, as each alone would be; in doubt together when their process dies."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from newsletter.database import Database
from newsletter.delivery import carrier, claims, ledger, tables
from newsletter.delivery.breaker import THRESHOLD
from newsletter.delivery.consequences import prove
from newsletter.delivery.owners import resolve_dead_claims
from newsletter.delivery.pages import Page, Pages
from newsletter.delivery.pauses import Pauses
from newsletter.delivery.receipts import settle, settle_batch
from newsletter.delivery.sender import Sending
from newsletter.errors import BreakerTripped, DatabaseError, ProviderBusy, ProviderUnavailable, RenderError
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import Counts, DeliveryOutcome, DeliveryState
from newsletter.store import IssueRecord
from subscribers.models import AddressState
from subscribers.requests import Requests
from subscribers.store import deliverable
from tests.support.fake_provider import Answer, FakeProvider
from tests.support.issues import LETTER, LINKS, NOW, SETTINGS, Clock, add_readers, address, plan_issue

REFUSED = Answer(outcome=Outcome.REJECTED, reply="400 no address")
DOUBT = Answer(outcome=Outcome.UNCERTAIN, reply="no whole answer")


def batches(**options: object) -> FakeProvider:
    """Return a provider whose requests hold many, which holds what is in doubt."""
    own = {"batch_size": 10, "exposure": Exposure.ALL, "on_uncertain": OnUncertain.HOLD, **options}
    return FakeProvider(**own)  # type: ignore[arg-type]


def sending(database: Database, issue: IssueRecord, provider: FakeProvider, **options: object) -> Sending:
    own = {"clock": Clock(), "connections": 1, **options}
    return Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"), links=LINKS,
        **own,  # type: ignore[arg-type]
    )  # fmt: skip


class Passing(Event):
    """A stop that nobody asks for, and whose waits let time pass."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass, more than is waited for, so that a test ends."""
        self.clock.forward(seconds=10)
        return False


def counts(database: Database, issue: IssueRecord) -> Counts:
    with database.read() as connection:
        return ledger.counts(connection, issue.id)


def rows(database: Database, issue: IssueRecord) -> list[tuple[int, int, int]]:
    """Return number, state and attempt of each delivery."""
    own = tables.delivery.c
    with database.read() as connection:
        found = connection.execute(
            select(own.subscriber_id, own.state, own.attempt)
            .where(own.issue_id == issue.id)
            .order_by(own.subscriber_id)
        )
        return [tuple(row) for row in found]


def open_claims(database: Database, issue: IssueRecord) -> int:
    with database.read() as connection:
        return len(claims.open_claims(connection, issue.id))


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_ends_as_each_of_it_alone_would(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    add_readers(database, 12)
    issue = plan_issue(database)
    answered = dice.randint(0, 12)
    outcomes = [dice.choice([*Outcome, Outcome.ACCEPTED, Outcome.ACCEPTED]) for _ in range(answered)]
    on_uncertain = dice.choice([*OnUncertain])
    found = []
    for at_once in (True, False):
        with database.write() as connection:
            claim = claims.claim(
                connection, issue.id, deliverable("daily"), owner="host:1:1", provider="fake", exposure=Exposure.ALL,
                limit=12, after=0, now=NOW,
            )  # fmt: skip
            assert claim is not None
            receipts = [
                Receipt(row.subscriber_id, outcome, "a reply", f"name {number % 2}")
                for number, (row, outcome) in enumerate(zip(claim.rows, outcomes, strict=False))
            ]
            answers = list(zip(claim.rows, receipts, strict=False))
            if at_once:
                ours = settle_batch(connection, claim, answers, NOW, on_uncertain=on_uncertain)
                assert ours == {receipt.subscriber_id for receipt in receipts}
            else:
                for row, receipt in answers:
                    assert settle(connection, claim, row, receipt, NOW, on_uncertain=on_uncertain)
            claims.take_over(connection, issue.id, claim.id, Exposure.NONE, on_uncertain, NOW)
            own = tables.delivery_problem.c
            problems = connection.execute(
                select(own.subscriber_id, own.cause, own.reply, own.not_before)
            ).all()
            states = connection.execute(select(*tables.delivery.c["subscriber_id", "state"])).all()
            found.append((sorted(map(str, problems)), sorted(map(tuple, states))))
            connection.execute(tables.delivery_problem.delete())
            connection.execute(update(tables.delivery).values(state=int(DeliveryState.PENDING), attempt=0))
    assert found[0] == found[1]
    assert open_claims(database, issue) == 0


def test_the_provider_names_its_requests_and_the_claim_keeps_them(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    with database.write() as connection:
        claim = claims.claim(
            connection, issue.id, deliverable("daily"), owner="host:1:1", provider="fake", exposure=Exposure.ALL,
            limit=3, after=0, now=NOW,
        )  # fmt: skip
        assert claim is not None
        names = ["first", "first", "second"]
        answers = [
            (row, Receipt(row.subscriber_id, Outcome.ACCEPTED, "202", name))
            for row, name in zip(claim.rows, names, strict=True)
        ]
        settle_batch(connection, claim, answers, NOW, on_uncertain=OnUncertain.HOLD)
        kept = connection.execute(select(tables.claim_table.c.provider_id)).scalar_one()
    assert kept == "first second"


def test_everybody_is_settled_whatever_the_answers(database: Database) -> None:
    add_readers(database, 45)
    issue = plan_issue(database)
    told: Counter[Outcome] = Counter()
    provider = batches(script={address(3): [REFUSED], address(44): [REFUSED]})
    job = sending(database, issue, provider)
    job.on_receipt = lambda _recipient, receipt: told.update([receipt.outcome])
    job.run()
    assert counts(database, issue) == Counts(prepared=45, accepted=43, rejected=2)
    assert told == {Outcome.ACCEPTED: 43, Outcome.REJECTED: 2}
    assert open_claims(database, issue) == 0


def test_what_was_answered_before_a_fault_is_kept(database: Database) -> None:
    add_readers(database, 10)
    issue = plan_issue(database)
    provider = batches(script={address(5): [ProviderUnavailable("401 the key is not known")]})
    with pytest.raises(ProviderUnavailable, match="401"):
        sending(database, issue, provider).run()
    assert counts(database, issue) == Counts(prepared=10, accepted=4, waiting=6)
    assert [attempt for _, _, attempt in rows(database, issue)] == [1] * 4 + [0] * 6
    sending(database, issue, batches()).run()
    assert counts(database, issue) == Counts(prepared=10, accepted=10)


def test_a_pause_is_kept_and_the_send_goes_on(database: Database) -> None:
    add_readers(database, 20)
    issue, clock = plan_issue(database), Clock()
    busy = ProviderBusy("429", seconds=30)
    provider = batches(script={address(1): [busy, busy], address(12): [busy]})
    job = sending(database, issue, provider, clock=clock, wait=timedelta(minutes=2))
    job.stop = Passing(clock)
    job.run()
    assert counts(database, issue) == Counts(prepared=20, accepted=20)
    assert clock() - NOW >= timedelta(seconds=90)
    assert {attempt for _, _, attempt in rows(database, issue)} == {1}


def test_pauses_without_anything_taken_end_the_send(database: Database) -> None:
    add_readers(database, 5)
    issue, clock = plan_issue(database), Clock()
    provider = batches(script={address(1): [ProviderBusy("503", seconds=40)] * 9})
    job = sending(database, issue, provider, clock=clock, wait=timedelta(minutes=2))
    job.stop = Passing(clock)
    with pytest.raises(ProviderBusy):
        job.run()
    assert counts(database, issue) == Counts(prepared=5, waiting=5)


def test_where_one_connection_is_told_to_come_much_later_no_other_begins() -> None:
    clock = Clock()
    pauses = Pauses(wait=timedelta(minutes=2), clock=clock)
    with pytest.raises(ProviderBusy):
        pauses.begin(ProviderBusy("429", seconds=600))
    assert pauses.until == NOW + timedelta(minutes=10)


def test_without_patience_a_pause_ends_it_at_once(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    with pytest.raises(ProviderBusy):
        sending(database, issue, batches(script={address(1): [ProviderBusy("429", seconds=1)]})).run()
    assert counts(database, issue) == Counts(prepared=2, waiting=2)


@pytest.mark.parametrize("wait", [0, 60])
def test_a_pause_is_known_before_others_can_take_what_it_gives_back(database: Database, wait: int) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    clock = Clock()
    busy = ProviderBusy("429", seconds=5)
    job = sending(
        database, issue, batches(script={address(1): [busy]}), clock=clock, wait=timedelta(seconds=wait)
    )
    job.stop = Passing(clock)
    known = []

    def release(page: Page, doubt: Exposure) -> int:
        known.append(job._pauses.until)
        return Pages.release(job._pages, page, doubt)

    job._pages.release = release  # type: ignore[method-assign]
    with nullcontext() if wait else pytest.raises(ProviderBusy):
        job.run()
    assert known[0] == NOW + timedelta(seconds=5)


def test_a_letter_that_a_provider_cannot_carry_leaves_nobody_in_doubt(database: Database) -> None:
    add_readers(database, 5)
    issue = plan_issue(database)

    class Unable(FakeProvider):
        """Cannot carry a header."""

        def send(self, letter, recipients):  # type: ignore[no-untyped-def]
            yield from super().send(letter, recipients[:2])
            raise RenderError("this header is not free", subject="X-SG-ID")

    with pytest.raises(RenderError):
        sending(database, issue, Unable(exposure=Exposure.ALL, on_uncertain=OnUncertain.HOLD)).run()
    assert counts(database, issue) == Counts(prepared=5, accepted=2, waiting=3)


@pytest.mark.parametrize(
    ("fault", "doubtful"), [(ZeroDivisionError("a bug"), 40), (ProviderUnavailable("401"), 0)]
)
def test_a_breaker_that_trips_hides_no_doubt(
    database: Database, fault: Exception, doubtful: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_readers(database, 100)
    issue = plan_issue(database)

    class Broken(FakeProvider):
        """Refuses many, and then has a fault while a request is out."""

        def send(self, letter, recipients):  # type: ignore[no-untyped-def]
            yield from [Receipt(each.subscriber_id, Outcome.REJECTED, "no") for each in recipients[:60]]
            raise fault

    monkeypatch.setattr(carrier, "FIRST_CLAIM", 100)
    with pytest.raises(BreakerTripped):
        sending(database, issue, Broken(exposure=Exposure.ALL, on_uncertain=OnUncertain.HOLD)).run()
    expected = Counts(prepared=100, rejected=60, uncertain=doubtful, waiting=40 - doubtful)
    assert counts(database, issue) == expected


def test_one_lost_answer_is_no_reason_to_stop_and_many_are(database: Database) -> None:
    add_readers(database, 100)
    issue = plan_issue(database)
    lost = {address(number): [DOUBT] for number in range(11, 21)}
    sending(database, issue, batches(script=lost)).run()
    assert counts(database, issue) == Counts(prepared=100, accepted=90, uncertain=10)


def test_many_lost_answers_stop_it(database: Database) -> None:
    add_readers(database, 100)
    issue = plan_issue(database)
    everybody = {address(number): [DOUBT] for number in range(1, 101)}
    few = replace(THRESHOLD, window=20, least=5)
    with pytest.raises(BreakerTripped, match="failed"):
        sending(database, issue, batches(script=everybody), threshold=few).run()
    stopped = counts(database, issue)
    assert stopped.uncertain == 30  # three requests
    assert stopped.waiting == 70


def test_a_dead_batch_is_in_doubt_as_a_whole_and_held(database: Database) -> None:
    add_readers(database, 12)
    issue = plan_issue(database)
    with database.write(durable=True) as connection:
        claims.claim(
            connection, issue.id, deliverable("daily"), owner="elsewhere:1:1", provider="fake", exposure=Exposure.ALL,
            limit=10, after=0, now=NOW - timedelta(minutes=5),
        )  # fmt: skip
    assert resolve_dead_claims(database, issue, NOW, OnUncertain.HOLD) == 10
    provider = batches()
    sending(database, issue, provider).run()
    assert sorted(number for number, _ in provider.delivered) == [11, 12]
    assert counts(database, issue) == Counts(prepared=12, accepted=2, uncertain=10)


@pytest.mark.parametrize(("before", "held"), [("sendgrid", 10), ("fake", 0)])
def test_a_dead_batch_of_another_provider_is_held_whatever_this_one_does(
    database: Database, before: str, held: int
) -> None:
    add_readers(database, 12)
    issue = plan_issue(database)
    with database.write(durable=True) as connection:
        claims.claim(
            connection, issue.id, deliverable("daily"), owner="elsewhere:1:1", provider=before, exposure=Exposure.ALL,
            limit=10, after=0, now=NOW - timedelta(minutes=5),
        )  # fmt: skip
    provider = FakeProvider(on_uncertain=OnUncertain.RESEND)
    sending(database, issue, provider).run()
    assert counts(database, issue) == Counts(prepared=12, accepted=12 - held, uncertain=held)
    assert len(provider.delivered) == 12 - held


def test_what_an_event_settled_first_is_no_loss(database: Database) -> None:
    add_readers(database, 10)
    issue = plan_issue(database)
    own = tables.delivery

    class Eager(FakeProvider):
        """Its events are faster than its answers."""

        def _answer(self, letter, recipient):  # type: ignore[no-untyped-def]
            with database.write() as connection:
                taken = update(own).where(own.c.subscriber_id == recipient.subscriber_id)
                connection.execute(taken.values(state=int(DeliveryState.ACCEPTED)))
            return super()._answer(letter, recipient)

    told: list[int] = []
    job = sending(database, issue, Eager(batch_size=10, exposure=Exposure.ALL, on_uncertain=OnUncertain.HOLD))
    job.on_receipt = lambda recipient, _receipt: told.append(recipient.subscriber_id)
    job.run()
    assert told == list(range(1, 11))
    assert counts(database, issue) == Counts(prepared=10, accepted=10)
    assert open_claims(database, issue) == 0


def test_a_database_that_fails_once_puts_no_batch_in_doubt(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_readers(database, 3)
    issue, tries = plan_issue(database), []

    def failing(*given: Any, **more: Any) -> frozenset[int]:
        tries.append(settle_batch(*given, **more))
        if len(tries) == 1:
            raise DatabaseError("deadlock detected")
        return tries[-1]

    monkeypatch.setattr("newsletter.delivery.answers.settle_batch", failing)
    sending(database, issue, batches(script={address(2): [REFUSED]})).run()
    assert counts(database, issue) == Counts(prepared=3, accepted=2, rejected=1)
    assert open_claims(database, issue) == 0


def test_a_refusal_that_an_event_knows_better_gives_nobody_up(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)

    class Eager(FakeProvider):
        """Its events are faster than its answers, and right."""

        def send(self, letter, recipients):  # type: ignore[no-untyped-def]
            with database.write() as connection:
                prove(
                    connection,
                    {(issue.id, each.subscriber_id): DeliveryOutcome.UNKNOWN for each in recipients},
                )
            return super().send(letter, recipients)

    refused = Answer(outcome=Outcome.REJECTED, reply="400 no address", hard=True)
    sending(database, issue, Eager(script={address(2): [refused]}, exposure=Exposure.ALL)).run()
    assert counts(database, issue) == Counts(prepared=3, accepted=3)
    with database.read() as connection:
        assert Requests(SETTINGS).find(connection, address(2)).state is AddressState.ACTIVE


def test_what_another_process_took_over_is_not_counted(database: Database) -> None:
    add_readers(database, 10)
    issue = plan_issue(database)

    class Slow(FakeProvider):
        """Another process takes its claim over before it answers."""

        def send(self, letter, recipients):  # type: ignore[no-untyped-def]
            with database.write() as connection:
                for claim in claims.open_claims(connection, issue.id):
                    claims.take_over(connection, issue.id, claim.id, Exposure.ALL, OnUncertain.HOLD, NOW)
            return super().send(letter, recipients)

    told: list[int] = []
    job = sending(database, issue, Slow(batch_size=10, exposure=Exposure.ALL, on_uncertain=OnUncertain.HOLD))
    job.on_receipt = lambda recipient, _receipt: told.append(recipient.subscriber_id)
    job.run()
    assert told == []
    assert counts(database, issue) == Counts(prepared=10, uncertain=10)


def test_events_and_answers_of_a_batch_do_not_wait_for_each_other(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    with database.write() as connection:
        claim = claims.claim(
            connection, issue.id, deliverable("daily"), owner="host:1:1", provider="fake", exposure=Exposure.ALL,
            limit=3, after=0, now=NOW,
        )  # fmt: skip
    assert claim is not None
    outcomes = [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REJECTED]
    answers = [
        (row, Receipt(row.subscriber_id, outcome)) for row, outcome in zip(claim.rows, outcomes, strict=True)
    ]
    faults: list[Exception] = []

    def settle() -> None:
        try:
            with database.write() as connection:
                settle_batch(connection, claim, answers, NOW, on_uncertain=OnUncertain.HOLD)
        except DatabaseError as error:
            faults.append(error)

    settling = Thread(target=settle)
    with database.write() as connection:
        prove(connection, {(issue.id, claim.rows[0].subscriber_id): DeliveryOutcome.DELIVERED})
        settling.start()
        settling.join(0.3)  # it waits for the first row by now
        prove(connection, {(issue.id, claim.rows[2].subscriber_id): DeliveryOutcome.DELIVERED})
    settling.join()
    assert faults == []
    assert counts(database, issue) == Counts(prepared=3, accepted=3)
