"""Selects of the list that others compose into statements of their own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from subscribers.models import AddressState, SubscriptionState
from subscribers.schema import edition, subscriber, subscription, suppression


class _position(sa.sql.functions.GenericFunction[int]):  # noqa: N801  # a function of SQL
    """Where a text stands in another, counted from 1; its name differs."""

    type = sa.Integer()
    inherit_cache = True


@compiles(_position)
def _strpos(element: _position, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(_position, "sqlite")
def _instr(element: _position, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@lru_cache(maxsize=64)  # what is composed with it is kept too
def at_domains(domains: tuple[str, ...]) -> sa.Select[tuple[int]]:
    """Return a Select of the ``id`` of those whose address is at one of some domains, to be composed."""
    at = (subscriber.c.email.endswith(f"@{domain}", autoescape=True) for domain in domains)
    return sa.select(subscriber.c.id).where(sa.or_(*at))


def deliverable(edition_name: str) -> sa.Select[tuple[int, str, str, bytes, int]]:
    """Return a Select of whom an edition may be written to now, with the address and name to write to.

    Columns: ``id``, ``email``, ``name``, ``key`` of the subscriber, ``edition_number`` (for links). A row is
    one subscriber whose subscription is active (neither pending nor paused) and whose address is active and
    not suppressed. It has no order, at most one row a subscriber, and is made to be composed::

        chosen = deliverable("daily").subquery()
        sa.insert(delivery).from_select(["subscriber_id"], sa.select(chosen.c.id).order_by(chosen.c.id))
        sa.select(delivery, chosen.c.email).join(chosen, chosen.c.id == delivery.c.subscriber_id)
    """
    barred = (
        sa.exists()
        .where(suppression.c.address_hash == subscriber.c.address_hash, suppression.c.lifted_at.is_(None))
        .correlate(subscriber)
    )
    return (
        sa.select(
            subscriber.c.id,
            subscriber.c.email,
            subscriber.c.name,
            subscriber.c.key,
            subscription.c.edition_number,
        )
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(
            edition.c.name == edition_name,
            subscription.c.state == SubscriptionState.ACTIVE,
            subscriber.c.state == AddressState.ACTIVE,
            ~barred,
        )
    )


def mailboxes() -> sa.Select[tuple[int, str, str]]:
    """Return a Select of everybody's address and its domain: ``id``, ``email``, ``domain``; the erased have no row.

    Made to be composed, as `deliverable` is.
    """
    email = subscriber.c.email
    domain = sa.func.substr(email, _position(email, "@") + 1, type_=sa.Text).label("domain")
    return sa.select(subscriber.c.id, email, domain).where(email.is_not(None))
