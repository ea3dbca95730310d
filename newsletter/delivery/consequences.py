"""What follows from what came back, whoever told it: for the delivery and for the address.

The caller owns the transaction, and has locked the person before anything is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, SmallInteger, bindparam, case, literal_column, or_, select, update

from newsletter.delivery.tables import delivery, event_table
from newsletter.models.deliveries import EventKind
from newsletter.states import DeliveryOutcome, DeliveryState
from subscribers.models import AddressState
from subscribers.suppressions import Suppressions

_COUNTED = (EventKind.HARD.value, EventKind.SOFT.value)
_UNSETTLED = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)
_own, _proven = delivery.c, bindparam("proven", type_=SmallInteger)
_is_unsettled = _own.state.in_([literal_column(str(int(state))) for state in _UNSETTLED])
_PROVE = (
    update(delivery)
    .where(
        _own.issue_id == bindparam("issue"), _own.subscriber_id == bindparam("subscriber"),
        or_(_is_unsettled, _own.outcome < _proven),
    )
    .values(
        state=case((_is_unsettled, int(DeliveryState.ACCEPTED)), else_=_own.state),
        outcome=case((_own.outcome < _proven, _proven), else_=_own.outcome),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How many soft bounces within how long end in a suppression: of several letters, or on several days."""

    bounces: int
    within: timedelta


def prove(connection: Connection, outcomes: Mapping[tuple[int, int], DeliveryOutcome]) -> None:
    """Write down, by issue and subscriber, that letters were accepted, and what is proven of them.

    So they are not sent again. An outcome only rises, and a row that was settled otherwise keeps its state. A claim
    stays with its row: its owner sees that it was the one who sent it.
    """
    if outcomes:
        rows = [
            {"issue": issue, "subscriber": subscriber, "proven": int(outcome)}
            for (issue, subscriber), outcome in sorted(outcomes.items())  # everybody locks in this order
        ]
        connection.execute(_PROVE, rows)


def give_up(connection: Connection, person: int, reason: str, *, actor: str, now: datetime) -> None:
    """Suppress an address that bounced."""
    Suppressions.happened(connection, person, AddressState.BOUNCED, reason=reason, actor=actor, now=now)


def complained(connection: Connection, person: int, *, actor: str, now: datetime) -> None:
    """Suppress the address of somebody who complained."""
    reason = "complained to the mail provider"
    Suppressions.happened(connection, person, AddressState.COMPLAINED, reason=reason, actor=actor, now=now)


def count_bounces(
    connection: Connection, person: int, allowance: Allowance, *, actor: str, now: datetime
) -> bool:
    """Suppress who bounced too often, whoever told it; return whether that is so now.

    Each letter counts once, and so does each day where no letter is proven.
    """
    own = select(event_table.c.issue_id, event_table.c.received_at).where(
        event_table.c.subscriber_id == person, event_table.c.kind.in_(_COUNTED),
        event_table.c.received_at > now - allowance.within,
    )  # fmt: skip
    several = {row.issue_id or row.received_at.date() for row in connection.execute(own)}
    if len(several) < allowance.bounces:
        return False
    reason = f"{len(several)} soft bounces within {allowance.within.days} days"
    give_up(connection, person, reason, actor=actor, now=now)
    return True
