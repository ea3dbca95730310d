"""What became of the newest letters to one subscriber."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, select

from newsletter.delivery.tables import delivery, delivery_problem
from newsletter.states import DeliveryOutcome, DeliveryState
from newsletter.store.tables import issue


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentDelivery:
    """A delivery with its last problem, if it had any (``cause`` empty: none)."""

    day: date
    edition: str
    state: DeliveryState
    attempt: int
    outcome: DeliveryOutcome
    cause: str = ""
    reply: str = ""
    at: datetime | None = None

    @property
    def issue(self) -> str:
        """The issue in commands and messages: DAY/EDITION."""
        return f"{self.day.isoformat()}/{self.edition}"


def recent_deliveries(connection: Connection, subscriber_id: int, limit: int = 10) -> list[RecentDelivery]:
    """Return a subscriber's newest deliveries, the newest first.

    It goes through the issues backwards, because the ledger's key begins with the issue: no index by subscriber is
    worth a row for every letter that was ever sent.
    """
    last = (
        select(func.max(delivery_problem.c.attempt))
        .where(
            delivery_problem.c.issue_id == delivery.c.issue_id,
            delivery_problem.c.subscriber_id == delivery.c.subscriber_id,
        )
        .correlate(delivery)
        .scalar_subquery()
    )
    its_problem = and_(
        delivery_problem.c.issue_id == delivery.c.issue_id,
        delivery_problem.c.subscriber_id == delivery.c.subscriber_id,
        delivery_problem.c.attempt == last,
    )
    rows = connection.execute(
        select(
            issue.c.day, issue.c.edition, *delivery.c["state", "attempt", "outcome"],
            *delivery_problem.c["cause", "reply", "at"],
        )
        .select_from(issue)
        .join(delivery, and_(delivery.c.issue_id == issue.c.id, delivery.c.subscriber_id == subscriber_id))
        .outerjoin(delivery_problem, its_problem)
        .order_by(issue.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [
        RecentDelivery(
            day=row.day, edition=row.edition, state=DeliveryState(row.state), attempt=row.attempt,
            outcome=DeliveryOutcome(row.outcome), cause=row.cause or "", reply=row.reply or "", at=row.at,
        )
        for row in rows
    ]  # fmt: skip
