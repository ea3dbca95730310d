"""A send in which too much is refused or fails stops; single refusals never stop it."""

from __future__ import annotations

import pytest

from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.breaker import Breaker, Threshold
from newsletter.delivery.sender import Sending
from newsletter.errors import BreakerTripped
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.states import Counts
from subscribers.store import deliverable
from tests.support.fake_provider import Answer, FakeProvider
from tests.support.issues import LETTER, LINKS, Clock, add_readers, address, plan_issue


def receipt(outcome: Outcome) -> Receipt:
    return Receipt(subscriber_id=1, outcome=outcome, reply="550 5.7.1 no")


def until_tripped(breaker: Breaker, outcomes: list[Outcome]) -> int | None:
    for number, outcome in enumerate(outcomes, 1):
        try:
            breaker.count(receipt(outcome))
        except BreakerTripped:
            return number
    return None


REFUSED, ACCEPTED, LATER, UNSURE = Outcome.REJECTED, Outcome.ACCEPTED, Outcome.RETRY, Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("outcomes", "tripped"),
    [
        ([REFUSED] * 49, None),
        ([REFUSED] * 50, 50),
        ([ACCEPTED] * 200 + [REFUSED] * 40, None),
        ([ACCEPTED] * 200 + [REFUSED] * 41, 241),
        ([*[ACCEPTED] * 4, REFUSED] * 200, None),
        ([LATER, UNSURE] * 25, 50),
        ([ACCEPTED, LATER] * 200, None),
        ([ACCEPTED] * 1_000 + [UNSURE] * 101, 1_101),
    ],
)
def test_the_share_of_the_last_answers_decides(outcomes: list[Outcome], tripped: int | None) -> None:
    assert until_tripped(Breaker(), outcomes) == tripped


def test_a_share_of_all_is_never_passed() -> None:
    assert until_tripped(Breaker(Threshold(rejected=1, failed=1)), [REFUSED] * 500 + [LATER] * 500) is None


def test_a_send_that_is_refused_stops_and_writes_to_nobody_more(database: Database) -> None:
    add_readers(database, 120)
    issue = plan_issue(database)
    refused = [Answer(outcome=REFUSED, reply="550 5.7.1 blocked")]
    provider = FakeProvider(script={address(number): refused for number in range(1, 121)})
    job = Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"),
        links=LINKS, clock=Clock(),
    )  # fmt: skip
    with pytest.raises(BreakerTripped, match=r"50 of the last 50 were refused .550 5.7.1 blocked"):
        job.run()
    with database.read() as connection:
        assert ledger.counts(connection, issue.id) == Counts(prepared=120, rejected=50, waiting=70)
