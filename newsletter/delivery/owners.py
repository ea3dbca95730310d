"""What processes left that are gone: their claims are taken over."""

from __future__ import annotations

from datetime import datetime

from newsletter.database import Database
from newsletter.delivery import ledger, telling
from newsletter.delivery.processes import is_dead
from newsletter.protocols import Exposure, OnUncertain
from newsletter.store import IssueRecord


def resolve_dead_claims(
    database: Database, issue: IssueRecord, now: datetime, on_uncertain: OnUncertain = OnUncertain.RESEND
) -> int:
    """Take over the claims of processes that are gone; return how many messages may have been written before."""
    taken: dict[int, int] = {}
    with database.write(durable=True) as transaction:
        for claim in ledger.open_claims(transaction, issue.id):
            if is_dead(claim.owner, claim.heartbeat, now):
                taken[claim.id] = ledger.take_over(
                    transaction, issue.id, claim.id, Exposure(claim.exposure), on_uncertain, now
                )
    for claim_id, doubtful in taken.items():
        telling.taken_over(issue, claim_id, doubtful)
    return sum(taken.values())
