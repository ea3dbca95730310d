"""Mail of the newsletter's own: who asked for it is asked to confirm, and welcomed. Never sent inside a web request.

A notice is written in the transaction that causes it and sent from here, by a thread of `serve` or by
`newsletter notices send`. A sign-up is put down as a notice too, before anybody looks whether the address is known:
so the page's answer is the same for everybody, in its bytes and in its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import msgspec
from sqlalchemy import Connection, insert

from newsletter.delivery.tables import notice_table


class NoticeState(IntEnum):
    """The life of a notice; the numbers are stored."""

    PENDING = 0
    CLAIMED = 1
    SENT = 2
    FAILED = 3  # refused for good, or tried too often
    DROPPED = 4  # not sent on purpose: too many for one address, or one that nothing is sent to


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What a form took down; ``text_version`` names the words that stood beside it."""

    edition: str
    language: str
    source: str
    text_version: str
    network: str | None
    at: datetime


def ask(connection: Connection, address: str, sign_up: SignUp) -> None:
    """Put down that somebody asked for an edition by a form: one row, whoever it is."""
    _write(connection, "sign-up", address, msgspec.json.encode(sign_up), sign_up.at)


def _write(
    connection: Connection,
    kind: str,
    address: str,
    payload: bytes,
    now: datetime,
    subscriber: int | None = None,
) -> None:
    connection.execute(
        insert(notice_table).values(
            kind=kind, subscriber_id=subscriber, address=address, payload=payload, state=int(NoticeState.PENDING), attempt=0,
            due=now,
        )
    )  # fmt: skip
