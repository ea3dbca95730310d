"""The operator's use cases: who comes on the list, pauses, leaves; and looking. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from subscribers import records
from subscribers.addresses import parse_address
from subscribers.book import Book, ListSettings, keep_own_wish, next_state
from subscribers.checks import check_edition, check_profile, check_reason, check_tags, check_text
from subscribers.errors import InvalidValue, Suppressed, UnknownSubscriber
from subscribers.lifecycle import SUBSCRIPTION, Wish
from subscribers.models import (
    Address,
    AddressState,
    Details,
    Listing,
    Profile,
    Step,
    Subscriber,
    Subscription,
    SubscriptionState,
    Through,
)
from subscribers.selection import Chosen, listing
from subscribers.store import people, subscriptions
from subscribers.suppressions import lift

__all__ = ["Added", "ListSettings", "SubscriberList"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What `SubscriberList.add` did; all false where it changed nothing. ``before`` is where the subscription stood."""

    subscriber: Subscriber
    subscription: Subscription
    lifted: bool = False  # a suppression, a bounce or a complaint, by force
    described: bool = False  # name, tags or language of somebody who is on the list
    before: SubscriptionState | None = None

    @property
    def created(self) -> bool:
        """Whether there was no such subscription."""
        return self.before is None

    @property
    def reactivated(self) -> bool:
        """Whether there was one in another state."""
        return self.before not in {None, self.subscription.state}


class SubscriberList(Book):
    """The list, as commands use it."""

    def add(
        self, connection: Connection, email: str, *, edition: str, name: str = "", tags: Iterable[str] = (),
        language: str | None = None, actor: str, now: datetime, force: str = "",
    ) -> Added:  # fmt: skip
        """Make somebody who told the operator so an active subscriber of an edition, at once.

        Idempotent; a name, tags and a language are taken over in any case. Whom the operator took off comes back;
        whoever left by any other way, and an address that is suppressed, bounced or complained, raises `Suppressed`,
        unless ``force`` gives the reason, which is kept. Bad values raise `InvalidValue`.
        """
        address = parse_address(email)
        edition_name = check_edition(edition)
        profile = check_profile(name, tags, language)
        reason = check_reason(force) if force else ""
        step = Step(actor=actor, through=Through.CLI, at=now, reason=reason)
        lifted = bool(force) and lift(connection, self.digest(address), step)
        subscriber = self.known_or_new(connection, address, profile, now)
        known = subscriptions.subscription_of(connection, subscriber.id, edition_name)
        wanted = next_state(Wish.ADD, known)
        if known is not None and known.state is wanted:
            people.update_profile(connection, subscriber.id, profile)
            person = self.find(connection, str(subscriber.id))
            return Added(
                subscriber=person, subscription=known, lifted=lifted,
                described=person != subscriber, before=known.state,
            )  # fmt: skip
        if known is not None and not force:
            _refuse_who_left(connection, address, known)
        subscription = self.put(connection, subscriber, edition_name, known, wanted, step)
        people.update_profile(connection, subscriber.id, profile)
        records.insert_consent(connection, subscription.id, "operator", now)
        return Added(
            subscriber=self.find(connection, str(subscriber.id)), subscription=subscription, lifted=lifted,
            before=known.state if known else None,
        )  # fmt: skip

    def confirm(
        self,
        connection: Connection,
        email_or_id: str,
        *,
        edition: str,
        consent: str,
        actor: str,
        now: datetime,
    ) -> bool:
        """Make somebody active who is pending, on the operator's word; return False for who is active already.

        ``consent`` says where and when the person agreed. Raises `UnknownSubscriber`, and `Suppressed` for one who
        left, or whom nothing is sent to.
        """
        source = check_reason(consent)
        subscriber = self.find(connection, email_or_id, lock=True)
        known = subscriptions.subscription_of(connection, subscriber.id, edition)
        if known is None:
            raise UnknownSubscriber(f"did not ask for {edition}", subject=subscriber.email)
        if self.barred(connection, subscriber):
            raise Suppressed("gets no mail", subject=subscriber.email, remedy="`subscribers show` says why")
        wanted = SUBSCRIPTION.get((Wish.CONFIRM, known.state))
        _refuse_who_left(connection, parse_address(subscriber.email), known)
        if wanted is None or wanted is known.state:
            return False
        step = Step(actor=actor, through=Through.CLI, at=now, reason=source)
        moved = self.put(connection, subscriber, edition, known, wanted, step)
        records.insert_consent(connection, moved.id, source, now)
        return True

    def remove(
        self, connection: Connection, email_or_id: str, *, edition: str | None = None, actor: str, now: datetime,
        through: Through = Through.CLI, reason: str = "",
    ) -> tuple[Subscription, ...]:  # fmt: skip
        """End somebody's subscription to an edition, or to all; return those that were ended by this.

        ``through`` tells the operator's own wish (CLI) from the person's (REQUEST), whom `add` does not bring back.
        Idempotent: who has left already is left alone, but that it was the person's own wish is kept, once. Raises
        `UnknownSubscriber`.
        """
        step = Step(actor=actor, through=through, at=now, reason=check_text(reason, "reason"))
        return self._move(connection, email_or_id, edition, Wish.LEAVE, step)

    def pause(
        self, connection: Connection, email_or_id: str, *, until: datetime, edition: str | None = None, actor: str,
        now: datetime, reason: str = "",
    ) -> tuple[Subscription, ...]:  # fmt: skip
        """Send somebody nothing until a time; return the subscriptions that are paused by this."""
        if until <= now:
            raise InvalidValue(
                "a pause ends in the future", subject=f"{until:%Y-%m-%d}", remedy="give a later day"
            )
        step = Step(actor=actor, through=Through.CLI, at=now, reason=check_text(reason, "reason"))
        return self._move(connection, email_or_id, edition, Wish.PAUSE, step, until=until)

    def resume(
        self,
        connection: Connection,
        email_or_id: str,
        *,
        edition: str | None = None,
        actor: str,
        now: datetime,
    ) -> tuple[Subscription, ...]:
        """End somebody's pause at once; return the subscriptions that go on."""
        step = Step(actor=actor, through=Through.CLI, at=now)
        return self._move(connection, email_or_id, edition, Wish.RESUME, step)

    def tag(self, connection: Connection, email_or_id: str, tags: Iterable[str]) -> tuple[str, ...]:
        """Tag a person; return the tags that are new. Raises `InvalidValue` and `UnknownSubscriber`."""
        labels, person = check_tags(tags), self._person(connection, email_or_id)
        people.update_profile(connection, person.id, Profile(tags=labels))
        return tuple(label for label in labels if label not in person.tags)

    def untag(self, connection: Connection, email_or_id: str, tags: Iterable[str]) -> tuple[str, ...]:
        """Take tags off a person; return those that were there. Raises `InvalidValue` and `UnknownSubscriber`."""
        labels, person = check_tags(tags), self._person(connection, email_or_id)
        people.delete_tags(connection, person.id, labels)
        return tuple(label for label in labels if label in person.tags)

    def listing(self, connection: Connection, chosen: Chosen | None = None) -> Iterator[Listing]:
        """Yield one row a subscription, by subscriber and edition; memory stays flat for any length."""
        return listing(connection, chosen or Chosen())

    def show(self, connection: Connection, email_or_id: str) -> Details:
        """Return everything that is known of one subscriber, or raise `UnknownSubscriber`."""
        subscriber = self.find(connection, email_or_id)
        return Details(
            subscriber=subscriber,
            subscriptions=subscriptions.subscriptions_of(connection, subscriber.id),
            history=records.history_of(connection, subscriber.id),
            consents=records.consents_of(connection, subscriber.id),
            suppression=records.suppression_of_subscriber(connection, subscriber.id),
        )

    def _move(
        self, connection: Connection, email_or_id: str, edition: str | None, wish: Wish, step: Step, *,
        until: datetime | None = None,
    ) -> tuple[Subscription, ...]:  # fmt: skip
        """Take a step of one subscription or of all that it is possible for; return those that it changed."""
        subscriber = self._person(connection, email_or_id)
        moved = []
        for known in subscriptions.subscriptions_of(connection, subscriber.id):
            wanted = SUBSCRIPTION.get((wish, known.state))
            if edition not in {None, known.edition} or wanted is None:
                continue
            if wish is Wish.LEAVE and wanted is known.state:
                keep_own_wish(connection, known, step)
            elif wanted is not known.state or until != known.paused_until:
                moved.append(
                    self.put(connection, subscriber, known.edition, known, wanted, step, until=until)
                )
        return tuple(moved)

    def _person(self, connection: Connection, email_or_id: str) -> Subscriber:
        """Return somebody about whom something may still be kept."""
        person = self.find(connection, email_or_id, lock=True)
        if person.state is AddressState.ERASED:
            raise UnknownSubscriber("is erased", subject=f"subscriber {person.id}")
        return person


def _refuse_who_left(connection: Connection, address: Address, known: Subscription) -> None:
    """Raise `Suppressed` where the person was the last to end this subscription and did not come back since.

    Somebody else may have typed the address into a form meanwhile: only what was active again counts.
    """
    if known.state not in {SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING}:
        return
    left = records.leaving_of(connection, known)
    if left is None and known.state is SubscriptionState.PENDING:
        return
    if left is None or left.step.through is not Through.CLI:
        way = left.step.through.name.lower().replace("_", "-") if left else "an unknown way"
        on = left.step.at if left else known.changed_at
        problem = f"left {known.edition} on {on:%Y-%m-%d} ({way})"
        raise Suppressed(problem, subject=address.email, remedy="ask the person to subscribe again")
