"""What the log is told where another process takes a claim away from a sender that lives."""

from __future__ import annotations

import io
import json

from newsletter.database import Database
from newsletter.delivery import claims
from newsletter.delivery.sender import Sending
from newsletter.logs import logged
from newsletter.models.deliveries import Receipt, Recipient
from newsletter.protocols import Exposure, OnUncertain
from subscribers.store import deliverable
from tests.support.fake_provider import FakeProvider
from tests.support.issues import LETTER, LINKS, NOW, Clock, add_readers, plan_issue


def test_an_answer_that_came_too_late_is_told(database: Database) -> None:
    add_readers(database, 3)
    issue, provider = plan_issue(database), FakeProvider()

    def take_away(recipient: Recipient, _receipt: Receipt) -> None:
        if recipient.subscriber_id == 1:
            with database.write() as connection:
                for claim in claims.open_claims(connection, issue.id):
                    claims.take_over(connection, issue.id, claim.id, Exposure.NONE, OnUncertain.RESEND, NOW)

    job = Sending(
        database=database, provider=provider, issue=issue, letter=LETTER, audience=deliverable("daily"), links=LINKS,
        clock=Clock(), on_receipt=take_away,
    )  # fmt: skip
    stream, complaints = io.StringIO(), list[str]()
    with logged("debug", form="json", file=None, addresses=False, stream=stream, warn=complaints.append):
        job.run()
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    first, second = [row["claim"] for row in rows if row["event"] == "claim taken"]
    receipts = [
        (row["event"], row["level"], row["claim"], row["subscriber"], row["attempt"])
        for row in rows
        if "receipt" in row["event"]
    ]
    assert receipts == [
        ("receipt", "debug", first, 1, 1), ("receipt of a lost claim", "warning", first, 2, 1),
        ("receipt", "debug", second, 2, 1), ("receipt", "debug", second, 3, 1),
    ]  # fmt: skip
    assert complaints == []
