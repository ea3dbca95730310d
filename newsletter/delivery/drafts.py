"""An issue that waits for a person: its letter is frozen, and the decision is about exactly those bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Connection

from newsletter import store
from newsletter.delivery import ledger
from newsletter.delivery.tokens import LinkKeys, Purpose
from newsletter.errors import InvalidLink, IssueError
from newsletter.states import IssueState
from newsletter.store import IssueRecord

_MARK_BITS = 32  # of the letter's hash, beside the issue's number in a link


class Decision(Enum):
    """What a person says of a draft."""

    APPROVE = "approve"
    HOLD = "hold"


class Standing(Enum):
    """How what a link names stands now."""

    WAITS = "waits"
    OLDER = "older"  # the letter was changed since
    DECIDED = "decided"


_TO = {Decision.APPROVE: IssueState.APPROVED, Decision.HOLD: IssueState.HELD}
_SAID = {Decision.APPROVE: "approved", Decision.HOLD: "held"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue as a link names it."""

    record: IssueRecord
    standing: Standing
    prepared: int


def sign(connection: Connection, keys: LinkKeys, issue_id: int, *, now: datetime, until: datetime) -> str:
    """Return the token of the link that decides about an issue's letter as it is now."""
    number = issue_id << _MARK_BITS | _mark(connection, issue_id)
    return keys.sign(Purpose.DECIDE, number, now=now, valid=max(until - now, timedelta()))


def read(connection: Connection, keys: LinkKeys, token: str, *, now: datetime, lock: bool = False) -> Draft:
    """Return what a token names; raise `InvalidLink` or `ExpiredLink` for one that is none, or too late."""
    number = keys.read(token, Purpose.DECIDE, now=now)
    issue_id, mark = number >> _MARK_BITS, number & (1 << _MARK_BITS) - 1
    try:
        record = store.issue_by_id(connection, issue_id)
    except IssueError as error:  # of a database that was put back
        raise InvalidLink("names no issue") from error
    if lock:
        record = store.find_issue(connection, record.edition, record.day, lock=True) or record
    standing = Standing.WAITS if record.state is IssueState.DRAFT else Standing.DECIDED
    if standing is Standing.WAITS and mark != _mark(connection, issue_id):
        standing = Standing.OLDER
    return Draft(record=record, standing=standing, prepared=ledger.counts(connection, issue_id).prepared)


def decide(
    connection: Connection, record: IssueRecord, decision: Decision, *, actor: str, now: datetime, reason: str = ""
) -> IssueRecord:  # fmt: skip
    """Approve a draft, or one that is held, or hold it; raise `IssueError` for an issue that waits for nobody."""
    to = _TO[decision]
    if record.state is to:
        return record
    if record.state not in {IssueState.DRAFT, IssueState.HELD} and not (
        decision is Decision.HOLD and record.state is IssueState.APPROVED
    ):
        raise IssueError(
            f"is {record.state.value}; only a draft waits to be approved or held",
            subject=f"issue {record.name}",
        )
    said = f"{_SAID[decision]} by {actor}{': ' if reason else ''}{reason}"
    if to is IssueState.HELD:
        return store.hold_issue(connection, record, said, now)
    return store.move_issue(connection, record, to, now, said)


def _mark(connection: Connection, issue_id: int) -> int:
    digest = hashlib.sha256(ledger.letter_bytes(connection, issue_id)).digest()
    return int.from_bytes(digest[: _MARK_BITS // 8])
