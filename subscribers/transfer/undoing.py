"""An import is taken back, as far as nobody has lived on since. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from subscribers.errors import ImportRefused
from subscribers.models import Change, Through
from subscribers.schema import (
    consent,
    execute,
    history,
    import_change,
    import_run,
    subscriber,
    subscription,
    suppression,
    tag,
)
from subscribers.transfer.rows import stored

_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back: subscriptions that are gone again, changes that are as before, suppressions lifted.

    ``kept`` counts what stays, because something happened to it after the import.
    """

    number: int
    removed: int
    restored: int
    lifted: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The taking back of one import."""

    number: int
    last_step: int
    actor: str
    now: datetime

    def run(self, connection: sa.Connection) -> Undone:
        """Take it back; what is looked at comes before what is written, since our own steps are later ones too."""
        kept = execute(connection, self._kept()).scalar_one()
        lifted = execute(connection, self._lift()).rowcount
        restored = sum(execute(connection, statement).rowcount for statement in self._profiles())
        execute(connection, self._withdraw_consents())
        removed = self._remove(connection)
        for note, change in (self._subscriptions(), self._addresses()):
            execute(connection, note)
            restored += execute(connection, change).rowcount
        done = sa.update(import_run).where(import_run.c.number == self.number)
        execute(connection, done.values(undone_at=self.now, undone_by=self.actor))
        return Undone(number=self.number, removed=removed, restored=restored, lifted=lifted, kept=kept)

    def _changes(self, *kinds: Change, columns: list[Any]) -> sa.Select[Any]:
        return sa.select(*columns).where(
            import_change.c.import_number == self.number, import_change.c.kind.in_(kinds)
        )

    @property
    def _lived(self) -> sa.ColumnElement[bool]:
        """Whether the subscription that a change is about took a step since."""
        return (
            sa.exists()
            .where(history.c.subscription_id == import_change.c.target, history.c.id > self.last_step)
            .correlate(import_change)
        )

    @property
    def _address_lived(self) -> sa.ColumnElement[bool]:
        """Whether the address of the person took a step since."""
        return (
            sa.exists()
            .where(
                history.c.subscriber_id == import_change.c.subscriber_id, history.c.subscription_id.is_(None),
                history.c.id > self.last_step,
            )
            .correlate(import_change)
        )  # fmt: skip

    @property
    def _gone(self) -> sa.Select[Any]:
        """The subscriptions that the import made and that nothing happened to since."""
        fresh = sa.or_(import_change.c.kind == Change.SUBSCRIBED, ~self._address_lived)
        return self._changes(
            Change.JOINED, Change.SUBSCRIBED, columns=[import_change.c.target]
        ).where(~self._lived, fresh)  # fmt: skip

    def _kept(self) -> sa.Select[Any]:
        of_subscription = import_change.c.kind.in_([Change.JOINED, Change.SUBSCRIBED, Change.MOVED])
        of_address = import_change.c.kind.in_([Change.JOINED, Change.ADDRESS, Change.SUPPRESSED])
        return sa.select(sa.func.count()).where(
            import_change.c.import_number == self.number,
            sa.or_(sa.and_(of_subscription, self._lived), sa.and_(of_address, self._address_lived)),
        )

    def _lift(self) -> sa.Update:
        mine = self._changes(Change.SUPPRESSED, columns=[import_change.c.target]).where(~self._address_lived)
        return (
            sa.update(suppression)
            .where(suppression.c.id.in_(mine), suppression.c.lifted_at.is_(None))
            .values(
                lifted_at=self.now, lifted_by=self.actor, lifted_reason=f"import {self.number} undone"
            )
        )  # fmt: skip

    def _profiles(self) -> Iterator[sa.Executable]:
        """Empty what was filled in and is still so."""
        for kind, column, empty in (
            (Change.NAME, subscriber.c.name, ""), (Change.LANGUAGE, subscriber.c.language, None),
        ):  # fmt: skip
            filled = self._changes(kind, columns=[*import_change.c["subscriber_id", "detail"]]).subquery()
            yield (
                sa.update(subscriber)
                .where(subscriber.c.id == filled.c.subscriber_id, column == filled.c.detail)
                .values({column.name: empty})
            )
        added = self._changes(Change.TAG, columns=[*import_change.c["subscriber_id", "detail"]])
        yield sa.delete(tag).where(sa.tuple_(tag.c.subscriber_id, tag.c.tag).in_(added))

    def _withdraw_consents(self) -> sa.Delete:
        later = (
            sa.exists()
            .where(history.c.subscription_id == consent.c.subscription_id, history.c.id > self.last_step)
            .correlate(consent)
        )
        mine = self._changes(Change.CONSENT, columns=[import_change.c.target])
        return sa.delete(consent).where(consent.c.id.in_(mine), ~later)

    def _remove(self, connection: sa.Connection) -> int:
        """Delete the subscriptions that were made, and the people who have none besides."""
        execute(connection, sa.delete(consent).where(consent.c.subscription_id.in_(self._gone)))
        execute(connection, sa.delete(history).where(history.c.subscription_id.in_(self._gone)))
        gone = sa.delete(subscription).where(subscription.c.id.in_(self._gone))
        removed = execute(connection, gone).rowcount
        other = (
            sa.exists()
            .where(subscription.c.subscriber_id == import_change.c.subscriber_id)
            .correlate(import_change)
        )
        people = self._changes(Change.JOINED, columns=[import_change.c.subscriber_id]).where(~other)
        execute(connection, sa.delete(tag).where(tag.c.subscriber_id.in_(people)))
        execute(connection, sa.delete(history).where(history.c.subscriber_id.in_(people)))
        execute(connection, sa.delete(subscriber).where(subscriber.c.id.in_(people)))
        return removed

    def _subscriptions(self) -> tuple[sa.Insert, sa.Update]:
        columns = [*import_change.c["target", "was", "was_until"]]
        moved = self._changes(Change.MOVED, columns=columns).where(~self._lived).subquery()
        chosen = (
            sa.select(subscription.c.subscriber_id, subscription.c.id, *self._said(), subscription.c.state, moved.c.was)
            .select_from(subscription)
            .join(moved, moved.c.target == subscription.c.id)
        )  # fmt: skip
        # The note is a later step itself: the change that follows goes by what the note says.
        noted = self._noted().where(history.c.subscription_id.is_not(None)).subquery()
        until = self._changes(Change.MOVED, columns=columns).subquery()
        change = (
            sa.update(subscription)
            .where(subscription.c.id == noted.c.subscription_id, until.c.target == subscription.c.id)
            .values(state=noted.c.to_state, paused_until=until.c.was_until, changed_at=self.now)
        )
        return sa.insert(history).from_select(_HISTORY, chosen), change

    def _addresses(self) -> tuple[sa.Insert, sa.Update]:
        columns = [*import_change.c["subscriber_id", "was"]]
        moved = self._changes(Change.ADDRESS, columns=columns).where(~self._address_lived).subquery()
        chosen = (
            sa.select(subscriber.c.id, sa.null(), *self._said(), subscriber.c.state, moved.c.was)
            .select_from(subscriber)
            .join(moved, moved.c.subscriber_id == subscriber.c.id)
        )
        noted = self._noted().where(history.c.subscription_id.is_(None)).subquery()
        change = sa.update(subscriber).where(subscriber.c.id == noted.c.subscriber_id)
        return sa.insert(history).from_select(_HISTORY, chosen), change.values(state=noted.c.to_state)

    def _said(self) -> list[Any]:
        return [
            sa.literal(stored(self.now), sa.BigInteger), sa.literal(self.actor, sa.Text),
            sa.literal(int(Through.IMPORT), sa.SmallInteger), sa.literal(self._reason, sa.Text),
        ]  # fmt: skip

    @property
    def _reason(self) -> str:
        return f"import {self.number} undone"

    def _noted(self) -> sa.Select[Any]:
        """The steps that this undo wrote."""
        return sa.select(*history.c["subscriber_id", "subscription_id", "to_state"]).where(
            history.c.id > self.last_step, history.c.through == Through.IMPORT, history.c.reason == self._reason,
        )  # fmt: skip


_HISTORY = ["subscriber_id", "subscription_id", "at", "actor", "through", "reason", "from_state", "to_state"]


def undo(connection: sa.Connection, number: int, *, actor: str, now: datetime) -> Undone:
    """Take an import back; raise `ImportRefused` for one that there is not, or that was taken back before."""
    found = None
    if 0 < number <= _LARGEST:
        chosen = sa.select(import_run).where(import_run.c.number == number).with_for_update()
        found = execute(connection, chosen).one_or_none()
    if found is None:
        newest = execute(connection, sa.select(sa.func.max(import_run.c.number))).scalar()
        remedy = f"the newest is {newest}" if newest else "nothing was imported yet"
        raise ImportRefused("there is no such import", subject=f"import {number}", remedy=remedy)
    if found.undone_at is not None:
        problem = f"was taken back on {found.undone_at:%Y-%m-%d %H:%M} UTC by {found.undone_by}"
        raise ImportRefused(problem, subject=f"import {number}", remedy="nothing was changed")
    return Undo(number=number, last_step=found.last_step, actor=actor, now=now).run(connection)
