"""Whom nothing is ever sent to: bounces, complaints, suppressions, erasure. The caller owns the transaction.

A suppression is kept under a keyed hash of the address: it outlives the person's erasure, and nobody can read from
it whom it concerns. It ends by hand alone, with a reason, and the row stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from subscribers import records
from subscribers.addresses import parse_address
from subscribers.book import Book
from subscribers.checks import check_reason
from subscribers.errors import Suppressed
from subscribers.lifecycle import ADDRESS, Wish
from subscribers.models import AddressState, Step, Subscriber, SubscriptionState, Suppression, Through
from subscribers.schema import execute, insert_unless_there, subscriber, suppression
from subscribers.store import people, subscriptions
from subscribers.traces import REDACTED, sweep_list

_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure takes, or took: rows of each kind that name the person."""

    subscriber: Subscriber
    subscriptions: int
    consents: int
    tags: int


class Suppressions(Book):
    """The list of those who are left alone."""

    def suppress(
        self, connection: sa.Connection, email: str, *, reason: str, actor: str, now: datetime
    ) -> Suppression:
        """Send nothing to an address again, whether it is on the list or not; the one in force is kept as it is."""
        address = parse_address(email)
        step = Step(actor=actor, through=Through.CLI, at=now, reason=check_reason(reason))
        suppress(connection, self.digest(address), step)
        found = records.suppression_of(connection, self.digest(address))
        assert found is not None
        return found

    def unsuppress(
        self, connection: sa.Connection, email: str, *, reason: str, actor: str, now: datetime
    ) -> bool:
        """Let mail go to an address again; return whether it was suppressed, bounced or complained.

        The subscriptions stay as they are. The reason is kept.
        """
        step = Step(actor=actor, through=Through.CLI, at=now, reason=check_reason(reason))
        return lift(connection, self.digest(parse_address(email)), step)

    @staticmethod
    def happened(
        connection: sa.Connection, number: int, state: AddressState, *, reason: str, now: datetime,
        actor: str = "provider", through: Through = Through.EVENT,
    ) -> bool:  # fmt: skip
        """Take down that mail to a subscriber bounced for good, or that the person complained; return if it is new.

        The list knows the hash of the address by then, so this needs no key.
        """
        step = Step(actor=actor, through=through, at=now, reason=reason)
        known = people.subscriber_by_id(connection, number, lock=True)
        if known is None or known.state is AddressState.ERASED:
            return False
        wish = Wish.COMPLAIN if state is AddressState.COMPLAINED else Wish.FAIL
        wanted = ADDRESS[wish, known.state]
        digest = people.digest_of(connection, number)
        if digest is not None:
            suppress(connection, digest, step)
        if wanted is known.state:
            return False
        people.move_address(connection, known, wanted, step)
        return True

    @staticmethod
    def was_lifted(connection: sa.Connection, number: int, since: datetime) -> bool:
        """Say whether a suppression of a subscriber's address was lifted after a time."""
        lifted = sa.select(suppression.c.id).where(
            suppression.c.address_hash == people.digest_of(connection, number),
            suppression.c.lifted_at > since,
        )
        return execute(connection, lifted.limit(1)).first() is not None

    def listing(self, connection: sa.Connection, *, lifted: bool = False) -> Iterator[Suppression]:
        """Yield the suppressions in force, the oldest first, with the address where it is still known."""
        after = 0
        while rows := execute(connection, _page(after, lifted=lifted)).all():
            for row in rows:
                yield Suppression(**(row._asdict() | {"email": row.email or ""}))
            after = rows[-1].id

    def to_erase(self, connection: sa.Connection, email_or_id: str) -> Erased:
        """Return what an erasure would take; raise `UnknownSubscriber`."""
        person = self.find(connection, email_or_id)
        return Erased(
            subscriber=person,
            subscriptions=len(subscriptions.subscriptions_of(connection, person.id)),
            consents=len(records.consents_of(connection, person.id)),
            tags=len(person.tags),
        )

    def erase(self, connection: sa.Connection, email_or_id: str, *, actor: str, now: datetime) -> Erased:
        """Take a person off every table; an opaque number and the suppression of a keyed hash are left.

        Raises `UnknownSubscriber`, and `Suppressed` for one who is erased already.
        """
        taken = self.to_erase(connection, email_or_id)
        person = self.find(connection, str(taken.subscriber.id), lock=True)
        if person.state is AddressState.ERASED:
            raise Suppressed("is erased already", subject=f"subscriber {person.id}")
        step = Step(actor=actor, through=Through.CLI, at=now, reason="erased")
        digest = people.digest_of(connection, person.id)
        if digest is not None:
            suppress(connection, digest, step)
        for known in subscriptions.subscriptions_of(connection, person.id):
            if known.state is not SubscriptionState.UNSUBSCRIBED:
                subscriptions.move_subscription(connection, known, SubscriptionState.UNSUBSCRIBED, step)
        people.move_address(connection, person, AddressState.ERASED, step)
        records.forget(connection, person.id)
        people.forget(connection, person.id)
        if digest is not None:
            _forget_name(connection, digest, person.name)
        sweep_list(connection, person.email)
        return taken


def suppress(connection: sa.Connection, digest: bytes, step: Step) -> None:
    """Suppress an address by its hash, unless it is."""
    if records.suppression_of(connection, digest) is None:
        suppress_all(connection, [(digest, step)])


def suppress_all(connection: sa.Connection, some: Sequence[tuple[bytes, Step]]) -> None:
    """Suppress up to some hundred addresses by their hashes; the suppressions in force are kept as they are."""
    rows = [
        {"address_hash": digest, "reason": step.reason, "at": step.at, "actor": step.actor}
        for digest, step in some
    ]
    insert_unless_there(connection, suppression, rows)


def lift(connection: sa.Connection, digest: bytes, step: Step) -> bool:
    """End what keeps an address from getting mail, but for the person's own leaving; return if there was anything."""
    ended = execute(
        connection,
        sa.update(suppression)
        .where(suppression.c.address_hash == digest, suppression.c.lifted_at.is_(None))
        .values(lifted_at=step.at, lifted_by=step.actor, lifted_reason=step.reason),
    ).rowcount
    known = people.subscriber_by_digest(connection, digest, lock=True)
    if known is None or known.state is AddressState.ACTIVE:
        return ended > 0
    people.move_address(connection, known, ADDRESS[Wish.LIFT, known.state], step)
    return True


def _forget_name(connection: sa.Connection, digest: bytes, name: str) -> None:
    """Take a person's name out of why the address is, or was, suppressed: that record outlives the erasure."""
    if not name:
        return
    for column in (suppression.c.reason, suppression.c.lifted_reason):
        named = (suppression.c.address_hash == digest, column.contains(name, autoescape=True))
        without = sa.func.replace(column, name, REDACTED)
        execute(connection, sa.update(suppression).where(*named).values({column: without}))


def _page(after: int, *, lifted: bool) -> sa.Select[tuple[object, ...]]:
    in_force = suppression.c.lifted_at.is_(None)
    return (
        sa.select(
            *suppression.c["id", "reason", "actor", "at", "lifted_at", "lifted_by", "lifted_reason"],
            subscriber.c.email,
        )
        .outerjoin(subscriber, subscriber.c.address_hash == suppression.c.address_hash)
        .where(suppression.c.id > after, ~in_force if lifted else in_force)
        .order_by(suppression.c.id)
        .limit(_PAGE)
    )
