"""The figures of an issue: by domain, over time, slow and refused."""

from __future__ import annotations

from typing import Any

from newsletter.database import Database
from newsletter.models.deliveries import EventKind
from newsletter.states import DeliveryOutcome
from tests.cli.command import COUNTS, SAMPLE, Command, run, smtp_settings
from tests.servers.smtp import At, Fault, SmtpSink
from tests.support.issues import add_event

DAY = "2024-09-12"
FULL = "452 4.2.2 <{}>: mailbox 4711 is full"
UNKNOWN = "550 5.1.1 <{}>... there is nobody here"


def readers(command: Command, *addresses: str) -> None:
    (command.folder / "readers.csv").write_text("email\n" + "\n".join(addresses), encoding="utf-8")
    command("subscribers", "import", "readers.csv", "--consent", "at a workshop").ok()


def refused(address: str, reply: str) -> Fault:
    return Fault(at=At.RCPT, reply=reply.format(address), recipient=address)


def figures(command: Command) -> Any:
    shown = command("issues", "show", DAY, "--json").ok().json
    domains = shown["figures"]["domains"]
    for part in COUNTS:
        assert sum(row[part] for row in domains) == shown["counts"][part], "the parts add up"
    return shown["figures"]


def test_an_issue_by_domain_over_time_slow_and_refused(command: Command) -> None:
    many = [f"r{n}@big.example" for n in range(5)] + [f"r{n}@mid.example" for n in range(3)]
    readers(command, *many, *(f"r@small{n}.example" for n in range(10)), "gone@erased.example")
    faults = [
        refused("r1@big.example", UNKNOWN), refused("r1@mid.example", UNKNOWN), refused("r2@mid.example", FULL),
    ]  # fmt: skip
    with SmtpSink(faults=faults) as sink:
        run(command, "--from", SAMPLE, env=smtp_settings(sink) | {"NEWSLETTER_DELIVERY__WAIT": "0 s"})
    timed = figures(command)["slowest"]
    assert all(0 < row["mean"] <= row["slowest"] for row in timed)
    command("subscribers", "erase", "gone@erased.example", "--yes").ok()
    found = figures(command)
    by_name = {row["domain"]: row for row in found["domains"]}
    assert list(by_name)[:2] == ["big.example", "mid.example"]
    assert list(by_name)[-2:] == ["others", "unknown"]
    assert len(by_name) == 12
    big, mid = by_name["big.example"], by_name["mid.example"]
    assert (big["prepared"], big["accepted"], big["rejected"], big["waiting"]) == (5, 4, 1, 0)
    assert (mid["prepared"], mid["accepted"], mid["rejected"], mid["waiting"]) == (3, 1, 1, 1)
    assert (by_name["others"]["prepared"], by_name["unknown"]["accepted"]) == (2, 1)
    assert sum(row["accepted"] for row in found["intervals"]) == 16
    assert sum(row["not_accepted"] for row in found["intervals"]) == 3
    assert found["refusing"] == [
        {"domain": "mid.example", "rejected": 1, "retry": 1}, {"domain": "big.example", "rejected": 1, "retry": 0},
    ]  # fmt: skip
    assert found["replies"] == [
        {"cause": "rejected", "reply": "550 5.1.1 <(address)>... there is nobody here", "count": 2},
        {"cause": "retry", "reply": "452 4.2.2 <(address)>: mailbox # is full", "count": 1},
    ]
    text = command("issues", "show", DAY).ok().out
    assert ["big.example", "5", "4", "1", "0", "0", "0", "0"] in [line.split() for line in text.splitlines()]
    assert "2  rejected  550 5.1.1 <(address)>... there is nobody here" in text


def test_an_address_counts_where_it_is_now_and_a_lonely_domain_goes_with_it(command: Command) -> None:
    readers(command, "ada@lovelace.example", "grace@example.org", "mary@example.org")
    run(command, "--from", SAMPLE)
    assert {row["domain"] for row in figures(command)["slowest"]} == {"lovelace.example", "example.org"}
    command("subscribers", "erase", "ada@lovelace.example", "--yes").ok()
    command("subscribers", "erase", "mary@example.org", "--yes").ok()
    assert {row["domain"] for row in figures(command)["slowest"]} == {"example.org"}
    assert b"lovelace" not in (command.folder / "newsletter.db").read_bytes()


def test_a_long_domain_leaves_room_for_the_numbers(command: Command) -> None:
    domain = f"{'department' * 4}.university.example.org"
    readers(command, f"ada@{domain}", "grace@example.org")
    run(command, "--from", SAMPLE)
    shown = command("issues", "show", DAY).ok().out
    tables = shown[shown.index("By domain:") :] + command("stats").ok().out
    assert f"\n\N{HORIZONTAL ELLIPSIS}{domain[-26:]}  " in tables
    assert max(len(line) for line in tables.splitlines()) <= 100
    assert domain in {row["domain"] for row in figures(command)["domains"]}


def test_before_anything_is_sent_there_is_nothing_to_show(command: Command) -> None:
    readers(command, "ada@example.org")
    with SmtpSink(login=("apikey", "right")) as sink:
        run(command, "--from", SAMPLE, env=smtp_settings(sink), code=1)
    found = figures(command)
    assert [(row["domain"], row["waiting"]) for row in found["domains"]] == [("example.org", 1)]
    assert {name: found[name] for name in ("intervals", "slowest", "refusing", "replies")} == {
        "intervals": [], "slowest": [], "refusing": [], "replies": [],
    }  # fmt: skip
    shown = command("issues", "show", DAY).ok().out
    assert "Handed over" not in shown
    assert "events" not in shown


def test_what_came_back_is_told_and_what_nobody_told_is_not_a_zero(command: Command) -> None:
    readers(command, "ada@example.org", "grace@example.org", "mary@small.example")
    run(command, "--from", SAMPLE)
    silent = command("issues", "show", DAY, "--json").ok().json
    assert silent["outcomes"] == {
        "delivered": None, "bounced": None, "complained": None, "no_word": 3, "unsubscribed": 0,
    }  # fmt: skip
    assert silent["events"] == {}
    text = command("issues", "show", DAY).ok().out
    assert "events: none came, so whether letters arrived is not known" in text
    assert "What is known of them" not in text

    database = Database(f"sqlite:///{command.folder / 'newsletter.db'}")
    add_event(database, 1, 1, EventKind.DELIVERED, outcome=DeliveryOutcome.DELIVERED)
    add_event(database, 1, 3, EventKind.SOFT, times=2, outcome=DeliveryOutcome.BOUNCED)
    add_event(database, 1, 1, EventKind.OPENED_BY_MACHINE, times=2)
    database.close()
    command("subscribers", "unsubscribe", "grace@example.org").ok()
    text = command("issues", "show", DAY).ok().out
    assert "\nevents: 1 delivered, 1 bounced, 0 complained, 1 no word yet\n" in text
    assert "\nevents by kind, in deliveries: 1 soft, 1 opened-by-machine\n" in text
    assert "\nunsubscribed until the next issue: 1\n" in text
    told = text[text.index("What is known of them") :].split("\n\n")[0]
    assert [line.split() for line in told.splitlines()[2:]] == [
        ["example.org", "2", "1", "0", "0", "1", "1"], ["small.example", "1", "0", "1", "0", "0", "0"],
    ]  # fmt: skip
    [first, _] = command("issues", "show", DAY, "--json").ok().json["figures"]["domains"]
    assert (first["accepted"], first["delivered"], first["no_word"], first["unsubscribed"]) == (2, 1, 1, 1)
