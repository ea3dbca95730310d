"""How long it is kept what became of each delivery, and what providers said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.delivery import rollup
from newsletter.settings.base import duration

if TYPE_CHECKING:
    from newsletter.app import App


def roll_up_old(app: App) -> list[str]:
    """Turn the deliveries of issues older than ``delivery.keep`` into counts; return the names of these issues.

    Events go too, those of the usual kinds after a week.
    """
    from newsletter.app import now
    from newsletter.app.receiving import forget_old

    forget_old(app)
    keep = app.settings.delivery.keep
    if not keep:
        return []
    database, before = app.databases.open(), now() - duration(keep)
    with database.read() as connection:
        names = rollup.old_issues(connection, before)
    for number in names:
        more = True
        while more:
            with database.write() as connection:
                more = rollup.roll_up(connection, number)
    return list(names.values())
