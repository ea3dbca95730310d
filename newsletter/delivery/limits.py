"""How much may be handed over: rates and a number a day, kept in the database, so over all processes together.

A claim takes its moments in the transaction that makes it: whoever dies with them has used them up, so a crash
sends less than allowed, never more. A day is one of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from newsletter.delivery.tables import allowance
from newsletter.store.upsert import insert_into

_RATE = "rate"
_DAY = "day "
_DOMAIN = "at "


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The plan of a new sender: ``first`` messages on the first day, then ``growth`` times as many, to ``until``."""

    begins: date
    first: int
    growth: float
    until: int

    def cap(self, day: date) -> int | None:
        """Return how many a day may have; None once the plan is through."""
        number = float(self.first)
        for _ in range(max((day - self.begins).days, 0)):
            number *= self.growth
            if number >= self.until:
                return None
        return int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a send. ``interval`` is the least time between two messages, of a domain of ``domains`` its own."""

    interval: timedelta | None = None
    domains: Mapping[str, timedelta] = field(default_factory=lambda: MappingProxyType({}))
    per_day: int | None = None
    warm_up: WarmUp | None = None

    def cap(self, day: date) -> int | None:
        """Return how many a day may have; None without a bound."""
        caps = (self.per_day, self.warm_up.cap(day) if self.warm_up else None)
        return min((cap for cap in caps if cap is not None), default=None)


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When the messages of a claim may go: for each limit, when the first may and what lies between two."""

    taken: datetime
    steps: tuple[tuple[datetime, timedelta], ...] = ()

    def moment(self, number: int) -> datetime:
        """Return when a message may go, counted from 0."""
        return max((begin + number * interval for begin, interval in self.steps), default=self.taken)


def fitting(interval: timedelta | None, span: timedelta) -> int | None:
    """Return how many messages fit into a span, at least one; None without an interval."""
    return max(1, span // interval) if interval else None


def left_today(connection: Connection, limits: Limits, now: datetime) -> int | None:
    """Return how many the day still has, None without a bound; it is this transaction's to take from then on."""
    cap = limits.cap(now.date())
    if cap is None:
        return None
    name = f"{_DAY}{now.date()}"
    connection.execute(delete(allowance).where(allowance.c.name.startswith(_DAY), allowance.c.name < name))
    return max(0, cap - _held(connection, name, now).used)


def opens(connection: Connection, domain: str, now: datetime) -> datetime:
    """Return when the next message to a domain may go."""
    at = connection.execute(select(allowance.c.at).where(allowance.c.name == f"{_DOMAIN}{domain}")).scalar()
    return max(at, now) if at else now


def take(
    connection: Connection, limits: Limits, number: int, now: datetime, domain: str | None = None
) -> Pace:
    """Take ``number`` messages, all of them to ``domain`` where one is given."""
    if limits.cap(now.date()) is not None:
        name = f"{_DAY}{now.date()}"
        _held(connection, name, now)
        counted = update(allowance).where(allowance.c.name == name)
        connection.execute(counted.values(used=allowance.c.used + number))
    steps = []
    begin = now
    rates = [(_RATE, limits.interval)]
    if domain is not None:
        rates.append((f"{_DOMAIN}{domain}", limits.domains[domain]))
    for name, interval in rates:
        if interval is not None:
            begin = max(_held(connection, name, now).at, begin)
            steps.append((begin, interval))
            moved = update(allowance).where(allowance.c.name == name)
            connection.execute(moved.values(at=begin + number * interval))
    return Pace(taken=now, steps=tuple(steps))


def give_back(connection: Connection, number: int, taken: datetime) -> None:
    """Give a day back what was taken of it and not handed over; the moments of the rates are gone."""
    counted = update(allowance).where(allowance.c.name == f"{_DAY}{taken.date()}", allowance.c.used >= number)
    connection.execute(counted.values(used=allowance.c.used - number))


class _Held(NamedTuple):
    at: datetime
    used: int


def _held(connection: Connection, name: str, now: datetime) -> _Held:
    """Return an allowance, made where it is missing, and this transaction's until it ends."""
    connection.execute(
        insert_into(connection, allowance).values(name=name, at=now, used=0).on_conflict_do_nothing()
    )
    found = select(allowance.c.at, allowance.c.used).where(allowance.c.name == name).with_for_update()
    row = connection.execute(found).one()
    return _Held(row.at, row.used)
