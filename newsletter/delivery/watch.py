"""Watches what comes back while an issue is sent: too many bounces or complaints stop it, whoever noticed them.

The mailbox and the webhook of other processes put events down; a sender looks at their index every few seconds.
Amazon SES reviews an account at 5 % bounces or 0.1 % complaints and pauses it at 10 % or 0.5 %; Gmail and Yahoo want
complaints never to reach 0.3 % (https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html,
https://support.google.com/a/answer/81126).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import msgspec
from sqlalchemy import Connection, func, select

from newsletter import store
from newsletter.delivery import ledger
from newsletter.delivery.breaker import THRESHOLD, Threshold
from newsletter.delivery.tables import event_table
from newsletter.errors import BreakerTripped
from newsletter.models.deliveries import EventKind
from newsletter.store import IssueRecord
from newsletter.store.installation import get_setting, put_setting, remove_setting

LOOK_SECONDS = 5.0
LEAST_ACCEPTED = 200  # fewer count as so many: of a small list a few old addresses are a large share
LEAST_COMPLAINTS = 5  # one or two people of a small list must not stop it for all
_WHAT = {"bounced": "bounced for good", "complained": "were complained about"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How many deliveries of an issue are known to have bounced for good, and to have been complained about."""

    bounced: int = 0
    complained: int = 0


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks at one issue for one process."""

    issue_id: int
    threshold: Threshold = THRESHOLD
    _looked: float = float("-inf")
    _accepted: int = 0  # when they were last counted; they only become more

    def look(self, connection: Connection) -> BreakerTripped | None:
        """Return why the issue must stop, None while it need not, and between two looks."""
        if monotonic() - self._looked < LOOK_SECONDS:
            return None
        self._looked = monotonic()
        found, seen = known(connection, self.issue_id), _seen(connection, self.issue_id)
        new = Known(bounced=found.bounced - seen.bounced, complained=found.complained - seen.complained)
        if not _passed(new, self._accepted, self.threshold):
            return None  # nor of the more that are accepted by now
        counts = ledger.counts(connection, self.issue_id)
        self._accepted = counts.accepted
        passed = _passed(new, counts.accepted, self.threshold)
        if not passed or not counts.accepted or not counts.waiting:  # then there is nothing left to stop
            return None
        return BreakerTripped(
            _told(passed[0], found, counts.accepted),
            remedy=f"find out why, then resume the issue; delivery.breaker.{passed[0]} sets how many may",
        )


def known(connection: Connection, issue_id: int) -> Known:
    """Return what is known of an issue: by way of an index, and only as long as what went wrong."""
    own = event_table.c
    kinds = {EventKind.HARD.value: "bounced", EventKind.COMPLAINT.value: "complained"}
    rows = connection.execute(
        select(own.kind, func.count(own.subscriber_id.distinct()).label("n"))
        .where(own.issue_id == issue_id, own.kind.in_(kinds))
        .group_by(own.kind)
    )
    return Known(**{kinds[row.kind]: row.n for row in rows})


def lessons(connection: Connection, record: IssueRecord, threshold: Threshold, now: datetime) -> list[str]:
    """Say of an issue that has not begun what its edition's last one would have been stopped for, as is known now."""
    last = store.sent_before(connection, record, now) if record.sending_at is None else None
    found = known(connection, last.id) if last is not None else Known()
    if last is None or not _passed(found, 0, threshold):
        return []
    accepted = ledger.counts(connection, last.id).accepted
    return [
        f"of the last issue, {last.name}, {_told(name, found, accepted)}"
        for name in _passed(found, accepted, threshold)
        if accepted
    ]


def remember(connection: Connection, issue_id: int) -> None:
    """Take what is known now as seen: an issue that somebody lets go on is not stopped again for the same."""
    remove_setting(connection, _name(issue_id))
    found = known(connection, issue_id)
    if found != Known():
        put_setting(connection, _name(issue_id), msgspec.json.encode(found).decode())


def _seen(connection: Connection, issue_id: int) -> Known:
    kept = get_setting(connection, _name(issue_id))
    return Known() if kept is None else msgspec.json.decode(kept, type=Known)


def _name(issue_id: int) -> str:
    return f"seen of issue {issue_id}"


def _told(name: str, found: Known, accepted: int) -> str:
    number = getattr(found, name)
    return f"{number:,} of {accepted:,} accepted letters {_WHAT[name]} ({number / accepted:.2%})"


def _passed(found: Known, accepted: int, threshold: Threshold) -> list[str]:
    """Return which shares of the accepted letters are passed."""
    bounced = found.bounced > threshold.bounced * max(accepted, LEAST_ACCEPTED)
    complained = found.complained >= LEAST_COMPLAINTS and found.complained > threshold.complained * accepted
    return [name for name, passed in (("bounced", bounced), ("complained", complained)) if passed]
