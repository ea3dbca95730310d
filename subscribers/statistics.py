"""Counts of the list, and how it grew. Set-based: a million subscriptions take a few statements.

A *reader* is a subscription that is active or paused, of an address that mail may go to. Joining is becoming one,
leaving is ceasing to be one, whatever the way: so readers before + joined - left = readers after, each day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from subscribers.models import AddressState, SubscriptionState
from subscribers.schema import edition, execute, history, subscriber, subscription, suppression
from subscribers.standing import Standing, standing

_DAY = 86_400_000_000  # microseconds, as times are stored
_EPOCH = date(1970, 1, 1)
_READING = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
_Step = tuple[int, datetime, int, SubscriptionState | AddressState | bool]
READERS = frozenset({Standing.ACTIVE, Standing.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfGrowth:
    """What happened on a day (UTC), and the readers at its end."""

    day: date
    joined: int
    left: int
    readers: int


def standings(connection: sa.Connection) -> dict[str, Counter[Standing]]:
    """Return for each edition, by number, how many subscriptions stand where; the counts add up to all of them."""
    barred = {
        (row.edition, row.state, row.address): row.n for row in execute(connection, _counted(barred=True))
    }
    found: dict[str, Counter[Standing]] = {}
    for row in execute(connection, _counted(barred=False)):
        counts = found.setdefault(row.edition, Counter())
        suppressed = barred.get((row.edition, row.state, row.address), 0)
        counts[standing(row.state, row.address, suppressed=True)] += suppressed
        counts[standing(row.state, row.address, suppressed=False)] += row.n - suppressed
    return found


def leavers(edition_name: str, *, since: datetime, until: datetime | None) -> sa.Select[tuple[int]]:
    """Return a Select of the ``id`` of those who unsubscribed from an edition from a time until before another.

    Readers alone, who left by themselves or by the operator's hand: neither who never confirmed, nor whose address
    bounced, complained, was suppressed or erased. Who came back since has left all the same; who left twice stands in
    it twice, because SQLite would make them one by way of an index over everybody. Made to be composed.
    """
    within = [history.c.at >= since, *([history.c.at < until] if until is not None else [])]
    # Not a join: a database may begin one at a million subscriptions, where a thousand steps are meant.
    of_edition = _of_edition(edition_name).where(subscription.c.id == history.c.subscription_id).exists()
    steps = (history.c.to_state == SubscriptionState.UNSUBSCRIBED, history.c.from_state.in_(_READING))
    return sa.select(history.c.subscriber_id.label("id")).where(*steps, *within, of_edition)


def growth(
    connection: sa.Connection, counts: Mapping[str, Counter[Standing]], *, edition_name: str | None, since: date,
    until: date,
) -> list[DayOfGrowth]:  # fmt: skip
    """Return every day from ``since`` to ``until``, both included, of an edition or of all.

    ``counts`` are those of `standings` in the same transaction: the way back from them cannot miss.
    """
    joined, left = _changes(connection, edition_name)
    wanted = counts.values() if edition_name is None else [counts.get(edition_name, Counter())]
    readers = sum(each[state] for each in wanted for state in READERS)
    readers -= sum(number for day, number in joined.items() if day > until)
    readers += sum(number for day, number in left.items() if day > until)
    days = []
    for back in range((until - since).days + 1):  # from what is true now to what was before
        day = until - timedelta(days=back)
        days.append(DayOfGrowth(day=day, joined=joined[day], left=left[day], readers=readers))
        readers += left[day] - joined[day]
    return days[::-1]


def _changes(connection: sa.Connection, edition_name: str | None) -> tuple[Counter[date], Counter[date]]:
    """Return how many became readers on each day, and how many ceased to be."""
    joined: Counter[date] = Counter()
    left: Counter[date] = Counter()
    for row in execute(connection, _plain_steps(edition_name)):
        (joined if row.joins else left)[_EPOCH + timedelta(days=row.day)] += row.n
    for _, steps in groupby(_tangled_steps(connection, edition_name), key=lambda step: step[0]):
        for day, joins in _turns(steps):
            (joined if joins else left)[day] += 1
    return joined, left


def _counted(*, barred: bool) -> sa.Select[Any]:
    rows = (
        sa.select(
            edition.c.name.label("edition"), subscription.c.state, subscriber.c.state.label("address"),
            sa.func.count().label("n"),
        )
        .select_from(subscription)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .group_by(edition.c.number, edition.c.name, subscription.c.state, subscriber.c.state)
        .order_by(edition.c.number)
    )  # fmt: skip
    in_force = (suppression.c.address_hash == subscriber.c.address_hash, suppression.c.lifted_at.is_(None))
    return rows.join(suppression, sa.and_(*in_force)) if barred else rows


def _tangled() -> sa.CompoundSelect[Any]:
    """Return the subscribers whose address had a life of its own: few, and one by one."""
    suppressed = sa.select(subscriber.c.id).join(
        suppression, suppression.c.address_hash == subscriber.c.address_hash
    )
    return sa.select(history.c.subscriber_id).where(history.c.subscription_id.is_(None)).union(suppressed)


def _plain_steps(edition_name: str | None) -> sa.Select[int, bool, int]:
    """Count the steps by which the subscriptions of all others came and went, by day."""
    day = (sa.type_coerce(history.c.at, sa.BigInteger) // sa.literal(_DAY, sa.BigInteger)).label("day")
    joins = history.c.to_state.in_(_READING).label("joins")
    was = sa.func.coalesce(history.c.from_state.in_(_READING), sa.false())
    rows = sa.select(day, joins, sa.func.count().label("n")).where(
        history.c.subscription_id.is_not(None),
        history.c.subscriber_id.not_in(_tangled()),
        history.c.to_state.in_(_READING) != was,
    )
    if edition_name is not None:
        rows = rows.where(history.c.subscription_id.in_(_of_edition(edition_name)))
    return rows.group_by(day, joins)


def _of_edition(name: str) -> sa.Select[tuple[int]]:
    return (
        sa.select(subscription.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(edition.c.name == name)
    )


def _tangled_steps(connection: sa.Connection, edition_name: str | None) -> Iterator[_Step]:
    """Yield (subscription, time, order, state or whether suppressed), sorted, of those whose address had a life."""
    own = sa.and_(
        history.c.subscriber_id == subscription.c.subscriber_id,
        sa.or_(history.c.subscription_id == subscription.c.id, history.c.subscription_id.is_(None)),
    )
    chosen = [subscription.c.subscriber_id.in_(_tangled())]
    if edition_name is not None:
        chosen.append(subscription.c.id.in_(_of_edition(edition_name)))
    steps = execute(
        connection,
        sa.select(subscription.c.id, history.c.at, history.c.id.label("order"), history.c.to_state)
        .join(history, own)
        .where(*chosen),
    )
    bars = execute(
        connection,
        sa.select(subscription.c.id, suppression.c.at, suppression.c.lifted_at)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .join(suppression, suppression.c.address_hash == subscriber.c.address_hash)
        .where(*chosen),
    )
    found: list[_Step] = [(row.id, row.at, row.order, row.to_state) for row in steps]
    for row in bars:
        found.append((row.id, row.at, 0, True))
        if row.lifted_at is not None:
            found.append((row.id, row.lifted_at, 0, False))
    yield from sorted(found, key=lambda step: step[:3])


def _turns(steps: Iterable[_Step]) -> Iterator[tuple[date, bool]]:
    """Yield the day of each turn of one subscription, and whether it became a reader by it."""
    state: SubscriptionState | None = None
    address, suppressed, reading = AddressState.ACTIVE, False, False
    for (_, at), together in groupby(steps, key=lambda step: step[:2]):
        for *_, what in together:  # what one transaction did happened at once
            if isinstance(what, bool):
                suppressed = what
            elif isinstance(what, AddressState):
                address = what
            else:
                state = what
        now = state in _READING and address is AddressState.ACTIVE and not suppressed
        if now is not reading:
            reading = now
            yield at.date(), now
