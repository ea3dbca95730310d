"""Who is chosen of the list: filters, one row a subscription, a page in memory at a time.

A page begins after the last row of the one before (never by counting), so the last is as fast as the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from subscribers.models import AddressState, Listing, SubscriptionState
from subscribers.schema import edition, execute, subscriber, subscription, suppression, tag
from subscribers.store import tags_of

_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is asked for; None and empty mean any. Times bound when a subscription began, ``before`` excluded.

    ``text`` is looked for in address and name, whatever its case (as far as ASCII goes). ``after`` (the ids of a
    subscriber and an edition) begins behind a row. Erased people are left out unless their state is asked for.
    """

    edition: str | None = None
    state: SubscriptionState | AddressState | None = None
    tag: str | None = None
    language: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    text: str = ""
    after: tuple[int, int] | None = None


def listing(connection: sa.Connection, chosen: Chosen) -> Iterator[Listing]:
    """Yield what is chosen, by subscriber and edition number."""
    after = chosen.after
    while rows := execute(connection, page(chosen, after)).all():
        tags = tags_of(connection, {row.id for row in rows})
        for row in rows:
            yield Listing(
                id=row.id,
                email=row.email or "",
                name=row.name,
                edition=row.edition,
                state=row.state,
                address_state=None if row.address_state is AddressState.ACTIVE else row.address_state,
                tags=tags.get(row.id, ()),
                language=row.language,
                created_at=row.created_at,
                changed_at=row.changed_at,
                paused_until=row.paused_until,
                suppressed=bool(row.suppressed),
            )
        after = (rows[-1].id, rows[-1].edition_number)


def page(chosen: Chosen, after: tuple[int, int] | None, size: int = _PAGE) -> sa.Select[Any]:
    """Return a Select of the rows behind a place, at most ``size``."""
    place = (subscription.c.subscriber_id, subscription.c.edition_number)
    barred = sa.exists().where(
        suppression.c.address_hash == subscriber.c.address_hash, suppression.c.lifted_at.is_(None)
    )
    rows = (
        sa.select(
            *subscriber.c["id", "email", "name", "language"],
            subscriber.c.state.label("address_state"),
            *subscription.c["edition_number", "state", "created_at", "changed_at", "paused_until"],
            edition.c.name.label("edition"),
            barred.correlate(subscriber).label("suppressed"),
        )
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(*_conditions(chosen))
        .order_by(*place)
        .limit(size)
    )
    return rows if after is None else rows.where(sa.tuple_(*place) > after)


def _conditions(chosen: Chosen) -> Iterator[sa.ColumnElement[bool]]:
    if chosen.state is not AddressState.ERASED:
        yield subscriber.c.state != AddressState.ERASED
    if chosen.edition is not None:
        number = sa.select(edition.c.number).where(edition.c.name == chosen.edition)
        yield subscription.c.edition_number == number.scalar_subquery()
    if isinstance(chosen.state, SubscriptionState):
        yield subscription.c.state == chosen.state
    elif isinstance(chosen.state, AddressState):
        yield subscriber.c.state == chosen.state
    if chosen.tag is not None:
        yield sa.exists().where(tag.c.subscriber_id == subscriber.c.id, tag.c.tag == chosen.tag)
    if chosen.language is not None:
        yield subscriber.c.language == chosen.language
    if chosen.since is not None:
        yield subscription.c.created_at >= chosen.since
    if chosen.before is not None:
        yield subscription.c.created_at < chosen.before
    if chosen.text:
        wanted = chosen.text.lower()
        yield sa.or_(
            sa.func.lower(subscriber.c.email).contains(wanted, autoescape=True),
            sa.func.lower(subscriber.c.name).contains(wanted, autoescape=True),
        )
