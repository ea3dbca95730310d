"""Who got an issue and who did not; what is sent again, and what never is."""

from __future__ import annotations

import csv
import io

import pytest

from tests.cli.command import SAMPLE, Command, assert_complains
from tests.cli.test_issues import DAY, readers, smtp
from tests.servers.smtp import At, Fault, SmtpSink


@pytest.fixture
def sent(command: Command) -> Command:
    """Send an issue to three, of whom one is refused and one left meanwhile."""
    readers(command, 3)
    refused = Fault(at=At.RCPT, reply="550 5.2.1 =mailbox closed", recipient="reader1@example.org")
    with SmtpSink(faults=[refused]) as sink:
        command("run", "--from", str(SAMPLE), env=smtp(sink)).ok()
    return command


def states(command: Command) -> dict[str, str]:
    rows = command("deliveries", "list", DAY, "--json").ok().json
    return {row["email"]: row["state"] for row in rows}


def test_everybody_is_listed_with_what_became_of_it(sent: Command) -> None:
    assert states(sent) == {
        "reader0@example.org": "accepted",
        "reader1@example.org": "rejected",
        "reader2@example.org": "accepted",
    }
    (row,) = sent("deliveries", "list", f"{DAY}/daily", "--state", "rejected", "--json").ok().json
    assert row["reply"] == "550 5.2.1 =mailbox closed"
    assert "550 5.2.1" in sent("deliveries", "list", DAY).ok().out
    shown = sent("deliveries", "show", DAY, "reader1@example.org", "--json").ok().json
    assert shown["cause"] == "rejected"
    assert "accepted" in sent("deliveries", "show", DAY, "1").ok().out


def test_the_export_is_csv_that_no_spreadsheet_runs(sent: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(sent("deliveries", "export", DAY).ok().out)))
    assert [row["email"] for row in rows] == [f"reader{n}@example.org" for n in range(3)]
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())
    sent("deliveries", "export", DAY, "--out", "who.csv").ok()
    assert len((sent.folder / "who.csv").read_text(encoding="utf-8").splitlines()) == 4
    for name in ("who.csv", "newsletter.db"):
        before = (sent.folder / name).read_bytes()
        assert_complains(sent("deliveries", "export", DAY, "--out", name), name, "exists already")
        assert (sent.folder / name).read_bytes() == before


def test_who_was_refused_is_tried_again_and_nobody_else(sent: Command) -> None:
    assert sent("deliveries", "retry", DAY, "--state", "rejected", "--json").ok().json == {
        "moved": 1,
        "gone": 0,
    }
    with SmtpSink() as sink:
        sent("run", "--from", str(SAMPLE), env=smtp(sink)).ok()
    assert [message.recipients for message in sink.messages] == [("reader1@example.org",)]
    assert set(states(sent).values()) == {"accepted"}
    assert sent("deliveries", "retry", DAY, "--state", "rejected", "--json").ok().json == {
        "moved": 0,
        "gone": 0,
    }


def test_who_left_since_is_not_counted_among_those_who_are_tried_again(command: Command) -> None:
    readers(command, 4)
    full = "552 5.2.2 mailbox full"
    faults = [Fault(at=At.RCPT, reply=full, recipient=f"reader{n}@example.org") for n in (1, 2)]
    with SmtpSink(faults=faults) as sink:
        command("run", "--from", str(SAMPLE), env=smtp(sink)).ok()
    command("subscribers", "suppress", "reader1@example.org", "--reason", "full").ok()
    told = command("deliveries", "retry", DAY, "--state", "rejected").ok().out
    assert told == (
        "1 waits to be sent again; `newsletter run --edition daily` sends it."
        " 1 is not written to any more, and stays rejected.\n"
    )
    found = states(command)
    assert (found["reader1@example.org"], found["reader2@example.org"]) == ("rejected", "pending")


@pytest.mark.parametrize("state", ["accepted", "suppressed", "pending"])
def test_what_was_taken_is_never_sent_again(sent: Command, state: str) -> None:
    assert_complains(sent("deliveries", "retry", DAY, "--state", state), "rejected")


def test_the_uncertain_are_resolved_one_way_or_the_other(command: Command) -> None:
    readers(command, 2)
    lost = Fault(at=At.DOT, close=True, taken=True, times=2, recipient="reader0@example.org")
    with SmtpSink(faults=[lost]) as sink:
        env = smtp(sink, NEWSLETTER_DELIVERY__RETRY="1 s", NEWSLETTER_DELIVERY__WAIT="5 s")
        command("run", "--from", str(SAMPLE), env=env).ok()
    assert states(command)["reader0@example.org"] == "uncertain"
    for chosen in ([], ["--resend", "--assume-sent"]):
        assert_complains(
            command("deliveries", "resolve", DAY, *chosen), "choose one: --resend or --assume-sent"
        )
    assert command("deliveries", "resolve", DAY, "--assume-sent", "--json").ok().json == {
        "moved": 1,
        "gone": 0,
    }
    assert set(states(command).values()) == {"accepted"}


def test_bad_names_are_one_line(sent: Command) -> None:
    assert_complains(sent("deliveries", "list", "2024-01-01"), "there is no such issue", "issues list")
    assert_complains(sent("deliveries", "show", DAY, "nobody@example.org"), "is not on the list")
    sent("subscribers", "add", "late@example.org").ok()
    assert_complains(sent("deliveries", "show", DAY, "late@example.org"), "not planned")
