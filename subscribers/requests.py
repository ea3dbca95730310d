"""What people do themselves: ask for an edition, confirm, leave, take it back. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Connection

from subscribers import records
from subscribers.addresses import parse_address
from subscribers.book import Book, keep_own_wish, next_state
from subscribers.checks import check_edition, check_profile, check_text
from subscribers.errors import Suppressed
from subscribers.lifecycle import Wish
from subscribers.models import Step, Subscriber, Subscription, SubscriptionState, Through
from subscribers.store import people, subscriptions

UNDO_FOR = timedelta(days=30)
BY_THE_PERSON = frozenset({Through.FORM, Through.ONE_CLICK, Through.MAILTO})


class Answer(Enum):
    """What became of a request of the person."""

    TO_CONFIRM = "to confirm"
    DONE = "done"
    ALREADY = "already"  # it was so before
    REFUSED = "refused"  # the address is never written to, or the link is of no use any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of a request; ``consent`` numbers the record that a confirmation completes."""

    answer: Answer
    subscriber: Subscriber | None = None
    subscription: Subscription | None = None
    consent: int | None = None


class Requests(Book):
    """The list, as pages and mails of people use it."""

    def ask(
        self, connection: Connection, email: str, *, edition: str, name: str = "", language: str | None = None,
        source: str, text_version: str, network: str | None = None, now: datetime,
    ) -> Asked:  # fmt: skip
        """Take down that somebody asked for an edition by a form; nothing is sent before it is confirmed.

        Never says whether an address is known, and never raises for one: what is refused says so in the answer.
        """
        address, profile = parse_address(email), check_profile(name, (), language)
        try:
            subscriber = self.known_or_new(connection, address, profile, now)
        except Suppressed:
            return Asked(answer=Answer.REFUSED)
        known = subscriptions.subscription_of(connection, subscriber.id, check_edition(edition))
        wanted = next_state(Wish.ASK, known)
        if known is not None and wanted is not SubscriptionState.PENDING:
            return Asked(answer=Answer.ALREADY, subscriber=subscriber, subscription=known)
        step = Step(actor="subscriber", through=Through.FORM, at=now)
        subscription = self.put(connection, subscriber, edition, known, wanted, step)
        consent = records.insert_consent(
            connection, subscription.id, source, now, text_version=text_version, network=network
        )
        return Asked(
            answer=Answer.TO_CONFIRM, subscriber=subscriber, subscription=subscription, consent=consent
        )

    def ask_again(self, connection: Connection, email_or_id: str, edition: str, *, now: datetime) -> Asked:
        """Return what a confirmation completes for somebody who is pending, however that came.

        Who left, and was put down again since, is not asked: that may have been somebody else, and the form asked
        already. Raises `UnknownSubscriber`.
        """
        subscriber = self.find(connection, email_or_id, lock=True)
        known = subscriptions.subscription_of(connection, subscriber.id, edition)
        if known is None or self.barred(connection, subscriber):
            return Asked(answer=Answer.REFUSED, subscriber=subscriber)
        if known.state is not SubscriptionState.PENDING:
            return Asked(answer=Answer.ALREADY, subscriber=subscriber, subscription=known)
        left = records.leaving_of(connection, known)
        if left is not None and left.step.through is not Through.CLI:
            return Asked(answer=Answer.REFUSED, subscriber=subscriber)
        consent = records.open_consent(connection, known.id)
        if consent is None:
            consent = records.insert_consent(connection, known.id, "confirmation mail", now)
        return Asked(answer=Answer.TO_CONFIRM, subscriber=subscriber, subscription=known, consent=consent)

    def asked_for(self, connection: Connection, consent: int) -> Subscription | None:
        """Return the subscription that a consent was given for; None once it is forgotten."""
        return records.subscription_of_consent(connection, consent)

    def confirm(self, connection: Connection, consent: int, *, now: datetime) -> Asked:
        """Make a subscription active whose consent was confirmed. A link that was used before leaving is refused."""
        subscription = records.subscription_of_consent(connection, consent)
        if subscription is None:
            return Asked(answer=Answer.REFUSED)
        subscriber = people.subscriber_by_id(connection, subscription.subscriber_id, lock=True)
        known = subscriptions.subscription_of(connection, subscription.subscriber_id, subscription.edition)
        if subscriber is None or known is None or self.barred(connection, subscriber):
            return Asked(answer=Answer.REFUSED)
        if known.state in {SubscriptionState.ACTIVE, SubscriptionState.PAUSED}:
            return Asked(answer=Answer.ALREADY, subscriber=subscriber, subscription=known)
        if known.state is not SubscriptionState.PENDING or not records.confirm_consent(
            connection, consent, now
        ):
            return Asked(answer=Answer.REFUSED)
        step = Step(actor="subscriber", through=Through.FORM, at=now)
        moved = self.put(connection, subscriber, known.edition, known, next_state(Wish.CONFIRM, known), step)
        return Asked(answer=Answer.DONE, subscriber=subscriber, subscription=moved, consent=consent)

    def leave(
        self, connection: Connection, key: bytes, edition_number: int, *, through: Through, now: datetime,
        reason: str = "",
    ) -> Asked:  # fmt: skip
        """End the subscription that an unsubscribe link names, at once; an unknown link changes nothing.

        A reason that comes after the step, as a page asks for it, is kept with it.
        """
        found = self.by_link(connection, key, edition_number, lock=True)
        if found is None:
            return Asked(answer=Answer.REFUSED)
        subscriber, known = found
        reason = check_text(reason, "reason")
        step = Step(actor="subscriber", through=through, at=now, reason=reason)
        if known.state is SubscriptionState.UNSUBSCRIBED:
            keep_own_wish(connection, known, step)
            records.give_reason(connection, known, reason)
            return Asked(answer=Answer.ALREADY, subscriber=subscriber, subscription=known)
        moved = self.put(connection, subscriber, known.edition, known, next_state(Wish.LEAVE, known), step)
        return Asked(answer=Answer.DONE, subscriber=subscriber, subscription=moved)

    def came_back(self, connection: Connection, key: bytes, edition_number: int, since: datetime) -> bool:
        """Say whether the person of an unsubscribe link took the subscription up again after a time."""
        found = self.by_link(connection, key, edition_number, lock=True)
        back = records.last_step_to(connection, found[1], SubscriptionState.ACTIVE) if found else None
        return back is not None and back.step.through in BY_THE_PERSON and back.step.at > since

    def leave_all(
        self, connection: Connection, links: Collection[tuple[bytes, int]], *, through: Through, now: datetime
    ) -> int:
        """Do what `leave` does for many links at once, in three statements; return how many subscriptions end by it."""
        wanted = set(links)
        found = subscriptions.links_of(connection, {key for key, _ in links})
        known = [each for key, number, each in found if (key, number) in wanted]
        moved = [each for each in known if next_state(Wish.LEAVE, each) is not each.state]
        step = Step(actor="subscriber", through=through, at=now)
        for left in known:
            if left.state is SubscriptionState.UNSUBSCRIBED:
                keep_own_wish(connection, left, step)
        subscriptions.move_subscriptions(connection, moved, SubscriptionState.UNSUBSCRIBED, step)
        return len(moved)

    def come_back(self, connection: Connection, key: bytes, edition_number: int, *, now: datetime) -> Asked:
        """Take the person's own leaving back, within 30 days; who was not confirmed before is not so now."""
        found = self.by_link(connection, key, edition_number, lock=True)
        if found is None or self.barred(connection, found[0]):
            return Asked(answer=Answer.REFUSED)
        subscriber, known = found
        if known.state is not SubscriptionState.UNSUBSCRIBED:
            return Asked(answer=Answer.ALREADY, subscriber=subscriber, subscription=known)
        left = records.last_step_to(connection, known, SubscriptionState.UNSUBSCRIBED)
        if left is None or left.step.through not in BY_THE_PERSON or now - left.step.at > UNDO_FOR:
            return Asked(answer=Answer.REFUSED)
        before = left.from_state
        if before is SubscriptionState.UNSUBSCRIBED:  # the operator's removal came first, and stands
            return Asked(answer=Answer.REFUSED)
        wanted = (
            before if before is SubscriptionState.PENDING else next_state(Wish.RETURN, known)
        )  # a pause is not taken up again
        step = Step(actor="subscriber", through=Through.FORM, at=now, reason="taken back")
        moved = self.put(connection, subscriber, known.edition, known, wanted, step)
        return Asked(answer=Answer.DONE, subscriber=subscriber, subscription=moved)
