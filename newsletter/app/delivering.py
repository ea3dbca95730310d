"""Who got an issue: rows with addresses, and deliveries that are tried again or resolved by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from newsletter import store
from newsletter.delivery import register, rollup, watch
from newsletter.errors import InputError
from newsletter.logs import INFO, tell
from newsletter.states import DeliveryState, IssueState
from subscribers.store import addresses_of, deliverable

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.store import IssueRecord

_PAGE = 1_000


@contextmanager
def deliveries(
    app: App, edition: str, day: date, states: Sequence[DeliveryState], who: str | None
) -> Iterator[Iterator[dict[str, Any]]]:
    """Give the deliveries of an issue as JSON has them; raises `InputError` for an issue that there is not."""
    people = app.people.subscribers(looking=True)
    with app.databases.open().read() as connection:
        record = find_issue(connection, edition, day)
        _check_kept(connection, record)
        number = people.find(connection, who).id if who is not None else None
        yield _named(connection, record, register.rows_of(connection, record.id, states, number))


def resolve(
    app: App, edition: str, day: date, states: Sequence[DeliveryState], who: str | None, *, sent: bool
) -> register.Resolved:
    """Let deliveries be tried again, or (``sent``) count the uncertain as taken; return how many that concerns.

    The issue is open again where something of it is to be sent.
    """
    from newsletter.app import now

    people = app.people.subscribers()
    with app.databases.open().write(durable=True) as connection:
        record = find_issue(connection, edition, day, lock=True)
        _check_kept(connection, record)
        number = people.find(connection, who).id if who is not None else None
        if sent:
            return register.assume_sent(connection, record.id, number)
        if record.state is IssueState.CANCELLED:
            raise InputError("is cancelled for good", subject=f"issue {record.name}")
        done = register.again(connection, record.id, states, number, deliverable(edition))
        if done.moved and record.state is IssueState.FINISHED:
            store.move_issue(connection, record, IssueState.SENDING, now())
            watch.remember(connection, record.id)
    if done.moved:
        tell(INFO, "deliveries again", issue=record.name, deliveries=done.moved)
    return done


def find_issue(connection: Any, edition: str, day: date, *, lock: bool = False) -> IssueRecord:
    """Return an issue; raise `InputError` for one that does not exist."""
    record = store.find_issue(connection, edition, day, lock=lock)
    if record is None:
        raise InputError(
            "there is no such issue", subject=f"{day}/{edition}", remedy="`newsletter issues list` names them"
        )
    return record


def _check_kept(connection: Any, record: IssueRecord) -> None:
    if rollup.is_rolled_up(connection, record.id):
        raise InputError(
            "is older than delivery.keep, so its deliveries are counts now", subject=f"issue {record.name}",
            remedy=f"`newsletter issues show {record.name}` has them",
        )  # fmt: skip


def _named(
    connection: Any, record: IssueRecord, rows: Iterator[register.DeliveryRow]
) -> Iterator[dict[str, Any]]:
    page: list[register.DeliveryRow] = []
    for row in rows:
        page.append(row)
        if len(page) == _PAGE:
            yield from _with_addresses(connection, record, page)
            page.clear()
    yield from _with_addresses(connection, record, page)


def _with_addresses(
    connection: Any, record: IssueRecord, page: Sequence[register.DeliveryRow]
) -> Iterator[dict[str, Any]]:
    known = addresses_of(connection, [row.subscriber_id for row in page])
    for row in page:
        yield {
            "issue": record.name, "subscriber": row.subscriber_id, "email": known.get(row.subscriber_id, ""),
            "state": row.state.name.lower(), "outcome": row.outcome.name.lower(), "attempt": row.attempt,
            "cause": row.cause, "reply": row.reply, "at": row.at.isoformat() if row.at else None,
            "not_before": row.not_before.isoformat() if row.not_before else None,
        }  # fmt: skip
