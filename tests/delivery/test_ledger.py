"""The ledger's contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import claims, ledger, receipts, tables
from newsletter.delivery.patience import Patience
from newsletter.errors import DatabaseError, IssueError
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.models.papers import DayKind
from newsletter.protocols import Exposure, OnUncertain
from newsletter.states import Counts, DeliveryState, IssueState
from newsletter.store.tables import issue as issue_table
from subscribers.store import deliverable
from tests.support.issues import DAY, LETTER, NOW, add_readers, address, people, plan_issue


def take(
    database: Database, issue_id: int, *, limit: int = 10, after: int = 0, owner: str = "host:1:1",
    exposure: Exposure = Exposure.FIRST, later: timedelta = timedelta(),
) -> claims.Claim | None:  # fmt: skip
    with database.write(durable=True) as connection:
        return claims.claim(
            connection, issue_id, deliverable("daily"), owner=owner, provider="smtp", exposure=exposure, limit=limit,
            after=after, now=NOW + later,
        )  # fmt: skip


def settle(
    database: Database,
    claim: claims.Claim,
    index: int,
    outcome: Outcome,
    *,
    on_uncertain: OnUncertain = OnUncertain.RESEND,
) -> bool:
    row = claim.rows[index]
    receipt = Receipt(subscriber_id=row.subscriber_id, outcome=outcome, reply=f"a reply to {row.email}")
    with database.write() as connection:
        return receipts.settle(connection, claim, row, receipt, NOW, on_uncertain=on_uncertain)


def counts(database: Database, issue_id: int) -> Counts:
    with database.read() as connection:
        return ledger.counts(connection, issue_id)


def taken(claim: claims.Claim | None) -> claims.Claim:
    assert claim is not None
    return claim


def test_planning_makes_a_row_for_everybody_and_freezes_the_letter(database: Database) -> None:
    add_readers(database, 5)
    issue = plan_issue(database)
    assert counts(database, issue.id) == Counts(prepared=5, waiting=5)
    with database.read() as connection:
        assert ledger.load_letter(connection, issue.id) == LETTER


def test_one_issue_for_an_edition_and_day(database: Database) -> None:
    add_readers(database, 1)
    plan_issue(database)
    with pytest.raises(IssueError, match="exists already"):
        plan_issue(database)
    with pytest.raises(DatabaseError), database.write() as connection:  # and the database holds it too
        connection.execute(
            issue_table.insert().values(
                edition="daily",
                day=DAY,
                number=7,
                state="draft",
                kind="complete",
                document=b"{}",
                created_at=NOW,
            )
        )


def test_who_signs_up_after_planning_gets_the_next_issue(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    add_readers(database, 4)
    assert len(taken(take(database, issue.id)).rows) == 2


def test_claims_are_disjoint_and_in_order(database: Database) -> None:
    add_readers(database, 5)
    issue = plan_issue(database)
    first = taken(take(database, issue.id, limit=2))
    second = taken(take(database, issue.id, limit=2, after=first.last))
    third = taken(take(database, issue.id, limit=2))
    emails = [row.email for claim in (first, second, third) for row in claim.rows]
    assert emails == [address(number) for number in range(1, 6)]
    assert take(database, issue.id) is None
    assert [row.attempt for row in first.rows] == [1, 1]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.ACCEPTED, Counts(prepared=2, accepted=1, waiting=1)),
        (Outcome.REJECTED, Counts(prepared=2, rejected=1, waiting=1)),
        (Outcome.RETRY, Counts(prepared=2, waiting=2)),
    ],
)
def test_an_answer_is_settled_and_the_counts_add_up(
    database: Database, outcome: Outcome, expected: Counts
) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    claim = taken(take(database, issue.id))
    assert settle(database, claim, 0, outcome)
    assert counts(database, issue.id) == expected


def test_an_uncertain_one_is_sent_again_or_held(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    claim = taken(take(database, issue.id))
    settle(database, claim, 0, Outcome.UNCERTAIN, on_uncertain=OnUncertain.RESEND)
    settle(database, claim, 1, Outcome.UNCERTAIN, on_uncertain=OnUncertain.HOLD)
    assert counts(database, issue.id) == Counts(prepared=2, waiting=1, uncertain=1)


def test_problems_are_kept_for_those_they_happened_to(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    claim = taken(take(database, issue.id))
    settle(database, claim, 0, Outcome.ACCEPTED)
    settle(database, claim, 1, Outcome.REJECTED)
    settle(database, claim, 2, Outcome.RETRY)
    problem = tables.delivery_problem.c
    with database.read() as connection:
        rows = connection.execute(
            select(problem.cause, problem.reply, problem.not_before).order_by(problem.subscriber_id)
        ).all()
    assert [row[:2] for row in rows] == [
        ("rejected", f"a reply to {address(2)}"),
        ("retry", f"a reply to {address(3)}"),
    ]
    assert rows[0].not_before is None
    assert timedelta(minutes=1) <= rows[1].not_before - NOW < timedelta(minutes=1, seconds=13)


def test_a_first_pause_that_is_longer_than_the_longest_stays_what_it_is() -> None:
    two_hours = Patience(first=timedelta(hours=2))
    assert [two_hours.pause(attempt) >= timedelta(hours=2) for attempt in (1, 9)] == [True, True]


def test_a_retry_waits_longer_each_time(database: Database) -> None:
    add_readers(database, 1)
    issue = plan_issue(database)
    later = timedelta()
    for attempt, minutes in enumerate((1, 2, 4), 1):
        claim = taken(take(database, issue.id, later=later))
        assert claim.rows[0].attempt == attempt
        settle(database, claim, 0, Outcome.RETRY)
        assert take(database, issue.id, later=timedelta(minutes=minutes, seconds=-1)) is None
        later = timedelta(minutes=minutes) * 1.2
    longest = [Patience().pause(40, row) for row in range(100)]
    assert timedelta(hours=1) <= min(longest) < max(longest) < timedelta(hours=1.2)


def test_who_left_after_planning_is_not_written_to(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    with database.write() as connection:
        people().remove(connection, address(2), actor="test", now=NOW)
    claim = taken(take(database, issue.id))
    assert [row.email for row in claim.rows] == [address(1), address(3)]
    assert counts(database, issue.id) == Counts(prepared=3, suppressed=1, waiting=2)


def test_a_page_of_people_who_all_left_is_an_empty_closed_claim(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    with database.write() as connection:
        people().remove(connection, address(1), actor="test", now=NOW)
    claim = taken(take(database, issue.id, limit=1))
    assert claim.rows == ()
    with database.read() as connection:
        assert claims.open_claims(connection, issue.id) == []


def test_closing_a_claim_gives_back_what_was_not_handed_over(database: Database) -> None:
    add_readers(database, 3)
    issue = plan_issue(database)
    claim = taken(take(database, issue.id))
    settle(database, claim, 0, Outcome.ACCEPTED)
    with database.write() as connection:
        claims.take_over(connection, issue.id, claim.id, Exposure.NONE, OnUncertain.RESEND, NOW)
    again = taken(take(database, issue.id))
    assert [row.email for row in again.rows] == [address(2), address(3)]


@pytest.mark.parametrize(
    ("exposure", "on_uncertain", "doubtful", "expected"),
    [
        (Exposure.NONE, OnUncertain.HOLD, 0, Counts(prepared=4, accepted=1, waiting=3)),
        (Exposure.FIRST, OnUncertain.RESEND, 1, Counts(prepared=4, accepted=1, waiting=3)),
        (Exposure.FIRST, OnUncertain.HOLD, 1, Counts(prepared=4, accepted=1, waiting=2, uncertain=1)),
        (Exposure.ALL, OnUncertain.RESEND, 3, Counts(prepared=4, accepted=1, waiting=3)),
        (Exposure.ALL, OnUncertain.HOLD, 3, Counts(prepared=4, accepted=1, uncertain=3)),
    ],
)
def test_the_claim_of_a_dead_owner_is_resolved_by_what_may_have_been_written(
    database: Database, exposure: Exposure, on_uncertain: OnUncertain, doubtful: int, expected: Counts
) -> None:
    add_readers(database, 4)
    issue = plan_issue(database)
    claim = taken(take(database, issue.id, exposure=exposure))
    settle(database, claim, 0, Outcome.ACCEPTED)
    with database.write() as connection:
        assert claims.take_over(connection, issue.id, claim.id, exposure, on_uncertain, NOW) == doubtful
    assert counts(database, issue.id) == expected
    with database.read() as connection:
        problems = connection.execute(select(tables.delivery_problem.c.cause)).scalars().all()
    assert problems == ["crash"] * doubtful


def test_a_process_that_was_taken_for_dead_cannot_settle(database: Database) -> None:
    add_readers(database, 2)
    issue = plan_issue(database)
    slow = taken(take(database, issue.id))
    with database.write() as connection:
        claims.take_over(connection, issue.id, slow.id, Exposure.NONE, OnUncertain.RESEND, NOW)
    other = taken(take(database, issue.id, owner="host:2:2"))
    assert other.id != slow.id
    assert not settle(database, slow, 0, Outcome.REJECTED)
    assert settle(database, other, 0, Outcome.ACCEPTED)
    assert not settle(database, other, 0, Outcome.REJECTED), "an answer is settled once"
    assert counts(database, issue.id) == Counts(prepared=2, accepted=1, waiting=1)


def test_an_issue_without_a_letter_is_said(database: Database) -> None:
    with pytest.raises(IssueError, match="has no letter"), database.read() as connection:
        ledger.load_letter(connection, 99)


def test_an_issue_moves_only_as_its_life_allows(database: Database) -> None:
    add_readers(database, 1)
    issue = plan_issue(database)
    with database.write() as connection:
        with pytest.raises(IssueError, match="is sending and cannot become draft"):
            store.move_issue(connection, issue, IssueState.DRAFT, NOW)
        store.move_issue(connection, issue, IssueState.PAUSED, NOW, "the provider refused")
        with pytest.raises(IssueError, match="changed by another process"):
            store.move_issue(connection, issue, IssueState.FINISHED, NOW)
    with database.read() as connection:
        found = store.find_issue(connection, "daily", DAY)
    assert found is not None
    assert (found.state, found.reason, found.kind) == (
        IssueState.PAUSED,
        "the provider refused",
        DayKind.COMPLETE,
    )


def test_every_state_of_a_delivery_is_counted_once() -> None:
    assert {state.name.lower() for state in DeliveryState} - {"pending", "claimed"} <= set(Counts.__slots__)
