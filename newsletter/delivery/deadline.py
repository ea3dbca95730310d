"""What a deadline asks of a send: whether it was begun, and whether the limits let it end in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, func, select

from newsletter.delivery.claims import open_claims
from newsletter.delivery.limits import Limits, left_today
from newsletter.delivery.processes import is_dead, process_name
from newsletter.delivery.tables import delivery
from newsletter.states import DeliveryState
from subscribers.store import at_domains

FORESEEN = timedelta(days=3650)


def was_begun(connection: Connection, issue_id: int) -> bool:
    """Tell whether a letter of an issue was handed over, or may have been.

    What a killed process left with a provider that knows each delivery (the outbox) does not count: it goes back as if
    it had not been tried, because sending it again makes no second copy.
    """
    tried = select(delivery.c.subscriber_id).where(delivery.c.issue_id == issue_id, delivery.c.attempt > 0)
    return connection.execute(tried.limit(1)).first() is not None


def is_sent_elsewhere(connection: Connection, issue_id: int, now: datetime) -> bool:
    """Tell whether another process that lives holds letters of an issue."""
    return any(
        claim.owner != process_name() and not is_dead(claim.owner, claim.heartbeat, now)
        for claim in open_claims(connection, issue_id)
    )


def waiting_at(connection: Connection, issue_id: int, domains: Iterable[str]) -> Mapping[str, int]:
    """Return how many of an issue are still to be written to, by some domains."""
    waiting = (
        select(func.count())
        .select_from(delivery)
        .where(delivery.c.issue_id == issue_id, delivery.c.state == DeliveryState.PENDING)
    )
    of_domains = {domain: delivery.c.subscriber_id.in_(at_domains((domain,))) for domain in domains}
    return {name: connection.execute(waiting.where(of)).scalar_one() for name, of in of_domains.items()}


def why_late(number: int, end: datetime, now: datetime, latest: datetime) -> str:
    """Say why the limits, by which so many messages end then, do not meet ``latest``; empty where they do."""
    if end <= max(now, latest):
        return ""
    return (
        f"{number:,} messages take until {end.astimezone(latest.tzinfo):%Y-%m-%d %H:%M %Z} within the limits of"
        f" [delivery], and the schedule's latest is {latest:%Y-%m-%d %H:%M %Z}"
    )


def expected_end(
    connection: Connection, limits: Limits, number: int, at: Mapping[str, int], now: datetime
) -> datetime:
    """Return when the last of so many messages may go at the earliest, of which so many are ``at`` some domains.

    Needs a writing transaction.
    """
    ends = [
        earliest_end(Limits(interval=limits.domains[domain]), those, now, None)
        for domain, those in at.items()
    ]
    return max([earliest_end(limits, number, now, left_today(connection, limits, now)), *ends])


def earliest_end(limits: Limits, number: int, now: datetime, left: int | None) -> datetime:
    """Return when the last of so many messages may go at the earliest, at most `FORESEEN` from now.

    ``left`` is what today (UTC) still has.
    """
    end = now + min(limits.interval * max(number - 1, 0), FORESEEN) if limits.interval else now
    day = now.date()
    while left is not None and number > left and day < now.date() + FORESEEN:
        number -= left
        day += timedelta(days=1)
        left = limits.cap(day)
    return max(end, datetime.combine(day, time(), UTC))
