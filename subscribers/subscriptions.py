"""The use cases of the list: put somebody on it, take somebody off, look. The caller owns the transaction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from subscribers import records, store
from subscribers.addresses import address_hash, parse_address
from subscribers.errors import InvalidValue, StoreError, Suppressed, UnknownSubscriber
from subscribers.models import (
    Address,
    AddressState,
    Details,
    Listing,
    Profile,
    Step,
    Subscriber,
    Subscription,
    SubscriptionState,
    Through,
)

_SHORTEST_KEY = 16
_LARGEST_NUMBER = 2**31 - 1
_LONGEST_TEXT = 200
_JOINERS = {0x200C: None, 0x200D: None}  # unseen, but Persian names and emoji are spelt with them
_EDITION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """What the list needs: ``hash_key``, at least 16 secret bytes that never change, for suppressions."""

    hash_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.hash_key) < _SHORTEST_KEY:
            raise InvalidValue(
                f"it needs at least {_SHORTEST_KEY} bytes", subject="the key of the suppressions"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What `SubscriberList.add` did; where it neither created nor reactivated, it changed nothing at all."""

    subscriber: Subscriber
    subscription: Subscription
    created: bool
    reactivated: bool


class SubscriberList:
    """The list, as commands and pages use it. Every method works inside the caller's transaction."""

    def __init__(self, settings: ListSettings) -> None:
        self._settings = settings

    def add(
        self,
        connection: Connection,
        email: str,
        *,
        edition: str,
        name: str = "",
        tags: Iterable[str] = (),
        language: str | None = None,
        actor: str,
        now: datetime,
    ) -> Added:
        """Make somebody who told the operator so an active subscriber of an edition, at once.

        Idempotent. Whom the operator took off comes back; whoever left by any other way, and an address that
        is suppressed, bounced or complained, raises `Suppressed`. Bad values raise `InvalidValue`.
        """
        address = parse_address(email)
        edition_name = check_edition(edition)
        profile = _check_profile(name, tags, language)
        step = Step(actor=actor, through=Through.CLI, at=now)

        subscriber = self._subscriber(connection, address, profile, now)
        known = _by_edition(connection, subscriber.id).get(edition_name)
        if known is None:
            number = store.ensure_edition(connection, edition_name)
            store.insert_subscription(connection, subscriber.id, number, SubscriptionState.ACTIVE, step)
        elif known.state in {SubscriptionState.ACTIVE, SubscriptionState.PAUSED}:
            return Added(subscriber=subscriber, subscription=known, created=False, reactivated=False)
        else:
            _refuse_who_left(connection, address, known)
            store.move_subscription(connection, known, SubscriptionState.ACTIVE, step)
        store.update_profile(connection, subscriber.id, profile)
        subscription = _by_edition(connection, subscriber.id)[edition_name]
        records.insert_consent(connection, subscription.id, "operator", now)
        return Added(
            subscriber=self.find(connection, str(subscriber.id)),
            subscription=subscription,
            created=known is None,
            reactivated=known is not None,
        )

    def remove(
        self,
        connection: Connection,
        email_or_id: str,
        *,
        edition: str | None = None,
        actor: str,
        now: datetime,
    ) -> tuple[Subscription, ...]:
        """End somebody's subscription to an edition, or to all; return those that were ended by this.

        Idempotent: who has left already is left alone. Raises `UnknownSubscriber`.
        """
        subscriber = self.find(connection, email_or_id)
        store.subscriber_by_id(connection, subscriber.id, lock=True)
        step = Step(actor=actor, through=Through.CLI, at=now)
        ended = set()
        for name, subscription in _by_edition(connection, subscriber.id).items():
            if edition in {None, name} and subscription.state is not SubscriptionState.UNSUBSCRIBED:
                store.move_subscription(connection, subscription, SubscriptionState.UNSUBSCRIBED, step)
                ended.add(name)
        return tuple(
            subscription
            for name, subscription in _by_edition(connection, subscriber.id).items()
            if name in ended
        )

    def find(self, connection: Connection, email_or_id: str) -> Subscriber:
        """Return a subscriber given by e-mail address or number, or raise `UnknownSubscriber`."""
        given = email_or_id.strip(" ")
        if given.isascii() and given.isdigit():
            possible = len(given) <= len(str(_LARGEST_NUMBER)) and int(given) <= _LARGEST_NUMBER
            subscriber = store.subscriber_by_id(connection, int(given)) if possible else None
            if subscriber is None:
                raise UnknownSubscriber("there is no subscriber with this number", subject=given[:20])
            return subscriber
        address = parse_address(email_or_id)
        subscriber = store.subscriber_by_address(connection, address.key)
        if subscriber is None:
            raise UnknownSubscriber("is not on the list", subject=address.email)
        return subscriber

    def listing(
        self,
        connection: Connection,
        *,
        edition: str | None = None,
        state: SubscriptionState | AddressState | None = None,
    ) -> Iterator[Listing]:
        """Yield one row a subscription, by subscriber and edition; memory stays flat for any length."""
        return store.listing(connection, edition, state)

    def show(self, connection: Connection, email_or_id: str) -> Details:
        """Return everything that is known of one subscriber, or raise `UnknownSubscriber`."""
        subscriber = self.find(connection, email_or_id)
        return Details(
            subscriber=subscriber,
            subscriptions=store.subscriptions_of(connection, subscriber.id),
            history=records.history_of(connection, subscriber.id),
            consents=records.consents_of(connection, subscriber.id),
            suppression=records.suppression_of_subscriber(connection, subscriber.id),
        )

    def _subscriber(
        self, connection: Connection, address: Address, profile: Profile, now: datetime
    ) -> Subscriber:
        """Return the person with this address, put on the list if new, locked until the transaction ends."""
        digest = address_hash(self._settings.hash_key, address.key)
        if suppression := records.suppression_of(connection, digest):
            problem = f"is suppressed since {suppression.at:%Y-%m-%d} ({suppression.reason})"
            raise Suppressed(problem, subject=address.email, remedy="nothing was changed")
        subscriber = store.subscriber_by_address(connection, address.key, lock=True)
        if subscriber is None:
            store.insert_subscriber(connection, address, digest, profile, now)
            subscriber = store.subscriber_by_address(connection, address.key, lock=True)
        if subscriber is None:
            raise StoreError("was not stored", subject=address.email, remedy="try again")
        if subscriber.state is not AddressState.ACTIVE:
            problem = f"has {subscriber.state.name.lower()}, nothing is sent to it"
            raise Suppressed(problem, subject=address.email, remedy="nothing was changed")
        return subscriber


def check_edition(name: str) -> str:
    """Return the name of an edition, or raise `InvalidValue`: it stands in commands, settings and links."""
    if not _EDITION.fullmatch(name):
        remedy = "use at most 32 of a-z, 0-9 and -, beginning with a letter or digit"
        raise InvalidValue("this is no name for an edition", subject=repr(name[:40]), remedy=remedy)
    return name


def _check_profile(name: str, tags: Iterable[str], language: str | None) -> Profile:
    if language is not None and not _LANGUAGE.fullmatch(language):
        remedy = "use a tag such as en, ko or pt-BR"
        raise InvalidValue("this is no language", subject=repr(language[:40]), remedy=remedy)
    checked = tuple(sorted({_check_text(tag, "tag") for tag in tags}))
    if "" in checked:
        raise InvalidValue("a tag cannot be empty", subject="tag")
    return Profile(name=_check_text(name, "name"), tags=checked, language=language)


def _check_text(text: str, what: str) -> str:
    """Return the text with plain spaces and none around it; what could break a header line is refused."""
    plain = (" " if unicodedata.category(character) == "Zs" else character for character in text)
    trimmed = "".join(plain).strip(" ")
    if len(trimmed) > _LONGEST_TEXT:
        raise InvalidValue(f"a {what} has at most {_LONGEST_TEXT} characters", subject=f"{trimmed[:40]!r}…")
    if not trimmed.translate(_JOINERS).isprintable():
        problem = f"a {what} cannot hold a line break, a control or an invisible character"
        raise InvalidValue(problem, subject=repr(trimmed[:40]), remedy="take it out")
    return trimmed


def _by_edition(connection: Connection, number: int) -> dict[str, Subscription]:
    return {subscription.edition: subscription for subscription in store.subscriptions_of(connection, number)}


def _refuse_who_left(connection: Connection, address: Address, known: Subscription) -> None:
    """Raise `Suppressed` unless the operator was the last to end this subscription."""
    left = records.last_step_to(connection, known, SubscriptionState.UNSUBSCRIBED)
    if known.state is SubscriptionState.UNSUBSCRIBED and (
        left is None or left.step.through is not Through.CLI
    ):
        way = left.step.through.name.lower().replace("_", "-") if left else "an unknown way"
        problem = f"left {known.edition} on {known.changed_at:%Y-%m-%d} ({way})"
        raise Suppressed(problem, subject=address.email, remedy="ask the person to subscribe again")
