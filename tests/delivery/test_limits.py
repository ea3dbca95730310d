"""Rates, a number a day and the plan of a new sender: never exceeded, over threads and processes, crashes included."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.database import Database
from newsletter.delivery import carrier, ledger
from newsletter.delivery.limits import Limits, WarmUp
from newsletter.delivery.pages import Pages
from newsletter.delivery.sender import Sending
from newsletter.models.deliveries import Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import Counts
from newsletter.store import IssueRecord
from subscribers.store import deliverable
from tests.delivery.test_batches import Passing
from tests.support.fake_provider import FakeProvider
from tests.support.issues import LETTER, LINKS, NOW, Clock, add_readers, people, plan_issue

INTERVAL = timedelta(milliseconds=15)


@dataclass(slots=True, kw_only=True)
class TimedProvider(FakeProvider):
    """Accepts everything; ``times`` are those at which the messages came, by the domain of the address.

    ``handed`` are how many it was given at once.
    """

    times: dict[str, list[datetime]] = field(default_factory=dict)
    handed: list[int] = field(default_factory=list)

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        self.handed.append(len(recipients))
        for recipient in recipients:
            self.times.setdefault(recipient.address.partition("@")[2], []).append(datetime.now(UTC))
            yield from FakeProvider.send(self, letter, [recipient])


def sending(
    database: Database, issue: IssueRecord, provider: FakeProvider, limits: Limits, clock: Clock | None = None
) -> Sending:
    return Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"),
        links=LINKS, clock=clock or (lambda: datetime.now(UTC)), limits=limits, connections=2,
    )  # fmt: skip


def run_together(*jobs: Sending) -> None:
    threads = [threading.Thread(target=job.run) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def counts(database: Database, issue: IssueRecord) -> Counts:
    with database.read() as connection:
        return ledger.counts(connection, issue.id)


def assert_paced(times: Sequence[datetime], begin: datetime, interval: timedelta) -> None:
    for number, time in enumerate(sorted(times)):
        assert time >= begin + number * interval


def add_at(database: Database, domain: str, number: int) -> None:
    with database.write() as connection:
        for index in range(number):
            people().add(connection, f"r{index}@{domain}", edition="daily", actor="test", now=NOW)


def test_a_rate_holds_over_two_senders(database: Database) -> None:
    add_readers(database, 24)
    issue, provider = plan_issue(database), TimedProvider(batch_size=5)
    begin = datetime.now(UTC)
    limits = Limits(interval=INTERVAL)
    run_together(sending(database, issue, provider, limits), sending(database, issue, provider, limits))
    assert counts(database, issue) == Counts(prepared=24, accepted=24)
    assert_paced(provider.times["example.org"], begin, INTERVAL)
    assert set(provider.handed) == {1}, (
        "who is handed over early is named to the server early, which then waits"
    )


@pytest.mark.parametrize("connections", [1, 3])
def test_a_domain_has_a_rate_of_its_own_and_holds_nobody_else_up(
    database: Database, connections: int
) -> None:
    add_at(database, "slow.example.org", 6)
    add_at(database, "sub.slow.example.org", 12)
    add_at(database, "slower.example.org", 3)
    issue, provider = plan_issue(database), TimedProvider()
    slow = {"slow.example.org": 10 * INTERVAL, "slower.example.org": 20 * INTERVAL}
    begin = datetime.now(UTC)
    job = sending(database, issue, provider, Limits(domains=slow))
    job.connections = connections
    job.run()
    assert counts(database, issue) == Counts(prepared=21, accepted=21)
    for domain, interval in slow.items():
        assert_paced(provider.times[domain], begin, interval)
    rest = provider.times["sub.slow.example.org"]
    assert max(rest) < max(provider.times["slow.example.org"])


def test_a_request_for_many_is_not_cut_up_because_some_domain_has_a_limit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_readers(database, 200)
    issue, sizes, seconds = plan_issue(database), [], itertools.count()
    monkeypatch.setattr(carrier, "monotonic", lambda: 0.2 * next(seconds))  # so long takes a request

    class Counting(FakeProvider):
        """Counts how many stand in a request."""

        def send(self, letter, recipients):  # type: ignore[no-untyped-def]
            sizes.append(len(recipients))
            return super().send(letter, recipients)

    limits = Limits(domains={"slow.example": timedelta(seconds=1)}, interval=timedelta(milliseconds=1))
    job = sending(database, issue, Counting(exposure=Exposure.ALL), limits, Clock())
    job.connections = 1
    job.stop = Passing(job.clock)  # type: ignore[arg-type]
    job.run()
    assert counts(database, issue) == Counts(prepared=200, accepted=200)
    assert len(sizes) <= 4


def test_both_rates_hold_for_a_domain(database: Database) -> None:
    add_at(database, "slow.example.org", 8)
    add_readers(database, 8)
    issue, provider = plan_issue(database), TimedProvider(batch_size=4)
    begin = datetime.now(UTC)
    limits = Limits(interval=INTERVAL, domains={"slow.example.org": 3 * INTERVAL})
    run_together(sending(database, issue, provider, limits))
    assert counts(database, issue) == Counts(prepared=16, accepted=16)
    assert_paced(provider.times["slow.example.org"], begin, 3 * INTERVAL)
    assert_paced([time for times in provider.times.values() for time in times], begin, INTERVAL)


def test_a_day_holds_over_two_senders_and_the_next_day_goes_on(database: Database) -> None:
    add_readers(database, 12)
    issue, provider, clock = plan_issue(database), FakeProvider(batch_size=2), Clock()
    for expected in (5, 10, 12):
        jobs = [sending(database, issue, provider, Limits(per_day=5), clock) for _ in range(2)]
        run_together(*jobs)
        run_together(*jobs)
        assert counts(database, issue) == Counts(prepared=12, accepted=expected, waiting=12 - expected)
        assert jobs[0].used_up == (expected < 12)
        clock.forward(days=1)


def test_what_was_not_handed_over_is_the_days_again(database: Database) -> None:
    add_readers(database, 8)
    issue, provider, clock = plan_issue(database), FakeProvider(), Clock()
    first = sending(database, issue, provider, Limits(per_day=5), clock)
    first.connections = 1
    first.on_receipt = lambda recipient, _receipt: first.stop.set() if recipient.subscriber_id == 2 else None
    first.run()
    sending(database, issue, provider, Limits(per_day=5), clock).run()
    assert counts(database, issue) == Counts(prepared=8, accepted=5, waiting=3)


def test_what_is_in_doubt_is_not_the_days_again(database: Database) -> None:
    add_readers(database, 8)
    issue, clock = plan_issue(database), Clock()

    class Broken(FakeProvider):
        """Has a fault of ours behind the first."""

        def send(self, letter, recipients):  # type: ignore[no-untyped-def]
            yield from super().send(letter, recipients[:1])
            raise ZeroDivisionError

    broken = Broken(batch_size=3, exposure=Exposure.ALL, on_uncertain=OnUncertain.HOLD)
    job = sending(database, issue, broken, Limits(per_day=5), clock)
    job.connections, job.limit = 1, 5
    with pytest.raises(ZeroDivisionError):
        job.run()
    assert counts(database, issue) == Counts(prepared=8, accepted=1, uncertain=2, waiting=5)
    assert job._pages.limit == 2
    sending(database, issue, FakeProvider(), Limits(per_day=5), clock).run()
    assert counts(database, issue) == Counts(prepared=8, accepted=3, uncertain=2, waiting=3)


def test_what_a_dead_process_took_of_a_day_is_gone(database: Database) -> None:
    add_readers(database, 8)
    issue, provider, clock = plan_issue(database), FakeProvider(), Clock()
    dead = Pages(
        database=database, issue_id=issue.id, audience=deliverable("daily"), provider=provider, clock=clock,
        connections=1, limits=Limits(per_day=5),
    )  # fmt: skip
    assert dead.take(3) is not None
    sending(database, issue, provider, Limits(per_day=5), clock).run()
    assert counts(database, issue).accepted == 2


@pytest.mark.parametrize(
    ("day", "cap"), [(-3, 200), (0, 200), (1, 300), (2, 450), (10, 11_533), (11, None), (20_000, None)]
)
def test_the_plan_of_a_new_sender_grows_by_day(day: int, cap: int | None) -> None:
    plan = WarmUp(begins=date(2026, 3, 1), first=200, growth=1.5, until=15_000)
    assert plan.cap(date(2026, 3, 1) + timedelta(days=day)) == cap


@given(
    first=st.integers(1, 10**6),
    growth=st.floats(1.01, 10),
    until=st.integers(1, 10**9),
    day=st.integers(0, 500),
)
def test_a_plan_never_falls_and_ends(first: int, growth: float, until: int, day: int) -> None:
    plan = WarmUp(begins=date(2026, 3, 1), first=first, growth=growth, until=until)
    today, tomorrow = (plan.cap(date(2026, 3, 1) + timedelta(days=day + more)) for more in (0, 1))
    assert tomorrow is None or (today is not None and first <= today <= tomorrow < until)
    assert plan.cap(date(2035, 1, 1)) is None


def test_the_smaller_of_plan_and_day_counts() -> None:
    plan = WarmUp(begins=NOW.date(), first=100, growth=2, until=10_000)
    both = Limits(per_day=150, warm_up=plan)
    assert [both.cap(NOW.date() + timedelta(days=day)) for day in (0, 1, 30)] == [100, 150, 150]
