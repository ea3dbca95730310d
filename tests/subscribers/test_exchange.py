"""The list beside a provider's own, on a database of each kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from subscribers.addresses import parse_address
from subscribers.exchange import Cause, Effect, Exchange, Told
from subscribers.models import SubscriptionState, Through
from subscribers.requests import Requests
from subscribers.subscriptions import ListSettings, SubscriberList
from subscribers.suppressions import Suppressions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADA, BOB = "ada@example.org", "bob@example.org"
SETTINGS = ListSettings(hash_key=b"a key for tests only")


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(SETTINGS)


def told(address: str, at: datetime = NOW) -> Told:
    return Told(address=parse_address(address), at=at, reason="as told")


def take(exchange: Exchange, connection: Connection, cause: Cause, *some: Told) -> list[Effect]:
    dry = exchange.take(connection, cause, some, provider="there", now=NOW + 2 * HOUR, dry_run=True)
    done = exchange.take(connection, cause, some, provider="there", now=NOW + 2 * HOUR)
    assert dry == done
    return done


def signed_up(connection: Connection, address: str, at: datetime) -> None:
    """Have somebody ask by the form and confirm."""
    requests = Requests(SETTINGS)
    asked = requests.ask(connection, address, edition="daily", source="form", text_version="1", now=at)
    assert asked.consent is not None
    requests.confirm(connection, asked.consent, now=at)


def state(people: SubscriberList, connection: Connection, address: str) -> SubscriptionState:
    (only,) = people.show(connection, address).subscriptions
    return only.state


def test_who_confirmed_later_came_back_and_who_was_added_later_did_not(
    exchange: Exchange, people: SubscriberList, connection: Connection
) -> None:
    signed_up(connection, ADA, NOW + HOUR)
    people.add(connection, BOB, edition="daily", actor="me", now=NOW + HOUR)
    effects = take(exchange, connection, Cause.UNSUBSCRIBED, told(ADA), told(BOB))
    assert effects == [Effect.NEWER, Effect.CHANGED]
    assert state(people, connection, ADA) is SubscriptionState.ACTIVE
    assert people.show(connection, ADA).suppression is None
    assert state(people, connection, BOB) is SubscriptionState.UNSUBSCRIBED
    assert take(exchange, connection, Cause.UNSUBSCRIBED, told(ADA, NOW + 2 * HOUR)) == [Effect.CHANGED]


def test_an_unsubscription_there_is_the_persons_own_wish(
    exchange: Exchange, people: SubscriberList, connection: Connection
) -> None:
    people.add(connection, ADA, edition="daily", actor="me", now=NOW - HOUR)
    people.remove(connection, ADA, actor="me", now=NOW - HOUR)
    assert take(exchange, connection, Cause.UNSUBSCRIBED, told(ADA)) == [Effect.CHANGED]
    assert take(exchange, connection, Cause.UNSUBSCRIBED, told(ADA)) == [Effect.KNOWN]
    last = people.show(connection, ADA).history[-1]
    assert (last.to_state, last.step.through) == (SubscriptionState.UNSUBSCRIBED, Through.EVENT)


def test_a_complaint_outweighs_a_bounce_and_no_lift_before_it_counts(
    exchange: Exchange, people: SubscriberList, connection: Connection
) -> None:
    people.add(connection, ADA, edition="daily", actor="me", now=NOW - HOUR)
    assert take(exchange, connection, Cause.BOUNCED, told(ADA), told(BOB)) == [
        Effect.CHANGED,
        Effect.SUPPRESSED,
    ]
    assert take(exchange, connection, Cause.COMPLAINED, told(ADA)) == [Effect.CHANGED]
    assert take(exchange, connection, Cause.BOUNCED, told(ADA), told(BOB)) == [Effect.KNOWN, Effect.KNOWN]
    for address in (ADA, BOB):
        Suppressions(SETTINGS).unsuppress(connection, address, reason="asked", actor="me", now=NOW + HOUR)
    assert take(exchange, connection, Cause.BOUNCED, told(ADA), told(BOB)) == [Effect.NEWER, Effect.NEWER]
    later = NOW + HOUR + timedelta(seconds=1)
    assert take(exchange, connection, Cause.BOUNCED, told(BOB, later)) == [Effect.SUPPRESSED]


def test_what_a_provider_lacks(exchange: Exchange, people: SubscriberList, connection: Connection) -> None:
    for name in ("asked", "silent", "bounced", "erased", "lifted"):
        people.add(connection, f"{name}@example.org", edition="daily", actor="me", now=NOW)
    suppressions = Suppressions(SETTINGS)
    for name in ("asked", "silent", "erased", "lifted", "trap", "known-trap"):
        suppressions.suppress(connection, f"{name}@example.org", reason="asked", actor="me", now=NOW)
    take(exchange, connection, Cause.BOUNCED, told("bounced@example.org"))
    suppressions.erase(connection, "erased@example.org", actor="me", now=NOW)
    suppressions.unsuppress(connection, "lifted@example.org", reason="asked", actor="me", now=NOW)
    there = {exchange.digest(parse_address(f"{name}@example.org")) for name in ("silent", "known-trap")}
    mine = exchange.unknown_to(connection, silent=there, listed=there)
    assert (mine.addresses, mine.hashes) == (["asked@example.org"], 2)
