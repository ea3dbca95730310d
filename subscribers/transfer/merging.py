"""Staged rows come on the list: a few statements over all of them, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from subscribers.models import AddressState, Change
from subscribers.schema import consent, execute, history, import_change, subscriber, subscription, tag
from subscribers.store.subscriptions import ensure_edition
from subscribers.transfer.adding import Additions
from subscribers.transfer.planning import Decided, Outcome, counted, planned
from subscribers.transfer.rows import stored
from subscribers.transfer.statements import DONE, HISTORY

_CACHE = -24_000  # KiB: the keys of new people are random, their index must not be read from disk for each


class Merge(Additions):
    """One import: who is new, who moves, and what `Additions` add."""

    def run(self, connection: sa.Connection) -> Decided:
        """Do all of it and return how many rows had each outcome."""
        tables = self.tables
        by_name = sa.select(tables.row.c.edition).group_by(tables.row.c.edition)
        for named in execute(connection, by_name.order_by(sa.func.min(tables.row.c.n))).all():
            ensure_edition(connection, named.edition)
        people, subscriptions = last_number(connection, subscriber), last_number(connection, subscription)
        execute(connection, planned(tables, last_subscriber=people, last_subscription=subscriptions))
        plan = tables.plan
        self._analyse(connection, plan)
        self._number_other_editions(connection)
        for statement in (
            *self._people(), *self._subscriptions(), *self._histories(), *self._moves(), *self._addresses(),
            *self.profiles(), *self.suppressions(),
        ):  # fmt: skip
            execute(connection, statement)
        self.consents(connection)
        for table in (subscriber, subscription):
            _follow(connection, table)
        self._analyse(connection, subscriber, subscription, history, consent, tag, import_change)
        return counted(connection, tables, plan)

    def _analyse(self, connection: sa.Connection, *tables: sa.Table) -> None:
        """Tell PostgreSQL how large tables have become: it would go on planning for empty ones for a minute."""
        if self.dialect == "postgresql":
            execute(connection, sa.text(f"ANALYZE {', '.join(table.name for table in tables)}"))

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
        chosen = self.chosen(plan.c.joins == 1, columns=columns).order_by(plan.c.n)
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
        yield sa.insert(subscription).from_select(names, self.chosen(new, columns=columns).order_by(plan.c.n))
        joined = plan.c.address_was.is_(None)
        kind = sa.case((joined, int(Change.JOINED)), else_=int(Change.SUBSCRIBED))
        yield self.kept(kind, new, target=plan.c.subscription_id)

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
        yield sa.insert(history).from_select(HISTORY, told)
        own = sa.exists().where(step.c.n == plan.c.n, step.c.of_address == 0).correlate(plan)
        yield self.step(new, ~own, of=plan.c.subscription_id, before=sa.null(), after=row.c.state)
        other = sa.exists().where(step.c.n == plan.c.n, step.c.of_address == 1).correlate(plan)
        yield self.step(
            plan.c.joins == 1, row.c.address != int(AddressState.ACTIVE), ~other,
            of=sa.null(), before=sa.literal(int(AddressState.ACTIVE), sa.SmallInteger), after=row.c.address,
        )  # fmt: skip

    def _moves(self) -> Iterator[sa.Executable]:
        """End the subscriptions of those who left there, and begin those who are told to have agreed."""
        plan, row = self.tables.plan, self.tables.row
        moved = sa.and_(
            plan.c.outcome == int(Outcome.UPDATED), sa.or_(plan.c.leaves == 1, plan.c.confirms == 1)
        )
        yield self.kept(
            int(Change.MOVED), moved, target=plan.c.subscription_id, was=plan.c.state_was, was_until=plan.c.until_was
        )  # fmt: skip
        yield self.step(moved, of=plan.c.subscription_id, before=plan.c.state_was, after=row.c.state)
        values = self.chosen(
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
                first.c.outcome.in_(DONE),
            )
            .correlate(plan)
        )  # fmt: skip
        moved = sa.and_(plan.c.outcome.in_(DONE), plan.c.moves == 1, row.c.person <= plan.c.n, ~earlier)
        yield self.kept(int(Change.ADDRESS), moved, was=plan.c.address_was)
        yield self.step(moved, of=sa.null(), before=plan.c.address_was, after=row.c.address)
        values = self.chosen(moved, columns=[plan.c.subscriber_id, row.c.address]).subquery()
        yield (
            sa.update(subscriber)
            .where(subscriber.c.id == values.c.subscriber_id)
            .values(state=values.c.address)
        )


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
