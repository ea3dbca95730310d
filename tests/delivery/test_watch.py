"""Bounces and complaints that become known while an issue is sent stop it; a few do not, nor those that somebody saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.database import Database
from newsletter.delivery import halt, ledger, watch
from newsletter.delivery.sender import Sending
from newsletter.errors import BreakerTripped
from newsletter.models.deliveries import EventKind, Receipt, Recipient
from newsletter.protocols import Exposure
from newsletter.states import Counts
from newsletter.store import IssueRecord
from subscribers.store import deliverable
from tests.cli.command import Command, entry, papers_file, run, smtp_settings
from tests.servers.smtp import At, Fault, SmtpSink
from tests.support.fake_provider import FakeProvider
from tests.support.issues import LETTER, LINKS, Clock, add_event, add_readers, plan_issue

HARD, SOFT, COMPLAINT = EventKind.HARD, EventKind.SOFT, EventKind.COMPLAINT


@pytest.fixture(autouse=True)
def at_every_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at every message instead of every few seconds, and tell of fewer."""
    monkeypatch.setattr(halt, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(watch, "LEAST_ACCEPTED", 20)


def send(
    database: Database, issue: IssueRecord, happens: Callable[[int], None], provider: FakeProvider | None = None
) -> None:  # fmt: skip
    """Send over a provider that takes all; ``happens`` is called with how many it took."""
    provider = provider or FakeProvider()

    def count(_recipient: Recipient, _receipt: Receipt) -> None:
        happens(len(provider.delivered))

    Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"), links=LINKS,
        clock=Clock(), on_receipt=count,
    ).run()  # fmt: skip


def counts(database: Database, issue: IssueRecord) -> Counts:
    with database.read() as connection:
        return ledger.counts(connection, issue.id)


@pytest.mark.parametrize(
    ("readers", "kind", "events", "at", "stopped"),
    [
        (50, HARD, 3, 40, 40),
        (50, HARD, 2, 40, None),
        (50, HARD, 2, 39, 39),
        (50, HARD, 2, 1, 1),
        (50, HARD, 1, 1, None),
        (50, HARD, 3, 50, None),
        (50, SOFT, 40, 40, None),
        (30, COMPLAINT, 5, 20, 20),
        (30, COMPLAINT, 4, 20, None),
        (30, COMPLAINT, 5, 30, None),
    ],
)
def test_what_becomes_known_meanwhile_stops_a_send(
    database: Database, readers: int, kind: EventKind, events: int, at: int, stopped: int | None
) -> None:
    add_readers(database, readers)
    issue = plan_issue(database)

    def happens(number: int) -> None:
        if number == at:
            for subscriber in range(1, events + 1):
                add_event(database, issue.id, subscriber, kind, times=2)

    if stopped is None:
        send(database, issue, happens)
    else:
        with pytest.raises(BreakerTripped, match=rf"^{events} of {stopped} accepted letters "):
            send(database, issue, happens)
    accepted = stopped or readers
    assert counts(database, issue) == Counts(prepared=readers, accepted=accepted, waiting=readers - accepted)


def test_between_two_requests_for_many_it_is_looked_too(database: Database) -> None:
    add_readers(database, 30)
    issue = plan_issue(database)

    def happens(_number: int) -> None:
        if counts(database, issue).accepted == 10:
            for subscriber in range(1, 6):
                add_event(database, issue.id, subscriber, COMPLAINT)

    many = FakeProvider(batch_size=10, exposure=Exposure.ALL)
    with pytest.raises(BreakerTripped, match="of 10 accepted letters were complained about"):
        send(database, issue, happens, many)
    assert counts(database, issue) == Counts(prepared=30, accepted=10, waiting=20)


def test_events_of_another_issue_and_those_of_no_letter_do_not_count(database: Database) -> None:
    add_readers(database, 20)
    issue = plan_issue(database)
    for subscriber in range(1, 10):
        add_event(database, issue.id + 1, subscriber, COMPLAINT)
    send(database, issue, lambda _number: None)
    assert counts(database, issue).accepted == 20


def test_a_stopped_issue_goes_on_once_somebody_resumes_it_and_the_next_one_is_warned(
    people: Command,
) -> None:
    more = [f"r{number}@example.org" for number in range(9)]
    (people.folder / "people.csv").write_text("email\n" + "\n".join(more))
    people("subscribers", "import", "people.csv", "--consent", "at a workshop").ok()
    days = [
        papers_file(people.folder / f"{day}.json", [entry(f"2601.0000{number}", day=day)])
        for number, day in enumerate(("2026-01-05", "2026-01-06"))
    ]
    with SmtpSink() as sink:
        env = smtp_settings(sink)
        run(people, "--from", days[0], "--day", "2026-01-05", env=env | {"NEWSLETTER_DELIVERY__PER_DAY": "8"})
        complain(people.folder, 5)
        patient = env | {
            "NEWSLETTER_DELIVERY__BREAKER__COMPLAINED": "0.7",
            "NEWSLETTER_DELIVERY__PER_DAY": "10",
        }
        assert "used up" in people("send", "2026-01-05", env=patient).ok().out
        stopped = people("send", "2026-01-05", env=env)
        assert stopped.code == 1
        assert "paused: stopped: 5 of 10 accepted letters were complained about (50.00%)" in stopped.err
        assert "`newsletter issues resume 2026-01-05/daily` goes on" in stopped.err
        assert "nothing was sent" in people("send", "2026-01-05", env=env).out
        people("issues", "resume", "2026-01-05", env=env).ok()
        assert "12 of 12 accepted" in people("send", "2026-01-05", env=env).ok().out
        assert len(sink.messages) == 12

        second = people("run", "--from", days[1], "--day", "2026-01-06", env=env).ok().out
    warning = "warning   of the last issue, 2026-01-05/daily, 5 of 12 accepted letters were complained about (41.67%)"
    assert warning in second
    assert "12 of 12 accepted" in second


def complain(folder: Path, number: int) -> None:
    database = Database(f"sqlite:///{folder / 'newsletter.db'}")
    for subscriber in range(1, number + 1):
        add_event(database, 1, subscriber, COMPLAINT)
    database.close()


def test_deliveries_that_are_tried_again_by_hand_are_not_stopped_by_what_was_seen(people: Command) -> None:
    papers = papers_file(people.folder / "day.json", [entry("2601.00001")])
    refused = Fault(at=At.RCPT, reply="550 5.7.1 not now", recipient="ada@example.org")
    with SmtpSink(faults=[refused]) as sink:
        env = smtp_settings(sink)
        run(people, "--from", papers, "--day", "2026-01-05", env=env)
        complain(people.folder, 5)
        people("deliveries", "retry", "2026-01-05", "--state", "rejected", env=env).ok()
        assert "3 of 3 accepted" in people("send", "2026-01-05", env=env).ok().out
