"""What providers post of letters on their way: put down fast as it comes, worked through later (`working`).

A row holds whom it may concern only until it is worked; what stays is a number, a status and a reason without
addresses. The name that a provider gives an event is unique, so that what is posted again is nothing new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, or_, select, update

from newsletter.delivery.feedback import SOURCE
from newsletter.delivery.tables import WAITING, event_table
from newsletter.masking import masked
from newsletter.models.deliveries import Event, EventKind
from newsletter.store.tables import issue
from newsletter.store.upsert import insert_into
from subscribers.schema import stored_time

CHUNK = 2_000  # events a transaction
FORGOTTEN_AFTER = timedelta(days=7)  # of what happens to every letter; the ledger holds what it came to
MOST_REASON = 500
_LONGEST_READ, _LONGEST_ID, _LONGEST_ADDRESS, _LONGEST_NAME, _LONGEST_STATUS = 4_000, 255, 320, 100, 32
_LARGEST_NUMBER = 2**31 - 1
_USUAL = (EventKind.QUEUED.value, EventKind.DEFERRED.value, EventKind.DELIVERED.value)


class EventState(IntEnum):
    """How far an event is; the numbers are stored."""

    WAITING = 0
    WORKED = 1
    NOBODY = 2  # nothing proves that it is about a letter of ours
    FAILED = 3  # by a fault of ours; it is set aside


class Claimed(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The payload of an event: what it says, and whom it says that it is about, unproven."""

    delivery: str = ""
    subscriber: int | None = None
    address: str = ""
    status: str = ""
    reason: str = ""

    def worked(self) -> bytes:
        """Return the payload that is kept: it names nobody."""
        return msgspec.json.encode(Claimed(status=self.status, reason=self.reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKind:
    """How many events of a kind came from a provider, the last of them when, and how far they are."""

    provider: str
    kind: str
    number: int
    waiting: int
    nobody: int
    failed: int
    last: datetime


def put_down(connection: Connection, provider: str, events: Sequence[Event], now: datetime) -> int:
    """Put events down, without those that are known; return how many were new.

    It goes to the driver by itself, because the engine looks at each value again: that takes as long as all the rest.
    """
    if not events:
        return 0
    received_at, dialect = stored_time(now), connection.dialect
    rows = [_row(provider, event, received_at) for event in events]
    rows.sort(key=_event_id)  # two that put the same down lock in one order
    adding = insert_into(connection, event_table).on_conflict_do_nothing(
        index_elements=["provider", "event_id"]
    )
    compiled = adding.compile(dialect=dialect, column_keys=list(rows[0]))
    names = getattr(compiled, "positiontup", None)
    values: Any = [tuple([row[name] for name in names]) for row in rows] if names else rows
    done = connection.exec_driver_sql(str(compiled), values, execution_options={"preserve_rowcount": True})
    return done.rowcount


def _event_id(row: dict[str, Any]) -> str:
    name: str = row["event_id"]
    return name


def _row(provider: str, event: Event, received_at: int) -> dict[str, Any]:
    number = event.subscriber_id
    claimed = Claimed(
        delivery=_plain(event.delivery_id, _LONGEST_NAME),
        subscriber=number if number is not None and 0 < number <= _LARGEST_NUMBER else None,
        address=_plain(event.address, _LONGEST_ADDRESS),
        status=_plain(event.status, _LONGEST_STATUS),
        reason=masked(_plain(event.reason[:_LONGEST_READ]))[:MOST_REASON] if event.reason else "",
    )
    return {
        "provider": provider, "event_id": _name(event.id), "kind": event.kind.value, "at": stored_time(event.at),
        "received_at": received_at, "payload": msgspec.json.encode(claimed), "state": int(EventState.WAITING),
    }  # fmt: skip


def _plain(text: str, longest: int = _LONGEST_READ) -> str:
    """Return a text as JSON takes it; empty for one that is longer than it can be."""
    if len(text) > longest:
        return ""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _name(text: str) -> str:
    """Return a provider's name of an event, or what stands for one that no column takes."""
    if 0 < len(text) <= _LONGEST_ID and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_waiting(connection: Connection) -> bool:
    """Say whether there is something to work through."""
    return connection.execute(select(event_table.c.id).where(WAITING).limit(1)).first() is not None


def try_again(connection: Connection) -> int:
    """Let what was set aside wait again; return how many that are."""
    aside = update(event_table).where(event_table.c.state == int(EventState.FAILED))
    return connection.execute(aside.values(state=int(EventState.WAITING))).rowcount


def tally(connection: Connection) -> list[OfKind]:
    """Count the events that are kept, by provider and kind."""
    own = event_table.c
    counted = select(own.provider, own.kind, own.state, func.count(), func.max(own.received_at))
    found: dict[tuple[str, str], dict[int, tuple[int, datetime]]] = {}
    for provider, kind, state, number, last in connection.execute(
        counted.group_by(own.provider, own.kind, own.state)
    ):
        found.setdefault((provider, kind), {})[state] = (number, last)
    return [
        OfKind(
            provider=provider, kind=kind, number=sum(number for number, _ in states.values()),
            waiting=states.get(EventState.WAITING, (0,))[0], nobody=states.get(EventState.NOBODY, (0,))[0],
            failed=states.get(EventState.FAILED, (0,))[0], last=max(last for _, last in states.values()),
        )
        for (provider, kind), states in sorted(found.items())
    ]  # fmt: skip


def newest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return the newest events as JSON has them, the issue as commands name it."""
    chosen = (
        select(event_table, issue.c.day, issue.c.edition)
        .outerjoin(issue, issue.c.id == event_table.c.issue_id)
        .order_by(event_table.c.id.desc())
        .limit(limit)
    )
    return [
        {
            "id": row.id, "provider": row.provider, "kind": row.kind, "state": EventState(row.state).name.lower(),
            "at": row.at.isoformat(timespec="seconds"), "received_at": row.received_at.isoformat(timespec="seconds"),
            "issue": None if row.day is None else f"{row.day.isoformat()}/{row.edition}",
            "subscriber": row.subscriber_id, **_said(row.payload),
        }
        for row in connection.execute(chosen)
    ]  # fmt: skip


def _said(payload: bytes) -> dict[str, str]:
    try:
        said = msgspec.json.decode(payload, type=Claimed)
    except msgspec.DecodeError:  # of somebody who was erased, or set aside because of it
        said = Claimed()
    return {"status": said.status, "reason": said.reason}


def old_events(
    connection: Connection, now: datetime, keep: timedelta | None, limit: int = CHUNK
) -> list[int]:
    """Return numbers of worked events that have served their time: a week for the usual, ``keep`` for others.

    What the mailbox brought stays: it may be read again years later.
    """
    own = event_table.c
    usual = (own.kind.in_(_USUAL), own.received_at < now - FORGOTTEN_AFTER)
    served = and_(*usual) if keep is None else or_(and_(*usual), own.received_at < now - keep)
    chosen = select(own.id).where(own.provider != SOURCE, own.state != int(EventState.WAITING), served)
    return list(connection.execute(chosen.order_by(own.id).limit(limit)).scalars())


def forget(connection: Connection, numbers: Sequence[int]) -> None:
    """Take events away."""
    connection.execute(delete(event_table).where(event_table.c.id.in_(numbers)))
