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
from subscribers.standing import OF_ADDRESS, OF_SUBSCRIPTION, Standing
from subscribers.store.people import tags_of

_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is asked for; None and empty mean any. Times bound when a subscription began, ``before`` excluded.

    ``state`` is of the subscription alone or of the address alone; a `Standing` is the one word for both. ``text`` is
    looked for in address and name, whatever its case; ``subscriber`` is somebody's number. ``after`` (the ids of a
    subscriber and an edition) begins behind a row. Erased people are left out unless their state is asked for.
    """

    edition: str | None = None
    state: SubscriptionState | AddressState | Standing | None = None
    tag: str | None = None
    language: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    text: str = ""
    subscriber: int | None = None
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
    rows = (
        sa.select(
            *subscriber.c["id", "email", "name", "language"],
            subscriber.c.state.label("address_state"),
            *subscription.c["edition_number", "state", "created_at", "changed_at", "paused_until"],
            edition.c.name.label("edition"),
            _suppressed().label("suppressed"),
        )
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(*_conditions(chosen))
        .order_by(*place)
        .limit(size)
    )
    return rows if after is None else rows.where(sa.tuple_(*place) > after)


def _conditions(chosen: Chosen) -> Iterator[sa.ColumnElement[bool]]:
    if chosen.state not in {AddressState.ERASED, Standing.ERASED}:
        yield subscriber.c.state != AddressState.ERASED
    if chosen.subscriber is not None:
        yield subscription.c.subscriber_id == chosen.subscriber
    if chosen.edition is not None:
        number = sa.select(edition.c.number).where(edition.c.name == chosen.edition)
        yield subscription.c.edition_number == number.scalar_subquery()
    if isinstance(chosen.state, SubscriptionState):
        yield subscription.c.state == chosen.state
    elif isinstance(chosen.state, AddressState):
        yield subscriber.c.state == chosen.state
    elif chosen.state is not None:
        yield _stands(chosen.state)
    if chosen.tag is not None:
        yield sa.exists().where(tag.c.subscriber_id == subscriber.c.id, tag.c.tag == chosen.tag)
    if chosen.language is not None:
        yield subscriber.c.language == chosen.language
    if chosen.since is not None:
        yield subscription.c.created_at >= chosen.since
    if chosen.before is not None:
        yield subscription.c.created_at < chosen.before
    if chosen.text:
        yield sa.or_(*(
            sa.func.lower(column).contains(spelling, autoescape=True)
            for column in (subscriber.c.email, subscriber.c.name)
            for spelling in _spellings(chosen.text)
        ))  # fmt: skip


def _suppressed() -> sa.ColumnElement[bool]:
    """Whether a suppression of the row's subscriber is in force."""
    in_force = (suppression.c.address_hash == subscriber.c.address_hash, suppression.c.lifted_at.is_(None))
    return sa.exists().where(*in_force).correlate(subscriber)


def _stands(wanted: Standing) -> sa.ColumnElement[bool]:
    """Return `subscribers.standing.standing` as a condition."""
    for address, stands in OF_ADDRESS.items():
        if stands is wanted:
            return subscriber.c.state == address
    fine = subscriber.c.state == AddressState.ACTIVE
    if wanted is Standing.SUPPRESSED:
        return sa.and_(fine, _suppressed())
    own = next(state for state, stands in OF_SUBSCRIPTION.items() if stands is wanted)
    return sa.and_(fine, subscription.c.state == own, ~_suppressed())


def _spellings(text: str) -> set[str]:
    """Return what a text may be after the database's lower(): SQLite's leaves all but ASCII as it was written."""
    return {_ascii_lower(each) for each in (text, text.lower(), text.upper(), text.title())}


def _ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
