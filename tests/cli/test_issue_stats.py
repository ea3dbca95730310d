"""`newsletter stats`: the last issues side by side, with rates of what somebody told, and their domains."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert

from newsletter import store
from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.tables import delivery, delivery_total
from newsletter.models.deliveries import EventKind
from newsletter.models.papers import DayKind
from newsletter.states import Counts, DeliveryOutcome, DeliveryState, IssueState
from tests.cli.command import Command, assert_complains
from tests.support.issues import add_event

SENT = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)


@pytest.fixture
def database(people: Command) -> Database:
    """Return the database of a list of three."""
    return Database(f"sqlite:///{people.folder / 'newsletter.db'}")


def issue(database: Database, day: int, edition: str = "daily", *, accepted: int = 3) -> int:
    """Put an issue down as it is after a send; return its number in the database."""
    with database.write() as connection:
        record = store.create_issue(
            connection, edition=edition, day=date(2026, 1, day), kind=DayKind.COMPLETE, document={"entries": []}, now=SENT
        )  # fmt: skip
        store.move_issue(connection, record, IssueState.SENDING, SENT.replace(day=day))
        rows = [
            {
                "issue_id": record.id, "subscriber_id": number, "variant": 0, "attempt": 1, "outcome": 0,
                "state": int(DeliveryState.ACCEPTED if number <= accepted else DeliveryState.REJECTED),
            }
            for number in range(1, 4)
        ]  # fmt: skip
        connection.execute(insert(delivery), rows)
        assert ledger.counts(connection, record.id) == Counts(
            prepared=3, accepted=accepted, rejected=3 - accepted
        )
    return record.id


def lines(command: Command, *arguments: str) -> list[list[str]]:
    text = command("stats", *arguments).ok().out
    assert all(len(line) <= 100 for line in text.splitlines())
    return [line.split() for line in text.splitlines()]


def test_the_last_issues_newest_first_with_rates_of_what_is_known(
    people: Command, database: Database
) -> None:
    issue(database, 5)
    known = issue(database, 6)
    issue(database, 7, accepted=0)
    issue(database, 7, "weekly", accepted=2)
    add_event(database, known, 1, EventKind.DELIVERED, outcome=DeliveryOutcome.DELIVERED)
    add_event(database, known, 2, EventKind.HARD, outcome=DeliveryOutcome.BOUNCED)
    heading, *rows = lines(people)
    assert heading == ["issue", "prepared", "accepted", "delivered", "bounced", "complained", "unsubscribed"]
    assert rows[:4] == [
        ["2026-01-07/daily", "3", "0", "-", "-", "-", "0"],
        ["2026-01-07/weekly", "3", "2", "-", "-", "-", "0", "0.0‰"],
        ["2026-01-06/daily", "3", "3", "1", "33.3%", "1", "33.3%", "0", "0.0‰", "0", "0.0‰"],
        ["2026-01-05/daily", "3", "3", "-", "-", "-", "0", "0.0‰"],
    ]
    assert " ".join(rows[5]) == "By domain, over the issue of which most is known:"
    assert rows[7] == ["example.org", "3", "3", "1", "33.3%", "1", "33.3%", "0", "0.0‰", "0", "0.0‰"]
    assert [row[0] for row in lines(people, "--last", "2")[1:3]] == ["2026-01-07/daily", "2026-01-07/weekly"]
    assert [row[:1] for row in lines(people, "--edition", "daily")[1:4]] == [
        ["2026-01-07"], ["2026-01-06"], ["2026-01-05"],
    ]  # fmt: skip


def test_as_json_what_nobody_told_is_null(people: Command, database: Database) -> None:
    first, second = issue(database, 5), issue(database, 6)
    people("subscribers", "unsubscribe", "ada@example.org").ok()  # now, after the newer one
    for number in (1, 2):
        add_event(database, first, number, EventKind.COMPLAINT, outcome=DeliveryOutcome.COMPLAINED)
        add_event(database, second, number, EventKind.SOFT, outcome=DeliveryOutcome.BOUNCED)
    found = people("stats", "--json").ok().json
    assert [row["issue"] for row in found["issues"]] == ["2026-01-06/daily", "2026-01-05/daily"]
    newer, older = found["issues"]
    assert (newer["bounced"], newer["complained"], newer["delivered"], newer["no_word"]) == (2, 0, None, 1)
    assert newer["rates"] == {
        "delivered": None, "bounced": pytest.approx(2 / 3), "complained": 0, "unsubscribed": pytest.approx(1 / 3),
    }  # fmt: skip
    assert (older["unsubscribed"], older["events"]) == (0, {"complaint": 2})
    [domain] = found["domains"]
    assert (domain["accepted"], domain["bounced"], domain["complained"], domain["unsubscribed"]) == (
        6,
        2,
        2,
        1,
    )
    assert found["domains_of"] == ["2026-01-06/daily", "2026-01-05/daily"]


def test_large_numbers_fit(people: Command, database: Database) -> None:
    issue(database, 5)
    rows = [
        {"issue_id": 1, "state": int(DeliveryState.ACCEPTED), "outcome": int(outcome), "number": number}
        for outcome, number in zip(DeliveryOutcome, (50_000, 1_900_000, 49_000, 1_000), strict=True)
    ]
    with database.write() as connection:
        connection.execute(insert(delivery_total), rows)
    _, row, *_ = lines(people)
    assert row[:5] == ["2026-01-05/daily", "2,000,003", "2,000,003", "1,900,000", "95.0%"]
    assert row[5:9] == ["49,000", "2.4%", "1,000", "0.5‰"]


def test_before_the_first_issue(command: Command, people: Command) -> None:
    assert "No issue was sent yet" in command("stats").ok().out
    (people.folder / "newsletter.db").unlink()
    assert "No issue was sent yet" in command("stats").ok().out
    assert command("stats", "--json").ok().json == {"issues": [], "domains": [], "domains_of": []}
    assert_complains(command("stats", "--edition", "nowhere"), "there is no edition 'nowhere'")
