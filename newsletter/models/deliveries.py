"""Deliveries: whom a letter goes to, what a provider answers, and what it says later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple


class Recipient(NamedTuple):
    """A delivery's address and values.

    ``delivery_id`` names the delivery (issue and subscriber) for good and tells nothing about the person;
    the outbox uses it as a file name. ``values`` fill the letter's placeholders as plain text. ``return_path`` is the
    address that bounces go to, where the provider lets us say it; empty means the letter's From. It is a tuple, because
    a send makes one for each reader.
    """

    subscriber_id: int
    address: str
    name: str
    delivery_id: str
    message_id: str
    values: Mapping[str, str] = MappingProxyType({})
    headers: tuple[tuple[str, str], ...] = ()
    return_path: str = ""


class Outcome(Enum):
    """What a provider said of one message."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # not taken; a later try may succeed
    REJECTED = "rejected"  # refused for good
    UNCERTAIN = "uncertain"  # it may have been taken


class Receipt(NamedTuple):
    """A provider's answer for one recipient. ``reply`` is what it said, word for word, on one line.

    ``hard``: the reply says that the address is not there, so that nothing should be sent to it again. It is a tuple
    as a recipient is.
    """

    subscriber_id: int
    outcome: Outcome
    reply: str = ""
    provider_id: str = ""
    hard: bool = False


class EventKind(Enum):
    """What a provider says became of a letter; the values are stored (django-anymail's names in brackets)."""

    QUEUED = "queued"  # the provider has it [queued, sent]
    DEFERRED = "deferred"  # the reader's server puts it off [deferred]
    DELIVERED = "delivered"  # the reader's server has it [delivered]
    HARD = "hard"  # the mailbox or its domain is not there [bounced, rejected]
    SOFT = "soft"  # it bounced for any other reason [bounced, rejected]
    POLICY = "policy"  # it was the letter or its sender that was refused [bounced, rejected]
    COMPLAINT = "complaint"  # [complained]
    UNSUBSCRIBE = "unsubscribe"  # [unsubscribed]
    SUBSCRIBE = "subscribe"  # [subscribed]
    OPENED = "opened"  # [opened]
    OPENED_BY_MACHINE = "opened-by-machine"  # [opened]
    CLICKED = "clicked"  # [clicked]
    UNKNOWN = "unknown"  # none of these: kept, and counted [unknown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a provider says of one letter, proven to be the provider's word.

    ``id`` names it for good at that provider. ``delivery_id`` and ``subscriber_id`` are those that the provider was
    given with the letter (empty and None where it gives none back): the subscriber is the delivery's only if the
    id can be made from its key. ``address`` is given where ``subscriber_id`` is not. ``reason`` is what a server
    or the provider said, on one line; of an unknown kind, what the provider calls it.
    """

    id: str
    kind: EventKind
    at: datetime
    delivery_id: str = ""
    subscriber_id: int | None = None
    address: str = ""
    status: str = ""
    reason: str = ""
