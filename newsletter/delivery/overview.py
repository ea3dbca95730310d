"""How everything stands, asked of any database through the rooms whose rows these are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, tuple_

from newsletter.delivery import claims, ledger, restored
from newsletter.delivery.processes import is_dead
from newsletter.delivery.standing import OVERDUE, IssueStanding, NoticesStanding, Standing, TurnStanding
from newsletter.delivery.tables import OPEN, delivery, delivery_problem, notice_table
from newsletter.states import DeliveryState, IssueState
from newsletter.store.tables import issue, schedule_run
from subscribers.schema import edition
from subscribers.store import deliverable

_FAILED = 3  # `notices.NoticeState`
_AT_AN_END = (IssueState.FINISHED.value, IssueState.CANCELLED.value)


def overview(connection: Connection, now: datetime) -> Standing:
    """Return how everything stands."""
    newest_turn = select(schedule_run.c.edition, func.max(schedule_run.c.local_day)).group_by(
        schedule_run.c.edition
    )
    turns = (
        select(schedule_run)
        .where(tuple_(schedule_run.c.edition, schedule_run.c.local_day).in_(newest_turn))
        .order_by(schedule_run.c.edition)
    )
    editions = connection.execute(select(edition.c.name).order_by(edition.c.name)).scalars().all()
    return Standing(
        issues=_issues(connection, now),
        turns=tuple(
            TurnStanding(edition=row.edition, day=row.local_day, state=row.state, reason=row.reason)
            for row in connection.execute(turns)
        ),
        notices=_notices(connection, now),
        readers=tuple((name, ledger.audience_size(connection, deliverable(name))) for name in editions),
        restored=restored.made_at(connection),
    )


def _issues(connection: Connection, now: datetime) -> tuple[IssueStanding, ...]:
    newest = select(issue.c.edition, func.max(issue.c.day)).group_by(issue.c.edition)
    uncertain = (
        select(delivery_problem.c.issue_id)
        .join(
            delivery,
            and_(
                delivery.c.issue_id == delivery_problem.c.issue_id,
                delivery.c.subscriber_id == delivery_problem.c.subscriber_id,
            ),
        )
        .where(delivery.c.state == DeliveryState.UNCERTAIN)
    )
    shown = (
        select(*issue.c["id", "edition", "day", "state", "reason", "finished_at", "sending_at", "created_at"])
        .where(
            or_(
                issue.c.state.not_in(_AT_AN_END),
                tuple_(issue.c.edition, issue.c.day).in_(newest),
                issue.c.id.in_(uncertain),
            )
        )
        .order_by(issue.c.day.desc(), issue.c.edition)
    )
    return tuple(_issue(connection, row, now) for row in connection.execute(shown).all())


def _issue(connection: Connection, row: Row[Any], now: datetime) -> IssueStanding:
    last = claims.last_claims(connection, row.id)
    dead = [claim for claim in last if is_dead(claim.owner, claim.heartbeat, now)]
    return IssueStanding(
        edition=row.edition, day=row.day, state=IssueState(row.state), reason=row.reason,
        at=row.finished_at or row.sending_at or row.created_at, counts=ledger.counts(connection, row.id),
        dead_claims=sum(claim.closed_at is None for claim in dead), at_work=len(dead) < len(last),
    )  # fmt: skip


def _notices(connection: Connection, now: datetime) -> NoticesStanding:
    numbers = select(
        func.count().filter(OPEN),
        func.count().filter(OPEN, notice_table.c.due < now - OVERDUE),
        func.count().filter(notice_table.c.state == _FAILED),
    ).select_from(notice_table)
    waiting, overdue, failed = connection.execute(numbers).one()
    return NoticesStanding(waiting=waiting, overdue=overdue, failed=failed)
