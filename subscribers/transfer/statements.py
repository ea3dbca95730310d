"""What the statements of a merge have in common: they read the plan and the staged rows, and keep what they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.models import Through
from subscribers.schema import history, import_change
from subscribers.transfer.planning import Outcome
from subscribers.transfer.rows import stored
from subscribers.transfer.staging import Tables

HISTORY = [
    "subscriber_id", "subscription_id", "at", "from_state", "to_state", "actor", "through", "reason"
]  # fmt: skip
DONE = (int(Outcome.NEW), int(Outcome.UPDATED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """One import under its number; every statement is over all of its rows at once."""

    dialect: str
    tables: Tables
    number: int
    actor: str
    now: datetime

    def chosen(self, *conditions: sa.ColumnElement[bool], columns: list[Any]) -> sa.Select[Any]:
        """Return a Select over the rows for which all conditions hold."""
        plan, row = self.tables.plan, self.tables.row
        return sa.select(*columns).select_from(plan).join(row, row.c.n == plan.c.n).where(*conditions)

    def step(
        self, *conditions: sa.ColumnElement[bool], of: Any, before: Any, after: sa.ColumnElement[int]
    ) -> sa.Insert:
        """Return the statement that keeps a line of history for each row that is chosen."""
        plan = self.tables.plan
        columns = [
            plan.c.subscriber_id, of, sa.literal(stored(self.now), sa.BigInteger), before, after,
            sa.literal(self.actor, sa.Text), sa.literal(int(Through.IMPORT), sa.SmallInteger),
            sa.literal(f"import {self.number}", sa.Text),
        ]  # fmt: skip
        return sa.insert(history).from_select(
            HISTORY, self.chosen(*conditions, columns=columns).order_by(plan.c.n)
        )

    def kept(self, kind: Any, *conditions: sa.ColumnElement[bool], **columns: Any) -> sa.Insert:
        """Return the statement that keeps what is done to each row that is chosen, for taking it back."""
        plan = self.tables.plan
        values = [sa.literal(self.number), kind if not isinstance(kind, int) else sa.literal(kind)]
        chosen = self.chosen(*conditions, columns=[*values, plan.c.subscriber_id, *columns.values()])
        names = ["import_number", "kind", "subscriber_id", *columns]
        return sa.insert(import_change).from_select(names, chosen.order_by(plan.c.n))

    def unless_there(self, table: sa.Table, names: list[str], chosen: sa.Select[Any]) -> sa.Executable:
        """Return the statement that inserts the rows that are not there yet."""
        rows = sa.select(chosen.subquery()).where(sa.true())  # SQLite needs a WHERE before its ON CONFLICT
        if self.dialect == "postgresql":
            return postgresql.insert(table).from_select(names, rows).on_conflict_do_nothing()
        return sqlite.insert(table).from_select(names, rows).on_conflict_do_nothing()
