"""The life of a subscription, and of an address: every step that there is, as two tables.

A step that leaves a state as it is writes no history, but for the person's own leaving after the operator's removal.
What a table does not hold is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from subscribers.models import AddressState, SubscriptionState

_NEW, _PENDING, _ACTIVE = None, SubscriptionState.PENDING, SubscriptionState.ACTIVE
_PAUSED, _LEFT = SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED


class Wish(Enum):
    """What somebody wants of a subscription."""

    ADD = "add"  # the operator, whom the person told
    ASK = "ask"  # the person, by a form; to be confirmed
    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    LEAVE = "leave"
    RETURN = "return"  # the person takes the leaving back
    FAIL = "fail"  # what happened to the address; of an address alone, as the next two
    COMPLAIN = "complain"
    LIFT = "lift"
    ERASE = "erase"


SUBSCRIPTION: Mapping[tuple[Wish, SubscriptionState | None], SubscriptionState] = MappingProxyType({
    (Wish.ADD, _NEW): _ACTIVE,
    (Wish.ADD, _PENDING): _ACTIVE,
    (Wish.ADD, _ACTIVE): _ACTIVE,
    (Wish.ADD, _PAUSED): _PAUSED,
    (Wish.ADD, _LEFT): _ACTIVE,  # unless the person left: see `subscriptions`
    (Wish.ASK, _NEW): _PENDING,
    (Wish.ASK, _PENDING): _PENDING,
    (Wish.ASK, _ACTIVE): _ACTIVE,
    (Wish.ASK, _PAUSED): _PAUSED,
    (Wish.ASK, _LEFT): _PENDING,
    (Wish.CONFIRM, _PENDING): _ACTIVE,
    (Wish.CONFIRM, _ACTIVE): _ACTIVE,
    (Wish.CONFIRM, _PAUSED): _PAUSED,
    (Wish.PAUSE, _ACTIVE): _PAUSED,
    (Wish.PAUSE, _PAUSED): _PAUSED,
    (Wish.RESUME, _ACTIVE): _ACTIVE,
    (Wish.RESUME, _PAUSED): _ACTIVE,
    (Wish.LEAVE, _PENDING): _LEFT,
    (Wish.LEAVE, _ACTIVE): _LEFT,
    (Wish.LEAVE, _PAUSED): _LEFT,
    (Wish.LEAVE, _LEFT): _LEFT,
    (Wish.RETURN, _LEFT): _ACTIVE,
    (Wish.RETURN, _ACTIVE): _ACTIVE,
})  # fmt: skip

ADDRESS: Mapping[tuple[Wish, AddressState], AddressState] = MappingProxyType({
    (Wish.FAIL, AddressState.ACTIVE): AddressState.BOUNCED,
    (Wish.FAIL, AddressState.BOUNCED): AddressState.BOUNCED,
    (Wish.FAIL, AddressState.COMPLAINED): AddressState.COMPLAINED,
    (Wish.COMPLAIN, AddressState.ACTIVE): AddressState.COMPLAINED,
    (Wish.COMPLAIN, AddressState.BOUNCED): AddressState.COMPLAINED,
    (Wish.COMPLAIN, AddressState.COMPLAINED): AddressState.COMPLAINED,
    (Wish.LIFT, AddressState.ACTIVE): AddressState.ACTIVE,
    (Wish.LIFT, AddressState.BOUNCED): AddressState.ACTIVE,
    (Wish.LIFT, AddressState.COMPLAINED): AddressState.ACTIVE,
    (Wish.ERASE, AddressState.ACTIVE): AddressState.ERASED,
    (Wish.ERASE, AddressState.BOUNCED): AddressState.ERASED,
    (Wish.ERASE, AddressState.COMPLAINED): AddressState.ERASED,
})  # fmt: skip
