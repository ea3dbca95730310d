"""The rows of the newsletter's own mail: who asked for it is asked to confirm, and welcomed.

A notice is written in the transaction that causes it and sent by `newsletter.correspondence`, never inside a web
request. A sign-up is put down as a notice too, before anybody looks whether the address is known: so the page's
answer is the same for everybody, in its bytes and in its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, true, update

from newsletter.delivery.tables import OPEN, notice_table
from newsletter.models.deliveries import Outcome
from newsletter.models.issues import Turn
from subscribers.requests import Answer, Asked

LEASE = timedelta(minutes=5)  # a process that took a notice and died gives it back after that
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
MOST_ATTEMPTS = 17  # about 12 hours
KEPT = timedelta(days=30)
_DAY = timedelta(days=1)
LISTED = 1_000
MOST_A_DAY = 3  # mails to one address that a form can cause


class NoticeState(IntEnum):
    """The life of a notice; the numbers are stored."""

    PENDING = 0
    CLAIMED = 1
    SENT = 2
    FAILED = 3  # refused for good, or tried too often
    DROPPED = 4  # not sent on purpose: it is of no use any more, or the edition sends none of its kind


class NoticeKind(Enum):
    """What a notice is; the words are stored."""

    SIGN_UP = "sign-up"  # no mail: what a form took down
    CONFIRM = "confirm"
    ALREADY = "already"
    WELCOME = "welcome"
    NEWEST = "newest-issue"
    DRAFT = "draft"  # to the operator
    ALERT = "alert"  # to the operator


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What a form took down; ``text_version`` names the words that stood beside it."""

    edition: str
    language: str
    source: str
    text_version: str
    network: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a mail is about; ``consent`` is what its link confirms."""

    edition: str
    language: str
    at: datetime
    consent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutDraft:
    """Which issue waits for the operator, until when, and how that time is written for people."""

    issue: int
    until: datetime
    deadline: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutAlert:
    """What an alert says."""

    subject: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A row. ``attempt`` counts the tries, this one too."""

    id: int
    kind: NoticeKind
    subscriber_id: int | None
    address: str
    payload: bytes
    state: NoticeState
    attempt: int
    due: datetime

    def sign_up(self) -> SignUp:
        """Return what a form took down."""
        return msgspec.json.decode(self.payload, type=SignUp)

    def about(self) -> About:
        """Return what a mail is about."""
        return msgspec.json.decode(self.payload, type=About)

    def draft(self) -> AboutDraft:
        """Return which draft a mail is about."""
        return msgspec.json.decode(self.payload, type=AboutDraft)

    def alert(self) -> AboutAlert:
        """Return what an alert says."""
        return msgspec.json.decode(self.payload, type=AboutAlert)


def ask(connection: Connection, address: str, sign_up: SignUp) -> None:
    """Put down that somebody asked for an edition by a form: one row, whoever it is."""
    _write(connection, NoticeKind.SIGN_UP, address, sign_up, sign_up.at)


def answer(
    connection: Connection, asked: Asked, language: str, now: datetime, *, limited: bool = True
) -> bool:
    """Write the mail that follows from a request: to confirm it, or that it is so already.

    Return False where none does: for those whom nothing is sent to, and where ``limited`` and an address had its
    mails of the day.
    """
    if asked.subscriber is None or asked.subscription is None:
        return False
    kind = NoticeKind.CONFIRM if asked.answer is Answer.TO_CONFIRM else NoticeKind.ALREADY
    if limited and _of_today(connection, asked.subscriber.id, now) >= MOST_A_DAY:
        return False
    about = About(edition=asked.subscription.edition, language=language, at=now, consent=asked.consent or 0)
    _write(connection, kind, asked.subscriber.email, about, now, asked.subscriber.id)
    return True


def welcome(connection: Connection, asked: Asked, language: str, now: datetime) -> None:
    """Write the welcome of somebody who just confirmed; whether it is sent is the edition's setting."""
    if asked.answer is Answer.DONE and asked.subscriber is not None and asked.subscription is not None:
        about = About(edition=asked.subscription.edition, language=language, at=now)
        _write(connection, NoticeKind.WELCOME, asked.subscriber.email, about, now, asked.subscriber.id)


def then_newest(connection: Connection, welcomed: Notice, now: datetime) -> None:
    """Write the notice that brings the newest issue after a welcome."""
    _write(connection, NoticeKind.NEWEST, welcomed.address, welcomed.about(), now, welcomed.subscriber_id)


def ask_operator(connection: Connection, address: str, issue_id: int, turn: Turn, now: datetime) -> None:
    """Write the mail that asks the operator about a draft and the letter that it has now."""
    until = turn.latest.astimezone(UTC)
    about = AboutDraft(issue=issue_id, until=until, deadline=turn.deadline, at=now)
    _write(connection, NoticeKind.DRAFT, address, about, now)


def alert_operator(connection: Connection, address: str, about: AboutAlert) -> None:
    """Write the mail that tells the operator what needs a look."""
    _write(connection, NoticeKind.ALERT, address, about, about.at)


def claim(connection: Connection, now: datetime, only: NoticeKind | None = None) -> Notice | None:
    """Take the first notice (of a kind) that is due; None if there is none. Another process leaves it alone a while."""
    due = (
        select(notice_table)
        .where(OPEN, notice_table.c.due <= now, true() if only is None else notice_table.c.kind == only.value)
        .order_by(notice_table.c.due, notice_table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(due).one_or_none()
    if row is None:
        return None
    taken = {"state": int(NoticeState.CLAIMED), "attempt": row.attempt + 1, "due": now + LEASE}
    connection.execute(update(notice_table).where(notice_table.c.id == row.id).values(taken))
    return _notice(row._asdict() | taken)


def is_due(connection: Connection, now: datetime, kind: NoticeKind) -> bool:
    """Tell whether a notice of a kind is due."""
    found = select(notice_table.c.id).where(
        OPEN, notice_table.c.due <= now, notice_table.c.kind == kind.value
    )
    return connection.execute(found.limit(1)).first() is not None


def settle(connection: Connection, notice: Notice, outcome: Outcome, now: datetime) -> NoticeState | None:
    """Put down how a try ended; what may have been taken is tried again under the same Message-ID.

    Return the state, None where the notice is gone or another process's by now: nothing may follow from it then.
    """
    if outcome is Outcome.ACCEPTED:
        state, due = NoticeState.SENT, now
    elif outcome is Outcome.REJECTED or notice.attempt >= MOST_ATTEMPTS:
        state, due = NoticeState.FAILED, now
    else:
        state = NoticeState.PENDING
        due = now + min(FIRST_RETRY * 2 ** (notice.attempt - 1), LONGEST_RETRY)
    return state if _set(connection, notice, state, due) else None


def drop(connection: Connection, notice: Notice, now: datetime) -> None:
    """Put down that a notice is not sent."""
    _set(connection, notice, NoticeState.DROPPED, now)


def done(connection: Connection, notice: Notice) -> None:
    """Take away a sign-up that was worked through: what follows from it stands in the list."""
    connection.execute(delete(notice_table).where(notice_table.c.id == notice.id))


def tidy(connection: Connection, now: datetime) -> None:
    """Take away what was settled a month ago: it holds addresses."""
    connection.execute(delete(notice_table).where(~OPEN, notice_table.c.due < now - KEPT))


def listing(connection: Connection) -> Iterator[Notice]:
    """Yield the newest notices that are kept, the last first."""
    for row in connection.execute(select(notice_table).order_by(notice_table.c.id.desc()).limit(LISTED)):
        yield _notice(row._asdict())


def asked_since(connection: Connection, subscriber: int, since: datetime) -> bool:
    """Say whether somebody was asked to confirm lately, or is about to be."""
    found = select(notice_table.c.id).where(
        notice_table.c.subscriber_id == subscriber, notice_table.c.kind == NoticeKind.CONFIRM.value,
        notice_table.c.due > since,
    )  # fmt: skip
    return connection.execute(found.limit(1)).first() is not None


def waiting(connection: Connection) -> int:
    """Count what is not sent yet."""
    return connection.execute(select(func.count()).select_from(notice_table).where(OPEN)).scalar_one()


def _of_today(connection: Connection, subscriber: int, now: datetime) -> int:
    kinds = [NoticeKind.CONFIRM.value, NoticeKind.ALREADY.value]
    return connection.execute(
        select(func.count())
        .select_from(notice_table)
        .where(
            notice_table.c.subscriber_id == subscriber, notice_table.c.kind.in_(kinds),
            notice_table.c.due > now - _DAY,
        )
    ).scalar_one()  # fmt: skip


def _write(
    connection: Connection,
    kind: NoticeKind,
    address: str,
    payload: SignUp | About | AboutDraft | AboutAlert,
    now: datetime,
    subscriber: int | None = None,
) -> None:
    connection.execute(
        insert(notice_table).values(
            kind=kind.value, subscriber_id=subscriber, address=address, payload=msgspec.json.encode(payload),
            state=int(NoticeState.PENDING), attempt=0, due=now,
        )
    )  # fmt: skip


def _set(connection: Connection, notice: Notice, state: NoticeState, due: datetime) -> bool:
    """Settle a notice that is still this try's; one that was given to another stays as it is."""
    written = connection.execute(
        update(notice_table)
        .where(notice_table.c.id == notice.id, notice_table.c.attempt == notice.attempt)
        .values(state=int(state), due=due)
    )
    return written.rowcount == 1


def _notice(row: dict[str, object]) -> Notice:
    fields = {name: row[name] for name in ("id", "subscriber_id", "address", "payload", "attempt", "due")}
    return Notice(**fields, kind=NoticeKind(row["kind"]), state=NoticeState(row["state"]))  # type: ignore[arg-type]
