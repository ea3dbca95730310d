"""Staged rows come on the list: a few statements over all of them, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from subscribers import store
from subscribers.models import AddressState, Change, Through
from subscribers.schema import (
    consent,
    execute,
    history,
    import_change,
    subscriber,
    subscription,
    suppression,
    tag,
)
from subscribers.transfer.planning import Outcome, planned
from subscribers.transfer.rows import stored
from subscribers.transfer.staging import Tables

_CACHE = -24_000  # KiB: the keys of new people are random, their index must not be read from disk for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One import under its number; every method adds one kind of thing, for all rows at once."""

    dialect: str
    tables: Tables
    number: int
    actor: str
    now: datetime

    def run(self, connection: sa.Connection) -> dict[Outcome, int]:
        """Do all of it and return how many rows had each outcome."""
        tables = self.tables
        by_name = sa.select(tables.row.c.edition).group_by(tables.row.c.edition)
        for named in execute(connection, by_name.order_by(sa.func.min(tables.row.c.n))).all():
            store.ensure_edition(connection, named.edition)
        people, subscriptions = last_number(connection, subscriber), last_number(connection, subscription)
        execute(connection, planned(tables, last_subscriber=people, last_subscription=subscriptions))
        plan = tables.plan
        self._number_other_editions(connection)
        for statement in (
            *self._people(), *self._subscriptions(), *self._histories(), *self._moves(), *self._addresses(),
            *self._profiles(), *self._suppressions(),
        ):  # fmt: skip
            execute(connection, statement)
        self._consents(connection)
        for table in (subscriber, subscription):
            _follow(connection, table)
        counts = sa.select(plan.c.outcome, sa.func.count().label("rows")).group_by(plan.c.outcome)
        return {Outcome(row.outcome): row.rows for row in execute(connection, counts)}

    def _number_other_editions(self, connection: sa.Connection) -> None:
        """Give the further rows of a new person the number that the first one got."""
        plan, row = self.tables.plan, self.tables.row
        first = plan.alias("first")
        number = (
            sa.select(first.c.subscriber_id)
            .join(row, row.c.person == first.c.n)
            .where(row.c.n == plan.c.n)
            .correlate(plan)
            .scalar_subquery()
        )
        lacking = (plan.c.outcome == int(Outcome.NEW), plan.c.subscriber_id.is_(None))
        execute(connection, sa.update(plan).where(*lacking).values(subscriber_id=number))

    def _chosen(self, *conditions: sa.ColumnElement[bool], columns: list[Any]) -> sa.Select[Any]:
        plan, row = self.tables.plan, self.tables.row
        return sa.select(*columns).select_from(plan).join(row, row.c.n == plan.c.n).where(*conditions)

    def _people(self) -> Iterator[sa.Executable]:
        plan, row = self.tables.plan, self.tables.row
        names = [
            "id",
            "key",
            "email",
            "address_key",
            "address_hash",
            "name",
            "language",
            "state",
            "created_at",
        ]
        columns = [
            plan.c.subscriber_id,
            *row.c["key", "email", "address_key", "address_hash", "name", "language", "address"],
            sa.func.coalesce(row.c.since, stored(self.now)),
        ]
        chosen = self._chosen(plan.c.joins == 1, columns=columns).order_by(plan.c.n)
        yield sa.insert(subscriber).from_select(names, chosen)

    def _subscriptions(self) -> Iterator[sa.Executable]:
        plan, row = self.tables.plan, self.tables.row
        names = [
            "id", "subscriber_id", "edition_number", "state", "paused_until", "created_at", "changed_at"
        ]  # fmt: skip
        columns = [
            *plan.c["subscription_id", "subscriber_id", "edition_number"], row.c.state, row.c.paused_until,
            sa.func.coalesce(row.c.since, stored(self.now)), sa.func.coalesce(row.c.changed, stored(self.now)),
        ]  # fmt: skip
        new = plan.c.outcome == int(Outcome.NEW)
        yield sa.insert(subscription).from_select(
            names, self._chosen(new, columns=columns).order_by(plan.c.n)
        )
        joined = plan.c.address_was.is_(None)
        kind = sa.case((joined, int(Change.JOINED)), else_=int(Change.SUBSCRIBED))
        yield self._kept(kind, new, target=plan.c.subscription_id)

    def _histories(self) -> Iterator[sa.Executable]:
        plan, row, step = self.tables.plan, self.tables.row, self.tables.step
        new = plan.c.outcome == int(Outcome.NEW)
        told = (
            sa.select(
                plan.c.subscriber_id, sa.case((step.c.of_address == 0, plan.c.subscription_id)),
                *step.c["at", "from_state", "to_state", "actor", "through", "reason"],
            )
            .select_from(plan)
            .join(step, step.c.n == plan.c.n)
            .where(new, sa.or_(step.c.of_address == 0, plan.c.joins == 1))
            .order_by(step.c.n, step.c.seq)
        )  # fmt: skip
        yield sa.insert(history).from_select(_HISTORY, told)
        own = sa.exists().where(step.c.n == plan.c.n, step.c.of_address == 0).correlate(plan)
        yield self._step(new, ~own, of=plan.c.subscription_id, before=sa.null(), after=row.c.state)
        other = sa.exists().where(step.c.n == plan.c.n, step.c.of_address == 1).correlate(plan)
        yield self._step(
            plan.c.joins == 1, row.c.address != int(AddressState.ACTIVE), ~other,
            of=sa.null(), before=sa.literal(int(AddressState.ACTIVE), sa.SmallInteger), after=row.c.address,
        )  # fmt: skip

    def _moves(self) -> Iterator[sa.Executable]:
        """End the subscriptions of those who left there, and begin those who are told to have agreed."""
        plan, row = self.tables.plan, self.tables.row
        moved = sa.and_(
            plan.c.outcome == int(Outcome.UPDATED), sa.or_(plan.c.leaves == 1, plan.c.confirms == 1)
        )
        yield self._kept(
            int(Change.MOVED), moved, target=plan.c.subscription_id, was=plan.c.state_was, was_until=plan.c.until_was
        )  # fmt: skip
        yield self._step(moved, of=plan.c.subscription_id, before=plan.c.state_was, after=row.c.state)
        values = self._chosen(
            moved, columns=[plan.c.subscription_id, row.c.state, row.c.paused_until]
        ).subquery()
        yield (
            sa.update(subscription)
            .where(subscription.c.id == values.c.subscription_id)
            .values(state=values.c.state, paused_until=values.c.paused_until, changed_at=self.now)
        )

    def _addresses(self) -> Iterator[sa.Executable]:
        """Take down that mail to a known person's address bounced, or that the person complained."""
        plan, row = self.tables.plan, self.tables.row
        first = plan.alias("other")
        earlier = (
            sa.exists()
            .where(
                first.c.subscriber_id == plan.c.subscriber_id, first.c.moves == 1, first.c.n < plan.c.n,
                first.c.outcome.in_(_DONE),
            )
            .correlate(plan)
        )  # fmt: skip
        moved = sa.and_(plan.c.outcome.in_(_DONE), plan.c.moves == 1, row.c.person <= plan.c.n, ~earlier)
        yield self._kept(int(Change.ADDRESS), moved, was=plan.c.address_was)
        yield self._step(moved, of=sa.null(), before=plan.c.address_was, after=row.c.address)
        values = self._chosen(moved, columns=[plan.c.subscriber_id, row.c.address]).subquery()
        yield (
            sa.update(subscriber)
            .where(subscriber.c.id == values.c.subscriber_id)
            .values(state=values.c.address)
        )

    def _profiles(self) -> Iterator[sa.Executable]:
        """Fill what is not known yet, and add tags."""
        plan, row, label = self.tables.plan, self.tables.row, self.tables.tag
        for flag, kind, column, empty in (
            (plan.c.fills_name, Change.NAME, "name", subscriber.c.name == ""),
            (plan.c.fills_language, Change.LANGUAGE, "language", subscriber.c.language.is_(None)),
        ):
            fills = sa.and_(plan.c.outcome.in_(_DONE), flag == 1)
            yield self._kept(int(kind), fills, detail=row.c[column])
            values = self._chosen(fills, columns=[plan.c.subscriber_id, row.c[column]]).subquery()
            change = sa.update(subscriber).where(subscriber.c.id == values.c.subscriber_id, empty)
            yield change.values({column: values.c[column]})
        tagged = (
            sa.select(plan.c.subscriber_id, label.c.tag)
            .select_from(plan)
            .join(label, label.c.n == plan.c.n)
            .where(
                sa.or_(
                    sa.and_(plan.c.outcome == int(Outcome.NEW), plan.c.address_was.is_(None)),
                    sa.and_(plan.c.outcome.in_(_DONE), plan.c.fills_tags == 1),
                )
            )
            .distinct()
        )
        known = (
            sa.exists()
            .where(tag.c.subscriber_id == plan.c.subscriber_id, tag.c.tag == label.c.tag)
            .correlate(plan, label)
        )
        added = tagged.where(plan.c.fills_tags == 1, ~known).subquery()
        yield sa.insert(import_change).from_select(
            ["import_number", "kind", "subscriber_id", "detail"],
            sa.select(
                sa.literal(self.number), sa.literal(int(Change.TAG)), added.c.subscriber_id, added.c.tag
            ),
        )
        yield self._unless_there(tag, ["subscriber_id", "tag"], tagged)

    def _suppressions(self) -> Iterator[sa.Executable]:
        plan, row = self.tables.plan, self.tables.row
        some = (plan.c.outcome.in_(_DONE), plan.c.suppresses == 1)
        chosen = (
            self._chosen(
                *some,
                columns=[
                    row.c.address_hash, sa.func.min(row.c.cause), sa.literal(stored(self.now), sa.BigInteger),
                    sa.literal(self.actor, sa.Text),
                ],
            ).group_by(row.c.address_hash)
        )  # fmt: skip
        yield self._unless_there(suppression, ["address_hash", "reason", "at", "actor"], chosen)
        mine = (
            sa.select(
                sa.literal(self.number), sa.literal(int(Change.SUPPRESSED)), plan.c.subscriber_id, suppression.c.id
            )
            .select_from(plan)
            .join(row, row.c.n == plan.c.n)
            .join(
                suppression,
                sa.and_(
                    suppression.c.address_hash == row.c.address_hash, suppression.c.lifted_at.is_(None)
                ),
            )
            .where(*some)
            .distinct()
        )  # fmt: skip
        yield sa.insert(import_change).from_select(["import_number", "kind", "subscriber_id", "target"], mine)

    def _consents(self, connection: sa.Connection) -> None:
        """Keep who agreed where and when; what is told of a known person is undone by its number."""
        plan, row = self.tables.plan, self.tables.row
        newest = execute(connection, sa.select(sa.func.coalesce(sa.func.max(consent.c.id), 0))).scalar_one()
        names = [
            "subscription_id", "source", "text_version", "given_at", "confirmed_at", "network"
        ]  # fmt: skip
        columns = [
            plan.c.subscription_id, row.c.consent, row.c.text_version,
            sa.func.coalesce(row.c.given_at, stored(self.now)), row.c.confirmed_at, row.c.network,
        ]  # fmt: skip
        confirms = sa.and_(plan.c.outcome == int(Outcome.UPDATED), plan.c.confirms == 1)
        agreed = sa.or_(plan.c.outcome == int(Outcome.NEW), confirms)
        chosen = self._chosen(agreed, row.c.consent.is_not(None), columns=columns).order_by(plan.c.n)
        execute(connection, sa.insert(consent).from_select(names, chosen))
        of_known = (
            sa.select(
                sa.literal(self.number), sa.literal(int(Change.CONSENT)), plan.c.subscriber_id, consent.c.id
            )
            .select_from(plan)
            .join(consent, consent.c.subscription_id == plan.c.subscription_id)
            .where(confirms, consent.c.id > newest)
        )
        kept = ["import_number", "kind", "subscriber_id", "target"]
        execute(connection, sa.insert(import_change).from_select(kept, of_known))

    def _step(
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
            _HISTORY, self._chosen(*conditions, columns=columns).order_by(plan.c.n)
        )

    def _unless_there(self, table: sa.Table, names: list[str], chosen: sa.Select[Any]) -> sa.Executable:
        """Return the statement that inserts the rows that are not there yet."""
        rows = sa.select(chosen.subquery()).where(sa.true())  # SQLite needs a WHERE before its ON CONFLICT
        if self.dialect == "postgresql":
            return postgresql.insert(table).from_select(names, rows).on_conflict_do_nothing()
        return sqlite.insert(table).from_select(names, rows).on_conflict_do_nothing()

    def _kept(self, kind: Any, *conditions: sa.ColumnElement[bool], **columns: Any) -> sa.Insert:
        """Return the statement that keeps what is done to each row that is chosen, for taking it back."""
        plan = self.tables.plan
        values = [sa.literal(self.number), kind if not isinstance(kind, int) else sa.literal(kind)]
        chosen = self._chosen(*conditions, columns=[*values, plan.c.subscriber_id, *columns.values()])
        names = ["import_number", "kind", "subscriber_id", *columns]
        return sa.insert(import_change).from_select(names, chosen.order_by(plan.c.n))


_HISTORY = [
    "subscriber_id", "subscription_id", "at", "from_state", "to_state", "actor", "through", "reason"
]  # fmt: skip
_DONE = (int(Outcome.NEW), int(Outcome.UPDATED))


def prepare(connection: sa.Connection) -> None:
    """Keep others from changing people until the transaction ends, as SQLite does by itself."""
    if connection.dialect.name == "sqlite":
        execute(connection, sa.text(f"PRAGMA main.cache_size = {_CACHE}"))
        return
    execute(connection, sa.text("LOCK TABLE subscriber, subscription IN EXCLUSIVE MODE"))


def last_number(connection: sa.Connection, table: sa.Table) -> int:
    """Return the highest number that was ever given; numbers of people are never used again."""
    if connection.dialect.name == "sqlite":
        found = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table.name)
        return int(execute(connection, found).scalar() or 0)
    name = f"pg_get_serial_sequence('{table.name}', 'id')"
    return int(execute(connection, sa.text(f"SELECT nextval({name})")).scalar_one())


def _follow(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL count on behind the numbers that were given by hand; SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    name = f"pg_get_serial_sequence('{table.name}', 'id')"
    text = f"SELECT setval({name}, greatest((SELECT max(id) FROM {table.name}), nextval({name})))"  # noqa: S608
    execute(connection, sa.text(text))
