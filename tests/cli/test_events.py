"""`newsletter events`, and a run that takes in what providers said before it sends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from newsletter.database import Database
from newsletter.delivery.events import put_down
from newsletter.delivery.recipients import delivery_id
from newsletter.delivery.tables import event_table
from newsletter.models.deliveries import Event, EventKind
from subscribers.store import keys_of
from tests.cli.command import Command, assert_complains, outbox
from tests.support.issues import DAY, plan_issue

NOW = datetime(2024, 9, 13, 7, 30, tzinfo=UTC)


@pytest.fixture
def posted(people: Command) -> Command:
    """Return the command with an issue on its way, of which a provider said something about two of three people."""
    database = Database(people.folder / "newsletter.db")
    plan_issue(database)
    with database.write() as connection:
        keys = keys_of(connection, [1, 2])
        named = {number: delivery_id(DAY, "daily", key) for number, key in keys.items()}
        told = [
            Event(id="a", kind=EventKind.QUEUED, at=NOW, delivery_id=named[1], subscriber_id=1),
            Event(
                id="b", kind=EventKind.HARD, at=NOW, delivery_id=named[2], subscriber_id=2, status="5.1.1",
                reason="550 5.1.1 <grace@example.org>: \x1b[31munknown",
            ),
            Event(id="c", kind=EventKind.COMPLAINT, at=NOW, delivery_id=named[2], subscriber_id=3),
        ]  # fmt: skip
        put_down(connection, "sendgrid", told, NOW)
    database.close()
    return people


def test_what_came_is_counted_and_listed(posted: Command) -> None:
    waiting = posted("events", "stats", "--json").ok().json
    assert [(row["kind"], row["number"], row["waiting"], row["nobody"]) for row in waiting] == [
        ("complaint", 1, 1, 0),
        ("hard", 1, 1, 0),
        ("queued", 1, 1, 0),
    ]
    assert posted("events", "work", "--json").ok().json == {"worked": 2, "nobody": 1, "failed": 0}
    assert posted("events", "work").ok().out == "0 worked, 0 concern nobody, 0 failed.\n"
    assert [row["nobody"] for row in posted("events", "stats", "--json").ok().json] == [1, 0, 0]
    rows = posted("events", "list", "--json").ok().json
    assert [(row["kind"], row["state"], row["issue"], row["subscriber"]) for row in rows] == [
        ("complaint", "nobody", None, None),
        ("hard", "worked", f"{DAY}/daily", 2),
        ("queued", "worked", f"{DAY}/daily", 1),
    ]
    table = posted("events", "list", "--limit", "2").ok().out
    assert "550 5.1.1 <(address)>: [31munknown" in table
    assert f"2024-09-13 07:30:00  sendgrid  hard       worked  {DAY}/daily" in table
    assert "\x1b" not in table
    assert "queued" not in table
    assert "sendgrid  hard            1" in posted("events", "stats").ok().out
    (row,) = posted("deliveries", "list", str(DAY), "--state", "pending", "--json").ok().json
    assert row["email"] == "minjun@example.org"


def test_a_send_takes_in_what_was_said_and_writes_to_nobody_twice(posted: Command) -> None:
    posted("send", str(DAY)).ok()

    (mail,) = outbox(posted.folder).values()
    assert b"To: minjun@example.org" in mail
    assert {row["state"] for row in posted("deliveries", "list", str(DAY), "--json").ok().json} == {
        "accepted"
    }


def test_what_was_set_aside_is_told_and_can_be_worked_again(posted: Command) -> None:
    database = Database(posted.folder / "newsletter.db")
    with database.write() as connection:
        broken = update(event_table).where(event_table.c.event_id == "a")
        connection.execute(broken.values(payload=b"{"))
    database.close()

    assert_complains(posted("events", "work"), "1 set aside because of a fault", code=1)
    assert_complains(posted("events", "work"), "1 set aside because of a fault", code=1)


def test_without_any_event(people: Command) -> None:
    for words in (["list"], ["stats"]):
        assert people("events", *words).ok().out == "There are none.\n"
        assert people("events", *words, "--json").ok().json == []
    assert people("events", "work").ok().out == "0 worked, 0 concern nobody, 0 failed.\n"


@pytest.mark.parametrize("age", ["10 d", "10", "x", "1000 h"])
def test_an_age_that_would_let_events_come_twice_is_refused(people: Command, age: str) -> None:
    refused = people("events", "work", env={"NEWSLETTER_PROVIDER__SENDGRID__EVENTS_MAX_AGE": age})
    assert_complains(refused, "provider.sendgrid.events_max_age")


def test_a_key_that_is_none_ends_serve(people: Command) -> None:
    result = people.process("serve", "--port", "0", env={"NEWSLETTER_PROVIDER__SENDGRID__WEBHOOK_KEY": "x"})
    assert_complains(result, "provider.sendgrid.webhook_key: is no verification key")
