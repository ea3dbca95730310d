"""Writes accepted deliveries down at a driver's speed: one statement, one commit, no transaction of the engine.

All other answers change more than a row and go through `receipts.settle`, which is the plain way of this one too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import bindparam, literal_column, update

from newsletter.database import Database, Direct
from newsletter.delivery.claims import Claim, ClaimedRow
from newsletter.delivery.tables import delivery
from newsletter.states import DeliveryState

_ACCEPTED = (
    update(delivery)
    .where(
        delivery.c.issue_id == bindparam("issue"),
        delivery.c.subscriber_id == bindparam("subscriber"),
        delivery.c.claim_id == bindparam("claim"),
        delivery.c.state == literal_column(str(int(DeliveryState.CLAIMED))),
    )
    .values(state=literal_column(str(int(DeliveryState.ACCEPTED))))
)


class Settling:
    """Settles for one thread of a send, on a connection of its own."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct

    def accept(self, claim: Claim, row: ClaimedRow) -> bool:
        """Write down that a letter was taken; False if the row is no longer this claim's."""
        values = {"issue": claim.issue_id, "subscriber": row.subscriber_id, "claim": claim.id}
        return self._direct(values) == 1


@contextmanager
def settling(database: Database) -> Iterator[Settling]:
    """Open what settles for one thread."""
    with database.direct(_ACCEPTED) as direct:
        yield Settling(direct)
