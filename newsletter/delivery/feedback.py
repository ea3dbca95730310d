"""What came back to letters: whom it concerns, what proves it, and what becomes of it. One transaction a mail.

Anybody can write a mail that looks like a bounce. Proof is what only a letter of ours, or its reader, holds: the
unsubscribe key in the headers that came back or in the address that they came to, or the Message-ID, whose token is
made from that key. With proof a hard bounce or a complaint suppresses at once. An address alone is none: such a bounce
counts as a soft one, a complaint is left to a person.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import msgspec
from sqlalchemy import Connection, insert, select

from newsletter import store
from newsletter.delivery.consequences import Allowance, complained, count_bounces, give_up, prove
from newsletter.delivery.recipients import delivery_id, issue_of
from newsletter.delivery.tables import event_table
from newsletter.states import DeliveryOutcome
from newsletter.store import IssueRecord
from subscribers.errors import StoreError, SubscribersError
from subscribers.models import Subscriber, Through
from subscribers.requests import Answer, Requests

SOURCE = "mailbox"  # as the provider of an event
DELAYED = "delayed"  # the action of RFC 3464: the mail may still arrive


class Happening(Enum):
    """What a mail that came back is."""

    HARD = "hard"  # the mailbox or its domain is not there
    SOFT = "soft"  # it bounced or waits, for any other reason
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    AUTO_REPLY = "auto-reply"  # a machine answered; nobody needs to read it
    OTHER = "other"  # for a person to read


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a mail says, unproven: anybody can write one.

    ``recipient`` is the address it is about (empty if none is named), ``status`` an RFC 3463 code, ``action`` that
    of RFC 3464. ``policy``: it was the letter or its sender that was refused, not the address. ``original_id`` is the
    Message-ID of the mail that came back, without brackets, and ``link`` the key and edition number of an
    unsubscribe link in it, of the address that it came back to (VERP), or of the subject of a mail that unsubscribes.
    """

    kind: Happening
    recipient: str = ""
    status: str = ""
    reason: str = ""
    action: str = ""
    policy: bool = False
    original_id: str = ""
    link: tuple[bytes, int] | None = None


class Effect(Enum):
    """What became of a mail."""

    SUPPRESSED = "suppressed"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    COUNTED = "counted"
    NOTED = "noted"  # it says nothing of the address
    KNOWN = "known already"
    NOBODY = "concerns nobody on the list"
    IGNORED = "ignored"
    LEFT = "left to you"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Concerned:
    person: Subscriber
    issue: IssueRecord | None
    proven: bool


def take(
    connection: Connection, people: Requests, found: Feedback, *, event_id: str, allowance: Allowance, now: datetime
) -> Effect:  # fmt: skip
    """Do what a mail asks for, once: ``event_id`` names the mail for good."""
    if found.kind is Happening.OTHER:
        return (
            Effect.IGNORED if found.action else Effect.LEFT
        )  # a report that all went well, or a person's mail
    if found.kind is Happening.AUTO_REPLY or found.action == DELAYED:
        return Effect.IGNORED
    if _is_known(connection, event_id):
        return Effect.KNOWN
    if found.kind is Happening.UNSUBSCRIBE:
        return _leave(connection, people, found, event_id, now)
    concerned = _concerned(connection, people, found)
    if found.kind is Happening.COMPLAINT and (concerned is None or not concerned.proven):
        return Effect.LEFT
    if concerned is None:
        return Effect.NOBODY
    _write_down(connection, found, event_id, concerned.person.id, concerned.issue, now)
    if found.kind is Happening.COMPLAINT:
        _prove(connection, concerned, DeliveryOutcome.COMPLAINED)
        complained(connection, concerned.person.id, actor=SOURCE, now=now)
        return Effect.COMPLAINED
    _prove(connection, concerned, DeliveryOutcome.BOUNCED)
    if found.kind is Happening.HARD and concerned.proven:
        give_up(connection, concerned.person.id, f"bounced: {found.reason}", actor=SOURCE, now=now)
        return Effect.SUPPRESSED
    if found.policy:
        return Effect.NOTED
    too_many = count_bounces(connection, concerned.person.id, allowance, actor=SOURCE, now=now)
    return Effect.SUPPRESSED if too_many else Effect.COUNTED


def _leave(connection: Connection, people: Requests, found: Feedback, event_id: str, now: datetime) -> Effect:
    assert found.link is not None
    asked = people.leave(connection, *found.link, through=Through.MAILTO, now=now)
    if asked.answer is Answer.REFUSED or asked.subscriber is None:
        return Effect.NOBODY
    _write_down(connection, found, event_id, asked.subscriber.id, None, now)
    return Effect.UNSUBSCRIBED if asked.answer is Answer.DONE else Effect.KNOWN


def _concerned(connection: Connection, people: Requests, found: Feedback) -> _Concerned | None:
    """Return whom a mail concerns: by the key, else by the address, which the token of the Message-ID may prove."""
    name = found.original_id.partition("@")[0]
    named = issue_of(name)
    issue = store.find_issue(connection, named[1], named[0]) if named is not None else None
    linked = people.by_link(connection, *found.link, lock=True) if found.link is not None else None
    if linked is not None:
        subscription = linked[1]
        own = issue if issue is not None and issue.edition == subscription.edition else None
        return _Concerned(person=linked[0], issue=own, proven=True)
    person = _by_address(connection, people, found.recipient)
    if person is None:
        return None
    proven = issue is not None and hmac.compare_digest(
        delivery_id(issue.day, issue.edition, person.key), name
    )
    return _Concerned(person=person, issue=issue if proven else None, proven=proven)


def _by_address(connection: Connection, people: Requests, address: str) -> Subscriber | None:
    try:
        return people.find(connection, address, lock=True) if "@" in address else None
    except StoreError:
        raise
    except SubscribersError:  # not on the list, or no address
        return None


def _prove(connection: Connection, concerned: _Concerned, outcome: DeliveryOutcome) -> None:
    if concerned.issue is not None:
        prove(connection, {(concerned.issue.id, concerned.person.id): outcome})


def _is_known(connection: Connection, event_id: str) -> bool:
    own = select(event_table.c.id).where(event_table.c.provider == SOURCE, event_table.c.event_id == event_id)
    return connection.execute(own).one_or_none() is not None


def _write_down(
    connection: Connection, found: Feedback, event_id: str, person: int, issue: IssueRecord | None, now: datetime
) -> None:  # fmt: skip
    payload = {"status": found.status, "reason": found.reason, "action": found.action}
    connection.execute(
        insert(event_table).values(
            provider=SOURCE, event_id=event_id, kind="policy" if found.policy else found.kind.value,
            issue_id=None if issue is None else issue.id, subscriber_id=person, at=now, received_at=now,
            payload=msgspec.json.encode(payload),
        )
    )  # fmt: skip
