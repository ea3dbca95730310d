"""The sender with a provider whose answers are written down, on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import claims, ledger, tables
from newsletter.delivery.garbage import YOUNG
from newsletter.delivery.owners import resolve_dead_claims
from newsletter.delivery.patience import Patience
from newsletter.delivery.processes import is_dead, process_name
from newsletter.delivery.sender import Sending
from newsletter.errors import DatabaseError, ProviderBusy, ProviderUnavailable
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.states import Counts, IssueState
from newsletter.store import IssueRecord
from subscribers.models import AddressState
from subscribers.store import deliverable
from subscribers.suppressions import Suppressions
from tests.support.fake_provider import Answer, FakeProvider
from tests.support.issues import (
    LETTER,
    LINKS,
    NOW,
    SETTINGS,
    Clock,
    add_readers,
    address,
    people,
    plan_issue,
)


def sending(
    database: Database, issue: IssueRecord, provider: FakeProvider, clock: Clock | None = None
) -> Sending:
    return Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"),
        links=LINKS, clock=clock or Clock(),
    )  # fmt: skip


def counts(database: Database, issue: IssueRecord) -> Counts:
    with database.read() as connection:
        return ledger.counts(connection, issue.id)


def test_everybody_gets_one_copy_and_nobody_a_second(database: Database) -> None:
    add_readers(database, 30)
    issue, provider = plan_issue(database), FakeProvider(batch_size=7)
    sending(database, issue, provider).run()
    sending(database, issue, provider).run()
    assert Counter(number for number, _ in provider.delivered) == dict.fromkeys(range(1, 31), 1)
    assert counts(database, issue) == Counts(prepared=30, accepted=30)


def test_garbage_is_looked_for_as_before_once_a_send_is_over(database: Database) -> None:
    add_readers(database, 3)
    issue, before, within = plan_issue(database), gc.get_threshold(), []
    job = sending(database, issue, FakeProvider())
    job.on_receipt = lambda _recipient, _receipt: within.append(gc.get_threshold()[0])
    job.run()
    assert set(within) == {YOUNG}
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_answers_are_told_as_they_come(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    provider = FakeProvider(script={address(2): [Answer(outcome=Outcome.REJECTED, reply="550 unknown")]})
    told: list[tuple[str, str]] = []
    job = sending(database, issue, provider)
    job.on_receipt = lambda recipient, receipt: told.append((recipient.address, receipt.outcome.value))
    job.run()
    assert told == [(address(1), "accepted"), (address(2), "rejected"), (address(3), "accepted")]


def test_an_address_that_is_not_there_is_given_up_with_the_reply(database: Database) -> None:
    add_readers(database, 3)
    issue, words = plan_issue(database), "550 5.1.1 " + "nobody of that name " * 20
    gone = Answer(outcome=Outcome.REJECTED, reply=words, hard=True)
    provider = FakeProvider(script={address(2): [gone], address(3): [gone]})
    job = sending(database, issue, provider)

    def erase_the_third(_recipient: Recipient, _receipt: Receipt) -> None:
        with database.write() as connection:
            if people().find(connection, "3").email:
                Suppressions(SETTINGS).erase(connection, "3", actor="test", now=NOW)

    job.on_receipt = erase_the_third
    job.run()
    assert counts(database, issue) == Counts(prepared=3, accepted=1, rejected=2)
    with database.read() as connection:
        second, third = (people().show(connection, number) for number in ("2", "3"))
    assert (second.subscriber.state, third.subscriber.state) == (AddressState.BOUNCED, AddressState.ERASED)
    assert second.suppression is not None
    assert (second.suppression.reason, second.suppression.actor) == (words[:200], "fake")
    assert "nobody" not in [step.step.reason for step in third.history][-1]


@pytest.mark.parametrize(("readers", "known", "given_up"), [(1, 0, 1), (2, 0, 2), (9, 0, 0), (9, 1, 8)])
def test_nobody_is_given_up_by_a_server_that_knows_nobody(
    database: Database, readers: int, known: int, given_up: int
) -> None:
    add_readers(database, readers)
    issue = plan_issue(database)
    gone = [Answer(outcome=Outcome.REJECTED, reply="550 5.1.1 relay of nobody", hard=True)]
    provider = FakeProvider(script={address(number): gone for number in range(1, readers + 1 - known)})
    sending(database, issue, provider).run()
    with database.read() as connection:
        states = [people().find(connection, str(number + 1)).state for number in range(readers)]
    assert states.count(AddressState.BOUNCED) == given_up


def test_who_lost_a_delivery_to_another_process_gives_nobody_up(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    provider = FakeProvider(
        script={address(2): [Answer(outcome=Outcome.REJECTED, reply="550 5.1.1", hard=True)]}
    )
    job = sending(database, issue, provider)

    def take_over(_recipient: Recipient, _receipt: Receipt) -> None:
        with database.write() as connection:
            for claim in claims.open_claims(connection, issue.id):
                claims.take_over(connection, issue.id, claim.id, Exposure.NONE, OnUncertain.RESEND, NOW)
        job.limit = 0

    job.on_receipt = take_over
    job.run()
    with database.read() as connection:
        assert people().find(connection, "2").state is AddressState.ACTIVE


def test_a_temporary_refusal_is_tried_again_when_it_is_due(database: Database) -> None:
    add_readers(database, 3)
    issue, clock = plan_issue(database), Clock()
    provider = FakeProvider(script={address(2): [Answer(outcome=Outcome.RETRY, reply="451 later")]})
    sending(database, issue, provider, clock).run()
    assert counts(database, issue) == Counts(prepared=3, accepted=2, waiting=1)
    sending(database, issue, provider, clock).run()
    assert provider.tried == [1, 2, 3], "not before it is due"
    clock.forward(minutes=1, seconds=13)
    sending(database, issue, provider, clock).run()
    assert counts(database, issue) == Counts(prepared=3, accepted=3)


def test_a_provider_that_refuses_everybody_rejects_nobody(database: Database) -> None:
    add_readers(database, 4)
    issue = plan_issue(database)
    provider = FakeProvider(script={address(3): [ProviderUnavailable("quota")]})
    with pytest.raises(ProviderUnavailable, match="quota"):
        sending(database, issue, provider).run()
    assert counts(database, issue) == Counts(prepared=4, accepted=2, waiting=2)
    sending(database, issue, provider).run()
    assert Counter(number for number, _ in provider.delivered) == dict.fromkeys(range(1, 5), 1)


def test_a_connection_that_cannot_be_had_gives_everything_back(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    provider = FakeProvider(connect_errors=[ProviderUnavailable("refused")])
    with pytest.raises(ProviderUnavailable, match="refused"):
        sending(database, issue, provider).run()
    assert counts(database, issue) == Counts(prepared=2, waiting=2)
    sending(database, issue, provider).run()
    assert counts(database, issue) == Counts(prepared=2, accepted=2)


@pytest.mark.parametrize(("exposure", "timed"), [(Exposure.FIRST, 5), (Exposure.ALL, 0)])
def test_messages_are_timed_where_each_has_an_answer_of_its_own(
    database: Database, exposure: Exposure, timed: int
) -> None:
    add_readers(database, 5)
    sending(database, plan_issue(database), FakeProvider(exposure=exposure, batch_size=2)).run()
    with database.read() as connection:
        rows = connection.execute(tables.domain_time.select()).all()
    assert sum(row.messages for row in rows) == timed


def test_stopping_ends_after_the_message_in_flight(database: Database) -> None:
    add_readers(database, 5)
    issue, provider = plan_issue(database), FakeProvider()
    job = sending(database, issue, provider)
    job.on_receipt = lambda recipient, _receipt: job.stop.set() if recipient.subscriber_id == 2 else None
    job.run()
    assert provider.tried == [1, 2]
    assert counts(database, issue) == Counts(prepared=5, accepted=2, waiting=3)


def test_two_senders_share_an_issue(database: Database) -> None:
    add_readers(database, 60)
    issue, provider = plan_issue(database), FakeProvider(batch_size=3)
    jobs = [sending(database, issue, provider) for _ in range(2)]
    threads = [threading.Thread(target=job.run) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(number for number, _ in provider.delivered) == dict.fromkeys(range(1, 61), 1)
    assert counts(database, issue) == Counts(prepared=60, accepted=60)


def test_several_connections_share_an_issue(database: Database) -> None:
    add_readers(database, 40)
    issue, provider = plan_issue(database), FakeProvider(batch_size=3)
    job = sending(database, issue, provider)
    job.connections = 4
    job.run()
    assert Counter(number for number, _ in provider.delivered) == dict.fromkeys(range(1, 41), 1)


def test_a_fault_of_ours_leaves_the_one_in_flight_in_doubt(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    provider = FakeProvider(script={address(2): [ZeroDivisionError("a bug")]})  # type: ignore[list-item]

    def broken(recipient: object, _receipt: object) -> None:
        raise ZeroDivisionError(recipient)

    job = sending(database, issue, provider)
    job.on_receipt = broken
    with pytest.raises(ZeroDivisionError):
        job.run()
    assert counts(database, issue) == Counts(prepared=3, accepted=1, waiting=2)
    with database.read() as connection:
        assert connection.execute(tables.delivery_problem.select()).one().cause == "crash"


def dead_process() -> str:
    """Return the name of a process of this host that is gone."""
    done = subprocess.run(
        [sys.executable, "-c", "from newsletter.delivery.processes import process_name; print(process_name())"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_what_a_dead_process_of_this_host_held_is_taken_over_at_once(database: Database) -> None:
    add_readers(database, 3)
    issue, provider = plan_issue(database), FakeProvider()
    with database.write() as connection:
        claims.claim(
            connection, issue.id, deliverable("daily"), owner=dead_process(), provider="smtp",
            exposure=Exposure.FIRST, limit=10, after=0, now=NOW,
        )  # fmt: skip
    sending(database, issue, provider).run()
    assert counts(database, issue) == Counts(prepared=3, accepted=3)


def test_what_a_living_process_holds_is_left_alone(database: Database) -> None:
    add_readers(database, 3)
    issue, provider = plan_issue(database), FakeProvider()
    with database.write() as connection:
        claims.claim(
            connection, issue.id, deliverable("daily"), owner=process_name(), provider="smtp",
            exposure=Exposure.FIRST, limit=10, after=0, now=NOW,
        )  # fmt: skip
    assert resolve_dead_claims(database, issue, NOW + timedelta(hours=1)) == 0
    sending(database, issue, provider).run()
    assert provider.tried == []


@pytest.mark.parametrize("beats", [False, True])
def test_what_a_silent_process_elsewhere_held_goes_out_in_the_same_run(
    database: Database, beats: bool
) -> None:
    add_readers(database, 3)
    issue, provider, began = plan_issue(database), FakeProvider(), time.monotonic()
    with database.write() as connection:
        claim = claims.claim(
            connection, issue.id, deliverable("daily"), owner="the container before:1:1", provider="smtp",
            exposure=Exposure.FIRST, limit=2, after=0, now=NOW,
        )  # fmt: skip
    job = sending(database, issue, provider)
    job.wait = timedelta(minutes=1)
    job.clock = lambda: NOW + 20 * timedelta(seconds=time.monotonic() - began)

    assert claim is not None
    with beating(database, claim) if beats else nullcontext():
        job.run()
    expected = Counts(prepared=3, accepted=1, waiting=2) if beats else Counts(prepared=3, accepted=3)
    assert counts(database, issue) == expected


@contextmanager
def beating(database: Database, claim: claims.Claim) -> Iterator[None]:
    """Let the owner of a claim be alive meanwhile."""
    ended = threading.Event()

    def beat() -> None:
        for days in itertools.count(1):
            with database.write() as connection:
                claims.beat(connection, [claim.id], NOW + timedelta(days=days))
            if ended.wait(0.1):
                return

    thread = threading.Thread(target=beat)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_death_is_known_at_once_here_and_by_silence_elsewhere() -> None:
    assert not is_dead(process_name(), NOW, NOW + timedelta(days=1))
    assert is_dead(f"{process_name().rsplit(':', 2)[0]}:{os.getpid()}:1", NOW, NOW), (
        "the number was given to another process"
    )
    assert not is_dead("elsewhere:1:1", NOW, NOW + timedelta(seconds=15))
    assert is_dead("elsewhere:1:1", NOW, NOW + timedelta(seconds=16))


def test_what_is_left_of_a_killed_process_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    owner = f"{process_name().rsplit(':', 2)[0]}:{child.pid}:"
    started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    assert not is_dead(owner + started, NOW, NOW)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped yet
    assert is_dead(owner + started, NOW, NOW)
    child.wait()


def test_the_heartbeat_outlives_a_database_that_is_busy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[int] = []

    def beat(_connection: object, claims: set[int], _now: object) -> None:
        beats.append(len(claims))
        if len(beats) == 1:
            raise DatabaseError("database is locked")

    monkeypatch.setattr("newsletter.delivery.pages.HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr("newsletter.delivery.claims.beat", beat)
    add_readers(database, 2)
    job = sending(database, plan_issue(database), FakeProvider())
    job.on_receipt = lambda _recipient, _receipt: time.sleep(0.1)
    job.run()
    assert len(beats) > 2


def test_a_connection_too_many_is_no_fault(database: Database) -> None:
    add_readers(database, 30)
    issue = plan_issue(database)
    provider = FakeProvider(batch_size=3, connect_errors=[ProviderUnavailable("too many connections")])
    job = sending(database, issue, provider)
    job.connections = 2
    job.run()
    assert counts(database, issue) == Counts(prepared=30, accepted=30)


def test_what_a_thread_without_a_connection_gave_back_goes_out_too(database: Database) -> None:
    add_readers(database, 6)
    issue = plan_issue(database)

    class Late(FakeProvider):
        @contextmanager
        def connect(self) -> Iterator[Connection]:
            if threading.current_thread() is not threading.main_thread():
                while counts(database, issue).accepted < 3:  # the other thread has done all it can
                    time.sleep(0.01)
                raise ProviderUnavailable("too many connections")
            with super().connect() as connection:
                yield connection

    provider = Late(batch_size=3)
    job = sending(database, issue, provider)
    job.connections = 2
    job.run()
    assert counts(database, issue) == Counts(prepared=6, accepted=6)


def test_an_issue_that_is_not_being_sent_any_more_is_left_alone(database: Database) -> None:
    add_readers(database, 9)
    issue, provider = plan_issue(database), FakeProvider(batch_size=3)
    job = sending(database, issue, provider)

    def cancel(recipient: Recipient, _receipt: object) -> None:
        if recipient.subscriber_id == 2:
            with database.write() as connection:
                store.move_issue(connection, issue, IssueState.CANCELLED, NOW)

    job.on_receipt = cancel
    job.run()
    assert provider.tried == [1, 2, 3], "the page in hand is the last one"


def test_what_never_says_that_it_took_a_letter_gets_it_twice_at_most(database: Database) -> None:
    add_readers(database, 1)
    issue, clock = plan_issue(database), Clock()
    provider = FakeProvider(script={address(1): [Answer(outcome=Outcome.UNCERTAIN, taken=True)] * 9})
    for _ in range(5):
        sending(database, issue, provider, clock).run()
        clock.forward(hours=2)
    assert len(provider.delivered) == 2
    assert counts(database, issue) == Counts(prepared=1, uncertain=1)


def test_a_temporary_refusal_ends_as_a_refusal(database: Database) -> None:
    add_readers(database, 1)
    issue, clock = plan_issue(database), Clock()
    provider = FakeProvider(script={address(1): [Answer(outcome=Outcome.RETRY, reply="452 full")] * 99})
    for _ in range(50):
        sending(database, issue, provider, clock).run()
        clock.forward(minutes=20)
    assert 12 < len(provider.tried) < 20, "12 hours, an hour at most between two"
    assert counts(database, issue) == Counts(prepared=1, rejected=1)


def test_what_is_refused_for_a_moment_is_tried_again_in_the_same_run(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    provider = FakeProvider(script={address(2): [Answer(outcome=Outcome.RETRY, reply="451 later")] * 2})
    job = sending(database, issue, provider)
    job.clock = lambda: datetime.now(UTC)
    job.patience = Patience(first=timedelta(milliseconds=200))
    job.wait = timedelta(minutes=1)
    job.run()
    assert counts(database, issue) == Counts(prepared=3, accepted=3)
    assert provider.tried == [1, 2, 3, 2, 2]


def test_what_is_due_too_late_is_left_for_the_next_run(database: Database) -> None:
    add_readers(database, 1)
    issue = plan_issue(database)
    provider = FakeProvider(script={address(1): [Answer(outcome=Outcome.RETRY, reply="451 later")]})
    job = sending(database, issue, provider)
    job.wait = timedelta(seconds=59)
    job.run()
    assert counts(database, issue) == Counts(prepared=1, waiting=1)


@pytest.mark.parametrize(("asked", "minutes"), [(2, 0), (3, 0), (7, 2)])
def test_a_clock_that_is_set_back_does_not_make_a_run_wait(
    database: Database, asked: int, minutes: int
) -> None:
    add_readers(database, 2)
    provider = FakeProvider(script={address(1): [Answer(outcome=Outcome.RETRY, reply="451 later")]})
    job = sending(database, plan_issue(database), provider)
    times = itertools.chain([NOW] * asked, itertools.repeat(NOW - timedelta(days=1)))
    job.clock, job.wait = lambda: next(times), timedelta(minutes=minutes)
    late = threading.Timer(5, job.stop.set)
    late.start()
    job.run()
    late.cancel()
    assert not job.stop.is_set()
    assert provider.tried == [1, 2]


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.CANCELLED])
def test_another_process_halts_it_at_once(database: Database, state: IssueState) -> None:
    add_readers(database, 200)
    issue, provider = plan_issue(database), FakeProvider(batch_size=200)
    job = sending(database, issue, provider)
    began: list[float] = []

    def halt(recipient: Recipient, _receipt: object) -> None:
        if recipient.subscriber_id == 30:
            with database.write() as connection:
                store.move_issue(connection, issue, state, NOW)
            began.append(time.monotonic())
        time.sleep(0.02)

    job.on_receipt = halt
    job.run()
    assert time.monotonic() - began[0] < 2
    found = counts(database, issue)
    assert found.accepted < 150
    assert found.prepared == 200 == found.accepted + found.waiting + found.cancelled
    assert (found.cancelled > 0) == (state is IssueState.CANCELLED) == (found.waiting == 0)


def test_what_was_never_handed_over_is_no_attempt(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    provider = FakeProvider(
        connect_errors=[ProviderUnavailable("refused")] * 6,
        script={address(1): [Answer(outcome=Outcome.RETRY)]},
    )
    clock = Clock()
    for _ in range(6):
        with pytest.raises(ProviderUnavailable):
            sending(database, issue, provider, clock).run()
    sending(database, issue, provider, clock).run()
    clock.forward(minutes=1, seconds=13)
    sending(database, issue, provider, clock).run()
    assert counts(database, issue) == Counts(prepared=2, accepted=2), "the first pause is a minute"


def test_pauses_between_which_something_is_taken_may_last_longer_than_the_wait(database: Database) -> None:
    add_readers(database, 5)
    issue = plan_issue(database)
    busy = [ProviderBusy("too fast", seconds=0.15)]
    provider = FakeProvider(script={address(number): busy for number in range(2, 6)})
    job = sending(database, issue, provider)
    job.clock, job.wait = lambda: datetime.now(UTC), timedelta(milliseconds=400)
    job.run()
    assert counts(database, issue) == Counts(prepared=5, accepted=5)
