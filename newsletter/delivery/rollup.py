"""Old issues as counts: what became of each delivery is kept for a time, then only how many there were of a kind."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, select

from newsletter.delivery.tables import claim_table, delivery, delivery_problem, delivery_total
from newsletter.states import IssueState
from newsletter.store.tables import issue
from newsletter.store.upsert import insert_into

CHUNK = 20_000  # rows a transaction: others wait for it
_ENDED = issue.c.state.in_([IssueState.FINISHED.value, IssueState.CANCELLED.value])


def old_issues(connection: Connection, before: datetime) -> dict[int, str]:
    """Return the names of issues made before a time that have ended and still have their deliveries, oldest first."""
    has_rows = exists().where(delivery.c.issue_id == issue.c.id)
    found = select(*issue.c["id", "day", "edition"]).where(_ENDED, issue.c.created_at < before, has_rows)
    return {row.id: f"{row.day}/{row.edition}" for row in connection.execute(found.order_by(issue.c.id))}


def roll_up(connection: Connection, issue_id: int, chunk: int = CHUNK) -> bool:
    """Turn the next rows of an issue into counts; return whether there are more. Its counts are right all the time."""
    locked = select(issue.c.id).where(_ENDED, issue.c.id == issue_id).with_for_update()
    if connection.execute(locked).one_or_none() is None:
        return False  # somebody lets its deliveries begin again
    of_issue = delivery.c.issue_id == issue_id
    ids = select(delivery.c.subscriber_id).where(of_issue).order_by(delivery.c.subscriber_id)
    last = connection.execute(ids.offset(chunk - 1).limit(1)).scalar()
    part = of_issue if last is None else and_(of_issue, delivery.c.subscriber_id <= last)
    own = delivery.c
    kinds = select(own.issue_id, own.state, own.outcome, func.count()).where(part)
    adding = insert_into(connection, delivery_total).from_select(
        ["issue_id", "state", "outcome", "number"], kinds.group_by(own.issue_id, own.state, own.outcome)
    )
    summed = {"number": delivery_total.c.number + adding.excluded.number}
    connection.execute(
        adding.on_conflict_do_update(index_elements=list(delivery_total.primary_key), set_=summed)
    )
    problem = delivery_problem.c
    of_part = [problem.issue_id == issue_id, *([problem.subscriber_id <= last] if last is not None else [])]
    connection.execute(delete(delivery_problem).where(*of_part))
    connection.execute(delete(delivery).where(part))
    if last is not None and connection.execute(ids.limit(1)).first() is not None:
        return True
    connection.execute(delete(claim_table).where(claim_table.c.issue_id == issue_id))
    return False


def is_rolled_up(connection: Connection, issue_id: int) -> bool:
    """Say whether deliveries of an issue are kept as counts only."""
    return connection.execute(select(exists().where(delivery_total.c.issue_id == issue_id))).scalar_one()
