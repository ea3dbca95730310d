"""One word for where a subscription stands: what is true of its address comes first, then its own state.

Every subscription stands in exactly one place, so counts of them add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from subscribers.models import AddressState, SubscriptionState


class Standing(Enum):
    """Where a subscription stands, in the order of its life."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    ERASED = "erased"


OF_ADDRESS: Mapping[AddressState, Standing] = MappingProxyType(
    {
        AddressState.BOUNCED: Standing.BOUNCED,
        AddressState.COMPLAINED: Standing.COMPLAINED,
        AddressState.ERASED: Standing.ERASED,
    }
)
OF_SUBSCRIPTION: Mapping[SubscriptionState, Standing] = MappingProxyType(
    {
        SubscriptionState.PENDING: Standing.PENDING,
        SubscriptionState.ACTIVE: Standing.ACTIVE,
        SubscriptionState.PAUSED: Standing.PAUSED,
        SubscriptionState.UNSUBSCRIBED: Standing.UNSUBSCRIBED,
    }
)


def standing(state: SubscriptionState, address: AddressState | None, *, suppressed: bool) -> Standing:
    """Return where a subscription stands; no ``address`` state means an active one."""
    if address is not None and address in OF_ADDRESS:
        return OF_ADDRESS[address]
    return Standing.SUPPRESSED if suppressed else OF_SUBSCRIPTION[state]
