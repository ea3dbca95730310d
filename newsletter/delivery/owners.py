"""What processes left that are gone: their claims are taken over."""

from __future__ import annotations

from datetime import datetime

from newsletter.database import Database
from newsletter.delivery import claims, telling
from newsletter.delivery.processes import is_dead
from newsletter.protocols import Exposure, OnUncertain
from newsletter.store import IssueRecord


def resolve_dead_claims(
    database: Database, issue: IssueRecord, now: datetime, on_uncertain: OnUncertain = OnUncertain.RESEND,
    provider: str = "",
) -> int:  # fmt: skip
    """Take over the claims of processes that are gone; return how many messages may have been written before.

    ``on_uncertain`` is what ``provider`` does with them. A whole request to another one is held, whatever that is: what
    it took and who is sent to now may be two letters for each reader in it.
    """
    taken: dict[int, int] = {}
    with database.write(durable=True) as transaction:
        for claim in claims.open_claims(transaction, issue.id):
            if is_dead(claim.owner, claim.heartbeat, now):
                exposure = Exposure(claim.exposure)
                is_others = exposure is Exposure.ALL and claim.provider != provider
                taken[claim.id] = claims.take_over(
                    transaction, issue.id, claim.id, exposure, OnUncertain.HOLD if is_others else on_uncertain, now
                )  # fmt: skip
    for claim_id, doubtful in taken.items():
        telling.taken_over(issue, claim_id, doubtful)
    return sum(taken.values())
