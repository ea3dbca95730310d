"""The values of the list: frozen, keyword-only, without behaviour.

Times are aware and in UTC. The numbers of the enums are stored: they never change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class SubscriptionState(IntEnum):
    """The life of one subscriber in one edition."""

    PENDING = 0  # asked for, not confirmed
    ACTIVE = 1
    PAUSED = 2  # until a date
    UNSUBSCRIBED = 3


class AddressState(IntEnum):
    """The address's own state; its numbers differ from `SubscriptionState`, so a history row tells which."""

    ACTIVE = 10
    BOUNCED = 11
    COMPLAINED = 12
    ERASED = 13  # the person is gone, only the number is left


class Through(IntEnum):
    """The way by which a step came."""

    CLI = 0
    IMPORT = 1
    FORM = 2
    ONE_CLICK = 3
    MAILTO = 4
    EVENT = 5
    REQUEST = 6  # the person told the operator
    CLOCK = 7  # a pause ended


class Change(IntEnum):
    """What an import did to somebody."""

    JOINED = 0  # a subscription of a new person
    SUBSCRIBED = 1  # a new subscription of a known person
    MOVED = 2  # a subscription to another state
    ADDRESS = 3  # the address to another state
    NAME = 4
    LANGUAGE = 5
    TAG = 6
    CONSENT = 7
    SUPPRESSED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address: ``email`` to send to, ``key`` the same for every way to write it."""

    email: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a person beside the address."""

    name: str = ""
    language: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person, once. ``key`` is 16 random bytes, for links; ``email`` is empty once erased."""

    id: int
    key: bytes = field(repr=False)
    email: str
    name: str
    language: str | None
    state: AddressState
    created_at: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscriber in one edition."""

    id: int
    subscriber_id: int
    edition: str
    state: SubscriptionState
    paused_until: datetime | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who changes a state, when, by which way and why."""

    actor: str
    through: Through
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A step that was taken; of the address itself (``edition`` None), or of a subscription."""

    edition: str | None
    from_state: SubscriptionState | AddressState | None
    to_state: SubscriptionState | AddressState
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What somebody agreed to: ``source`` says where, ``text_version`` to which words (empty: to none)."""

    id: int
    edition: str
    source: str
    text_version: str
    given_at: datetime
    confirmed_at: datetime | None
    network: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address that is never written to, whoever asks, until it is lifted by hand.

    ``email`` is known only while the person is on the list.
    """

    id: int
    reason: str
    actor: str
    at: datetime
    email: str = ""
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lifted_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A row of the list: one subscription. ``id`` is the subscriber's; no ``address_state`` means active."""

    id: int
    email: str
    name: str
    edition: str
    state: SubscriptionState
    address_state: AddressState | None
    tags: tuple[str, ...]
    language: str | None
    created_at: datetime
    changed_at: datetime
    paused_until: datetime | None
    suppressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Everything that is known of one subscriber; history and consents in the order they happened."""

    subscriber: Subscriber
    subscriptions: tuple[Subscription, ...]
    history: tuple[HistoryEntry, ...]
    consents: tuple[Consent, ...]
    suppression: Suppression | None
