"""The newsletter's own mail on its way: sign-ups become mails to confirm, and what waits is sent."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import claims, drafts, ledger, notices, restored
from newsletter.delivery.notices import Notice, NoticeKind, NoticeState
from newsletter.delivery.recipients import recipient
from newsletter.delivery.tokens import LinkKeys, Purpose
from newsletter.errors import NewsletterError, ProviderUnavailable
from newsletter.letters import AUTOMATIC, Identity, alert_mail, draft_mail
from newsletter.models.deliveries import Outcome, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Provider
from newsletter.states import IssueState
from newsletter.templating.issue import Design
from newsletter.templating.notice import Mail, render_notice
from subscribers.errors import StoreError, SubscribersError
from subscribers.models import AddressState, SubscriptionState
from subscribers.requests import Requests

TIDY_AFTER = timedelta(hours=1)
PAUSE = 5.0  # seconds between two looks at what waits, where nobody calls
TO_OPERATOR = frozenset({NoticeKind.DRAFT, NoticeKind.ALERT})
_MAILS = {
    NoticeKind.CONFIRM: Mail.CONFIRM,
    NoticeKind.ALREADY: Mail.ALREADY,
    NoticeKind.WELCOME: Mail.WELCOME,
}


class Welcome(Enum):
    """What an edition sends to somebody who confirmed."""

    NONE = "none"
    SHORT = "short"
    NEWEST = "newest-issue"


@dataclass(kw_only=True)
class Tally:
    """What became of what was due; ``signed_up`` counts the sign-ups that were worked through."""

    signed_up: int = 0
    sent: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
    fault: str = ""


@dataclass(kw_only=True)
class Correspondence:
    """Sends notices, or those of ``only`` one kind. ``design`` and ``welcome`` are an edition's, by its name.

    What is for the operator goes by ``operator_provider``.
    """

    database: Database
    people: Requests
    provider: Provider
    operator_provider: Provider
    identity: Identity
    keys: LinkKeys
    editions: frozenset[str]
    design: Callable[[str], Design]
    welcome: Callable[[str], Welcome]
    clock: Callable[[], datetime]
    report: Callable[[str], None] = lambda _line: None
    only: NoticeKind | None = None
    _said: set[str] = field(default_factory=set)
    _connections: dict[bool, Connection] = field(default_factory=dict)
    _tidied: datetime | None = None

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        """Send what is due until ``stop``; ``wake`` (set it with ``stop`` too) says that there is something new."""
        while not stop.is_set():
            wake.clear()
            try:
                fault = self.drain(stop).fault
            except (NewsletterError, SubscribersError) as error:
                fault = str(error)
            if fault and fault not in self._said:  # once, not every few seconds
                self.report(fault)
            self._said = {fault}
            wake.wait(PAUSE)

    def drain(self, stop: threading.Event | None = None) -> Tally:
        """Work through everything that is due now, and say what became of it."""
        tally = Tally()
        if self.only is not NoticeKind.ALERT:  # by which the operator hears that nothing is sent
            with self.database.read() as connection:
                restored.check(connection)
        self._tidy()
        try:
            with ExitStack() as stack:
                while (stop is None or not stop.is_set()) and (notice := self._claim()) is not None:
                    if notice.kind is NoticeKind.SIGN_UP:
                        self._sign_up(notice)
                        tally.signed_up += 1
                    else:
                        self._send(notice, tally, stack)
        except ProviderUnavailable as error:
            tally.fault = str(error)
        finally:
            self._connections.clear()
        with self.database.read() as connection:
            tally.waiting = notices.waiting(connection)
        return tally

    def _tidy(self) -> None:
        """Take old notices away, once an hour: it looks at every one that is kept."""
        now = self.clock()
        if self._tidied is None or now - self._tidied >= TIDY_AFTER:
            with self.database.write() as connection:
                notices.tidy(connection, now)
            self._tidied = now

    def _claim(self) -> Notice | None:
        with self.database.write(durable=True) as connection:
            return notices.claim(connection, self.clock(), self.only)

    def _sign_up(self, notice: Notice) -> None:
        """Put somebody down as pending, with the mail that follows; both or neither."""
        form, now = notice.sign_up(), self.clock()
        with self.database.write(durable=True) as connection:
            if form.edition in self.editions:
                try:
                    asked = self.people.ask(
                        connection, notice.address, edition=form.edition, language=form.language,
                        source=form.source, text_version=form.text_version, network=form.network, now=form.at,
                    )  # fmt: skip
                except StoreError:  # it is tried again
                    raise
                except SubscribersError:  # the form checks what it takes; this one did not
                    pass
                else:
                    notices.answer(connection, asked, form.language, now)
            notices.done(connection, notice)

    def _send(self, notice: Notice, tally: Tally, stack: ExitStack) -> None:
        try:
            made = self._made(notice)
        except NewsletterError as error:  # of this one: the others go out
            with self.database.write(durable=True) as transaction:
                notices.settle(transaction, notice, Outcome.RETRY, self.clock())
            tally.fault = str(error)
            return
        if made is None:
            with self.database.write() as connection:
                notices.drop(connection, notice, self.clock())
            tally.dropped += 1
            return
        letter, reader = made
        try:
            mailing = self._connected(notice.kind, stack)
            outcome = next(
                iter([receipt.outcome for receipt in mailing.send(letter, [reader])]), Outcome.RETRY
            )
        except ProviderUnavailable:
            with self.database.write(durable=True) as transaction:
                notices.settle(transaction, notice, Outcome.RETRY, self.clock())
            raise
        with self.database.write(durable=True) as transaction:
            state = notices.settle(transaction, notice, outcome, self.clock())
            if (
                state is NoticeState.SENT
                and notice.kind is NoticeKind.WELCOME
                and self.welcome(notice.about().edition) is Welcome.NEWEST
            ):
                notices.then_newest(transaction, notice, self.clock())
        tally.sent += state is NoticeState.SENT
        tally.failed += state is NoticeState.FAILED

    def _connected(self, kind: NoticeKind, stack: ExitStack) -> Connection:
        """Return the connection for a kind of notice, opened when it is first needed."""
        to_operator = kind in TO_OPERATOR
        if to_operator not in self._connections:
            provider = self.operator_provider if to_operator else self.provider
            self._connections[to_operator] = stack.enter_context(provider.connect())
        return self._connections[to_operator]

    def _made(self, notice: Notice) -> tuple[Letter, Recipient] | None:
        """Return the mail of a notice; None where it is of no use any more."""
        if notice.kind is NoticeKind.DRAFT:
            return self._draft(notice)
        if notice.kind is NoticeKind.ALERT:
            about_alert = notice.alert()
            return alert_mail(
                self.identity, to=notice.address, subject=about_alert.subject, text=about_alert.text, notice=notice.id,
                date=about_alert.at,
            )  # fmt: skip
        about = notice.about()
        if about.edition not in self.editions or notice.subscriber_id is None:
            return None
        with self.database.write() as connection:
            person = self.people.find(connection, str(notice.subscriber_id))
            known = self.people.subscription(connection, person.id, about.edition)
            number = self.people.edition_number(connection, about.edition)
            barred = person.state is not AddressState.ACTIVE or self.people.barred(connection, person)
        wanted = SubscriptionState.PENDING if notice.kind is NoticeKind.CONFIRM else SubscriptionState.ACTIVE
        if barred or known is None or (known.state is not wanted and notice.kind is not NoticeKind.ALREADY):
            return None
        row = claims.ClaimedRow(
            subscriber_id=person.id, email=person.email, name=person.name, key=person.key, edition_number=number,
            attempt=notice.attempt,
        )  # fmt: skip
        if notice.kind is NoticeKind.NEWEST:
            return self._newest(about.edition, row)
        mail = _MAILS[notice.kind]
        if mail is Mail.WELCOME and self.welcome(about.edition) is Welcome.NONE:
            return None
        return self._letter(mail, notice, row)

    def _draft(self, notice: Notice) -> tuple[Letter, Recipient] | None:
        """Return an issue's letter as a reader would get it, with the link that decides about it."""
        about = notice.draft()
        with self.database.read() as connection:
            record = store.issue_by_id(connection, about.issue)
            if record.state is not IssueState.DRAFT or self.clock() >= about.until:
                return None
            token = drafts.sign(connection, self.keys, record.id, now=about.at, until=about.until)
            letter = ledger.load_letter(connection, record.id)
        return draft_mail(
            letter, record, to=notice.address, link=self.identity.links.decide_url(token), deadline=about.deadline,
            links=self.identity.links, notice=notice.id, date=about.at,
        )  # fmt: skip

    def _letter(self, mail: Mail, notice: Notice, row: claims.ClaimedRow) -> tuple[Letter, Recipient]:
        about, links = notice.about(), self.identity.links
        rendered = render_notice(mail, self.design(about.edition), about.language, about.at.date())
        name = hashlib.sha256(b"notice %d " % notice.id + notice.payload + row.key).hexdigest()[:24]
        domain = self.identity.from_address.rpartition("@")[2]
        values = {"address": row.email}
        headers: tuple[tuple[str, str], ...] = ()
        if mail is Mail.CONFIRM:
            token = self.keys.sign(Purpose.CONFIRM, about.consent, now=about.at)
            values["url"] = links.confirm_url(token)
        else:
            values["unsubscribe_url"] = links.unsubscribe_url(row.key, row.edition_number)
            _, headers = links.leaving(row.key, row.edition_number)
        letter = Letter(
            subject=rendered.subject, html=rendered.html, text=rendered.text, language=about.language,
            from_name=self.identity.from_name, from_address=self.identity.from_address, date=about.at,
            boundary=f"=_{name}", headers=AUTOMATIC,
        )  # fmt: skip
        reader = Recipient(
            subscriber_id=row.subscriber_id, address=row.email, name="", delivery_id=f"notice.{name}",
            message_id=f"<notice.{name}@{domain}>", values=values, headers=headers,
            return_path=links.bounces_to(row.key, row.edition_number, letter.from_address),
        )  # fmt: skip
        return letter, reader

    def _newest(self, edition: str, row: claims.ClaimedRow) -> tuple[Letter, Recipient] | None:
        """Return the newest issue for one reader, whose names are those of a delivery: one copy, however it comes."""
        with self.database.read() as connection:
            record = store.newest_issue(connection, edition, (IssueState.SENDING, IssueState.FINISHED))
            if record is None or ledger.is_planned(connection, record.id, row.subscriber_id):
                return None
            letter = ledger.load_letter(connection, record.id)
        reader = recipient(
            row, edition=edition, day=record.day, links=self.identity.links, from_address=letter.from_address
        )
        return letter, reader
