"""What a mail provider keeps of whom it sends nothing to, put beside the list: in both directions, taking nothing away.

Whatever happened here later than there stands: a suppression that was lifted by hand, a sign-up that was confirmed.
The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import sqlalchemy as sa

from subscribers import records
from subscribers.book import Book, keep_own_wish
from subscribers.lifecycle import ADDRESS, Wish
from subscribers.models import Address, AddressState, Step, Subscription, SubscriptionState, Through
from subscribers.requests import BY_THE_PERSON
from subscribers.schema import execute, subscriber, suppression
from subscribers.store import subscriptions
from subscribers.suppressions import Suppressions, suppress, suppress_all

_PAGE = 1_000


class Cause(Enum):
    """Why a provider sends nothing to somebody."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"  # from everything


class Effect(Enum):
    """What becomes of a provider's word on an address."""

    KNOWN = "known"  # nothing: it is so here too
    NEWER = "newer"  # nothing: what happened here came later
    SUPPRESSED = "suppressed"  # nobody on the list has the address; whoever comes with it finds it suppressed
    CHANGED = "changed"  # somebody on the list


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A provider's word: ``at`` is when it began to hold, ``reason`` what is kept of why, without the address."""

    address: Address
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """The suppressions that a provider does not have: those with an address, and how many are hashes only."""

    addresses: Sequence[str]
    hashes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Here:
    """What the list knows of some addresses, by their hashes."""

    in_force: Collection[bytes]
    lifted: Mapping[bytes, datetime]
    people: Mapping[bytes, tuple[int, AddressState]]


class Exchange(Book):
    """The list beside a provider's own lists; ``provider`` names it in the history."""

    def take(
        self, connection: sa.Connection, cause: Cause, told: Sequence[Told], *, provider: str, now: datetime,
        dry_run: bool = False,
    ) -> list[Effect]:  # fmt: skip
        """Take over what a provider says of some addresses, each once; return what became of each, in order.

        A dry run returns what would become, and changes nothing.
        """
        digests = [self.digest(each.address) for each in told]
        here = _known_here(connection, digests)
        effects: list[Effect] = []
        unknown: list[tuple[bytes, Step]] = []
        for digest, each in zip(digests, told, strict=True):
            step = Step(actor=provider, through=Through.EVENT, at=now, reason=each.reason)
            leaving = _leaving(connection, cause, digest, each, here)
            effect = _effect(cause, digest, each, here, leaving)
            effects.append(effect)
            if dry_run or effect in {Effect.KNOWN, Effect.NEWER}:
                continue
            if effect is Effect.SUPPRESSED:
                unknown.append((digest, step))
            elif cause is Cause.UNSUBSCRIBED:
                _leave(connection, digest, here.people[digest][0], leaving or (), step)
            else:
                state = _STATES[cause]
                number = here.people[digest][0]
                Suppressions.happened(connection, number, state, reason=step.reason, now=now, actor=provider)
        if unknown:
            suppress_all(connection, unknown)
        return effects

    def unknown_to(
        self, connection: sa.Connection, silent: Collection[bytes], listed: Collection[bytes]
    ) -> Mine:
        """Return the suppressions in force that a provider lacks, by the hashes of its addresses.

        Whoever asked for quiet, or complained, is missing unless the provider is ``silent`` to them for good. Who
        bounced is left out: a provider finds that out itself. A hash without an address cannot be handed over; it is
        counted unless it is ``listed`` there for any reason.
        """
        addresses: list[str] = []
        hashes = 0
        for row in _in_force(connection):
            digest = bytes(row.address_hash)
            if row.email is None:
                hashes += digest not in listed
            elif row.state is not AddressState.BOUNCED and digest not in silent:
                addresses.append(row.email)
        return Mine(addresses=addresses, hashes=hashes)


_STATES = {Cause.BOUNCED: AddressState.BOUNCED, Cause.COMPLAINED: AddressState.COMPLAINED}
_WISHES = {Cause.BOUNCED: Wish.FAIL, Cause.COMPLAINED: Wish.COMPLAIN}


def _effect(
    cause: Cause, digest: bytes, told: Told, here: _Here, leaving: Sequence[Subscription] | None
) -> Effect:
    """Decide; ``leaving`` are the subscriptions that end, None where the person came back since."""
    barred = digest in here.in_force
    lifted = here.lifted.get(digest)
    if not barred and lifted is not None and lifted > told.at:
        return Effect.NEWER
    if digest not in here.people:
        return Effect.KNOWN if barred else Effect.SUPPRESSED
    if leaving is None:
        return Effect.NEWER
    state = here.people[digest][1]
    wanted = ADDRESS[_WISHES[cause], state] if cause in _WISHES else state
    return Effect.KNOWN if barred and wanted is state and not leaving else Effect.CHANGED


def _leaving(
    connection: sa.Connection, cause: Cause, digest: bytes, told: Told, here: _Here
) -> Sequence[Subscription] | None:
    """Return the subscriptions that an unsubscription from everything ends; None where the person came back since.

    Who is suppressed here has none to end, unless that is for bounces, which end by themselves: the provider's word
    may well be ours, handed over before.
    """
    if cause is not Cause.UNSUBSCRIBED or digest not in here.people:
        return ()
    number, state = here.people[digest]
    if digest in here.in_force and state is not AddressState.BOUNCED:
        return ()
    known = subscriptions.subscriptions_of(connection, number)
    came_back = (records.last_step_to(connection, each, SubscriptionState.ACTIVE) for each in known)
    if any(
        back is not None and back.step.through in BY_THE_PERSON and back.step.at > told.at
        for back in came_back
    ):
        return None
    return [each for each in known if each.state is not SubscriptionState.UNSUBSCRIBED]


def _leave(
    connection: sa.Connection, digest: bytes, number: int, leaving: Sequence[Subscription], step: Step
) -> None:
    """End somebody's subscriptions as the person's own wish, and keep other editions from writing to them."""
    for known in subscriptions.subscriptions_of(connection, number):
        if known.state is SubscriptionState.UNSUBSCRIBED:
            keep_own_wish(connection, known, step)
    subscriptions.move_subscriptions(connection, leaving, SubscriptionState.UNSUBSCRIBED, step)
    suppress(connection, digest, step)


def _known_here(connection: sa.Connection, digests: Sequence[bytes]) -> _Here:
    rows = execute(
        connection,
        sa.select(suppression.c.address_hash, suppression.c.lifted_at).where(
            suppression.c.address_hash.in_(digests)
        ),
    ).all()
    lifted: dict[bytes, datetime] = {}
    for row in rows:
        if row.lifted_at is not None:
            digest = bytes(row.address_hash)
            lifted[digest] = max(row.lifted_at, lifted.get(digest, row.lifted_at))
    people = execute(
        connection,
        sa.select(*subscriber.c["id", "address_hash", "state"])
        .where(subscriber.c.address_hash.in_(digests))
        .order_by(subscriber.c.id)
        .with_for_update(),
    )
    return _Here(
        in_force={bytes(row.address_hash) for row in rows if row.lifted_at is None},
        lifted=lifted,
        people={bytes(row.address_hash): (row.id, row.state) for row in people},
    )


def _in_force(connection: sa.Connection) -> Iterator[sa.Row[tuple[int, bytes, str | None, AddressState]]]:
    """Yield every suppression in force, a page in memory at a time."""
    after = 0
    page = (
        sa.select(suppression.c.id, suppression.c.address_hash, subscriber.c.email, subscriber.c.state)
        .outerjoin(subscriber, subscriber.c.address_hash == suppression.c.address_hash)
        .where(suppression.c.lifted_at.is_(None))
        .order_by(suppression.c.id)
        .limit(_PAGE)
    )
    while rows := execute(connection, page.where(suppression.c.id > after)).all():
        yield from rows
        after = rows[-1].id
