"""What an import adds to people beside their subscriptions: profiles, suppressions, consents."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from subscribers.models import Change
from subscribers.schema import consent, execute, import_change, subscriber, suppression, tag
from subscribers.transfer.planning import Outcome
from subscribers.transfer.rows import stored
from subscribers.transfer.statements import DONE, Statements


class Additions(Statements):
    """What is known of people, and what they or others said of being written to."""

    def profiles(self) -> Iterator[sa.Executable]:
        """Fill what is not known yet, and add tags."""
        plan, row, label = self.tables.plan, self.tables.row, self.tables.tag
        for flag, kind, column, empty in (
            (plan.c.fills_name, Change.NAME, "name", subscriber.c.name == ""),
            (plan.c.fills_language, Change.LANGUAGE, "language", subscriber.c.language.is_(None)),
        ):
            fills = sa.and_(plan.c.outcome.in_(DONE), flag == 1)
            yield self.kept(int(kind), fills, detail=row.c[column])
            values = self.chosen(fills, columns=[plan.c.subscriber_id, row.c[column]]).subquery()
            change = sa.update(subscriber).where(subscriber.c.id == values.c.subscriber_id, empty)
            yield change.values({column: values.c[column]})
        tagged = (
            sa.select(plan.c.subscriber_id, label.c.tag)
            .select_from(plan)
            .join(label, label.c.n == plan.c.n)
            .where(
                sa.or_(
                    sa.and_(plan.c.outcome == int(Outcome.NEW), plan.c.address_was.is_(None)),
                    sa.and_(plan.c.outcome.in_(DONE), plan.c.fills_tags == 1),
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
        yield self.unless_there(tag, ["subscriber_id", "tag"], tagged)

    def suppressions(self) -> Iterator[sa.Executable]:
        plan, row = self.tables.plan, self.tables.row
        some = (plan.c.outcome.in_(DONE), plan.c.suppresses == 1)
        chosen = (
            self.chosen(
                *some,
                columns=[
                    row.c.address_hash, sa.func.min(row.c.cause), sa.literal(stored(self.now), sa.BigInteger),
                    sa.literal(self.actor, sa.Text),
                ],
            ).group_by(row.c.address_hash)
        )  # fmt: skip
        yield self.unless_there(suppression, ["address_hash", "reason", "at", "actor"], chosen)
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

    def consents(self, connection: sa.Connection) -> None:
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
        chosen = self.chosen(agreed, row.c.consent.is_not(None), columns=columns).order_by(plan.c.n)
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
