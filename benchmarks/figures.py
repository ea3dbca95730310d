"""What an operator asks for: the figures of an issue, and the metrics, with 100,000 deliveries against 10,000.

The bound is a little above ten: all of it grows with the issue, nothing faster. ``FIGURES_ROWS`` makes it larger.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from benchmarks.clock import medians
from newsletter import store
from newsletter.database import Database
from newsletter.delivery.figures import figures
from newsletter.delivery.gauges import gauges
from newsletter.delivery.tables import claim_table, delivery, delivery_problem, event_table
from newsletter.models.deliveries import EventKind
from newsletter.models.papers import DayKind
from newsletter.states import DeliveryOutcome, DeliveryState, IssueState
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.schema import edition, history, subscriber, subscription
from subscribers.statistics import standings
from subscribers.store import mailboxes

ROWS = int(os.environ.get("FIGURES_ROWS", "100000"))
BOUND = 14.0
_LARGE = ("gmail.com", "naver.com", "outlook.com", "yahoo.com")
_NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
_PAGE = 10_000
_CLAIM = 80  # deliveries in one


def measure(runs: int = 3) -> list[str]:
    """Return the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        many, few = (_filled(Path(folder) / f"{rows}.db", rows) for rows in (ROWS, ROWS // 10))
        lines = [
            _line(
                "figures",
                lambda connection: figures(connection, store.issue_by_id(connection, 1), mailboxes()),
                many,
                few,
                runs,
            ),
            _line("metrics", lambda connection: (gauges(connection), standings(connection)), many, few, runs),
        ]
        many.close()
        few.close()
    return lines


def _figures(connection: Connection) -> object:
    return figures(connection, store.issue_by_id(connection, 1), mailboxes())


def _line(name: str, work: Callable[[Connection], object], many: Database, few: Database, runs: int) -> str:
    def done(database: Database) -> Callable[[], None]:
        def run() -> None:
            with database.read() as connection:
                work(connection)

        return run

    long, short = medians(done(many), done(few), runs=runs)
    times = f"{long:.2f} s for {ROWS:,} deliveries against {short:.2f} s; at most {BOUND}"
    return f"{name:<11} {long / short:5.2f} x with ten times as many ({times})"


def _filled(path: Path, rows: int) -> Database:
    """Return a database with one issue: half to large domains, half to 1,000 small ones, one in fifty refused.

    Three in four are delivered, one in a hundred bounced, one in three was opened, and one in a thousand left.
    """
    database = Database(path)
    database.ensure_schema()
    with database.write() as connection:
        connection.execute(insert(edition), {"number": 1, "name": "daily"})
        record = store.create_issue(
            connection, edition="daily", day=date(2026, 1, 5), kind=DayKind.COMPLETE, document={"entries": []}, now=_NOW
        )  # fmt: skip
        assert record.id == 1
        store.move_issue(connection, record, IssueState.SENDING, _NOW)
        connection.execute(insert(claim_table), _claims(rows))
        for start in range(1, rows + 1, _PAGE):
            _page(connection, range(start, min(start + _PAGE, rows + 1)))
    return database


def _page(connection: Connection, numbers: range) -> None:
    people, own, handed, problems, events, steps = [], [], [], [], [], []
    for number in numbers:
        domain = _LARGE[number % len(_LARGE)] if number % 2 else f"d{number % 1_000}.example"
        email, claim, refused = f"r{number}@{domain}", 1 + number // _CLAIM, number % 50 == 0
        people.append(
            {
                "id": number, "key": secrets.token_bytes(16), "email": email, "address_key": email,
                "address_hash": secrets.token_bytes(32), "name": "", "state": AddressState.ACTIVE, "created_at": _NOW,
            }
        )  # fmt: skip
        own.append(
            {
                "subscriber_id": number, "edition_number": 1, "state": SubscriptionState.ACTIVE, "created_at": _NOW,
                "changed_at": _NOW,
            }
        )  # fmt: skip
        state = DeliveryState.REJECTED if refused else DeliveryState.ACCEPTED
        outcome = DeliveryOutcome.UNKNOWN if number % 4 == 0 else DeliveryOutcome.DELIVERED
        if number % 100 == 1:
            outcome = DeliveryOutcome.BOUNCED
            events.append(_event(number, EventKind.HARD))
        if number % 3 == 0:
            events.append(_event(number, EventKind.OPENED))
        steps.append(_step(number, None, SubscriptionState.ACTIVE, _NOW - timedelta(days=1)))
        if number % 1_000 == 0:
            steps.append(_step(number, SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED, _NOW))
        handed.append(
            {
                "issue_id": 1, "subscriber_id": number, "variant": 0, "state": int(state), "attempt": 1,
                "claim_id": claim, "outcome": int(outcome),
            }
        )  # fmt: skip
        if refused:
            reply = f"550 5.1.1 <{email}>: Recipient address rejected"
            problems.append(
                {
                    "issue_id": 1,
                    "subscriber_id": number,
                    "attempt": 1,
                    "at": _NOW,
                    "cause": "rejected",
                    "reply": reply,
                }
            )
    for table, values in (
        (subscriber, people), (subscription, own), (delivery, handed), (delivery_problem, problems),
        (event_table, events), (history, steps),
    ):  # fmt: skip
        connection.execute(insert(table), values)


def _event(number: int, kind: EventKind) -> dict[str, object]:
    return {
        "provider": "b", "event_id": f"{kind.value} {number}", "kind": kind.value, "issue_id": 1,
        "subscriber_id": number, "at": _NOW, "received_at": _NOW, "payload": b"",
    }  # fmt: skip


def _step(
    number: int, was: SubscriptionState | None, state: SubscriptionState, at: datetime
) -> dict[str, object]:
    return {
        "subscriber_id": number, "subscription_id": number, "at": at, "from_state": was, "to_state": state,
        "actor": "b", "through": Through.CLI, "reason": "",
    }  # fmt: skip


def _claims(rows: int) -> list[dict[str, object]]:
    one = {"issue_id": 1, "owner": "b", "provider": "smtp", "exposure": "first"}
    times = ((number, _NOW + timedelta(seconds=number)) for number in range(1, 2 + rows // _CLAIM))
    return [{**one, "id": number, "claimed_at": at, "heartbeat": at, "closed_at": at} for number, at in times]


if __name__ == "__main__":
    print("\n".join(measure()))
