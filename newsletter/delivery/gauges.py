"""Where all issues, deliveries and notices stand, in a few numbers: what a monitor asks for every minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from newsletter import store
from newsletter.delivery.notices import NoticeState
from newsletter.delivery.outcomes import Outcomes, standing
from newsletter.delivery.tables import claim_table, notice_table
from newsletter.states import Counts, IssueState
from newsletter.store.tables import issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The numbers. Issues are counted by (edition, state); deliveries are those of each edition's newest issue."""

    issues: Mapping[tuple[str, IssueState], int]
    finished: Mapping[str, datetime]
    deliveries: Mapping[str, tuple[Counts, Outcomes]]
    notices: Mapping[NoticeState, int]
    open_claims: int


def gauges(connection: Connection) -> Gauges:
    """Return the numbers as they are now; what takes long is counting one issue of each edition."""
    own = issue.c
    issues = select(own.edition, own.state, func.count()).group_by(own.edition, own.state)
    finished = (
        select(own.edition, func.max(own.finished_at))
        .where(own.finished_at.is_not(None))
        .group_by(own.edition)
    )
    last = select(own.edition, func.max(own.day).label("day")).group_by(own.edition).subquery()
    newest = select(own.edition, own.id).join(
        last, and_(last.c.edition == own.edition, last.c.day == own.day)
    )
    notices = select(notice_table.c.state, func.count()).group_by(notice_table.c.state)
    return Gauges(
        issues={
            (edition, IssueState(state)): number for edition, state, number in connection.execute(issues)
        },
        finished={edition: at for edition, at in connection.execute(finished) if at is not None},
        deliveries={
            edition: standing(connection, store.issue_by_id(connection, number))
            for edition, number in connection.execute(newest).all()
        },
        notices={NoticeState(state): number for state, number in connection.execute(notices)},
        open_claims=_open_claims(connection),
    )


def _open_claims(connection: Connection) -> int:
    """Count claims without an end, issue by issue: so the index is asked for them and not read through."""
    of_issue = (
        select(func.count())
        .select_from(claim_table)
        .where(claim_table.c.issue_id == issue.c.id, claim_table.c.closed_at.is_(None))
        .correlate(issue)
        .scalar_subquery()
    )
    return int(
        connection.execute(select(func.coalesce(func.sum(of_issue), 0)).select_from(issue)).scalar_one()
    )
