"""What is kept for proof: history, consents, suppressions. Their SQL, under the same rules as `store`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from subscribers.models import Consent, HistoryEntry, Step, Subscription, SubscriptionState, Suppression
from subscribers.schema import consent, edition, execute, history, subscriber, subscription, suppression


def suppression_of(connection: sa.Connection, address_hash: bytes) -> Suppression | None:
    """Return why an address is never written to, or None."""
    return _one_suppression(connection, sa.literal(address_hash))


def suppression_of_subscriber(connection: sa.Connection, number: int) -> Suppression | None:
    """Return why a subscriber's address is never written to, or None."""
    digest = sa.select(subscriber.c.address_hash).where(subscriber.c.id == number)
    return _one_suppression(connection, digest.scalar_subquery())


def insert_consent(connection: sa.Connection, subscription_id: int, source: str, given_at: datetime) -> None:
    """Keep a consent that was given without a text and needs no confirmation."""
    values = {"subscription_id": subscription_id, "source": source, "text_version": "", "given_at": given_at}
    execute(connection, sa.insert(consent).values(values))


def last_step_to(
    connection: sa.Connection, moved: Subscription, state: SubscriptionState
) -> HistoryEntry | None:
    """Return the newest step that gave a subscription this state."""
    steps = _steps(moved.subscriber_id).where(
        history.c.subscription_id == moved.id, history.c.to_state == state
    )
    row = execute(connection, steps.order_by(history.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _entry(row)


def history_of(connection: sa.Connection, number: int) -> tuple[HistoryEntry, ...]:
    """Return every step of a subscriber, the oldest first."""
    return tuple(_entry(row) for row in execute(connection, _steps(number).order_by(history.c.id)))


def consents_of(connection: sa.Connection, number: int) -> tuple[Consent, ...]:
    """Return every consent of a subscriber, the oldest first."""
    statement = (
        sa.select(
            *consent.c["source", "text_version", "given_at", "confirmed_at", "network"],
            edition.c.name.label("edition"),
        )
        .join(subscription, subscription.c.id == consent.c.subscription_id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(subscription.c.subscriber_id == number)
        .order_by(consent.c.id)
    )
    return tuple(Consent(**row._asdict()) for row in execute(connection, statement))


def record(
    connection: sa.Connection,
    number: int,
    subscription_id: int,
    from_state: SubscriptionState | None,
    to_state: SubscriptionState,
    step: Step,
) -> None:
    """Keep a step of a subscription."""
    values = {
        "subscriber_id": number,
        "subscription_id": subscription_id,
        "at": step.at,
        "from_state": from_state,
        "to_state": to_state,
        "actor": step.actor,
        "through": step.through,
        "reason": step.reason,
    }
    execute(connection, sa.insert(history).values(values))


def _one_suppression(connection: sa.Connection, digest: sa.ColumnElement[bytes]) -> Suppression | None:
    found = sa.select(*suppression.c["reason", "actor", "at"]).where(suppression.c.address_hash == digest)
    row = execute(connection, found).one_or_none()
    return None if row is None else Suppression(**row._asdict())


def _steps(number: int) -> sa.Select[Any]:
    return (
        sa.select(history, edition.c.name.label("edition"))
        .outerjoin(subscription, subscription.c.id == history.c.subscription_id)
        .outerjoin(edition, edition.c.number == subscription.c.edition_number)
        .where(history.c.subscriber_id == number)
    )


def _entry(row: sa.Row[Any]) -> HistoryEntry:
    step = Step(actor=row.actor, through=row.through, at=row.at, reason=row.reason)
    return HistoryEntry(edition=row.edition, from_state=row.from_state, to_state=row.to_state, step=step)
