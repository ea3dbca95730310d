"""Figures of an issue as an operator asks for them: by domain, over time, what was slow, what was refused.

Addresses come in as a `Select` of ``id, email, domain`` (`subscribers.store.mailboxes`), as they are now.
The databases count; what comes back is as long as there are domains, minutes or kinds of reply to show.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, func, literal, select, type_coerce

from newsletter.delivery.domains import UNKNOWN, OfDomain, by_domain
from newsletter.delivery.outcomes import Reach, left_after, reach
from newsletter.delivery.tables import claim_table, delivery, delivery_problem, domain_time
from newsletter.masking import MASK, masked
from newsletter.models.deliveries import Outcome
from newsletter.states import DeliveryState
from newsletter.store import IssueRecord

WORST = 5
MOST_INTERVALS = 12
_MINUTE = 60_000_000  # microseconds, as times are stored
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)  # minutes
_DAY = 1440
_READ = 200  # letters of a reply that are looked at
_WORDS = 8
_CODE = re.compile(r"[245]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What was handed over in some minutes: accepted, by the time of the claim; not accepted, by its own time."""

    start: datetime
    minutes: int
    accepted: int
    not_accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDomain:
    """How long the provider took for a message to a domain, in seconds: on average, and at worst."""

    domain: str
    messages: int
    mean: float
    slowest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusingDomain:
    """How often messages to a domain were refused: for good, and for a while."""

    domain: str
    rejected: int
    retry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A kind of answer that was no acceptance, and how often it came."""

    cause: str
    reply: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All of it."""

    reach: Reach
    domains: tuple[OfDomain, ...]
    intervals: tuple[Interval, ...]
    slowest: tuple[SlowDomain, ...]
    refusing: tuple[RefusingDomain, ...]
    replies: tuple[Reply, ...]


def figures(connection: Connection, record: IssueRecord, mailboxes: Select[Any]) -> Figures:
    """Return the figures of an issue, its counts among them, in one transaction."""
    issue_id, total, gone = record.id, reach(connection, record), left_after(connection, record)
    return Figures(
        reach=total,
        domains=by_domain(connection, [issue_id], mailboxes, total, [gone] if gone is not None else []),
        intervals=over_time(connection, issue_id),
        slowest=slowest(connection, issue_id),
        refusing=refusing(connection, issue_id, mailboxes),
        replies=replies(connection, issue_id, mailboxes),
    )


def over_time(connection: Connection, issue_id: int) -> tuple[Interval, ...]:
    """Return what was handed over when, in at most `MOST_INTERVALS` intervals of whole minutes, without a gap."""
    accepted = _by_minute(
        connection,
        select(_minute(claim_table.c.claimed_at), func.count())
        .join(delivery, and_(delivery.c.claim_id == claim_table.c.id, delivery.c.issue_id == issue_id))
        .where(claim_table.c.issue_id == issue_id, delivery.c.state == DeliveryState.ACCEPTED),
    )
    refused = _by_minute(
        connection,
        select(_minute(delivery_problem.c.at), func.count()).where(
            delivery_problem.c.issue_id == issue_id,
            delivery_problem.c.cause.in_([each.value for each in Outcome]),
        ),
    )
    minutes = {*accepted, *refused}
    if not minutes:
        return ()
    step = _step(min(minutes), max(minutes))
    sums: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for counted, summed in zip((accepted, refused), sums, strict=True):
        for minute, number in counted.items():
            summed[minute // step] += number
    return tuple(
        Interval(
            start=datetime.fromtimestamp(index * step * 60, UTC), minutes=step, accepted=sums[0][index],
            not_accepted=sums[1][index],
        )
        for index in range(min(minutes) // step, max(minutes) // step + 1)
    )  # fmt: skip


def slowest(connection: Connection, issue_id: int) -> tuple[SlowDomain, ...]:
    """Return the domains whose messages took longest on average, the slowest first."""
    mean = (domain_time.c.seconds / domain_time.c.messages).label("mean")
    rows = connection.execute(
        select(*domain_time.c["domain", "messages", "slowest"], mean)
        .where(domain_time.c.issue_id == issue_id)
        .order_by(mean.desc(), domain_time.c.domain)
        .limit(WORST)
    )
    return tuple(SlowDomain(**row._asdict()) for row in rows)


def refusing(connection: Connection, issue_id: int, mailboxes: Select[Any]) -> tuple[RefusingDomain, ...]:
    """Return the domains with most refusals, with the most first; people who are erased under `UNKNOWN`."""
    people, cause = mailboxes.subquery(), delivery_problem.c.cause
    domain = func.coalesce(people.c.domain, UNKNOWN).label("domain")
    kinds = (Outcome.REJECTED, Outcome.RETRY)
    rows = connection.execute(
        select(domain, *(_number_of(cause == kind.value).label(kind.value) for kind in kinds))
        .select_from(delivery_problem)
        .outerjoin(people, people.c.id == delivery_problem.c.subscriber_id)
        .where(delivery_problem.c.issue_id == issue_id, cause.in_([kind.value for kind in kinds]))
        .group_by(people.c.domain)
        .order_by(func.count().desc(), domain)
        .limit(WORST)
    )
    return tuple(RefusingDomain(**row._asdict()) for row in rows)


def replies(connection: Connection, issue_id: int, mailboxes: Select[Any]) -> tuple[Reply, ...]:
    """Return the most frequent replies that were no acceptance, by code and first words, without addresses."""
    people, problem = mailboxes.subquery(), delivery_problem.c
    # Most replies that differ differ in the reader's own address: without it few are left to look at one by one.
    anonymous = func.replace(problem.reply, func.coalesce(people.c.email, ""), MASK)
    said = func.substr(anonymous, 1, _READ).label("said")
    rows = connection.execute(
        select(problem.cause, said, func.count().label("n"))
        .select_from(delivery_problem)
        .outerjoin(people, people.c.id == problem.subscriber_id)
        .where(problem.issue_id == issue_id)
        .group_by(problem.cause, said)
    )
    kinds: Counter[tuple[str, str]] = Counter()
    for row in rows:
        kinds[row.cause, kind_of(row.said)] += row.n
    ordered = sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Reply(cause=cause, reply=reply, count=n) for (cause, reply), n in ordered[:WORST])


def kind_of(reply: str) -> str:
    """Return a reply's code and first words, without addresses, and with # for words that hold a digit."""
    text = masked(reply)
    code = _CODE.match(text)
    start = code.end() if code else 0
    words = text[start:].split()
    shown = ["#" if any(letter.isdigit() for letter in word) else word for word in words[:_WORDS]]
    more = ["…"] if len(words) > _WORDS else []
    return " ".join([*([code.group()] if code else []), *shown, *more])


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _minute(time: ColumnElement[Any]) -> ColumnElement[int]:
    return (type_coerce(time, BigInteger) // literal(_MINUTE, BigInteger)).label("minute")


def _by_minute(connection: Connection, counted: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in connection.execute(counted.group_by("minute"))}


def _step(first: int, last: int) -> int:
    """Return how many minutes an interval has, so that from the first minute to the last there are not too many."""
    for step in _STEPS:
        if last // step - first // step < MOST_INTERVALS:
            return step
    days = 1
    while last // (days * _DAY) - first // (days * _DAY) >= MOST_INTERVALS:
        days += 1
    return days * _DAY
