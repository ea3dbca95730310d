"""Issues that are paused, gone on with and cancelled by hand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from newsletter import store
from newsletter.app.delivering import find_issue
from newsletter.delivery import ledger, watch
from newsletter.delivery.owners import resolve_dead_claims
from newsletter.errors import IssueError
from newsletter.logs import INFO, tell
from newsletter.protocols import OnUncertain
from newsletter.states import BY_HAND, Counts, IssueState, goes_on_by_hand
from newsletter.store import IssueRecord

if TYPE_CHECKING:
    from newsletter.app import App

_VERBS = {IssueState.PAUSED: "pause", IssueState.SENDING: "resume", IssueState.CANCELLED: "cancel"}


def move(
    app: App, edition: str, day: date, to: IssueState, *, actor: str, reason: str = ""
) -> tuple[IssueRecord, Counts]:
    """Pause, go on with or cancel an issue; processes that send it see it within two seconds.

    Idempotent. Raises `InputError` for one that does not exist, `IssueError` where its life has no such step.
    """
    from newsletter.app import now

    if to is IssueState.CANCELLED:
        _take_over_dead_claims(app, edition, day)
    with app.databases.open().write(durable=True) as connection:
        record = find_issue(connection, edition, day, lock=True)
        was = record.state
        if was is IssueState.FINISHED:
            raise _at_its_end(record, to, ledger.counts(connection, record.id))
        moves = was is not to or (to is IssueState.PAUSED and _pauses_anew(record, reason))
        if moves:
            said = (
                f"{BY_HAND} by {actor}{': ' if reason else ''}{reason}"
                if to is not IssueState.SENDING
                else ""
            )
            record = store.move_issue(connection, record, to, now(), said)
        if to is IssueState.SENDING:
            watch.remember(connection, record.id)
        if to is IssueState.CANCELLED:
            ledger.cancel_waiting(connection, record.id)
        counts = ledger.counts(connection, record.id)
    if moves:
        tell(INFO, f"issue {to.value}", issue=record.name, was=was.value, reason=record.reason)
    return record, counts


def _at_its_end(record: IssueRecord, to: IssueState, counts: Counts) -> IssueError:
    again = f"`newsletter deliveries retry {record.name} --state rejected` has the refused tried again"
    return IssueError(
        f"is finished; there is nothing to {_VERBS[to]}", subject=f"issue {record.name}",
        remedy=again if counts.rejected else "",
    )  # fmt: skip


def _pauses_anew(record: IssueRecord, reason: str) -> bool:
    """Whether a pause by hand takes the place of the one that there is: that ends by itself, or says another thing."""
    return bool(reason) or not goes_on_by_hand(record.state, record.reason)


def _take_over_dead_claims(app: App, edition: str, day: date) -> None:
    """Resolve what a killed process left: it is cancelled too, or known to be uncertain."""
    from newsletter.app import now

    with app.databases.open().read() as connection:
        record = store.find_issue(connection, edition, day)
    if record is not None:
        resolve_dead_claims(app.databases.open(), record, now(), OnUncertain.HOLD)
