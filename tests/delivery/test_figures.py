"""Figures of the ledger on both databases, and how replies and times are put together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.database import Database
from newsletter.delivery import claims, figures, timing
from newsletter.delivery.domains import OfDomain
from newsletter.delivery.figures import MOST_INTERVALS, Interval, RefusingDomain, Reply, SlowDomain
from newsletter.delivery.outcomes import Outcomes, Reach
from newsletter.delivery.receipts import settle
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import Counts
from subscribers.store import deliverable, mailboxes
from tests.support.issues import NOW, add_readers, address, plan_issue

HALF = NOW + timedelta(seconds=30)


def hand_over(
    database: Database, issue: int, *outcomes: Outcome, after: int = 0, at: timedelta = timedelta()
) -> None:
    """Claim as many rows as there are outcomes behind one, and settle them half a minute later."""
    with database.write() as connection:
        held = claims.claim(
            connection, issue, deliverable("daily"), owner="o", provider="p", exposure=Exposure.FIRST, after=after,
            limit=len(outcomes), now=NOW + at,
        )  # fmt: skip
        assert held is not None
        for row, outcome in zip(held.rows, outcomes, strict=True):
            receipt = Receipt(subscriber_id=row.subscriber_id, outcome=outcome, reply=f"550 <{row.email}> no")
            settle(connection, held, row, receipt, HALF + at, on_uncertain=OnUncertain.HOLD)


def test_what_is_counted_is_the_same_on_both_databases(database: Database) -> None:
    add_readers(database, 6)
    record = plan_issue(database)
    issue = record.id
    hand_over(database, issue, Outcome.ACCEPTED, Outcome.REJECTED)
    hand_over(database, issue, Outcome.ACCEPTED, Outcome.RETRY, after=2, at=timedelta(minutes=2))
    with database.write() as connection:
        for seconds, slowest in [(2.0, 1.5), (4.0, 2.5)]:
            times = {"example.org": timing.Taken(messages=2, seconds=seconds, slowest=slowest)}
            timing.add(
                connection,
                issue,
                times | {"quick.example": timing.Taken(messages=1, seconds=0.1, slowest=0.1)},
            )
    with database.read() as connection:
        found = figures.figures(connection, record, mailboxes())
    everybody = Counts(prepared=6, accepted=2, rejected=1, waiting=3)
    silent = Outcomes(no_word=2, unsubscribed=0)
    assert found.reach == Reach(counts=everybody, outcomes=silent, events={})
    assert found.domains == (OfDomain(domain="example.org", counts=everybody, outcomes=silent),)
    assert found.intervals == tuple(
        Interval(start=NOW + timedelta(minutes=n), minutes=1, accepted=one, not_accepted=one) for n, one in enumerate([1, 0, 1])
    )  # fmt: skip
    assert found.slowest == (
        SlowDomain(domain="example.org", messages=4, mean=1.5, slowest=2.5),
        SlowDomain(domain="quick.example", messages=2, mean=0.1, slowest=0.1),
    )
    assert found.refusing == (RefusingDomain(domain="example.org", rejected=1, retry=1),)
    assert found.replies == (
        Reply(cause="rejected", reply="550 <(address)> no", count=1),
        Reply(cause="retry", reply="550 <(address)> no", count=1),
    )


def test_a_long_send_is_told_in_few_intervals(database: Database) -> None:
    spans = {11: 1, 12: 2, 60: 10, 300: 30, 2_000: 180, 60 * 24 * 40: 4 * 1440}
    add_readers(database, len(spans) + 1)
    issue = plan_issue(database).id
    hand_over(database, issue, Outcome.ACCEPTED)
    for done, (span, minutes) in enumerate(spans.items(), 1):
        hand_over(database, issue, Outcome.ACCEPTED, after=done, at=timedelta(minutes=span))
        with database.read() as connection:
            found = figures.over_time(connection, issue)
        assert {each.minutes for each in found} == {minutes}
        assert 2 <= len(found) <= MOST_INTERVALS
        assert sum(each.accepted for each in found) == done + 1
        assert found[0].start <= NOW < found[0].start + timedelta(minutes=minutes)
        assert found[-1].start <= NOW + timedelta(minutes=span) < found[-1].start + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("550 5.1.1 <ada@example.org>: unknown user", "550 5.1.1 <(address)>: unknown user"),
        ("452-4.2.2 mailbox of ada%40example.org is full", "452-4.2.2 mailbox of (address) is full"),
        ("421 try 192.0.2.7 later", "421 try # later"),
        ("550 one two three four five six seven eight nine", "550 one two three four five six seven eight …"),
        ("the connection was lost: timed out", "the connection was lost: timed out"),
        ("mailto:ada@example.org, b@example.org", "mailto:(address), (address)"),
        ("", ""),
    ],
)
def test_replies_are_of_a_kind_by_code_and_first_words(reply: str, kind: str) -> None:
    assert figures.kind_of(reply) == kind


def test_the_time_of_a_message_is_what_the_provider_took_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 10.0, 12.0, 20.0])
    monkeypatch.setattr(timing, "monotonic", lambda: next(clock))
    watch = timing.Stopwatch()
    people = [
        Recipient(subscriber_id=n, address=address(n).upper(), name="", delivery_id="d", message_id="<m>") for n in (1, 2)
    ]  # fmt: skip
    receipts = [Receipt(subscriber_id=n, outcome=Outcome.ACCEPTED) for n in (1, 2)]
    assert [seconds for _, seconds in watch.timed(people, receipts)] == [1.0, 2.0]
    assert watch.take() == {"example.org": timing.Taken(messages=2, seconds=3.0, slowest=2.0)}
    assert watch.take() == {}
