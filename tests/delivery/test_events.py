"""Events that were put down, and what working them through does to the ledger and the list; on both databases."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from newsletter.app import App
from newsletter.app.receiving import forget_old
from newsletter.config import load
from newsletter.database import Database
from newsletter.delivery import claims, events, forgetting, register, tables
from newsletter.delivery.consequences import Allowance
from newsletter.delivery.events import EventState, put_down
from newsletter.delivery.feedback import Feedback, Happening, take
from newsletter.delivery.processes import process_name
from newsletter.delivery.recipients import delivery_id
from newsletter.delivery.working import MOST_SERIOUS, Work, Worked
from newsletter.errors import WebhookRefused
from newsletter.models.deliveries import Event, EventKind
from newsletter.protocols import Exposure, OnUncertain
from newsletter.providers.sendgrid_events import SendGridEvents
from newsletter.states import DeliveryOutcome, DeliveryState
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.requests import Requests
from subscribers.store import deliverable
from subscribers.suppressions import Suppressions
from tests.cli.command import Command
from tests.support.issues import DAY, NOW, SETTINGS, add_readers, address, plan_issue
from tests.support.sendgrid_posts import SendGridSigner, body_of, mutated, posted
from tests.support.torture import length

ALLOWANCE = Allowance(bounces=3, within=timedelta(days=30))
PEOPLE = Requests(SETTINGS)
PROVES = [kind for kind in EventKind if kind is not EventKind.UNKNOWN]


@pytest.fixture
def planned(database: Database) -> Database:
    add_readers(database, 4)
    plan_issue(database)
    return database


def work(database: Database, days: float = 0) -> Worked:
    moment = NOW + timedelta(days=days)
    return Work(database=database, people=PEOPLE, allowance=ALLOWANCE, clock=lambda: moment).through()


def put(database: Database, *some: Event, provider: str = "sendgrid", days: float = 0) -> int:
    with database.write() as connection:
        return put_down(connection, provider, some, NOW + timedelta(days=days))


def event(
    database: Database, kind: EventKind, number: int = 1, name: str = "", edition: str = "daily"
) -> Event:
    """Return an event about a reader's letter, with what we gave with it."""
    with database.read() as connection:
        person = PEOPLE.find(connection, address(number))
    return Event(
        id=name or f"{kind.value} {number}", kind=kind, at=NOW, subscriber_id=person.id,
        delivery_id=delivery_id(DAY, edition, person.key),
    )  # fmt: skip


def put_in(database: Database, state: DeliveryState, number: int = 1) -> None:
    with database.write() as connection:
        of_reader = tables.delivery.c.subscriber_id == number
        connection.execute(update(tables.delivery).where(of_reader).values(state=int(state)))


def stands(database: Database, number: int = 1) -> tuple[DeliveryState, DeliveryOutcome]:
    with database.read() as connection:
        own = select(*tables.delivery.c["state", "outcome"]).where(tables.delivery.c.subscriber_id == number)
        row = connection.execute(own).one()
    return DeliveryState(row.state), DeliveryOutcome(row.outcome)


def person(database: Database, number: int = 1) -> tuple[AddressState, SubscriptionState]:
    with database.read() as connection:
        found = PEOPLE.find(connection, address(number))
        subscription = PEOPLE.subscription(connection, found.id, "daily")
    assert subscription is not None
    return found.state, subscription.state


def kept(database: Database) -> list[tuple[EventState, int | None, bytes]]:
    with database.read() as connection:
        chosen = select(*tables.event_table.c["state", "subscriber_id", "payload"])
        rows = connection.execute(chosen.order_by(tables.event_table.c.id)).all()
    return [(EventState(row.state), row.subscriber_id, row.payload) for row in rows]


ACTIVE = (AddressState.ACTIVE, SubscriptionState.ACTIVE)


def test_what_is_put_down_twice_is_there_once(planned: Database) -> None:
    first, second = event(planned, EventKind.QUEUED), event(planned, EventKind.DELIVERED)

    assert put(planned, first, second, first) == 2
    assert put(planned, second) == 0
    assert put(planned, second, provider="ses") == 1
    assert work(planned) == Worked(worked=3)
    assert put(planned, first) == 0, "known when it is worked through, too"
    assert work(planned) == Worked()


@pytest.mark.parametrize("before", [DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN])
@pytest.mark.parametrize("kind", PROVES)
def test_any_event_proves_that_the_letter_was_taken(
    migrated: Database, before: DeliveryState, kind: EventKind
) -> None:
    put_in(migrated, before)
    put(migrated, event(migrated, kind))

    assert work(migrated) == Worked(worked=1)
    assert stands(migrated)[0] is DeliveryState.ACCEPTED
    assert stands(migrated, 2) == (DeliveryState.PENDING, DeliveryOutcome.UNKNOWN)


@pytest.fixture
def migrated(tmp_path_factory: pytest.TempPathFactory, migrated_file: object) -> Database:
    """Return a planned issue on SQLite alone: for tables of cases that are about no database."""
    import shutil

    path = tmp_path_factory.mktemp("events") / "newsletter.db"
    shutil.copy(str(migrated_file), path)
    database = Database(path)
    add_readers(database, 4)
    plan_issue(database)
    return database


@pytest.mark.parametrize(
    "before", [DeliveryState.REJECTED, DeliveryState.SUPPRESSED, DeliveryState.CANCELLED]
)
def test_a_state_never_goes_back(planned: Database, before: DeliveryState) -> None:
    put_in(planned, before)
    put(planned, event(planned, EventKind.DELIVERED))
    work(planned)

    assert stands(planned) == (before, DeliveryOutcome.DELIVERED)


@pytest.mark.parametrize("kind", [EventKind.DELIVERED, EventKind.OPENED, EventKind.COMPLAINT])
def test_who_was_refused_at_last_and_has_the_letter_is_not_tried_again(
    planned: Database, kind: EventKind
) -> None:
    put_in(planned, DeliveryState.REJECTED, 1)
    put_in(planned, DeliveryState.REJECTED, 2)
    put(planned, event(planned, kind))
    work(planned)
    with planned.write() as connection:
        assert register.again(connection, 1, register.RETRIED, None, deliverable("daily")).moved == 1
    assert stands(planned, 1)[0] is DeliveryState.REJECTED
    assert stands(planned, 2)[0] is DeliveryState.PENDING


def test_what_is_unknown_changes_nothing(planned: Database) -> None:
    put(planned, replace(event(planned, EventKind.UNKNOWN), reason="later_invention"))

    assert work(planned) == Worked(worked=1)
    assert (stands(planned), person(planned)) == ((DeliveryState.PENDING, DeliveryOutcome.UNKNOWN), ACTIVE)
    assert kept(planned) == [(EventState.WORKED, 1, b'{"reason":"later_invention"}')]


@pytest.mark.parametrize(
    ("kind", "outcome", "state"),
    [
        (EventKind.QUEUED, DeliveryOutcome.UNKNOWN, ACTIVE),
        (EventKind.DEFERRED, DeliveryOutcome.UNKNOWN, ACTIVE),
        (EventKind.DELIVERED, DeliveryOutcome.DELIVERED, ACTIVE),
        (EventKind.OPENED, DeliveryOutcome.DELIVERED, ACTIVE),
        (EventKind.OPENED_BY_MACHINE, DeliveryOutcome.DELIVERED, ACTIVE),
        (EventKind.CLICKED, DeliveryOutcome.DELIVERED, ACTIVE),
        (EventKind.POLICY, DeliveryOutcome.BOUNCED, ACTIVE),
        (EventKind.SOFT, DeliveryOutcome.BOUNCED, ACTIVE),
        (EventKind.HARD, DeliveryOutcome.BOUNCED, (AddressState.BOUNCED, SubscriptionState.ACTIVE)),
        (
            EventKind.COMPLAINT,
            DeliveryOutcome.COMPLAINED,
            (AddressState.COMPLAINED, SubscriptionState.ACTIVE),
        ),
        (EventKind.SUBSCRIBE, DeliveryOutcome.UNKNOWN, ACTIVE),
        (
            EventKind.UNSUBSCRIBE,
            DeliveryOutcome.UNKNOWN,
            (AddressState.ACTIVE, SubscriptionState.UNSUBSCRIBED),
        ),
    ],
)
def test_what_an_event_does(
    migrated: Database,
    kind: EventKind,
    outcome: DeliveryOutcome,
    state: tuple[AddressState, SubscriptionState],
) -> None:
    put(migrated, event(migrated, kind))
    work(migrated)

    assert (stands(migrated)[1], person(migrated)) == (outcome, state)
    assert person(migrated, 2) == ACTIVE
    with migrated.read() as connection:
        suppressed = list(Suppressions(SETTINGS).listing(connection))
    assert [each.actor for each in suppressed] == (
        ["sendgrid"] if state[0] is not AddressState.ACTIVE else []
    )


def test_each_event_needs_its_proof(planned: Database) -> None:
    hard = event(planned, EventKind.HARD)
    by_address = replace(hard, subscriber_id=None, address=address(1).upper())
    unproven = [
        replace(hard, subscriber_id=2),
        replace(hard, subscriber_id=999),
        replace(hard, subscriber_id=-1),
        replace(hard, subscriber_id=2**70),
        replace(hard, subscriber_id=None),
        replace(hard, delivery_id=""),
        replace(hard, delivery_id=f"20240912.daily.{'0' * 24}"),
        replace(hard, delivery_id="20249999.daily." + hard.delivery_id[-24:]),
        replace(hard, delivery_id=hard.delivery_id.upper()),
        replace(hard, delivery_id=hard.delivery_id + "\n"),
        replace(hard, delivery_id="x" * 100_000),
        event(planned, EventKind.HARD, edition="weekly"),
        replace(by_address, delivery_id=""),
        replace(by_address, address=address(2)),
        replace(by_address, address="stranger@example.org"),
        replace(by_address, address="no address@@"),
        replace(by_address, address="1"),
        replace(by_address, address="\x00@\ud800"),
        replace(by_address, address="a" * 10_000 + "@example.org"),
    ]
    named = [replace(each, id=f"n {number}") for number, each in enumerate(unproven)]

    assert put(planned, *named) == len(named)
    assert work(planned) == Worked(nobody=len(named))
    assert {number for _, number, _ in kept(planned)} == {None}
    assert (person(planned), person(planned, 2)) == (ACTIVE, ACTIVE)
    assert stands(planned) == stands(planned, 2) == (DeliveryState.PENDING, DeliveryOutcome.UNKNOWN)

    assert put(planned, replace(by_address, id="proven")) == 1
    assert work(planned) == Worked(worked=1)
    assert person(planned)[0] is AddressState.BOUNCED


def test_names_that_no_column_takes_are_replaced(planned: Database) -> None:
    queued = event(planned, EventKind.QUEUED)
    names = ["", "\x00", "a\nb", "x" * 256, "\ud800", "é", "x" * 10_000]

    assert put(planned, *[replace(queued, id=name) for name in names]) == len(names)
    assert put(planned, *[replace(queued, id=name) for name in names]) == 0


def test_soft_bounces_are_counted_over_all_sources_and_once_a_letter(planned: Database) -> None:
    soft = event(planned, EventKind.SOFT)
    with planned.write() as connection:
        connection.execute(
            insert(tables.event_table).values(
                provider="ses", event_id="earlier", kind="soft", issue_id=77, subscriber_id=1, at=NOW,
                received_at=NOW, payload=b"",
            )
        )  # fmt: skip
    put(planned, *[replace(soft, id=str(number)) for number in range(9)])
    assert work(planned) == Worked(worked=9)
    assert person(planned) == ACTIVE, "nine bounces of one letter and one of another are two"

    bounce = Feedback(kind=Happening.SOFT, recipient=address(1), status="4.2.2", reason="full")
    with planned.write() as connection:
        take(connection, PEOPLE, bounce, event_id="mail", allowance=ALLOWANCE, now=NOW)
    assert person(planned)[0] is AddressState.BOUNCED


def test_who_came_back_since_does_not_leave_by_a_late_event(planned: Database) -> None:
    late = event(planned, EventKind.UNSUBSCRIBE)
    with planned.write() as connection:
        reader = PEOPLE.find(connection, address(1))
        link = reader.key, PEOPLE.edition_number(connection, "daily")
        PEOPLE.leave(connection, *link, through=Through.ONE_CLICK, now=NOW + timedelta(hours=1))
        PEOPLE.come_back(connection, *link, now=NOW + timedelta(hours=2))
    put(planned, late, event(planned, EventKind.UNSUBSCRIBE, 2))
    assert work(planned) == Worked(worked=2)
    assert (person(planned, 1), person(planned, 2)[1]) == (ACTIVE, SubscriptionState.UNSUBSCRIBED)
    put(planned, replace(late, id="another", at=NOW + timedelta(hours=3)))
    work(planned)
    assert person(planned)[1] is SubscriptionState.UNSUBSCRIBED


def test_an_address_that_was_let_go_on_since_is_not_given_up_by_a_late_bounce(planned: Database) -> None:
    bounce, complaint = event(planned, EventKind.HARD, name="first"), event(planned, EventKind.COMPLAINT)
    put(planned, bounce)
    work(planned)
    with planned.write() as connection:
        Suppressions(SETTINGS).unsuppress(
            connection, address(1), reason="the mailbox is back", actor="me", now=NOW + timedelta(hours=2)
        )
    put(planned, replace(bounce, id="late", at=NOW + timedelta(hours=1)))
    work(planned)
    assert person(planned) == ACTIVE
    put(planned, replace(bounce, id="new", at=NOW + timedelta(hours=3)))
    work(planned)
    assert person(planned)[0] is AddressState.BOUNCED
    put(planned, complaint)
    work(planned)
    assert person(planned)[0] is AddressState.COMPLAINED


def test_old_soft_bounces_do_not_count(planned: Database) -> None:
    for number, days in enumerate([0, 40, 41]):
        with planned.write() as connection:
            connection.execute(
                insert(tables.event_table).values(
                    provider="ses", event_id=str(number), kind="soft", issue_id=90 + number, subscriber_id=1, at=NOW,
                    received_at=NOW + timedelta(days=days), payload=b"",
                )
            )  # fmt: skip
    put(planned, event(planned, EventKind.SOFT), days=31)
    work(planned, days=31)
    assert person(planned) == (AddressState.BOUNCED, SubscriptionState.ACTIVE)


def test_a_fault_of_ours_blocks_no_other_event(planned: Database) -> None:
    put(planned, *[event(planned, EventKind.DELIVERED, number, f"{number}") for number in (1, 2, 3)])
    with planned.write() as connection:
        broken = update(tables.event_table).where(tables.event_table.c.event_id == "2")
        connection.execute(broken.values(payload=b"{"))

    assert work(planned) == Worked(worked=2, failed=1)
    assert [stands(planned, number)[0] for number in (1, 2, 3)] == [
        DeliveryState.ACCEPTED,
        DeliveryState.PENDING,
        DeliveryState.ACCEPTED,
    ]
    assert work(planned) == Worked()
    with planned.write() as connection:
        assert sum(each.failed for each in events.tally(connection)) == 1
        connection.execute(
            update(tables.event_table).where(tables.event_table.c.event_id == "2").values(payload=b"")
        )
        assert events.try_again(connection) == 1
    assert work(planned) == Worked(nobody=1)


def test_many_that_touch_the_list_are_worked_over_several_transactions(database: Database) -> None:
    number = MOST_SERIOUS + 5
    add_readers(database, number)
    plan_issue(database)
    put(database, *[event(database, EventKind.COMPLAINT, each) for each in range(1, number + 1)])

    assert work(database) == Worked(worked=number)
    assert {person(database, each)[0] for each in range(1, number + 1)} == {AddressState.COMPLAINED}


def test_two_workers_share_the_work(planned: Database) -> None:
    put(planned, *[event(planned, kind, number) for kind in EventKind for number in (1, 2, 3, 4)])
    done: list[Worked] = []
    threads = [threading.Thread(target=lambda: done.append(work(planned))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(each.worked for each in done) == 4 * len(EventKind)
    assert {state for state, _, _ in kept(planned)} == {EventState.WORKED}
    assert {person(planned, number) for number in (1, 2, 3, 4)} == {
        (AddressState.COMPLAINED, SubscriptionState.UNSUBSCRIBED)
    }


def test_a_row_that_an_event_settled_is_in_doubt_no_more(planned: Database) -> None:
    with planned.write() as connection:
        claim = claims.claim(
            connection, 1, deliverable("daily"), owner=process_name(), provider="sendgrid", exposure=Exposure.ALL,
            limit=4, after=0, now=NOW,
        )  # fmt: skip
    assert claim is not None
    put(planned, event(planned, EventKind.QUEUED, 2), event(planned, EventKind.HARD, 3))
    work(planned)
    with planned.write() as connection:
        assert claims.take_over(connection, 1, claim.id, Exposure.ALL, OnUncertain.HOLD, NOW) == 2
        chosen = select(*tables.delivery.c["state", "claim_id"]).order_by(tables.delivery.c.subscriber_id)
        rows = [tuple(row) for row in connection.execute(chosen)]
    doubtful, taken = (DeliveryState.UNCERTAIN, claim.id), (DeliveryState.ACCEPTED, claim.id)
    assert rows == [doubtful, taken, taken, doubtful]


def test_what_is_kept_names_nobody(planned: Database) -> None:
    told = replace(
        event(planned, EventKind.SOFT), status="5.2.2", reason=f"552 <{address(1)}> is full, ask {address(2)}"
    )
    put(planned, told, replace(told, id="by address", subscriber_id=None, address=address(1)))
    put(planned, replace(told, id="nobody", subscriber_id=None, address=address(3), delivery_id=""))
    work(planned)

    payloads = {payload for _, _, payload in kept(planned)}
    assert payloads == {b'{"status":"5.2.2","reason":"552 <(address)> is full, ask (address)"}'}


def test_nothing_of_somebody_erased_is_left_in_events(planned: Database) -> None:
    told = replace(event(planned, EventKind.SOFT), reason=f"552 {address(1)} is full")
    other = replace(event(planned, EventKind.SOFT, 2), reason="552 full", id="other")
    put(planned, told, replace(told, id="by address", subscriber_id=None, address=address(1).upper()), other)
    with planned.write() as connection:
        Suppressions(SETTINGS).erase(connection, address(1), actor="test", now=NOW)
        forgetting.forget(connection, 1, address(1))

    assert [
        name for name in (b"reader1", b"READER1") if name in b"".join(row[2] for row in kept(planned))
    ] == []
    assert work(planned) == Worked(worked=1, nobody=2), "what is erased concerns nobody"
    assert stands(planned, 1) == (DeliveryState.PENDING, DeliveryOutcome.UNKNOWN)
    if planned.file is not None:
        assert planned.compact()
        assert b"reader1@" not in planned.file.read_bytes().lower()
        assert b"reader2@" in planned.file.read_bytes().lower()


@pytest.mark.parametrize("written", ["leserin@bücher.example", "leserin@xn--bcher-kva.example"])
def test_nor_is_an_address_that_is_not_ascii(planned: Database, written: str) -> None:
    put(planned, replace(event(planned, EventKind.SOFT), subscriber_id=None, address=written))
    with planned.write() as connection:
        forgetting.forget(connection, 4, "leserin@xn--bcher-kva.example")
    assert b"leserin" not in kept(planned)[0][2]
    assert work(planned) == Worked(nobody=1)


def test_old_events_go_and_what_the_mailbox_brought_stays(command: Command, planned: Database) -> None:
    usual, rare = event(planned, EventKind.DELIVERED), event(planned, EventKind.HARD)
    put(planned, usual, rare)
    work(planned)
    put(planned, replace(usual, id="new"), replace(rare, id="waits"))
    bounce = Feedback(kind=Happening.SOFT, recipient=address(2), status="4.2.2", reason="full")
    with planned.write() as connection:
        take(connection, PEOPLE, bounce, event_id="mail", allowance=ALLOWANCE, now=NOW)

    def left(days: float) -> list[str]:
        app = App(load(None, {"NEWSLETTER_DELIVERY__KEEP": "100 d"}), lambda _line: None)
        app.databases._opened = planned
        app.clock = lambda: NOW + timedelta(days=days)
        forget_old(app)
        with planned.read() as connection:
            own = tables.event_table.c
            return list(connection.execute(select(own.event_id).order_by(own.event_id)).scalars())

    assert left(6) == ["delivered 1", "hard 1", "mail", "new", "waits"]
    assert left(8) == ["hard 1", "mail", "new", "waits"]
    work(planned)
    assert left(8) == ["hard 1", "mail", "waits"]
    assert left(101) == ["mail"]


def test_events_of_before_are_worked_through(planned: Database) -> None:
    with planned.write() as connection:
        connection.execute(
            text(
                "INSERT INTO event (provider, event_id, kind, at, received_at, payload)"
                " VALUES ('mailbox', 'a', 'hard', 0, 0, '')"
            )
        )
    assert work(planned) == Worked()


def test_no_mutated_body_does_anything_without_proof(migrated: Database) -> None:
    signer, chance = SendGridSigner(), random.Random(17)
    reader = SendGridEvents(key=signer.verification_key, max_age=timedelta(minutes=10))
    foreign = {number: event(migrated, EventKind.HARD, number, edition="weekly") for number in (1, 2, 3, 4)}
    good = body_of(
        [
            posted(
                kind,
                number,
                delivery=foreign[number].delivery_id,
                reader=str(number),
                reason="550 5.1.1 unknown",
            )
            for number, kind in enumerate(("spamreport", "bounce", "unsubscribe"), 1)
        ]
        + [
            posted(
                "dropped",
                4,
                reason="Bounced Address",
                **{"smtp-id": f"<{foreign[4].delivery_id}@example.org>"},
            )
        ]
    )
    rounds, read, refused = length(600, 100_000), 0, 0
    for number in range(rounds):
        body = mutated(good, chance)
        try:
            told = reader.read(signer.headers(body, NOW), body, NOW)
        except WebhookRefused:
            refused += 1
            continue
        read += put(migrated, *[replace(each, id=f"{number} {place}") for place, each in enumerate(told)])
        if number % 200 == 199:
            work(migrated)
    work(migrated)

    assert read > rounds // 2 > refused > 0
    assert {state for state, _, _ in kept(migrated)} == {EventState.NOBODY}
    assert {(stands(migrated, number), person(migrated, number)) for number in (1, 2, 3, 4)} == {
        ((DeliveryState.PENDING, DeliveryOutcome.UNKNOWN), ACTIVE)
    }


def outcome_of(database: Database) -> list[object]:
    return [(stands(database, number), person(database, number)) for number in (1, 2, 3, 4)]


STORY = st.lists(st.tuples(st.sampled_from(EventKind), st.integers(1, 4)), min_size=1, max_size=12)


@settings(
    max_examples=length(10, 400)
)  # fmt: skip
@given(story=STORY, seed=st.integers(0, 2**32))
def test_neither_order_nor_repetition_matters(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_file: object,
    story: list[tuple[EventKind, int]],
    seed: int,
) -> None:
    import shutil

    chance, ends = random.Random(seed), []
    for shuffled in (False, True):
        path = tmp_path_factory.mktemp("order") / "newsletter.db"
        shutil.copy(str(migrated_file), path)
        database = Database(path)
        add_readers(database, 4)
        plan_issue(database)
        told = [event(database, kind, number) for kind, number in story]
        if shuffled:
            told = [*told, *chance.choices(told, k=len(told))]
            chance.shuffle(told)
        for some in _parts(told, chance):
            put(database, *some)
            if chance.random() < 0.5:
                work(database)
        work(database)
        ends.append(outcome_of(database))
        database.close()
    assert ends[0] == ends[1]


def _parts(told: Sequence[Event], chance: random.Random) -> list[Sequence[Event]]:
    size = chance.randint(1, len(told))
    return [told[begin : begin + size] for begin in range(0, len(told), size)]
