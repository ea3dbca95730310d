"""The use cases, on SQLite and on PostgreSQL: who comes on the list, who leaves, and who stays away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from subscribers import schema
from subscribers.addresses import address_hash
from subscribers.errors import StoreError, Suppressed, UnknownSubscriber
from subscribers.models import (
    AddressState,
    Consent,
    HistoryEntry,
    Step,
    SubscriptionState,
    Suppression,
    Through,
)
from subscribers.store import metadata
from subscribers.store.subscriptions import move_subscription
from subscribers.subscriptions import Added, SubscriberList

NOW = datetime(2024, 9, 12, 6, 30, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def add(people: SubscriberList, connection: sa.Connection, email: str, edition: str = "daily") -> Added:
    return people.add(connection, email, edition=edition, actor="operator", now=NOW)


def leave(connection: sa.Connection, added: Added, through: Through) -> None:
    step = Step(actor="subscriber", through=through, at=LATER)
    move_subscription(connection, added.subscription, SubscriptionState.UNSUBSCRIBED, step)


def set_state(connection: sa.Connection, added: Added, state: AddressState) -> None:
    chosen = schema.subscriber.c.id == added.subscriber.id
    connection.execute(sa.update(schema.subscriber).where(chosen).values(state=state))


def suppress(connection: sa.Connection, address_key: str) -> None:
    digest = address_hash(b"a key for tests only", address_key)
    values = {"address_hash": digest, "reason": "asked by letter", "at": NOW, "actor": "operator"}
    connection.execute(sa.insert(schema.suppression).values(values))


def everything(connection: sa.Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = metadata.sorted_tables
    return {table.name: [tuple(row) for row in connection.execute(sa.select(table))] for table in tables}


def test_adding_makes_an_active_subscriber_with_consent_and_history(
    people: SubscriberList, connection: sa.Connection
) -> None:
    added = people.add(
        connection,
        "Ada@Example.org",
        edition="daily",
        name=" Ada Lovelace ",
        tags=["vision", "beta", "vision"],
        language="pt-BR",
        actor="ada the operator",
        now=NOW,
    )
    assert added.created
    assert not added.reactivated
    assert added.subscriber.email == "Ada@example.org"
    assert added.subscriber.name == "Ada Lovelace"
    assert added.subscriber.tags == ("beta", "vision")
    assert added.subscriber.language == "pt-BR"
    assert added.subscriber.state is AddressState.ACTIVE
    assert len(added.subscriber.key) == 16
    assert added.subscription.state is SubscriptionState.ACTIVE
    assert added.subscription.edition == "daily"
    assert (
        added.subscription.created_at == added.subscription.changed_at == added.subscriber.created_at == NOW
    )

    shown = people.show(connection, "ada@example.org")
    assert shown.subscriber == added.subscriber
    assert shown.subscriptions == (added.subscription,)
    step = Step(actor="ada the operator", through=Through.CLI, at=NOW)
    active = SubscriptionState.ACTIVE
    assert shown.history == (HistoryEntry(edition="daily", from_state=None, to_state=active, step=step),)
    assert shown.consents == (
        Consent(
            id=1,
            edition="daily",
            source="operator",
            text_version="",
            given_at=NOW,
            confirmed_at=None,
            network=None,
        ),
    )
    assert shown.suppression is None


def test_adding_again_changes_nothing(people: SubscriberList, connection: sa.Connection) -> None:
    first = add(people, connection, "me@example.org")
    before = everything(connection)
    again = people.add(connection, " ME@EXAMPLE.ORG", edition="daily", actor="o", now=LATER)
    assert not again.created
    assert not again.reactivated
    assert not again.described
    assert again.subscriber == first.subscriber
    assert everything(connection) == before


def test_adding_again_takes_over_what_is_told_of_the_person(
    people: SubscriberList, connection: sa.Connection
) -> None:
    first = add(people, connection, "me@example.org")
    for described in (True, False):
        again = people.add(
            connection, "me@example.org", edition="daily", name="Other", tags=["x"], language="de", actor="o", now=LATER
        )  # fmt: skip
        assert again.described is described
        assert again.subscription == first.subscription
        assert (again.subscriber.name, again.subscriber.language) == ("Other", "de")
        assert set(again.subscriber.tags) == {*first.subscriber.tags, "x"}


def test_one_person_has_many_editions_and_one_number(
    people: SubscriberList, connection: sa.Connection
) -> None:
    daily = add(people, connection, "me@example.org", "daily")
    weekly = people.add(
        connection, "me@example.org", edition="weekly", name="Me", tags=["x"], actor="operator", now=LATER
    )
    assert weekly.created
    assert weekly.subscriber.id == daily.subscriber.id
    assert (weekly.subscriber.name, weekly.subscriber.tags) == ("Me", ("x",))
    assert [s.edition for s in people.show(connection, "me@example.org").subscriptions] == ["daily", "weekly"]


def test_an_empty_name_does_not_erase_the_known_one(
    people: SubscriberList, connection: sa.Connection
) -> None:
    people.add(connection, "me@example.org", edition="daily", name="Me", language="ko", actor="o", now=NOW)
    added = add(people, connection, "me@example.org", "weekly")
    assert (added.subscriber.name, added.subscriber.language) == ("Me", "ko")


def test_a_paused_subscription_is_left_paused(people: SubscriberList, connection: sa.Connection) -> None:
    added = add(people, connection, "me@example.org")
    step = Step(actor="subscriber", through=Through.FORM, at=NOW)
    move_subscription(connection, added.subscription, SubscriptionState.PAUSED, step)
    again = add(people, connection, "me@example.org")
    assert not again.created
    assert again.subscription.state is SubscriptionState.PAUSED


def test_removing_ends_every_subscription_or_that_of_one_edition(
    people: SubscriberList, connection: sa.Connection
) -> None:
    for edition in ("daily", "weekly", "ko"):
        add(people, connection, "me@example.org", edition)
    one = people.remove(connection, "Me@example.org", edition="weekly", actor="operator", now=LATER)
    assert [(s.edition, s.state, s.changed_at) for s in one] == [
        ("weekly", SubscriptionState.UNSUBSCRIBED, LATER)
    ]
    rest = people.remove(connection, "me@example.org", actor="operator", now=LATER)
    assert [s.edition for s in rest] == ["daily", "ko"]
    before = everything(connection)
    assert people.remove(connection, "me@example.org", actor="operator", now=LATER) == ()
    assert people.remove(connection, "me@example.org", edition="none", actor="operator", now=LATER) == ()
    assert everything(connection) == before
    last = people.show(connection, "me@example.org").history[-1]
    assert last.from_state is SubscriptionState.ACTIVE
    assert last.to_state is SubscriptionState.UNSUBSCRIBED
    assert last.step == Step(actor="operator", through=Through.CLI, at=LATER)


def test_whom_the_operator_removed_the_operator_brings_back(
    people: SubscriberList, connection: sa.Connection
) -> None:
    first = add(people, connection, "me@example.org")
    people.remove(connection, str(first.subscriber.id), actor="operator", now=LATER)
    back = add(people, connection, "me@example.org")
    assert back.reactivated
    assert not back.created
    assert back.subscription.id == first.subscription.id
    assert back.subscriber.key == first.subscriber.key
    shown = people.show(connection, "me@example.org")
    assert [entry.to_state for entry in shown.history] == [
        SubscriptionState.ACTIVE,
        SubscriptionState.UNSUBSCRIBED,
        SubscriptionState.ACTIVE,
    ]
    assert len(shown.consents) == 2


@pytest.mark.parametrize(
    "through", [Through.IMPORT, Through.FORM, Through.ONE_CLICK, Through.MAILTO, Through.EVENT]
)
def test_who_left_otherwise_is_not_brought_back(
    people: SubscriberList, connection: sa.Connection, through: Through
) -> None:
    added = add(people, connection, "me@example.org")
    leave(connection, added, through)
    assert people.remove(connection, "me@example.org", actor="operator", now=LATER) == ()
    before = everything(connection)
    way = through.name.lower().replace("_", "-")
    with pytest.raises(Suppressed, match=rf"me@example.org: left daily on 2024-09-15 \({way}\)"):
        add(people, connection, "me@example.org")
    assert everything(connection) == before


def test_who_asked_and_did_not_confirm_is_active_once_the_operator_says_so(
    people: SubscriberList, connection: sa.Connection
) -> None:
    added = add(people, connection, "me@example.org")
    step = Step(actor="subscriber", through=Through.FORM, at=NOW)
    move_subscription(connection, added.subscription, SubscriptionState.PENDING, step)
    assert add(people, connection, "me@example.org").subscription.state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("state", [AddressState.BOUNCED, AddressState.COMPLAINED])
@pytest.mark.parametrize("edition", ["daily", "weekly"])
def test_an_address_that_failed_is_not_revived(
    people: SubscriberList, connection: sa.Connection, state: AddressState, edition: str
) -> None:
    set_state(connection, add(people, connection, "me@example.org"), state)
    before = everything(connection)
    with pytest.raises(Suppressed, match=f"ME@example.org: has {state.name.lower()}"):
        add(people, connection, "ME@example.org", edition)
    assert everything(connection) == before


def test_a_suppressed_address_is_refused_even_when_nobody_knows_it(
    people: SubscriberList, connection: sa.Connection
) -> None:
    suppress(connection, "me@example.org")
    with pytest.raises(Suppressed, match=r"is suppressed since 2024-09-12 \(asked by letter\)"):
        add(people, connection, "Me@Example.org")
    assert add(people, connection, "you@example.org").created
    suppress(connection, "you@example.org")
    suppression = people.show(connection, "you@example.org").suppression
    assert suppression == Suppression(id=2, reason="asked by letter", actor="operator", at=NOW)


@pytest.mark.parametrize("given", ["you@example.org", "2", "0", "007", "99999999999999999999", "9" * 5000])
def test_an_unknown_subscriber_is_named(
    people: SubscriberList, connection: sa.Connection, given: str
) -> None:
    add(people, connection, "me@example.org")
    with pytest.raises(UnknownSubscriber) as unknown:
        people.find(connection, given)
    assert given[:20] in str(unknown.value)
    with pytest.raises(UnknownSubscriber):
        people.remove(connection, given, actor="operator", now=NOW)


def test_text_of_any_script_comes_back_as_it_was(people: SubscriberList, connection: sa.Connection) -> None:
    name = "김 '\"; DROP TABLE subscriber -- {{ x }} 🎉"
    added = people.add(
        connection, "me@example.org", edition="daily", name=name, tags=["논문"], actor="o", now=NOW
    )
    assert (added.subscriber.name, added.subscriber.tags) == (name, ("논문",))


def test_a_name_keeps_its_joiners_and_gets_plain_spaces(
    people: SubscriberList, connection: sa.Connection
) -> None:
    name = "\u3000علی\u200cرضا\u00a0X "
    added = people.add(connection, "me@example.org", edition="daily", name=name, actor="o", now=NOW)
    assert added.subscriber.name == "علی\u200cرضا X"


def test_a_naive_time_is_refused(people: SubscriberList, connection: sa.Connection) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive"):
        people.add(
            connection,
            "me@example.org",
            edition="daily",
            actor="o",
            now=datetime(2024, 9, 12),  # noqa: DTZ001
        )


def test_a_database_without_tables_is_one_line(people: SubscriberList, connection: sa.Connection) -> None:
    metadata.drop_all(connection)
    with pytest.raises(StoreError, match="subscriber list: the database refused") as refused:
        people.find(connection, "1")
    assert str(refused.value).isprintable()
    assert isinstance(refused.value.__cause__, sa.exc.DBAPIError)


def test_two_who_add_the_same_address_at_once_add_one_person(
    people: SubscriberList, postgres_url: str
) -> None:
    engine = sa.create_engine(postgres_url)
    metadata.create_all(engine)

    def second() -> Added:
        with engine.begin() as connection:
            return add(people, connection, "Me@example.org")

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            first = add(people, connection, "me@example.org")
            waiting = threads.submit(second)
            wait_until_blocked(engine)
        other = waiting.result(timeout=30)
    assert first.created
    assert not other.created
    assert other.subscriber == first.subscriber
    engine.dispose()


def wait_until_blocked(engine: sa.Engine) -> None:
    blocked = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect() as connection:
        for _ in range(1000):
            if connection.execute(blocked).scalar_one():
                return
            connection.execute(sa.text("SELECT pg_sleep(0.01)"))
    pytest.fail("the second transaction did not wait for the first")
