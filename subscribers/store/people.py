"""People and their addresses, names and tags."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from subscribers.models import Address, AddressState, Profile, Step, Subscriber
from subscribers.records import record
from subscribers.schema import execute, insert_unless_there, subscriber, tag


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


def digest_of(connection: sa.Connection, number: int) -> bytes | None:
    """Return the keyed hash of a subscriber's address, None once erased."""
    found = execute(
        connection, sa.select(subscriber.c.address_hash).where(subscriber.c.id == number)
    ).scalar()
    return None if found is None else bytes(found)


def tags_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the tags of each subscriber that has any."""
    found: dict[int, tuple[str, ...]] = {}
    for row in execute(connection, sa.select(tag).where(tag.c.subscriber_id.in_(numbers))):
        found[row.subscriber_id] = (*found.get(row.subscriber_id, ()), row.tag)
    # Sorted here, since collations of databases differ.
    return {number: tuple(sorted(labels)) for number, labels in found.items()}


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
