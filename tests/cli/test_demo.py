"""`newsletter demo` and `newsletter database`: the first thing that people try, and the last."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from newsletter.sqlite_file import SCHEMA_REVISION
from tests.cli.command import FILES, SAMPLE, Command, assert_complains, snapshot
from tests.support.mail import parse

PEOPLE = ["ada@example.org", "grace@example.org", "minjun@example.org"]


def test_the_demo_works_twice_in_a_row(command: Command) -> None:
    first = command("demo").ok()
    folder = command.folder / "demo"
    mails = {path: parse(path.read_bytes()) for path in (folder / "outbox" / "new").iterdir()}
    assert sorted(mail["To"].addresses[0].addr_spec for mail in mails.values()) == PEOPLE
    for address in PEOPLE:
        assert address in first.out
    for path in mails:
        assert str(path.relative_to(command.folder)) in first.out
    assert str(folder / "preview" / "issue.html") in first.out
    assert sorted(path.name for path in (folder / "preview").iterdir()) == FILES
    sent = snapshot(folder / "outbox")
    second = command("demo").ok()
    assert "already sent" in second.out
    assert snapshot(folder / "outbox") == sent
    assert [path.name for path in command.folder.iterdir()] == ["demo"]


def test_the_demo_sends_to_its_outbox_whatever_the_environment_says(command: Command) -> None:
    env = {
        "NEWSLETTER_PROVIDER__NAME": "smtp",
        "NEWSLETTER_SECRET": "x",
        "NEWSLETTER_DAILY": "no such setting",
    }
    command("demo", "here", env=env).ok()
    assert len(list((command.folder / "here" / "outbox" / "new").iterdir())) == 3


def test_the_demo_s_folder_is_one_to_go_on_with(command: Command) -> None:
    command("demo").ok()
    listed = command("--config", "demo/newsletter.toml", "subscribers", "list", "--json").ok().json
    assert sorted(row["email"] for row in listed) == PEOPLE
    again = command("--config", "demo/newsletter.toml", "run", "--from", SAMPLE).ok()
    assert "already sent" in again.out


def test_the_demo_leaves_a_newsletter_that_it_did_not_make_alone(people: Command) -> None:
    def files() -> dict[str, str]:  # SQLite's readers leave an empty log
        return {name: content for name, content in snapshot(people.folder).items() if "db-" not in name}

    def refused() -> None:
        before = files()
        result = people("demo", ".", env={"NEWSLETTER_PROVIDER__NAME": "smtp"})
        assert_complains(result, "a newsletter of its own", "name another DIR")
        assert files() == before

    refused()  # a list, all settings in the environment
    people("init").ok()
    people("subscribers", "add", "reader@example.org").ok()
    refused()
    (people.folder / "newsletter.db").unlink()
    refused()  # a settings file alone


def test_the_demo_s_folder_with_settings_of_somebody_s_own_is_left_alone(command: Command) -> None:
    command("demo").ok()
    settings = command.folder / "demo" / "newsletter.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[sender]", '[sender]\nemail = "me@example.org"'), encoding="utf-8")
    before = snapshot(command.folder)
    assert_complains(command("demo"), "a newsletter of its own")
    assert snapshot(command.folder) == before


def test_database_show(command: Command) -> None:
    assert "there is no such file yet" in command("database", "show").ok().out
    assert list(command.folder.iterdir()) == []
    command("database", "upgrade").ok()
    assert (
        f"schema {SCHEMA_REVISION}, this program has {SCHEMA_REVISION}"
        in command("database", "show").ok().out
    )
    before = snapshot(command.folder)
    assert f"has the schema {SCHEMA_REVISION}" in command("database", "upgrade").ok().out
    assert snapshot(command.folder) == before


@pytest.mark.parametrize(
    "words", [["subscribers", "list"], ["run", "--from", str(SAMPLE)], ["preview"], ["database", "upgrade"]]
)
def test_a_database_of_a_newer_program_is_left_alone(
    command: Command, migrated_file: Path, words: list[str]
) -> None:
    path = Path(shutil.copy(migrated_file, command.folder / "newsletter.db"))
    opened = sqlite3.connect(path)
    with opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    assert_complains(command(*words), "9999", code=1)
    opened = sqlite3.connect(path)
    assert opened.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    opened.close()


def test_postgresql_is_migrated_only_when_told(command: Command, postgres_url: str) -> None:
    env = {"NEWSLETTER_DATABASE__URL": postgres_url}
    assert_complains(command("subscribers", "list", env=env), "newsletter database upgrade", code=1)
    command("database", "upgrade", env=env).ok()
    command("subscribers", "add", "ada@example.org", env=env).ok()
    assert command("run", "--from", SAMPLE, "--json", env=env).ok().json["state"] == "finished"
    assert command("run", "--from", SAMPLE, "--json", env=env).ok().json["counts"]["accepted"] == 1
    command("preview", env=env).ok()
    command("run", "--dry-run", "--from", SAMPLE, env=env).ok()


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://nobody:hidden@127.0.0.1:1/none", "postgresql://h:hidden@127.0.0.1:1/n"]
)
def test_a_server_that_is_not_there(command: Command, url: str) -> None:
    result = command("subscribers", "list", env={"NEWSLETTER_DATABASE__URL": url})
    assert result.code in {1, 2}
    assert_complains(result, code=result.code)
    assert "hidden" not in result.err
