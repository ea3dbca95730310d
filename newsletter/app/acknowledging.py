"""What may have been sent since the backup was made that a database was restored from, and going on from there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from newsletter import store
from newsletter.delivery import restored
from newsletter.delivery.restored import Doubts
from newsletter.errors import InputError
from newsletter.models.papers import DayKind
from newsletter.states import IssueState

if TYPE_CHECKING:
    from newsletter.app import App

SENT_ELSEWHERE = "sent after the backup was made that this database was restored from"


def mark(app: App, made: datetime) -> Doubts:
    """Mark the database as one that other tools restored, from a backup made at a time."""
    with app.databases.open().write(durable=True) as connection:
        restored.mark(connection, made)
        return restored.doubts(connection, app.settings.editions, app.days.closed()[0])


def acknowledge(app: App, sent: Sequence[tuple[date, str]]) -> Doubts | None:
    """Hold what is unsettled and let the database send again; None where it was not restored, or is acknowledged.

    ``sent`` are issues (day, edition) that are known to have gone out since: they are not made again.
    """
    from newsletter.app import now

    at, last = now(), app.days.closed()[0]
    with app.databases.open().write(durable=True) as connection:
        made = restored.made_at(connection)
        if made is None:
            return None
        for day, edition in sent:
            if store.find_issue(connection, edition, day) is not None:
                raise InputError(
                    "is in the database already", subject=f"--sent {day}/{edition}", remedy="leave it out"
                )
            record = store.create_issue(
                connection, edition=edition, day=day, kind=DayKind.COMPLETE, document={"entries": []}, now=at
            )
            store.move_issue(connection, record, IssueState.CANCELLED, at, SENT_ELSEWHERE)
        told = restored.doubts(connection, app.settings.editions, last)
        restored.acknowledge(connection, at)
        return told
