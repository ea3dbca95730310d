"""Export: the list as CSV or JSON Lines, a page in memory at a time; `importing` takes both back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from subscribers.cells import safe_cell, tags_cell
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.schema import consent, edition, execute, history, subscriber, subscription, suppression, tag
from subscribers.transfer.systems import OWN_COLUMNS
from subscribers.transfer.words import Standing

_PAGE = 5_000
_LIFE = ("state", "paused_until", "created_at", "changed_at")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_STATES = {int(state): state.name.lower() for kind in (SubscriptionState, AddressState) for state in kind}
_THROUGH = {int(way): way.name.lower() for way in Through}
_SUPPRESSED = "suppressed"
STATES = (*(state.name.lower() for state in SubscriptionState), "bounced", "complained", _SUPPRESSED)
assert {standing.name for standing in Standing} - {"LEFT"} <= {name.upper() for name in STATES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What is exported; None means any. ``state`` is one of `STATES`, as the column `state` has it."""

    edition: str | None = None
    state: str | None = None
    tag: str | None = None


def export_csv(connection: sa.Connection, picked: Picked) -> Iterator[bytes]:
    """Yield a CSV in UTF-8, a piece at a time; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerows
    write([OWN_COLUMNS])
    for rows in _pages(connection, picked):
        tags = _tags(connection, rows)
        write(
            [
                safe_cell(row.email), safe_cell(row.name), row.edition, _state(row),
                safe_cell(tags_cell(tags[row.id])) if row.id in tags else "", row.language or "",
                safe_cell(row.source) if row.source else "", _time(row.given_at), _time(row.confirmed_at),
                _time(row.paused_until), _beneath(row),
            ]
            for row in rows
        )  # fmt: skip
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def export_jsonl(connection: sa.Connection, picked: Picked) -> Iterator[bytes]:
    """Yield JSON Lines, with history and the words of consents and suppressions too."""
    encode = msgspec.json.Encoder().encode_lines
    for rows in _pages(connection, picked):
        tags, steps = _tags(connection, rows), _steps(connection, rows)
        yield encode([_document(row, tags.get(row.id, []), steps) for row in rows])


def _document(
    row: Any, tags: Sequence[str], steps: dict[tuple[int, int | None], list[Any]]
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "email": row.email, "name": row.name, "edition": row.edition, "state": _state(row), "tags": tags,
        "language": row.language, "since": _time(row.created_at), "changed": _time(row.changed_at),
    }  # fmt: skip
    if row.source:
        document["consent"] = {
            "source": row.source, "text_version": row.text_version, "given_at": _time(row.given_at),
            "confirmed_at": _time(row.confirmed_at) or None, "network": row.network,
        }  # fmt: skip
    if row.paused_until is not None:
        document["paused_until"] = _time(row.paused_until)
    if beneath := _beneath(row):
        document["subscription"] = beneath
    if row.suppression is not None:
        document["suppression"] = row.suppression
    own = [*steps.get((row.id, None), ()), *steps.get((row.id, row.subscription_id), ())]
    document["history"] = [
        {
            "at": _time(step.at), "from": None if step.from_state is None else _STATES[step.from_state],
            "to": _STATES[step.to_state], "actor": step.actor, "through": _THROUGH[step.through],
            "reason": step.reason, **({"address": True} if step.subscription_id is None else {}),
        }
        for step in sorted(own, key=lambda step: (step.at, step.subscription_id is None, step.id))
    ]  # fmt: skip
    return document


def _state(row: Any) -> str:
    """Return what is true of this row for whoever would write to it: the address's state before the subscription's."""
    if row.address_state != AddressState.ACTIVE:
        return _STATES[row.address_state]
    return _SUPPRESSED if row.suppression is not None else _STATES[row.state]


def _beneath(row: Any) -> str:
    """Return the subscription's own state where another one stands in its place."""
    if row.address_state == AddressState.ACTIVE and row.suppression is None:
        return ""
    return _STATES[row.state]


def _time(stored: int | None) -> str:
    if stored is None:
        return ""
    second, micro = divmod(stored, _SECOND)
    at = _EPOCH + timedelta(seconds=second, microseconds=micro)
    return at.isoformat().replace("+00:00", "Z")


def _bare(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return a column as the number that is stored: a page is read much faster so."""
    return sa.type_coerce(column, sa.BigInteger)


def _pages(connection: sa.Connection, picked: Picked) -> Iterator[Sequence[Any]]:
    after: tuple[int, int] = (0, 0)
    statement = _page(picked)
    while True:
        place = {"last_subscriber": after[0], "last_edition": after[1]}
        rows = connection_rows(connection, statement, place)
        if not rows:
            return
        yield rows
        after = (rows[-1].id, rows[-1].edition_number)


def connection_rows(
    connection: sa.Connection, statement: sa.Select[Any], place: dict[str, int]
) -> Sequence[Any]:
    """Return the rows of a page behind a place."""
    return execute(connection, statement.params(place)).all()


def _page(picked: Picked) -> sa.Select[Any]:
    place = (subscription.c.subscriber_id, subscription.c.edition_number)
    newest = (
        sa.select(sa.func.max(consent.c.id))
        .where(consent.c.subscription_id == subscription.c.id)
        .correlate(subscription)
        .scalar_subquery()
    )
    return (
        sa.select(
            *subscriber.c["id", "email", "name", "language"],
            _bare(subscriber.c.state).label("address_state"),
            subscription.c.id.label("subscription_id"),
            subscription.c.edition_number,
            *(_bare(subscription.c[name]).label(name) for name in _LIFE),
            edition.c.name.label("edition"),
            *consent.c["source", "text_version", "network"],
            *(_bare(consent.c[name]).label(name) for name in ("given_at", "confirmed_at")),
            suppression.c.reason.label("suppression"),
        )
        .select_from(subscription)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .join(edition, edition.c.number == subscription.c.edition_number)
        .outerjoin(consent, consent.c.id == newest)
        .outerjoin(
            suppression,
            sa.and_(suppression.c.address_hash == subscriber.c.address_hash, suppression.c.lifted_at.is_(None)),
        )
        .where(
            subscriber.c.state != AddressState.ERASED,
            sa.tuple_(*place) > sa.tuple_(
                sa.bindparam("last_subscriber", type_=sa.Integer), sa.bindparam("last_edition", type_=sa.Integer)
            ),
            *_conditions(picked),
        )
        .order_by(*place)
        .limit(_PAGE)
    )  # fmt: skip


def _conditions(picked: Picked) -> Iterator[sa.ColumnElement[bool]]:
    if picked.edition is not None:
        yield edition.c.name == picked.edition
    if picked.tag is not None:
        yield sa.exists().where(tag.c.subscriber_id == subscriber.c.id, tag.c.tag == picked.tag)
    if picked.state is None:
        return
    name = picked.state.upper()
    if name in AddressState.__members__ and name != "ACTIVE":
        yield subscriber.c.state == AddressState[name]
        return
    yield subscriber.c.state == AddressState.ACTIVE
    if picked.state == _SUPPRESSED:
        yield suppression.c.id.is_not(None)
        return
    yield suppression.c.id.is_(None)
    yield subscription.c.state == SubscriptionState[name]


def _tags(connection: sa.Connection, rows: Sequence[Any]) -> dict[int, list[str]]:
    """Return the tags of the people of a page, sorted here since collations of databases differ."""
    found: dict[int, list[str]] = {}
    between = tag.c.subscriber_id.between(rows[0].id, rows[-1].id)
    for row in execute(connection, sa.select(tag.c.subscriber_id, tag.c.tag).where(between)):
        found.setdefault(row.subscriber_id, []).append(row.tag)
    for labels in found.values():
        labels.sort()
    return found


def _steps(connection: sa.Connection, rows: Sequence[Any]) -> dict[tuple[int, int | None], list[Any]]:
    found: dict[tuple[int, int | None], list[Any]] = {}
    columns = [_bare(history.c[name]).label(name) for name in ("at", "from_state", "to_state", "through")]
    statement = sa.select(
        *history.c["id", "subscriber_id", "subscription_id", "actor", "reason"], *columns
    ).where(history.c.subscriber_id.between(rows[0].id, rows[-1].id))
    for step in execute(connection, statement):
        found.setdefault((step.subscriber_id, step.subscription_id), []).append(step)
    return found
