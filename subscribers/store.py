"""The SQL of the list. A transaction belongs to the caller: nothing here begins or commits one.

Tables are in `subscribers.schema`, what is kept for proof in `subscribers.records`. Statements run on SQLite
and PostgreSQL alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles

from subscribers.models import (
    Address,
    AddressState,
    Profile,
    Step,
    Subscriber,
    Subscription,
    SubscriptionState,
    Through,
)
from subscribers.records import record, record_all
from subscribers.schema import edition, execute, metadata, subscriber, subscription, suppression, tag

__all__ = [
    "addresses_of",
    "at_domains",
    "deliverable",
    "keys_at",
    "keys_of",
    "mailboxes",
    "metadata",
    "wake",
]  # what other packages may use; the rest serves `subscriptions`

_PAGE = 1_000


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


def addresses_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Return the address of each subscriber, without those who are erased."""
    chosen = sa.select(*subscriber.c["id", "email"]).where(
        subscriber.c.id.in_(numbers), subscriber.c.email.is_not(None)
    )
    return {row.id: row.email for row in execute(connection, chosen)}


def keys_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, bytes]:
    """Return the key of each subscriber; that of somebody erased is in no link."""
    chosen = sa.select(*subscriber.c["id", "key"]).where(subscriber.c.id.in_(numbers))
    return {row.id: bytes(row.key) for row in execute(connection, chosen)}


def keys_at(connection: sa.Connection, address_keys: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    """Return number and key of the subscriber at each address, which is given by `Address.key`."""
    chosen = sa.select(*subscriber.c["address_key", "id", "key"]).where(
        subscriber.c.address_key.in_(address_keys)
    )
    return {row.address_key: (row.id, bytes(row.key)) for row in execute(connection, chosen)}


def ensure_edition(connection: sa.Connection, name: str) -> int:
    """Return the number of an edition, giving it the next one if it has none yet."""
    wanted = sa.select(edition.c.number).where(edition.c.name == name)
    number = execute(connection, wanted).scalar()
    if number is None:
        insert_unless_there(connection, edition, {"name": name})
        number = execute(connection, wanted).scalar_one()
    return int(number)


def insert_subscriber(
    connection: sa.Connection, address: Address, address_hash: bytes, profile: Profile, now: datetime
) -> None:
    """Put a person on the list, unless the address is there already."""
    values = {
        "key": secrets.token_bytes(16),
        "email": address.email,
        "address_key": address.key,
        "address_hash": address_hash,
        "name": profile.name,
        "language": profile.language,
        "state": AddressState.ACTIVE,
        "created_at": now,
    }
    insert_unless_there(connection, subscriber, values)


def subscriber_by_id(connection: sa.Connection, number: int, *, lock: bool = False) -> Subscriber | None:
    """Return the subscriber with a number; ``lock`` keeps others from changing it in this transaction."""
    return _one_subscriber(connection, subscriber.c.id == number, lock=lock)


def subscriber_by_address(
    connection: sa.Connection, address_key: str, *, lock: bool = False
) -> Subscriber | None:
    """Return the subscriber with an address; ``lock`` keeps others from changing it in this transaction."""
    return _one_subscriber(connection, subscriber.c.address_key == address_key, lock=lock)


def subscriber_by_key(connection: sa.Connection, key: bytes, *, lock: bool = False) -> Subscriber | None:
    """Return the subscriber whose links hold a key."""
    return _one_subscriber(connection, subscriber.c.key == key, lock=lock)


def subscriber_by_digest(
    connection: sa.Connection, digest: bytes, *, lock: bool = False
) -> Subscriber | None:
    """Return the subscriber whose address has a keyed hash."""
    return _one_subscriber(connection, subscriber.c.address_hash == digest, lock=lock)


def digest_of(connection: sa.Connection, number: int) -> bytes | None:
    """Return the keyed hash of a subscriber's address, None once erased."""
    found = execute(
        connection, sa.select(subscriber.c.address_hash).where(subscriber.c.id == number)
    ).scalar()
    return None if found is None else bytes(found)


def update_profile(connection: sa.Connection, number: int, profile: Profile) -> None:
    """Set what the profile says; an empty name or language leaves the old one, tags are added."""
    values: dict[str, str] = {}
    if profile.name:
        values["name"] = profile.name
    if profile.language:
        values["language"] = profile.language
    if values:
        execute(connection, sa.update(subscriber).where(subscriber.c.id == number).values(values))
    for label in profile.tags:
        insert_unless_there(connection, tag, {"subscriber_id": number, "tag": label})


def delete_tags(connection: sa.Connection, number: int, labels: Iterable[str]) -> None:
    """Take tags off a person; one that is not there is no fault."""
    execute(connection, sa.delete(tag).where(tag.c.subscriber_id == number, tag.c.tag.in_(list(labels))))


def subscriptions_of(connection: sa.Connection, number: int) -> tuple[Subscription, ...]:
    """Return a subscriber's subscriptions in the order of the editions' numbers."""
    statement = (
        sa.select(
            *subscription.c["id", "subscriber_id", "state", "paused_until", "created_at", "changed_at"],
            edition.c.name.label("edition"),
        )
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(subscription.c.subscriber_id == number)
        .order_by(subscription.c.edition_number)
    )
    return tuple(Subscription(**row._asdict()) for row in execute(connection, statement))


def subscription_of(connection: sa.Connection, number: int, edition_name: str) -> Subscription | None:
    """Return a subscriber's subscription to an edition."""
    found = subscriptions_of(connection, number)
    return next((each for each in found if each.edition == edition_name), None)


def edition_name(connection: sa.Connection, number: int) -> str | None:
    """Return the name of the edition with a number."""
    return execute(connection, sa.select(edition.c.name).where(edition.c.number == number)).scalar()


def insert_subscription(
    connection: sa.Connection, number: int, edition_number: int, state: SubscriptionState, step: Step
) -> None:
    """Begin a subscription, with its first line of history."""
    values = {
        "subscriber_id": number,
        "edition_number": edition_number,
        "state": state,
        "created_at": step.at,
        "changed_at": step.at,
    }
    statement = sa.insert(subscription).values(values).returning(subscription.c.id)
    record(connection, number, execute(connection, statement).scalar_one(), None, state, step)


def move_subscription(
    connection: sa.Connection, moved: Subscription, state: SubscriptionState, step: Step, *,
    until: datetime | None = None,
) -> None:  # fmt: skip
    """Give a subscription another state, or a pause another end, with a line of history."""
    values = {"state": state, "paused_until": until, "changed_at": step.at}
    execute(connection, sa.update(subscription).where(subscription.c.id == moved.id).values(values))
    record(connection, moved.subscriber_id, moved.id, moved.state, state, step)


def links_of(connection: sa.Connection, keys: Iterable[bytes]) -> list[tuple[bytes, int, Subscription]]:
    """Return key, number of the edition and subscription of every link that holds one of some keys.

    Both rows are locked, in the order of the subscribers' numbers: of a row that is not, PostgreSQL gives the state
    from before the wait for the other.
    """
    statement = (
        sa.select(
            subscriber.c.key,
            edition.c.number,
            edition.c.name.label("edition"),
            *subscription.c["id", "subscriber_id", "state", "paused_until", "created_at", "changed_at"],
        )
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(subscriber.c.key.in_(list(keys)))
        .order_by(subscriber.c.id)
        .with_for_update(of=[subscriber, subscription])
    )
    found = []
    for row in execute(connection, statement):
        values = row._asdict()
        found.append((bytes(values.pop("key")), int(values.pop("number")), Subscription(**values)))
    return found


def move_subscriptions(
    connection: sa.Connection, moved: Sequence[Subscription], state: SubscriptionState, step: Step
) -> None:
    """Do what `move_subscription` does, for many at once."""
    if moved:
        values = {"state": state, "paused_until": None, "changed_at": step.at}
        chosen = sa.update(subscription).where(subscription.c.id.in_([each.id for each in moved]))
        execute(connection, chosen.values(values))
        record_all(connection, moved, state, step)


def wake(connection: sa.Connection, now: datetime) -> int:
    """End every pause whose time has come, each with a line of history; return their number.

    Whoever plans a send calls this first.
    """
    step = Step(actor="newsletter", through=Through.CLOCK, at=now)
    due = (subscription.c.state == SubscriptionState.PAUSED, subscription.c.paused_until <= step.at)
    rows = execute(
        connection, sa.select(*subscription.c["id", "subscriber_id"]).where(*due).with_for_update()
    ).all()
    for start in range(0, len(rows), _PAGE):
        some = rows[start : start + _PAGE]
        moved = sa.update(subscription).where(subscription.c.id.in_([row.id for row in some]))
        values = {"state": SubscriptionState.ACTIVE, "paused_until": None, "changed_at": step.at}
        execute(connection, moved.values(values))
        for row in some:
            record(
                connection,
                row.subscriber_id,
                row.id,
                SubscriptionState.PAUSED,
                SubscriptionState.ACTIVE,
                step,
            )
    return len(rows)


def move_address(connection: sa.Connection, known: Subscriber, state: AddressState, step: Step) -> None:
    """Give an address another state, with a line of history; `forget` completes an erasure."""
    if state is not AddressState.ERASED:  # which cannot stand beside an address
        execute(connection, sa.update(subscriber).where(subscriber.c.id == known.id).values(state=state))
    record(connection, known.id, None, known.state, state, step)


def forget(connection: sa.Connection, number: int) -> None:
    """Leave nothing of a person but the number; links of before lead to nobody."""
    execute(connection, sa.delete(tag).where(tag.c.subscriber_id == number))
    values = {
        "state": AddressState.ERASED, "email": None, "address_key": None, "address_hash": None, "name": "",
        "language": None, "key": secrets.token_bytes(16),
    }  # fmt: skip
    execute(connection, sa.update(subscriber).where(subscriber.c.id == number).values(values))


def _one_subscriber(
    connection: sa.Connection, chosen: sa.ColumnElement[bool], *, lock: bool
) -> Subscriber | None:
    statement = sa.select(subscriber).where(chosen)
    if lock:  # SQLite leaves it out: it has one writer at a time anyway
        statement = statement.with_for_update()
    row = execute(connection, statement).one_or_none()
    if row is None:
        return None
    return Subscriber(
        id=row.id,
        key=row.key,
        email=row.email or "",
        name=row.name,
        language=row.language,
        state=row.state,
        created_at=row.created_at,
        tags=tags_of(connection, {row.id}).get(row.id, ()),
    )


def tags_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the tags of each subscriber that has any."""
    found: dict[int, tuple[str, ...]] = {}
    for row in execute(connection, sa.select(tag).where(tag.c.subscriber_id.in_(numbers))):
        found[row.subscriber_id] = (*found.get(row.subscriber_id, ()), row.tag)
    # Sorted here, since collations of databases differ.
    return {number: tuple(sorted(labels)) for number, labels in found.items()}


def insert_unless_there(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, object] | Sequence[Mapping[str, object]]
) -> None:
    """Insert a row, or each of some hundred, unless one that must be the only one is there."""
    # Somebody else may insert the same row between our look and our insert; on PostgreSQL the error would
    # end the caller's transaction.
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    execute(connection, dialect.insert(table).values(values).on_conflict_do_nothing())
