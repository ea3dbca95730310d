"""`newsletter subscribers`: the list from the command line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.command import SAMPLE, Command, assert_complains, outbox
from tests.support.mail import parse


def test_add_and_list(command: Command) -> None:
    said = command(
        "subscribers", "add", "ada@example.org", "--name", "Ada", "--tag", "lab", "--tag", "early"
    ).ok()
    assert said.out == "ada@example.org is on the list of daily (number 1).\n"
    (row,) = command("subscribers", "list", "--json").ok().json
    assert {key: row[key] for key in ("id", "email", "edition", "state", "name")} == {
        "id": 1, "email": "ada@example.org", "edition": "daily", "state": "active", "name": "Ada",
    }  # fmt: skip
    assert sorted(row["tags"]) == ["early", "lab"]
    assert datetime.fromisoformat(row["since"]).tzinfo is not None
    table = command("subscribers", "list").ok().out.splitlines()
    assert table[0].split() == ["id", "email", "edition", "state", "name", "language", "since", "tags"]
    assert table[1].split() == [
        "1",
        "ada@example.org",
        "daily",
        "active",
        "Ada",
        row["since"][:10],
        "early,",
        "lab",
    ]


def test_an_empty_list_says_how_to_begin(command: Command) -> None:
    assert "newsletter subscribers add" in command("subscribers", "list").ok().out
    assert command("subscribers", "list", "--json").ok().json == []


@pytest.mark.parametrize("again", ["ada@example.org", "ADA@Example.ORG", "  ada@example.org "])
def test_one_person_is_added_once(command: Command, again: str) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    assert "is already on the list" in command("subscribers", "add", again).ok().out
    assert len(command("subscribers", "list", "--json").json) == 1


def test_adding_somebody_again_takes_over_what_is_told(command: Command) -> None:
    command("subscribers", "add", "ada@example.org", "--name", "Ada").ok()
    told = ("--name", "Ada Lovelace", "--tag", "lab", "--language", "de")
    said = command("subscribers", "add", "ada@example.org", *told).ok().out
    assert "is already on the list" in said
    assert "What you say of the person is taken over." in said
    (row,) = command("subscribers", "list", "--json").json
    assert (row["name"], row["tags"], row["language"]) == ("Ada Lovelace", ["lab"], "de")
    assert "taken over" not in command("subscribers", "add", "ada@example.org", *told).ok().out


def test_who_was_never_active_is_not_on_the_list_again(command: Command) -> None:
    (command.folder / "q.csv").write_text("email\nada@example.org\n")
    command("subscribers", "import", "q.csv").ok()
    assert (
        command("subscribers", "add", "ada@example.org").ok().out
        == "ada@example.org is on the list of daily (number 1).\n"
    )
    command("subscribers", "remove", "ada@example.org").ok()
    assert "is on the list of daily again" in command("subscribers", "add", "ada@example.org").ok().out


def test_the_row_that_was_added_as_json(command: Command) -> None:
    added = command("subscribers", "add", "ada@example.org", "--json").ok().json
    assert command("subscribers", "list", "--json").json == [added]


def test_one_object_a_subscription(command: Command) -> None:
    (command.folder / "newsletter.toml").write_text("[editions.daily]\n[editions.korean]\n")
    command("subscribers", "add", "ada@example.org").ok()
    command("subscribers", "add", "ada@example.org", "--edition", "korean").ok()
    rows = command("subscribers", "list", "--json").json
    assert sorted((row["id"], row["edition"]) for row in rows) == [(1, "daily"), (1, "korean")]
    only = command("subscribers", "list", "--edition", "korean", "--json").json
    assert [row["edition"] for row in only] == ["korean"]
    command("subscribers", "remove", "1", "--edition", "daily").ok()
    states = {row["edition"]: row["state"] for row in command("subscribers", "list", "--json").json}
    assert states["korean"] == "active"
    assert states["daily"] != "active"


def test_the_consent_is_recorded_as_given_to_the_operator(command: Command) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    shown = command("subscribers", "show", "ada@example.org", "--json").ok().json
    (consent,) = shown["consents"]
    assert (consent["edition"], consent["source"]) == ("daily", "operator")
    (step,) = [step for step in shown["history"] if step["to"] == "active"]
    assert step["through"] == "cli"
    text = command("subscribers", "show", "1").ok().out
    assert "ada@example.org" in text


def test_remove(command: Command) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    assert "is off the list of daily" in command("subscribers", "remove", "ada@example.org").ok().out
    assert "nothing changed" in command("subscribers", "remove", "ada@example.org").ok().out
    (row,) = command("subscribers", "list", "--json").json
    assert row["state"] != "active"
    removed = command("subscribers", "remove", "1", "--json").ok()
    assert removed.json == []


@pytest.mark.parametrize("word", ["show", "remove"])
@pytest.mark.parametrize("who", ["nobody@example.org", "7", "99999999999999999999", "x", ""])
def test_somebody_who_is_not_on_the_list(command: Command, word: str, who: str) -> None:
    assert_complains(command("subscribers", word, who))


@pytest.mark.parametrize(
    "address",
    ["", " ", "ada", "@example.org", "ada@", "ada@localhost", "a b@example.org", "Ada <ada@example.org>",
     "ada@example.org,b@example.org", "ada@exa mple.org", "ada@[127.0.0.1]", "x" * 300 + "@example.org",
     "ada@ex\x00ample.org", "-@-.-", "müller@example.org"],
)  # fmt: skip
def test_an_address_that_is_none(command: Command, address: str) -> None:
    assert_complains(command("subscribers", "add", "--", address))
    assert command("subscribers", "list", "--json").json == []


def test_an_international_domain_is_one_address(command: Command) -> None:
    command("subscribers", "add", "ada@bücher.example").ok()
    assert "is already" in command("subscribers", "add", "ada@xn--bcher-kva.example").ok().out


@pytest.mark.parametrize("name", ["Ada\nBcc: victim@example.org", "Ada\r\n", "Ada\x00"])
def test_a_name_cannot_add_headers(command: Command, name: str) -> None:
    result = command("subscribers", "add", "ada@example.org", "--name", name)
    if result.code:
        assert_complains(result)
        return
    command("run", "--from", SAMPLE).ok()
    for message in outbox(command.folder).values():
        assert "Bcc" not in parse(message)


@pytest.mark.parametrize("name", ["민준 김", 'Ada, "the" <Countess>', "🐼 زينب", "O'Brien (x)"])
def test_any_name_of_a_person(command: Command, name: str) -> None:
    command("subscribers", "add", "ada@example.org", "--name", name).ok()
    assert command("subscribers", "list", "--json").json[0]["name"] == name
    command("run", "--from", SAMPLE).ok()
    (message,) = outbox(command.folder).values()
    assert parse(message)["To"].addresses[0].addr_spec == "ada@example.org"


def test_an_unknown_edition_names_those_that_exist_and_makes_nothing(command: Command) -> None:
    for words in (["add", "ada@example.org"], ["remove", "ada@example.org"], ["list"]):
        result = command("subscribers", *words, "--edition", "dialy")
        assert_complains(result, "dialy", "daily")
    assert list(command.folder.iterdir()) == []


def test_the_secret_of_another_installation_is_refused(command: Command) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    secret = command.folder / "newsletter.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    content = secret.read_text().strip()
    wrong = command("subscribers", "add", "b@example.org", env={"NEWSLETTER_SECRET": "another"})
    assert_complains(wrong, "NEWSLETTER_SECRET", "not the secret")
    assert "another" not in wrong.err.replace("NEWSLETTER_SECRET", "")
    command("subscribers", "add", "c@example.org", env={"NEWSLETTER_SECRET": content}).ok()
    secret.unlink()
    lost = command("subscribers", "add", "d@example.org")
    assert_complains(lost, "newsletter.secret", "restore")
    secret.write_text("\n")
    assert_complains(command("subscribers", "add", "d@example.org"), "newsletter.secret")
    assert len(command("subscribers", "list", "--json", env={"NEWSLETTER_SECRET": content}).json) == 2


def test_a_database_that_is_none(command: Command) -> None:
    Path(command.folder / "newsletter.db").write_text("this is a text, not a database" * 100)
    for words in (["subscribers", "list"], ["run", "--from", str(SAMPLE)], ["preview"]):
        assert_complains(command(*words), "newsletter.db", code=1)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite", "nothing at all", "postgres://u:hidden@h/n", ""])
def test_a_database_url_that_is_none(command: Command, url: str) -> None:
    result = command("subscribers", "list", env={"NEWSLETTER_DATABASE__URL": url})
    assert_complains(result, "database.url")
    assert "hidden" not in result.err
