"""What becomes of each staged row, decided beside the list as it is: one SELECT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from subscribers.models import AddressState, SubscriptionState
from subscribers.schema import edition, execute, history, subscriber, subscription, suppression, tag
from subscribers.transfer.staging import Tables

_PENDING, _ACTIVE, _PAUSED, _LEFT = (int(state) for state in SubscriptionState)
_REACHED = int(AddressState.ACTIVE)


class Outcome(IntEnum):
    """What an import does with a row; the names are those of the result."""

    NEW = 0
    KNOWN = 1
    UPDATED = 2
    SUPPRESSED = 3
    LEFT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many rows have each outcome, and how many of the new ones get nothing until they confirm."""

    outcomes: Mapping[Outcome, int]
    pending: int


class _Facts:
    """What is true of a row and of the list beside it, as conditions."""

    def __init__(self, tables: Tables) -> None:
        self.row = row = tables.row
        self.told = sa.type_coerce(subscription.c.state, sa.Integer)
        self.reached = sa.type_coerce(subscriber.c.state, sa.Integer)
        self.there = subscription.c.id.is_not(None)
        self.known = subscriber.c.id.is_not(None)
        self.barred = (
            sa.exists()
            .where(suppression.c.address_hash == row.c.address_hash, suppression.c.lifted_at.is_(None))
            .correlate(row)
        )
        left = sa.type_coerce(history.c.to_state, sa.Integer) == _LEFT
        self.once_left = (
            sa.exists().where(history.c.subscription_id == subscription.c.id, left).correlate(subscription)
        )
        has = sa.exists().where(tag.c.subscriber_id == subscriber.c.id, tag.c.tag == tables.tag.c.tag)
        self.lacks_tag = (
            sa.exists()
            .where(tables.tag.c.n == row.c.n, ~has.correlate(subscriber, tables.tag))
            .correlate(row, subscriber)
        )
        self.sendable = sa.and_(row.c.address == _REACHED, row.c.suppress == 0)
        self.wants = sa.and_(self.sendable, row.c.state != _LEFT)
        self.begins = sa.and_(
            self.told == _PENDING, self.wants, row.c.state.in_([_ACTIVE, _PAUSED])
        )  # fmt: skip


def _flags(facts: _Facts) -> dict[str, sa.ColumnElement[bool]]:
    """Return what is to be done with a row, if its outcome lets it."""
    row, there, known = facts.row, facts.there, facts.known
    writable = sa.and_(
        ~facts.barred, facts.reached == _REACHED, facts.wants, sa.or_(~there, facts.told != _LEFT)
    )
    return {
        "joins": ~known,
        "leaves": sa.and_(there, row.c.state == _LEFT, facts.sendable, facts.told != _LEFT),
        "confirms": sa.and_(there, writable, facts.begins, ~facts.once_left),
        "moves": sa.and_(known, row.c.address > facts.reached),
        "suppresses": sa.and_(~facts.sendable, ~facts.barred),
        "fills_name": sa.and_(known, writable, subscriber.c.name == "", row.c.name != ""),
        "fills_language": sa.and_(
            known, writable, subscriber.c.language.is_(None), row.c.language.is_not(None)
        ),
        "fills_tags": sa.and_(known, writable, facts.lacks_tag),
    }  # fmt: skip


def _outcome(facts: _Facts, updates: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    there, wants = facts.there, facts.wants
    bounced = facts.reached != _REACHED
    return sa.case(
        (sa.and_(~there, facts.barred), int(Outcome.SUPPRESSED)),
        (sa.and_(~there, facts.known, wants, bounced), int(Outcome.LEFT)),
        (~there, int(Outcome.NEW)),
        (sa.and_(wants, facts.barred), int(Outcome.SUPPRESSED)),
        (sa.and_(wants, sa.or_(facts.told == _LEFT, bounced)), int(Outcome.LEFT)),
        (sa.and_(facts.begins, facts.once_left), int(Outcome.LEFT)),
        (updates, int(Outcome.UPDATED)),
        else_=int(Outcome.KNOWN),
    )


def decided(tables: Tables) -> sa.Select[Any]:
    """Return a Select of a row's outcome and of each thing that is to be done (1 or 0), by ``n``.

    Who left, bounced, complained or is suppressed here is not made active by any word of a file; a word of the file
    that somebody left or must not be written to is followed.
    """
    facts = _Facts(tables)
    flags = _flags(facts)
    updates = sa.or_(*(flag for name, flag in flags.items() if name != "joins"))
    row = tables.row
    return (
        sa.select(
            row.c.n,
            row.c.person,
            _outcome(facts, updates).label("outcome"),
            edition.c.number.label("edition_number"),
            subscriber.c.id.label("subscriber_id"),
            subscription.c.id.label("subscription_id"),
            facts.told.label("state_was"),
            sa.type_coerce(subscription.c.paused_until, sa.BigInteger).label("until_was"),
            facts.reached.label("address_was"),
            *(sa.case((flag, 1), else_=0).label(name) for name, flag in flags.items()),
        )
        .select_from(row)
        .outerjoin(edition, edition.c.name == row.c.edition)
        .outerjoin(subscriber, subscriber.c.address_key == row.c.address_key)
        .outerjoin(
            subscription,
            sa.and_(
                subscription.c.subscriber_id == subscriber.c.id,
                subscription.c.edition_number == edition.c.number,
            ),
        )
    )


def counted(connection: sa.Connection, tables: Tables, rows: sa.FromClause) -> Decided:
    """Return how many rows have each outcome. ``rows`` are the decisions."""
    row = tables.row
    waits = sa.and_(row.c.state == _PENDING, row.c.address == _REACHED, row.c.suppress == 0)
    found = execute(
        connection,
        sa.select(
            rows.c.outcome,
            sa.func.count().label("rows"),
            sa.func.sum(sa.case((waits, 1), else_=0)).label("pending"),
        )
        .join(row, row.c.n == rows.c.n)
        .group_by(rows.c.outcome),
    ).all()
    return Decided(
        outcomes={Outcome(each.outcome): each.rows for each in found},
        pending=sum(int(each.pending) for each in found if each.outcome == Outcome.NEW),
    )


def planned(tables: Tables, *, last_subscriber: int, last_subscription: int) -> sa.Insert:
    """Return the statement that keeps the decisions, with the numbers that new people and subscriptions get."""
    rows = decided(tables).subquery()
    new = rows.c.outcome == int(Outcome.NEW)
    joins = sa.and_(new, rows.c.joins == 1, rows.c.n == rows.c.person)

    def counting(what: sa.ColumnElement[bool], after: int) -> sa.ColumnElement[int]:
        return after + sa.func.sum(sa.case((what, 1), else_=0)).over(order_by=rows.c.n, rows=(None, 0))

    numbers = {
        "subscriber_id": sa.case((joins, counting(joins, last_subscriber)), else_=rows.c.subscriber_id),
        "subscription_id": sa.case((new, counting(new, last_subscription)), else_=rows.c.subscription_id),
        "joins": sa.case((joins, 1), else_=0),
    }
    names = [column.name for column in tables.plan.columns]
    chosen = [numbers.get(name, rows.c[name]) for name in names if name != "n"]
    ordered = sa.select(rows.c.n, *chosen).order_by(rows.c.n)
    return sa.insert(tables.plan).from_select(names, ordered)
