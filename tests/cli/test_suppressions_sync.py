"""`newsletter subscribers suppressions sync`: both sides learn, neither forgets, and a second run changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cli.command import PEOPLE, Command, Result, assert_complains
from tests.servers.sendgrid import Cut, Fault, SendGridApi
from tests.servers.sendgrid.server import KEY

ADA, GRACE, MINJUN = PEOPLE
PAST = 1_700_000_000  # before anything happens in a test
FUTURE = 4_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A newsletter, and the account that it sends by."""

    command: Command
    api: SendGridApi

    @property
    def account(self) -> dict[str, str]:
        return {
            "NEWSLETTER_PROVIDER__SENDGRID__BASE_URL": self.api.url,
            "NEWSLETTER_PROVIDER__SENDGRID__API_KEY": KEY,
            "NEWSLETTER_PROVIDER__SENDGRID__TIMEOUT": "5",
        }

    def sync(self, *options: str) -> Result:
        return self.command("subscribers", "suppressions", "sync", *options, env=self.account)

    def synced(self, *options: str) -> Any:
        return self.sync("--json", *options).ok().json

    def subscribers(self, *words: str) -> Result:
        return self.command("subscribers", *words)

    def states(self) -> dict[str, str]:
        """Return where each subscription stands, by address."""
        rows = self.subscribers("list", "--json").ok().json
        return {row["email"]: row["state"] for row in rows}

    def suppressions(self) -> list[tuple[str | None, str]]:
        rows = self.subscribers("suppressions", "list", "--json").ok().json
        return [(row["email"], row["reason"]) for row in rows]


@pytest.fixture
def beside(people: Command) -> Iterator[Beside]:
    with SendGridApi() as api:
        yield Beside(command=people, api=api)


def effects(synced: Any, name: str) -> dict[str, int]:
    """Return the counts of a list that are not zero."""
    return {effect: number for effect, number in synced["from_sendgrid"][name].items() if number}


def test_each_list_has_its_meaning_here_and_a_second_run_changes_nothing(beside: Beside) -> None:
    lists = beside.api.suppressions
    lists.add("bounces", [ADA.upper(), "gone@example.org"], created=PAST)
    lists.add("invalid_emails", ["no address at all", "x@nowhere.example"], created=PAST)
    lists.add("spam_reports", [GRACE], created=PAST)
    lists.add("unsubscribes", [MINJUN, "quiet@example.org"], created=PAST)
    lists.add("blocks", ["blocked@example.org"], created=PAST)

    synced = beside.synced()

    assert effects(synced, "bounces") == {"listed": 2, "changed": 1, "suppressed": 1}
    assert effects(synced, "invalid_emails") == {"listed": 2, "suppressed": 1, "unreadable": 1}
    assert effects(synced, "spam_reports") == {"listed": 1, "changed": 1}
    assert effects(synced, "unsubscribes") == {"listed": 2, "changed": 1, "suppressed": 1}
    assert synced["to_sendgrid"] == {"handed_over": 0, "hashes": 0}
    assert beside.states() == {ADA: "bounced", GRACE: "complained", MINJUN: "suppressed"}
    shown = beside.subscribers("show", MINJUN, "--json").ok().json
    assert (shown["history"][-1]["to"], shown["history"][-1]["through"]) == ("unsubscribed", "event")
    kept = beside.suppressions()
    assert (ADA, "bounced at SendGrid, 2023-11-14, 5.1.1") in kept
    assert (None, "unsubscribed from everything at SendGrid, 2023-11-14") in kept
    assert len(kept) == 6
    assert_complains(beside.subscribers("add", "quiet@example.org"), "suppressed")
    beside.subscribers("add", "blocked@example.org").ok()

    again = beside.synced()
    for name in ("bounces", "invalid_emails", "spam_reports", "unsubscribes"):
        assert effects(again, name).keys() <= {"listed", "known", "unreadable"}
    assert again["to_sendgrid"] == {"handed_over": 0, "hashes": 0}
    assert beside.suppressions() == kept
    assert "nothing changed" in beside.sync().ok().out


def test_an_import_finds_who_was_suppressed_at_sendgrid(beside: Beside) -> None:
    beside.api.suppressions.add("unsubscribes", ["quiet@example.org"], created=PAST)
    beside.synced()
    (beside.command.folder / "people.csv").write_text("email\nquiet@example.org\nnew@example.org\n")
    beside.subscribers("import", "people.csv", "--consent", "asked at a fair").ok()
    assert "new@example.org" in beside.states()
    assert "quiet@example.org" not in beside.states()


def test_who_is_suppressed_here_is_handed_over_once(beside: Beside) -> None:
    beside.api.suppressions.add("bounces", [MINJUN], created=PAST)
    beside.synced()
    beside.subscribers("suppress", ADA, "--reason", "asked by phone").ok()
    beside.subscribers("suppress", "stranger@example.org", "--reason", "a trap").ok()
    beside.subscribers("erase", GRACE, "--yes").ok()

    synced = beside.synced()
    assert synced["to_sendgrid"] == {"handed_over": 1, "hashes": 2}
    assert beside.api.suppressions.addresses("unsubscribes") == [ADA]
    assert beside.api.suppressions.addresses("bounces") == [MINJUN]

    again = beside.synced()
    assert effects(again, "unsubscribes") == {"listed": 1, "known": 1}
    assert again["to_sendgrid"] == {"handed_over": 0, "hashes": 2}
    shown = beside.subscribers("show", ADA, "--json").ok().json
    assert [each["state"] for each in shown["subscriptions"]] == [
        "active"
    ]  # our own word comes back, and is known
    out = beside.sync().ok().out
    assert "2 are kept as a hash only, and cannot be handed over" in out


def test_a_dry_run_tells_the_same_and_changes_neither_side(beside: Beside) -> None:
    beside.subscribers("suppress", ADA, "--reason", "asked by phone").ok()
    lists = beside.api.suppressions
    for name in ("bounces", "invalid_emails", "spam_reports", "unsubscribes"):
        lists.add(name, [GRACE, "everywhere@example.org"], created=PAST)
    before = beside.states(), beside.suppressions()

    would = beside.synced("--dry-run")
    assert would["dry_run"] is True
    assert (beside.states(), beside.suppressions()) == before
    assert lists.addresses("unsubscribes") == [GRACE, "everywhere@example.org"]
    assert "dry run: nothing changed" in beside.sync("--dry-run").ok().out

    assert beside.synced() == {**would, "dry_run": False}
    assert beside.states()[GRACE] == "complained"


def test_what_happened_here_later_stands(beside: Beside) -> None:
    lists = beside.api.suppressions
    lists.add("bounces", [ADA], created=PAST)
    lists.add("unsubscribes", [GRACE], created=PAST)
    beside.synced()
    for address in (ADA, GRACE):
        beside.subscribers("unsuppress", address, "--force", "--reason", "wrote from there").ok()

    again = beside.synced()
    assert effects(again, "bounces") == {"listed": 1, "newer": 1}
    assert effects(again, "unsubscribes") == {"listed": 1, "newer": 1}
    assert beside.states()[ADA] == "active"

    lists.add("spam_reports", [ADA], created=FUTURE)
    assert effects(beside.synced(), "spam_reports") == {"listed": 1, "changed": 1}
    assert beside.states()[ADA] == "complained"


def test_a_bounced_person_who_unsubscribes_there_leaves_here(beside: Beside) -> None:
    beside.api.suppressions.add("bounces", [ADA], created=PAST)
    beside.synced()
    beside.api.suppressions.add("unsubscribes", [ADA], created=PAST)
    assert effects(beside.synced(), "unsubscribes") == {"listed": 1, "changed": 1}
    assert effects(beside.synced(), "unsubscribes") == {"listed": 1, "known": 1}
    shown = beside.subscribers("show", ADA, "--json").ok().json
    assert shown["state"] == "bounced"
    assert [each["state"] for each in shown["subscriptions"]] == ["unsubscribed"]


def test_lists_of_several_pages_are_read_whole_and_handed_over_by_parts(beside: Beside) -> None:
    beside.api.suppressions.add("bounces", (f"b{number}@example.org" for number in range(1_100)))
    (beside.command.folder / "quiet.csv").write_text(
        "email,state\n" + "".join(f"q{number}@example.org,complained\n" for number in range(600))
    )
    beside.subscribers("import", "quiet.csv", "--consent", "another system").ok()
    synced = beside.synced()
    assert effects(synced, "bounces") == {"listed": 1_100, "suppressed": 1_100}
    assert synced["to_sendgrid"]["handed_over"] == 600
    assert len(beside.api.suppressions.addresses("unsubscribes")) == 600
    assert [path for path, _ in beside.api.calls].count("/v3/asm/suppressions/global") == 2
    assert effects(beside.synced(), "bounces") == {"listed": 1_100, "known": 1_100}


def test_a_rate_limit_is_waited_for(people: Command) -> None:
    with SendGridApi(rate=(3, 0.7)) as api:
        beside = Beside(command=people, api=api)
        api.suppressions.add("bounces", [ADA])
        assert effects(beside.synced(), "bounces") == {"listed": 1, "changed": 1}
        assert 429 in [status for _, status in api.calls]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(status=401), ["401", "provider.sendgrid.api_key"]),
        (Fault(status=403), ["403", "suppression.invalid_emails.read"]),
        (Fault(status=404), ["no such call (404", "provider.sendgrid.base_url"]),
        (Fault(status=500), ["500"]),
        (Fault(status=429, reset=3_000), ["429", "later"]),
        (Fault(cut=Cut.AFTER), ["whole answer"]),
        (Fault(cut=Cut.ANSWER, taken=True), ["whole answer"]),
        (Fault(status=200, body=b"<html>a proxy</html>"), ["no readable list"]),
        (Fault(status=200, body=b'[{"created": 7}]'), ["no readable list"]),
        (Fault(status=200, body=b'[{"x": %b}]' % (b"[" * 9_000 + b"]" * 9_000)), ["no readable list"]),
    ],
)
def test_a_fault_while_reading_is_one_line_and_changes_nothing(
    people: Command, fault: Fault, words: list[str]
) -> None:
    with SendGridApi(faults=[None, None, fault]) as api:
        beside = Beside(command=people, api=api)
        api.suppressions.add("bounces", [ADA])
        people("subscribers", "suppress", GRACE, "--reason", "asked").ok()
        assert_complains(beside.sync(), api.url, "nothing was changed", *words, code=1)
        assert beside.states()[ADA] == "active"
        assert api.suppressions.addresses("unsubscribes") == []

        assert beside.synced()["to_sendgrid"]["handed_over"] == 1
        assert beside.states()[ADA] == "bounced"


def test_a_list_without_an_end_is_not_read_to_it(people: Command) -> None:
    page = Fault(status=200, body=b'[{"email": "ada@example.org", "created": 7}]')
    with SendGridApi(faults=lambda number: page if number < 50 else None) as api:
        assert_complains(Beside(command=people, api=api).sync(), "again and again", code=1)
        assert api.requests == 2


@pytest.mark.parametrize(
    ("fault", "word"),
    [(Fault(status=403), "asm.suppressions.global.create"), (Fault(cut=Cut.AFTER), "answer")],
)
def test_a_fault_while_handing_over_tells_how_far_it_came(people: Command, fault: Fault, word: str) -> None:
    (people.folder / "quiet.csv").write_text(
        "email,state\n" + "".join(f"q{number}@example.org,complained\n" for number in range(600))
    )
    people("subscribers", "import", "quiet.csv", "--consent", "another system").ok()
    with SendGridApi(faults=[*[None] * 6, fault]) as api:  # five reads, one of them of two pages; one part
        beside = Beside(command=people, api=api)
        api.suppressions.add("bounces", [ADA])
        told = "1 were taken over, 500 of 600 handed over"
        assert_complains(beside.sync(), word, told, "run it again", code=1)
        assert beside.states()[ADA] == "bounced"
        assert beside.synced()["to_sendgrid"]["handed_over"] == 100
        assert len(api.suppressions.addresses("unsubscribes")) == 600


def test_without_a_key_nothing_is_asked_and_nobody_there_is_one_line(people: Command) -> None:
    assert_complains(people("subscribers", "suppressions", "sync"), "provider.sendgrid.api_key", code=2)
    env = {
        "NEWSLETTER_PROVIDER__SENDGRID__BASE_URL": "http://127.0.0.1:9",
        "NEWSLETTER_PROVIDER__SENDGRID__API_KEY": KEY,
    }
    result = people("subscribers", "suppressions", "sync", env=env)
    assert_complains(result, "127.0.0.1:9", "refused", "nothing was changed", code=1)


def test_the_key_is_in_no_log(beside: Beside, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = beside.sync().ok()
    assert KEY not in caplog.text + result.out + result.err
