"""What systems call the states of their people, and how they write yes, no and a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum

from subscribers.errors import InvalidValue
from subscribers.models import AddressState, SubscriptionState


class Standing(IntEnum):
    """How somebody stands in a file; of two words about one person the higher holds."""

    ACTIVE = 0
    PAUSED = 1
    PENDING = 2
    LEFT = 3
    SUPPRESSED = 4
    BOUNCED = 5
    COMPLAINED = 6


SUBSCRIPTION = {
    Standing.ACTIVE: SubscriptionState.ACTIVE,
    Standing.PAUSED: SubscriptionState.PAUSED,
    Standing.PENDING: SubscriptionState.PENDING,
}
ADDRESS = {Standing.BOUNCED: AddressState.BOUNCED, Standing.COMPLAINED: AddressState.COMPLAINED}

# Who is "inactive" has left (beehiiv) or never confirmed (Kit): the safer of the two.
_WORDS = {
    Standing.ACTIVE: "active subscribed enabled confirmed regular premium free paid comp gift gifted trialed "
    "past_due unpaid churning upcoming opted_in",
    Standing.PAUSED: "paused",
    Standing.PENDING: "pending unconfirmed unactivated validating needs_confirmation not_confirmed unverified",
    Standing.LEFT: "unsubscribed left inactive disabled cancelled canceled removed churned deleted opted_out optout "
    "unsubscribe nonsubscribed non_subscribed archived",
    Standing.SUPPRESSED: "suppressed blocklisted blacklisted blocked block_listed black_listed spammy banned",
    Standing.BOUNCED: "bounced cleaned undeliverable invalid hard_bounced hardbounced bounce hard_bounce",
    Standing.COMPLAINED: "complained spam spam_complaint abuse complaint complained_of_spam marked_as_spam",
}
STANDINGS = {word: standing for standing, words in _WORDS.items() for word in words.split()}
_YES = frozenset(["true", "t", "yes", "y", "1", "on", "x"])
_NO = frozenset(["false", "f", "no", "n", "0", "off"]) | {""}
_TIMES = ("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y/%m/%d", "%d-%m-%Y")


def word(text: str) -> str:
    """Return a word as the tables here have it."""
    return "_".join(text.strip().lower().replace("-", " ").replace("_", " ").split())


def standing(text: str) -> Standing:
    """Return the standing that a word means, or raise `InvalidValue`: an unknown one is never active."""
    found = STANDINGS.get(text) if text in STANDINGS else STANDINGS.get(word(text))
    if found is None:
        known = "active, pending, paused, unsubscribed, bounced, complained or suppressed"
        raise InvalidValue("this state is not known", subject=repr(text[:40]), remedy=f"write {known}")
    return found


def truth(text: str, column: str) -> bool:
    """Return whether a cell says yes, or raise `InvalidValue`."""
    said = text.strip().lower()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise InvalidValue(
        f"is neither yes nor no in the column {column}", subject=repr(text[:40]), remedy="write true or false"
    )


def happened(text: str) -> bool:
    """Return whether a cell says that something happened: a time or yes, but not no, nor a zero."""
    said = text.strip().lower()
    return said not in _NO and said not in {"null", "none", "-", "n/a", "0000-00-00 00:00:00"}


def moment(text: str, column: str) -> datetime | None:
    """Return the time in a cell (in UTC where it says nothing), None in an empty one; raise `InvalidValue`."""
    said = text.strip()
    if not said:
        return None
    for read in (datetime.fromisoformat, *(_reader(form) for form in _TIMES)):
        try:
            found = read(said)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        return found
    raise InvalidValue(
        f"is no time in the column {column}",
        subject=repr(said[:40]),
        remedy="write it as 2024-09-12T08:00:00Z",
    )


def _reader(form: str) -> Callable[[str], datetime]:
    return lambda said: datetime.strptime(said, form)  # noqa: DTZ007  # it is given its zone by `moment`
