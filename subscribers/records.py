"""What is kept for proof: history, consents, suppressions. Their SQL, under the same rules as `store`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from subscribers.models import (
    AddressState,
    Consent,
    HistoryEntry,
    Step,
    Subscription,
    SubscriptionState,
    Suppression,
    Through,
)
from subscribers.schema import (
    consent,
    edition,
    execute,
    history,
    import_change,
    subscriber,
    subscription,
    suppression,
)


def suppression_of(connection: sa.Connection, address_hash: bytes) -> Suppression | None:
    """Return why an address is never written to, or None."""
    return _one_suppression(connection, sa.literal(address_hash))


def suppression_of_subscriber(connection: sa.Connection, number: int) -> Suppression | None:
    """Return why a subscriber's address is never written to, or None."""
    digest = sa.select(subscriber.c.address_hash).where(subscriber.c.id == number)
    return _one_suppression(connection, digest.scalar_subquery())


def insert_consent(
    connection: sa.Connection, subscription_id: int, source: str, given_at: datetime, *, text_version: str = "",
    network: str | None = None,
) -> int:  # fmt: skip
    """Keep a consent and return its number; ``text_version`` is empty where no words were agreed to."""
    values = {
        "subscription_id": subscription_id, "source": source, "text_version": text_version, "given_at": given_at,
        "network": network,
    }  # fmt: skip
    return int(execute(connection, sa.insert(consent).values(values).returning(consent.c.id)).scalar_one())


def confirm_consent(connection: sa.Connection, number: int, now: datetime) -> bool:
    """Complete a consent; return False where it was completed before."""
    open_one = sa.update(consent).where(consent.c.id == number, consent.c.confirmed_at.is_(None))
    return execute(connection, open_one.values(confirmed_at=now)).rowcount == 1


def open_consent(connection: sa.Connection, subscription_id: int) -> int | None:
    """Return the newest consent of a subscription that is not completed."""
    newest = sa.select(sa.func.max(consent.c.id)).where(
        consent.c.subscription_id == subscription_id, consent.c.confirmed_at.is_(None)
    )
    return execute(connection, newest).scalar()


def subscription_of_consent(connection: sa.Connection, number: int) -> Subscription | None:
    """Return the subscription that a consent was given for."""
    statement = (
        sa.select(
            *subscription.c["id", "subscriber_id", "state", "paused_until", "created_at", "changed_at"],
            edition.c.name.label("edition"),
        )
        .join(consent, consent.c.subscription_id == subscription.c.id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .where(consent.c.id == number)
    )
    row = execute(connection, statement).one_or_none()
    return None if row is None else Subscription(**row._asdict())


def give_reason(connection: sa.Connection, left: Subscription, reason: str) -> None:
    """Keep why somebody left, with the newest step that says so, unless it has a reason."""
    newest = (
        sa.select(sa.func.max(history.c.id))
        .where(history.c.subscription_id == left.id, history.c.to_state == SubscriptionState.UNSUBSCRIBED)
        .scalar_subquery()
    )
    if reason:
        chosen = sa.update(history).where(history.c.id == newest, history.c.reason == "")
        execute(connection, chosen.values(reason=reason))


def forget(connection: sa.Connection, number: int) -> None:
    """Take a person's words out of what is kept for proof: consents go, of the history states and times stay."""
    own = sa.select(subscription.c.id).where(subscription.c.subscriber_id == number)
    execute(connection, sa.delete(consent).where(consent.c.subscription_id.in_(own)))
    execute(connection, sa.delete(import_change).where(import_change.c.subscriber_id == number))
    execute(connection, sa.update(history).where(history.c.subscriber_id == number).values(reason=""))


def last_step_to(
    connection: sa.Connection, moved: Subscription, state: SubscriptionState
) -> HistoryEntry | None:
    """Return the newest step that gave a subscription this state."""
    steps = _steps(moved.subscriber_id).where(
        history.c.subscription_id == moved.id, history.c.to_state == state
    )
    row = execute(connection, steps.order_by(history.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _entry(row)


def leaving_of(connection: sa.Connection, moved: Subscription) -> HistoryEntry | None:
    """Return the newest step by which a subscription ended since it was last active, the person's own before others.

    What the operator did comes second: the person's wish stands until the person is active again.
    """
    active = (
        sa.select(sa.func.coalesce(sa.func.max(history.c.id), 0))
        .where(history.c.subscription_id == moved.id, history.c.to_state == SubscriptionState.ACTIVE)
        .scalar_subquery()
    )
    steps = _steps(moved.subscriber_id).where(
        history.c.subscription_id == moved.id,
        history.c.to_state == SubscriptionState.UNSUBSCRIBED,
        history.c.id > active,
    )
    own_first = sa.case((history.c.through == Through.CLI, 1), else_=0)
    row = execute(connection, steps.order_by(own_first, history.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _entry(row)


def history_of(connection: sa.Connection, number: int) -> tuple[HistoryEntry, ...]:
    """Return every step of a subscriber, the oldest first."""
    return tuple(_entry(row) for row in execute(connection, _steps(number).order_by(history.c.id)))


def consents_of(connection: sa.Connection, number: int) -> tuple[Consent, ...]:
    """Return every consent of a subscriber, the oldest first."""
    statement = (
        sa.select(
            *consent.c["id", "source", "text_version", "given_at", "confirmed_at", "network"],
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
    subscription_id: int | None,
    from_state: SubscriptionState | AddressState | None,
    to_state: SubscriptionState | AddressState,
    step: Step,
) -> None:
    """Keep a step of a subscription, or of the address itself (no subscription)."""
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


def record_all(
    connection: sa.Connection, moved: Sequence[Subscription], to_state: SubscriptionState, step: Step
) -> None:
    """Keep the same step of many subscriptions."""
    rows = [
        {
            "subscriber_id": each.subscriber_id, "subscription_id": each.id, "at": step.at, "from_state": each.state,
            "to_state": to_state, "actor": step.actor, "through": step.through, "reason": step.reason,
        }
        for each in moved
    ]  # fmt: skip
    execute(connection, sa.insert(history), rows)


def _one_suppression(connection: sa.Connection, digest: sa.ColumnElement[bytes]) -> Suppression | None:
    found = sa.select(*suppression.c["id", "reason", "actor", "at"]).where(
        suppression.c.address_hash == digest, suppression.c.lifted_at.is_(None)
    )
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
