"""What the sender tells the log: claims and receipts, with their numbers."""

from __future__ import annotations

from newsletter.delivery.claims import Claim, ClaimedRow
from newsletter.errors import ProviderUnavailable
from newsletter.logs import DEBUG, INFO, WARNING, is_told, tell
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.store import IssueRecord


def taken(issue: IssueRecord, claim: Claim) -> None:
    """Tell that rows are claimed."""
    tell(DEBUG, "claim taken", issue=issue.name, claim=claim.id, deliveries=len(claim.rows))


def released(issue: IssueRecord, claim: Claim, doubtful: int) -> None:
    """Tell that a claim ended, and of how many it holds nobody knows whether they were written to."""
    tell(
        WARNING if doubtful else DEBUG, "claim released", issue=issue.name, claim=claim.id, doubtful=doubtful
    )


def taken_over(issue: IssueRecord, claim_id: int, doubtful: int) -> None:
    """Tell that the claim of a process that is gone was ended."""
    tell(WARNING, "claim taken over", issue=issue.name, claim=claim_id, doubtful=doubtful)


def answered(
    issue: IssueRecord, claim: Claim, row: ClaimedRow, receipt: Receipt, seconds: float, *, ours: bool
) -> None:
    """Tell a provider's answer; where the claim was ``ours`` no more, it did not count."""
    accepted = ours and receipt.outcome is Outcome.ACCEPTED
    level = DEBUG if accepted else INFO if ours else WARNING
    if not is_told(level):
        return
    tell(
        level, "receipt" if ours else "receipt of a lost claim",
        issue=issue.name, claim=claim.id, subscriber=row.subscriber_id, attempt=row.attempt,
        outcome=receipt.outcome.value, hard=receipt.hard or None, reply=receipt.reply, seconds=round(seconds, 3),
        address=row.email,
    )  # fmt: skip


def unavailable(issue: IssueRecord, claim: Claim, error: ProviderUnavailable) -> None:
    """Tell that the provider as a whole refused."""
    tell(WARNING, "provider unavailable", issue=issue.name, claim=claim.id, reason=str(error))
