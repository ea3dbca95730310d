"""Whom events are about: proven by the delivery's name, which can be made only from the person's key. In bulk."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from newsletter import store
from newsletter.delivery.events import Claimed
from newsletter.delivery.recipients import delivery_id, issue_of
from newsletter.store import IssueRecord
from subscribers.addresses import parse_address
from subscribers.errors import InvalidAddress
from subscribers.store import keys_at, keys_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """A delivery that an event is proven to be about."""

    person: int
    key: bytes
    issue: IssueRecord


def concerned(connection: Connection, claims: Mapping[int, Claimed]) -> dict[int, Concerned]:
    """Return, for those of some events that are about a letter of ours, which one it is."""
    keys = keys_of(connection, {each.subscriber for each in claims.values() if each.subscriber is not None})
    addressed = {number: _address_key(each) for number, each in claims.items() if each.subscriber is None}
    at = keys_at(connection, {key for key in addressed.values() if key})
    issues: dict[tuple[date, str], IssueRecord | None] = {}
    found: dict[int, Concerned] = {}
    for number, each in claims.items():
        person = (
            at.get(addressed[number])
            if each.subscriber is None
            else (each.subscriber, keys.get(each.subscriber, b""))
        )
        named = issue_of(each.delivery)
        if person is None or not person[1] or named is None:
            continue
        if named not in issues:
            issues[named] = store.find_issue(connection, named[1], named[0])
        issue = issues[named]
        if issue is not None and hmac.compare_digest(delivery_id(*named, person[1]), each.delivery):
            found[number] = Concerned(person=person[0], key=person[1], issue=issue)
    return found


def _address_key(claimed: Claimed) -> str:
    """Return the key of the address that an event names, empty where it names none."""
    try:
        return parse_address(claimed.address).key if claimed.address and claimed.delivery else ""
    except InvalidAddress:
        return ""
