"""How the use cases reach a person and bring a subscription to a state; the caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from subscribers import records
from subscribers.addresses import address_hash, parse_address
from subscribers.errors import InvalidValue, StoreError, Suppressed, UnknownSubscriber
from subscribers.lifecycle import SUBSCRIPTION, Wish
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
from subscribers.store import people, subscriptions

_SHORTEST_KEY = 16
_LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """What the list needs: ``hash_key``, at least 16 secret bytes that never change, for suppressions."""

    hash_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.hash_key) < _SHORTEST_KEY:
            raise InvalidValue(
                f"it needs at least {_SHORTEST_KEY} bytes", subject="the key of the suppressions"
            )


class Book:
    """What all use cases share. Every method works inside the caller's transaction."""

    def __init__(self, settings: ListSettings) -> None:
        self._settings = settings

    def digest(self, address: Address) -> bytes:
        """Return the keyed hash under which an address is suppressed."""
        return address_hash(self._settings.hash_key, address.key)

    def find(self, connection: Connection, email_or_id: str, *, lock: bool = False) -> Subscriber:
        """Return a subscriber given by e-mail address or number, or raise `UnknownSubscriber`."""
        given = email_or_id.strip(" ")
        if given.isascii() and given.isdigit():
            possible = len(given) <= len(str(_LARGEST_NUMBER)) and int(given) <= _LARGEST_NUMBER
            subscriber = people.subscriber_by_id(connection, int(given), lock=lock) if possible else None
            if subscriber is None:
                raise UnknownSubscriber("there is no subscriber with this number", subject=given[:20])
            return subscriber
        address = parse_address(email_or_id)
        subscriber = people.subscriber_by_address(connection, address.key, lock=lock)
        if subscriber is None:
            raise UnknownSubscriber("is not on the list", subject=address.email)
        return subscriber

    def edition_number(self, connection: Connection, name: str) -> int:
        """Return the number of an edition, which stands in links."""
        return subscriptions.ensure_edition(connection, name)

    def edition_name(self, connection: Connection, number: int) -> str | None:
        """Return the edition that a number in a link means; None for one that no edition has."""
        return subscriptions.edition_name(connection, number)

    def subscription(self, connection: Connection, number: int, edition: str) -> Subscription | None:
        """Return a subscriber's subscription to an edition."""
        return subscriptions.subscription_of(connection, number, edition)

    def by_link(
        self, connection: Connection, key: bytes, edition_number: int, *, lock: bool = False
    ) -> tuple[Subscriber, Subscription] | None:
        """Return whom an unsubscribe link names, and the subscription; None for a link that names nobody."""
        subscriber = people.subscriber_by_key(connection, key, lock=lock)
        if subscriber is None:
            return None
        held = subscriptions.subscriptions_of(connection, subscriber.id)
        name = subscriptions.edition_name(connection, edition_number)
        return next(((subscriber, each) for each in held if each.edition == name), None)

    def barred(self, connection: Connection, subscriber: Subscriber) -> bool:
        """Whether nothing is sent to a subscriber's address, whatever the subscriptions say."""
        return (
            subscriber.state is not AddressState.ACTIVE
            or records.suppression_of_subscriber(connection, subscriber.id) is not None
        )

    def put(
        self, connection: Connection, subscriber: Subscriber, edition: str, known: Subscription | None,
        wanted: SubscriptionState, step: Step, *, until: datetime | None = None,
    ) -> Subscription:  # fmt: skip
        """Bring a subscription to a state, with its line of history; return it as it is then."""
        if known is None:
            number = subscriptions.ensure_edition(connection, edition)
            subscriptions.insert_subscription(connection, subscriber.id, number, wanted, step)
        elif known.state is not wanted or until is not None:
            subscriptions.move_subscription(connection, known, wanted, step, until=until)
        moved = subscriptions.subscription_of(connection, subscriber.id, edition)
        assert moved is not None
        return moved

    def known_or_new(
        self, connection: Connection, address: Address, profile: Profile, now: datetime
    ) -> Subscriber:
        """Return the person with this address, put on the list if new, locked until the transaction ends."""
        digest = self.digest(address)
        if suppression := records.suppression_of(connection, digest):
            problem = f"is suppressed since {suppression.at:%Y-%m-%d} ({suppression.reason})"
            raise Suppressed(problem, subject=address.email, remedy="nothing was changed")
        subscriber = people.subscriber_by_address(connection, address.key, lock=True)
        if subscriber is None:
            people.insert_subscriber(connection, address, digest, profile, now)
            subscriber = people.subscriber_by_address(connection, address.key, lock=True)
        if subscriber is None:
            raise StoreError("was not stored", subject=address.email, remedy="try again")
        if subscriber.state is not AddressState.ACTIVE:
            problem = f"has {subscriber.state.name.lower()}, nothing is sent to it"
            raise Suppressed(problem, subject=address.email, remedy="nothing was changed")
        return subscriber


def next_state(wish: Wish, known: Subscription | None) -> SubscriptionState:
    """Return the state that a wish leads to; KeyError for one that the life of a subscription does not know."""
    return SUBSCRIPTION[wish, None if known is None else known.state]


def keep_own_wish(connection: Connection, left: Subscription, step: Step) -> None:
    """Where the operator had ended a subscription, and now the person leaves it, keep the person's step too.

    Otherwise the operator's next `add` would bring back somebody who asked to be left alone.
    """
    if step.through is Through.CLI:
        return
    before = records.leaving_of(connection, left)
    if before is not None and before.step.through is Through.CLI:
        subscriptions.move_subscription(connection, left, SubscriptionState.UNSUBSCRIBED, step)
