"""What others get from the list: its rows, the Select of whom to write to, and the tables themselves."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from subscribers import schema
from subscribers.addresses import address_hash
from subscribers.models import AddressState, Listing, Step, SubscriptionState, Through
from subscribers.selection import Chosen
from subscribers.store import deliverable, metadata
from subscribers.store.subscriptions import ensure_edition, move_subscription
from subscribers.subscriptions import Added, SubscriberList

NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)


def add(people: SubscriberList, connection: sa.Connection, email: str, edition: str = "daily") -> Added:
    return people.add(connection, email, edition=edition, tags=["beta", "alpha"], actor="operator", now=NOW)


def set_address(connection: sa.Connection, added: Added, **values: object) -> None:
    chosen = schema.subscriber.c.id == added.subscriber.id
    connection.execute(sa.update(schema.subscriber).where(chosen).values(**values))


def erase(connection: sa.Connection, added: Added) -> None:
    gone = {"email": None, "address_key": None, "address_hash": None}
    set_address(connection, added, state=AddressState.ERASED, **gone)


def suppress(connection: sa.Connection, address_key: str) -> None:
    digest = address_hash(b"a key for tests only", address_key)
    values = {"address_hash": digest, "reason": "complaint", "at": NOW, "actor": "provider"}
    connection.execute(sa.insert(schema.suppression).values(values))


def move(connection: sa.Connection, added: Added, state: SubscriptionState) -> None:
    step = Step(actor="subscriber", through=Through.FORM, at=NOW)
    move_subscription(connection, added.subscription, state, step)


def test_the_listing_has_a_row_a_subscription_in_order(
    people: SubscriberList, connection: sa.Connection
) -> None:
    add(people, connection, "b@example.org", "weekly")
    bounced = add(people, connection, "a@example.org", "daily")
    add(people, connection, "b@example.org", "daily")
    gone = add(people, connection, "c@example.org", "daily")
    set_address(connection, bounced, state=AddressState.BOUNCED)
    erase(connection, gone)
    people.remove(connection, "b@example.org", edition="weekly", actor="operator", now=NOW)

    rows = list(people.listing(connection))
    assert [(row.id, row.edition) for row in rows] == [
        (1, "weekly"),
        (1, "daily"),
        (2, "daily"),
    ]
    assert rows[2] == Listing(
        id=2,
        email="a@example.org",
        name="",
        edition="daily",
        state=SubscriptionState.ACTIVE,
        address_state=AddressState.BOUNCED,
        tags=("alpha", "beta"),
        language=None,
        created_at=NOW,
        changed_at=NOW,
        paused_until=None,
        suppressed=False,
    )
    assert [row.address_state for row in rows] == [None, None, AddressState.BOUNCED]
    erased = list(people.listing(connection, Chosen(state=AddressState.ERASED)))
    assert [(row.id, row.email, row.address_state) for row in erased] == [(3, "", AddressState.ERASED)]


def test_the_listing_is_filtered(people: SubscriberList, connection: sa.Connection) -> None:
    for number in range(4):
        add(people, connection, f"me{number}@example.org", ("daily", "weekly")[number % 2])
    bounced = add(people, connection, "x@example.org")
    set_address(connection, bounced, state=AddressState.BOUNCED)
    people.remove(connection, "me0@example.org", actor="operator", now=NOW)

    def ids(edition: str | None = None, state: SubscriptionState | AddressState | None = None) -> list[int]:
        return [row.id for row in people.listing(connection, Chosen(edition=edition, state=state))]

    assert ids() == [1, 2, 3, 4, 5]
    assert ids("daily") == [1, 3, 5]
    assert ids("none") == []
    assert ids(state=SubscriptionState.ACTIVE) == [2, 3, 4, 5]
    assert ids(state=SubscriptionState.UNSUBSCRIBED) == [1]
    assert ids("daily", SubscriptionState.ACTIVE) == [3, 5]
    assert ids(state=AddressState.BOUNCED) == [5]


@pytest.mark.parametrize("edition", [None, "weekly"])
def test_a_listing_of_several_pages_is_whole(
    people: SubscriberList, connection: sa.Connection, edition: str | None
) -> None:
    editions = [ensure_edition(connection, name) for name in ("daily", "weekly")]
    numbers = range(1, 1301)
    connection.execute(
        sa.insert(schema.subscriber),
        [
            {
                "key": number.to_bytes(16, "big"),
                "email": f"me{number}@example.org",
                "address_key": f"me{number}@example.org",
                "address_hash": number.to_bytes(32, "big"),
                "name": "",
                "state": AddressState.ACTIVE,
                "created_at": NOW,
            }
            for number in numbers
        ],
    )
    connection.execute(
        sa.insert(schema.subscription),
        [
            {
                "subscriber_id": number,
                "edition_number": edition_number,
                "state": SubscriptionState.ACTIVE,
                "created_at": NOW,
                "changed_at": NOW,
            }
            for edition_number in editions
            for number in numbers
        ],
    )
    rows = [(row.id, row.edition) for row in people.listing(connection, Chosen(edition=edition))]
    names = ("daily", "weekly") if edition is None else (edition,)
    assert rows == [(number, name) for number in numbers for name in names]


def test_only_who_wants_it_and_can_get_it_is_deliverable(
    people: SubscriberList, connection: sa.Connection
) -> None:
    good = people.add(connection, "Good@example.org", edition="daily", name="Good", actor="operator", now=NOW)
    for state in (SubscriptionState.PENDING, SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED):
        move(connection, add(people, connection, f"{state.name}@example.org"), state)
    for address_state in (AddressState.BOUNCED, AddressState.COMPLAINED):
        added = add(people, connection, f"{address_state.name}@example.org")
        set_address(connection, added, state=address_state)
    erase(connection, add(people, connection, "erased@example.org"))
    add(people, connection, "suppressed@example.org")
    suppress(connection, "suppressed@example.org")
    add(people, connection, "other@example.org", "weekly")

    rows = connection.execute(deliverable("daily")).mappings().all()
    assert [dict(row) for row in rows] == [
        {
            "id": good.subscriber.id,
            "email": "Good@example.org",
            "name": "Good",
            "key": good.subscriber.key,
            "edition_number": ensure_edition(connection, "daily"),
        }
    ]
    assert connection.execute(deliverable("none")).all() == []


def test_deliverable_composes_into_an_insert_and_a_join(
    people: SubscriberList, connection: sa.Connection
) -> None:
    ledger = sa.Table(
        "ledger",
        sa.MetaData(),
        sa.Column("issue", sa.Integer, primary_key=True),
        sa.Column("subscriber", sa.Integer, primary_key=True),
    )
    ledger.create(connection)
    for name in ("one", "two", "three"):
        add(people, connection, f"{name}@example.org")
    chosen = deliverable("daily").subquery()
    audience = sa.select(sa.literal(7), chosen.c.id).order_by(chosen.c.id)
    connection.execute(sa.insert(ledger).from_select(["issue", "subscriber"], audience))

    # Who leaves or is suppressed after planning is not found at the time of sending.
    people.remove(connection, "one@example.org", actor="operator", now=NOW)
    suppress(connection, "two@example.org")
    due = sa.select(ledger.c.subscriber, chosen.c.email).outerjoin(chosen, chosen.c.id == ledger.c.subscriber)
    found = connection.execute(due.where(ledger.c.issue == 7).order_by(ledger.c.subscriber)).all()
    assert [tuple(row) for row in found] == [(1, None), (2, None), (3, "three@example.org")]
    ledger.drop(connection)


def test_a_number_is_never_used_again(people: SubscriberList, connection: sa.Connection) -> None:
    add(people, connection, "first@example.org", "daily")
    added = add(people, connection, "last@example.org", "weekly")
    last = ensure_edition(connection, "gone")
    for table in (schema.history, schema.consent, schema.tag, schema.subscription):
        connection.execute(sa.delete(table))
    connection.execute(sa.delete(schema.subscriber).where(schema.subscriber.c.id == added.subscriber.id))
    connection.execute(sa.delete(schema.edition).where(schema.edition.c.number == last))
    assert add(people, connection, "new@example.org").subscriber.id == added.subscriber.id + 1
    assert ensure_edition(connection, "new") == last + 1
    assert ensure_edition(connection, "new") == last + 1


@pytest.mark.parametrize(
    "values",
    [
        {"state": AddressState.ERASED},
        {"email": None},
        {"address_hash": None},
        {"address_key": None, "email": None, "address_hash": None},
    ],
)
def test_nobody_but_the_erased_is_without_an_address(
    people: SubscriberList, connection: sa.Connection, values: dict[str, object]
) -> None:
    added = add(people, connection, "me@example.org")
    with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
        set_address(connection, added, **values)


def test_times_are_kept_to_the_microsecond_in_utc(people: SubscriberList, connection: sa.Connection) -> None:
    there = timezone(timedelta(hours=9))
    now = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=there)
    added = people.add(connection, "me@example.org", edition="daily", actor="operator", now=now)
    assert added.subscriber.created_at == now
    assert added.subscriber.created_at.tzinfo is UTC


def test_a_number_of_another_enum_is_refused(people: SubscriberList, connection: sa.Connection) -> None:
    added = add(people, connection, "me@example.org")
    with pytest.raises(sa.exc.StatementError, match="none of"):
        set_address(connection, added, state=SubscriptionState.ACTIVE)


def test_states_of_subscriptions_and_addresses_differ_in_number() -> None:
    assert not {int(state) for state in SubscriptionState} & {int(state) for state in AddressState}


def test_foreign_keys_stay_inside_the_list(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    tables = set(metadata.tables)
    assert set(inspector.get_table_names()) - {"sqlite_sequence"} == tables
    referred = {key["referred_table"] for table in tables for key in inspector.get_foreign_keys(table)}
    assert referred <= tables


def test_importing_the_package_and_its_errors_costs_nothing() -> None:
    code = "import sys, subscribers.errors, subscribers.models; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "email_validator"} & set(done.stdout.split())
