"""The last issues side by side, and their domains: what `newsletter stats` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Select

from newsletter import store
from newsletter.delivery import rollup
from newsletter.delivery.domains import OfDomain, by_domain
from newsletter.delivery.outcomes import Outcomes, Reach, added, left_after, reach
from newsletter.states import Counts
from newsletter.store import IssueRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Issues, newest first, and the domains of ``told``: those of which most is known, without the rolled up."""

    issues: tuple[tuple[IssueRecord, Reach], ...]
    told: tuple[IssueRecord, ...]
    domains: tuple[OfDomain, ...]


def review(connection: Connection, edition: str | None, limit: int, mailboxes: Select[Any]) -> Review:
    """Return the last issues that were begun to be sent, of one edition or of all, in one transaction."""
    issues = tuple(
        (record, reach(connection, record)) for record in store.sent_issues(connection, edition, limit)
    )
    kept = [each for each in issues if not rollup.is_rolled_up(connection, each[0].id)]
    most = max((_known(found) for _, found in kept), default=0)
    chosen = [each for each in kept if _known(each[1]) == most]
    told = tuple(record for record, _ in chosen)
    leaving = [gone for record in told if (gone := left_after(connection, record)) is not None]
    domains = by_domain(
        connection,
        [record.id for record in told],
        mailboxes,
        _all_of([found for _, found in chosen]),
        leaving,
    )
    return Review(issues=issues, told=told, domains=domains)


def _known(found: Reach) -> int:
    """Return how much somebody told of an issue: sums over issues of which nothing is known would look like facts."""
    return sum(getattr(found.outcomes, each.name) is not None for each in fields(Outcomes))


def _all_of(several: Sequence[Reach]) -> Reach:
    counts = Counts(
        **{each.name: sum(getattr(found.counts, each.name) for found in several) for each in fields(Counts)}
    )
    return Reach(counts=counts, outcomes=added(found.outcomes for found in several), events={})
