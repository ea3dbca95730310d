"""Editions, and who has a subscription to which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from subscribers.models import Step, Subscription, SubscriptionState, Through
from subscribers.records import record, record_all
from subscribers.schema import edition, execute, insert_unless_there, subscriber, subscription

_PAGE = 1_000


def ensure_edition(connection: sa.Connection, name: str) -> int:
    """Return the number of an edition, giving it the next one if it has none yet."""
    wanted = sa.select(edition.c.number).where(edition.c.name == name)
    number = execute(connection, wanted).scalar()
    if number is None:
        insert_unless_there(connection, edition, {"name": name})
        number = execute(connection, wanted).scalar_one()
    return int(number)


def edition_name(connection: sa.Connection, number: int) -> str | None:
    """Return the name of the edition with a number."""
    return execute(connection, sa.select(edition.c.name).where(edition.c.number == number)).scalar()


def subscriptions_of(connection: sa.Connection, number: int) -> tuple[Subscription, ...]:
    """Return a subscriber's subscriptions in the order of the editions' numbers."""
    statement = (
        sa.select(
            *subscription.c["id", "subscriber_id", "state", "paused_until", "created_at", "changed_at"],
            edition.c.name.label("edition"),
        )
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(subscription.c.subscriber_id == number)
        .order_by(subscription.c.edition_number)
    )
    return tuple(Subscription(**row._asdict()) for row in execute(connection, statement))


def subscription_of(connection: sa.Connection, number: int, edition_name: str) -> Subscription | None:
    """Return a subscriber's subscription to an edition."""
    found = subscriptions_of(connection, number)
    return next((each for each in found if each.edition == edition_name), None)


def links_of(connection: sa.Connection, keys: Iterable[bytes]) -> list[tuple[bytes, int, Subscription]]:
    """Return key, number of the edition and subscription of every link that holds one of some keys.

    Both rows are locked, in the order of the subscribers' numbers: of a row that is not, PostgreSQL gives the state
    from before the wait for the other.
    """
    statement = (
        sa.select(
            subscriber.c.key,
            edition.c.number,
            edition.c.name.label("edition"),
            *subscription.c["id", "subscriber_id", "state", "paused_until", "created_at", "changed_at"],
        )
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(subscriber.c.key.in_(list(keys)))
        .order_by(subscriber.c.id)
        .with_for_update(of=[subscriber, subscription])
    )
    found = []
    for row in execute(connection, statement):
        values = row._asdict()
        found.append((bytes(values.pop("key")), int(values.pop("number")), Subscription(**values)))
    return found


def insert_subscription(
    connection: sa.Connection, number: int, edition_number: int, state: SubscriptionState, step: Step
) -> None:
    """Begin a subscription, with its first line of history."""
    values = {
        "subscriber_id": number,
        "edition_number": edition_number,
        "state": state,
        "created_at": step.at,
        "changed_at": step.at,
    }
    statement = sa.insert(subscription).values(values).returning(subscription.c.id)
    record(connection, number, execute(connection, statement).scalar_one(), None, state, step)


def move_subscription(
    connection: sa.Connection, moved: Subscription, state: SubscriptionState, step: Step, *,
    until: datetime | None = None,
) -> None:  # fmt: skip
    """Give a subscription another state, or a pause another end, with a line of history."""
    values = {"state": state, "paused_until": until, "changed_at": step.at}
    execute(connection, sa.update(subscription).where(subscription.c.id == moved.id).values(values))
    record(connection, moved.subscriber_id, moved.id, moved.state, state, step)


def move_subscriptions(
    connection: sa.Connection, moved: Sequence[Subscription], state: SubscriptionState, step: Step
) -> None:
    """Do what `move_subscription` does, for many at once."""
    if moved:
        values = {"state": state, "paused_until": None, "changed_at": step.at}
        chosen = sa.update(subscription).where(subscription.c.id.in_([each.id for each in moved]))
        execute(connection, chosen.values(values))
        record_all(connection, moved, state, step)


def wake(connection: sa.Connection, now: datetime) -> int:
    """End every pause whose time has come, each with a line of history; return their number.

    Whoever plans a send calls this first.
    """
    step = Step(actor="newsletter", through=Through.CLOCK, at=now)
    due = (subscription.c.state == SubscriptionState.PAUSED, subscription.c.paused_until <= step.at)
    rows = execute(
        connection, sa.select(*subscription.c["id", "subscriber_id"]).where(*due).with_for_update()
    ).all()
    for start in range(0, len(rows), _PAGE):
        some = rows[start : start + _PAGE]
        moved = sa.update(subscription).where(subscription.c.id.in_([row.id for row in some]))
        values = {"state": SubscriptionState.ACTIVE, "paused_until": None, "changed_at": step.at}
        execute(connection, moved.values(values))
        for row in some:
            record(
                connection,
                row.subscriber_id,
                row.id,
                SubscriptionState.PAUSED,
                SubscriptionState.ACTIVE,
                step,
            )
    return len(rows)
