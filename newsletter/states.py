"""The lives of issues and deliveries, and their counts: apart from `newsletter.models`, which takes longer to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType


class IssueState(Enum):
    """The life of an issue: draft -> approved -> sending <-> paused -> finished, or held or cancelled."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    HELD = "held"
    CANCELLED = "cancelled"


BY_HAND = "by hand"  # how the reason of a pause begins that ends by hand too
STOPPED = "stopped"  # and of one that the sender itself made, and a person is to look at


def goes_on_by_hand(state: IssueState, reason: str) -> bool:
    """Whether an issue in this state, for this reason, goes on when somebody says so, and not before."""
    paused = state is IssueState.PAUSED and reason.startswith((BY_HAND, STOPPED))
    return paused or state in {IssueState.HELD, IssueState.DRAFT}


class DeliveryState(IntEnum):
    """The life of a delivery; the numbers are stored."""

    PENDING = 0
    CLAIMED = 1
    ACCEPTED = 2
    REJECTED = 3
    UNCERTAIN = 4
    SUPPRESSED = 5
    CANCELLED = 6


class DeliveryOutcome(IntEnum):
    """What events proved of an accepted delivery; the numbers are stored."""

    UNKNOWN = 0
    DELIVERED = 1
    BOUNCED = 2
    COMPLAINED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Deliveries of an issue by state; ``waiting`` are pending and claimed. They always add up."""

    prepared: int = 0
    accepted: int = 0
    rejected: int = 0
    suppressed: int = 0
    uncertain: int = 0
    waiting: int = 0
    cancelled: int = 0


STATES_OF: Mapping[str, tuple[DeliveryState, ...]] = MappingProxyType(
    {
        "accepted": (DeliveryState.ACCEPTED,),
        "rejected": (DeliveryState.REJECTED,),
        "suppressed": (DeliveryState.SUPPRESSED,),
        "uncertain": (DeliveryState.UNCERTAIN,),
        "waiting": (DeliveryState.PENDING, DeliveryState.CLAIMED),
        "cancelled": (DeliveryState.CANCELLED,),
    }
)  # which states each part of `Counts` has


def counts_of(by_state: Mapping[int, int]) -> Counts:
    """Return the counts of deliveries that were counted by state."""
    parts = {name: sum(by_state.get(state, 0) for state in states) for name, states in STATES_OF.items()}
    return Counts(prepared=sum(by_state.values()), **parts)
