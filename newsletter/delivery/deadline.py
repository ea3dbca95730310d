"""What a deadline asks of a send: whether it was begun, and whether the limits let it end in time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, select

from newsletter.delivery.claims import open_claims
from newsletter.delivery.limits import Limits, left_today
from newsletter.delivery.processes import is_dead, process_name
from newsletter.delivery.tables import delivery

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


def why_late(connection: Connection, limits: Limits, number: int, now: datetime, latest: datetime) -> str:
    """Say why the limits keep so many messages from going out until ``latest``; empty where they do not.

    Needs a writing transaction.
    """
    end = expected_end(connection, limits, number, now)
    if end <= max(now, latest):
        return ""
    return (
        f"{number:,} messages take until {end.astimezone(latest.tzinfo):%Y-%m-%d %H:%M %Z} within the limits of"
        f" [delivery], and the schedule's latest is {latest:%Y-%m-%d %H:%M %Z}"
    )


def expected_end(connection: Connection, limits: Limits, number: int, now: datetime) -> datetime:
    """Return when the last of so many messages may go at the earliest. Needs a writing transaction."""
    return earliest_end(limits, number, now, left_today(connection, limits, now))


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
