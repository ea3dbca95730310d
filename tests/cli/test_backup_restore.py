"""`newsletter backup restore`: nothing is written over, and nothing is sent before somebody has looked."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
import time_machine
from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import insert, text

import newsletter
from newsletter.database import Database
from newsletter.delivery import claims
from newsletter.delivery.tables import delivery_problem
from newsletter.protocols import Exposure
from newsletter.sqlite_file import SCHEMA_REVISION
from subscribers.store import deliverable
from tests.cli.command import SAMPLE, Command, assert_complains, finish, outbox, snapshot
from tests.support.issues import DAY, add_readers, address, plan_issue
from tests.support.mail import parse
from tests.support.postgres import PostgresServer

READERS = 12
NOW = datetime(2024, 9, 13, 17, 0, tzinfo=UTC)


@pytest.fixture
def crowd(command: Command, migrated_file: Path) -> Command:
    """Return the command with a secret and readers on the list."""
    shutil.copy(migrated_file, command.folder / "newsletter.db")
    database = opened(command)
    add_readers(database, READERS)
    database.close()
    command("subscribers", "tag", "1", "first").ok()  # a step of the operator makes the secret
    return command


def opened(command: Command, folder: str = ".") -> Database:
    """Open the database of a folder."""
    return Database(command.folder / folder / "newsletter.db")


def at(command: Command, folder: str) -> Command:
    """Return the command in another folder."""
    return Command(folder=command.folder / folder, monkeypatch=command.monkeypatch, capsys=command.capsys)


def test_into_a_new_folder_everything_comes_back(crowd: Command) -> None:
    (crowd.folder / "own" / "email").mkdir(parents=True)
    (crowd.folder / "own" / "email" / "masthead.mjml.j2").write_text("<mj-text>ours</mj-text>")
    crowd("dkim", "new-key", "k1").ok()
    (crowd.folder / "newsletter.toml").write_text(
        '[theme]\ntemplates = "own"\n[sender]\nemail = "news@example.com"\n'
        '[dkim]\ndomain = "example.com"\nkeys = { k1 = "dkim-k1.pem" }\n'
    )
    crowd("subscribers", "suppress", address(3), "--reason", "asked").ok()
    identity = pyrage.x25519.Identity.generate()
    (crowd.folder / "key").write_text(str(identity))
    crowd("backup", "create", "--out", "b.age", "--recipient", str(identity.to_public())).ok()
    done = crowd("backup", "restore", "b.age", "--identity", "key", "--to", "new").ok()
    assert done.out.startswith(f"Restored b.age to new/newsletter.db: {READERS} subscribers, 0 issues")
    assert "`newsletter backup restore --acknowledge" in done.out
    names = ["newsletter.toml", "newsletter.secret", "dkim-k1.pem", "own/email/masthead.mjml.j2"]
    for name in names:
        assert (crowd.folder / "new" / name).read_bytes() == (crowd.folder / name).read_bytes()
    assert sorted(snapshot(crowd.folder / "new")) == sorted([*names, "newsletter.db"])
    assert {path.stat().st_mode & 0o077 for path in (crowd.folder / "new").glob("newsletter.*")} == {0}
    new = at(crowd, "new")
    assert new("subscribers", "export", "-").out == crowd("subscribers", "export", "-").out
    assert len(new("dkim", "record", "--json").ok().json) == 1


def test_a_database_that_is_there_is_kept(crowd: Command) -> None:
    crowd("backup", "create", "--out", "b.gz").ok()
    crowd("subscribers", "add", "later@example.org").ok()
    before = snapshot(crowd.folder)
    assert_complains(
        crowd("backup", "restore", "b.gz"), "newsletter.db: there is a database already", "--replace"
    )
    assert snapshot(crowd.folder) == before
    done = crowd("backup", "restore", "b.gz", "--replace").ok()
    (kept,) = crowd.folder.glob("newsletter.db.before-restore-*")
    assert f"What was there is kept in {kept.name}." in done.out
    assert len(crowd("subscribers", "list", "--json").ok().json) == READERS
    with closing(sqlite3.connect(kept)) as driver:
        assert driver.execute("SELECT count(*) FROM subscriber").fetchone() == (READERS + 1,)
    erased = crowd("subscribers", "erase", address(2), "--yes").ok()
    assert f"{kept.name}: this copy of the database still holds the person" in erased.err


def test_a_log_without_its_database_is_not_taken_for_the_new_ones(crowd: Command) -> None:
    crowd("backup", "create", "--out", "b.gz").ok()
    file, log = crowd.folder / "newsletter.db", crowd.folder / "newsletter.db-wal"
    file.unlink()
    log.write_bytes(b"what a database that is gone left")
    assert_complains(crowd("backup", "restore", "b.gz"), "there is a database already")
    crowd("backup", "restore", "b.gz", "--replace").ok()
    assert len(crowd("subscribers", "list", "--json").ok().json) == READERS
    (kept,) = crowd.folder.glob("newsletter.db.before-restore-*-wal")
    assert kept.read_bytes() == b"what a database that is gone left"


def test_a_database_in_use_is_not_replaced(crowd: Command) -> None:
    crowd("backup", "create", "--out", "b.gz").ok()
    database = opened(crowd)
    with database.read() as connection:
        connection.execute(text("SELECT count(*) FROM subscriber"))
        before = snapshot(crowd.folder)
        result = crowd("backup", "restore", "b.gz", "--replace")
        assert snapshot(crowd.folder) == before
    database.close()
    assert_complains(result, "newsletter.db: another process uses it", code=1)
    assert len(crowd("subscribers", "list", "--json").ok().json) == READERS
    assert not list(crowd.folder.glob("*.before-restore-*"))


def test_a_broken_database_is_replaced(crowd: Command) -> None:
    crowd("backup", "create", "--out", "b.gz").ok()
    (crowd.folder / "newsletter.db").write_bytes(b"not a database at all" * 1000)
    crowd("backup", "restore", "b.gz", "--replace").ok()
    assert len(crowd("subscribers", "list", "--json").ok().json) == READERS


def test_a_bad_backup_changes_nothing(crowd: Command) -> None:
    crowd("backup", "create", "--out", "b.gz").ok()
    content = (crowd.folder / "b.gz").read_bytes()
    (crowd.folder / "cut").write_bytes(content[:-20])
    before = snapshot(crowd.folder)
    assert_complains(crowd("backup", "restore", "cut", "--replace"), "cut: is cut")
    assert_complains(crowd("backup", "restore", "cut", "--to", "new"), "cut: is cut")
    assert snapshot(crowd.folder) == before
    assert not (crowd.folder / "new").exists()


def test_the_secret_must_be_the_right_one(crowd: Command) -> None:
    secret = (crowd.folder / "newsletter.secret").read_text().strip()
    crowd("backup", "create", "--out", "b.gz").ok()
    crowd("backup", "create", "--out", "without.gz", env={"NEWSLETTER_SECRET": secret}).ok()
    wrong = {"NEWSLETTER_SECRET": "another"}
    assert_complains(crowd("backup", "restore", "b.gz", "--to", "new", env=wrong), "is another secret")
    assert_complains(
        crowd("backup", "restore", "without.gz", "--to", "new"), "without.gz: its secret is not in it"
    )
    assert not (crowd.folder / "new").exists()
    crowd("backup", "restore", "without.gz", "--to", "one", env={"NEWSLETTER_SECRET": secret}).ok()
    (crowd.folder / "two").mkdir()
    (crowd.folder / "two" / "newsletter.secret").write_text("another\n")
    assert_complains(
        crowd("backup", "restore", "without.gz", "--to", "two"), "two/newsletter.secret", "another secret"
    )
    assert_complains(crowd("backup", "restore", "b.gz", "--to", "two"), "there is another secret already")
    done = crowd("backup", "restore", "b.gz", "--to", "two", "--replace").ok()
    assert "kept in two/newsletter.secret.before-restore-" in done.out
    at(crowd, "two")("subscribers", "list").ok()


def test_settings_of_today_stay(crowd: Command) -> None:
    settings = crowd.folder / "newsletter.toml"
    settings.write_text('[theme]\nname = "Then"\n')
    crowd("backup", "create", "--out", "b.gz").ok()
    settings.write_text('[theme]\nname = "Now"\n')
    done = crowd("backup", "restore", "b.gz", "--replace").ok()
    assert "newsletter.toml is there already and differs from the backup's: it stays" in done.err
    assert "Now" in settings.read_text()


def test_a_killed_restore_is_begun_again(crowd: Command) -> None:
    with closing(sqlite3.connect(crowd.folder / "newsletter.db")) as driver:
        driver.execute("CREATE TABLE filling AS SELECT randomblob(30000000) AS x")
    crowd("backup", "create", "--out", "b.gz").ok()
    process = crowd.start("backup", "restore", "b.gz", "--to", "new")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not list((crowd.folder / "new").glob(".*/members/newsletter.db")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert finish(process).code == -signal.SIGKILL
    assert not (crowd.folder / "new" / "newsletter.db").exists()
    crowd("backup", "restore", "b.gz", "--to", "new").ok()
    assert sorted(path.name for path in (crowd.folder / "new").iterdir()) == [
        "newsletter.db",
        "newsletter.secret",
    ]


def test_a_server_has_no_file_to_restore(crowd: Command) -> None:
    crowd("backup", "create", "--out", "b.gz").ok()
    env = {"NEWSLETTER_DATABASE__URL": "postgresql://db.example.org/list"}
    assert_complains(crowd("backup", "restore", "b.gz", env=env), "database.url: names a server", "--to")


@pytest.fixture
def restored(crowd: Command) -> Command:
    """Return the command after a restore, in mid-send: rows of every state, and everybody was sent to since."""
    database = opened(crowd)
    record = plan_issue(database)
    with database.write(durable=True) as connection:
        claimed = claims.claim(
            connection, record.id, deliverable("daily"), owner="gone:1:1", provider="smtp", exposure=Exposure.FIRST,
            limit=5, after=0, now=NOW,
        )  # fmt: skip
        assert claimed is not None
        for subscriber, state in ((1, 2), (2, 3)):
            connection.execute(
                text("UPDATE delivery SET state = :state WHERE subscriber_id = :id"),
                {"state": state, "id": subscriber},
            )
        problem = {"issue_id": record.id, "subscriber_id": 3, "attempt": 1, "at": NOW, "cause": "retry"}
        connection.execute(insert(delivery_problem).values(**problem, reply="451 later"))
    database.close()
    with time_machine.travel(NOW, tick=False):
        crowd("backup", "create", "--out", "b.gz").ok()
    crowd("backup", "restore", "b.gz", "--replace").ok()
    return crowd


def states(command: Command) -> dict[int, int]:
    """Return the state of each delivery by subscriber."""
    with closing(sqlite3.connect(command.folder / "newsletter.db")) as driver:
        return dict(driver.execute("SELECT subscriber_id, state FROM delivery").fetchall())


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "--from", SAMPLE], ["send", str(DAY)], ["send", str(DAY), "--test", "me@example.org"], ["notices", "send"]],
    ids=["run", "run-from", "send", "test", "notices"],
)  # fmt: skip
def test_nothing_is_sent_before_somebody_has_looked(restored: Command, arguments: list[str]) -> None:
    before = states(restored)
    assert_complains(
        restored(*arguments), "the database: was restored from a backup of 2024-09-13 17:00 UTC",
        "`newsletter backup restore --acknowledge`", code=1,
    )  # fmt: skip
    assert outbox(restored.folder) == {}
    assert states(restored) == before


def test_the_operator_is_alerted_of_it(restored: Command) -> None:
    result = restored("run", env={"NEWSLETTER_ALERTS__EMAIL": "operator@example.org"})
    assert_complains(result, "was restored from a backup", code=1)
    (mail,) = outbox(restored.folder).values()
    assert parse(mail)["To"] == "operator@example.org"
    body = parse(mail).get_body(("plain",))
    assert body is not None
    assert "was restored from a backup" in " ".join(body.get_content().split())


def test_the_schedule_sends_nothing_either_and_goes_on_afterwards(restored: Command) -> None:
    (restored.folder / "newsletter.toml").write_text(
        '[editions.daily]\nschedule = { at = "00:01", latest = "23:59", days = "mon-sun" }\n'
    )
    due = ("run", "--if-due", "--from", SAMPLE)
    with time_machine.travel(datetime(2024, 9, 17, 8, 0, tzinfo=UTC), tick=False):
        assert_complains(restored(*due), "was restored from a backup", code=1)
        assert outbox(restored.folder) == {}
        restored("backup", "restore", "--acknowledge").ok()
        restored(*due).ok()
    assert outbox(restored.folder) == {}, "the issue of that day is held"


def test_serve_keeps_its_pages_and_says_once_that_it_mails_nothing(restored: Command) -> None:
    process = restored.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        while "restored from a backup" not in line:
            assert line, "it ended"
            line = process.stderr.readline()
        assert process.poll() is None
    finally:
        process.terminate()
        finish(process)


def test_status_says_that_it_needs_a_hand(restored: Command) -> None:
    def needed() -> list[str]:
        return [need["command"] for need in restored("status", "--json").json["needs"]]

    assert needed()[0] == "newsletter backup restore --acknowledge"
    assert "was restored from a backup of 2024-09-13 17:00 UTC" in restored("status").out
    restored("backup", "restore", "--acknowledge").ok()
    assert "newsletter backup restore --acknowledge" not in needed()
    assert f"newsletter deliveries list {DAY}/daily --state uncertain" in needed()


def test_acknowledged_what_is_in_doubt_is_held_and_told(restored: Command) -> None:
    with time_machine.travel(datetime(2024, 9, 17, 18, 0, tzinfo=UTC), tick=False):
        told = restored("backup", "restore", "--acknowledge").ok().out
    assert "The backup was made at 2024-09-13 17:00 UTC." in told
    assert (
        f"issue 2024-09-12/daily was sending: {READERS - 2} deliveries of it may have gone out; held" in told
    )
    assert "daily: issues of 2024-09-13 to 2024-09-17 may have been sent" in told
    assert "people may have left or been suppressed" in told
    assert states(restored) == {1: 2, 2: 3, **dict.fromkeys(range(3, READERS + 1), 4)}
    listed: list[dict[str, Any]] = (
        restored("deliveries", "list", str(DAY), "--state", "uncertain", "--json").ok().json
    )
    replies = {row["subscriber"]: row["reply"] for row in listed}
    assert replies.pop(3) == "451 later"
    assert set(replies.values()) == {
        "the database was restored from a backup; it may have been sent since that was made"
    }
    sent = restored("send", str(DAY)).ok()
    assert outbox(restored.folder) == {}
    assert "is sent: 1 of 12 accepted" in sent.out
    assert "not marked as restored" in restored("backup", "restore", "--acknowledge").ok().out
    known = ("backup", "restore", "--acknowledge", "--sent", "2024-09-16")
    assert_complains(restored(*known), "not marked as restored", "`newsletter backup mark TIME`")
    assert "newsletter backup mark 2024-09-13T17:00`" in told
    restored("backup", "mark", "2024-09-13T17:00").ok()
    restored(*known).ok()
    restored("deliveries", "resolve", str(DAY), "--resend").ok()
    restored("send", str(DAY)).ok()
    assert len(outbox(restored.folder)) == READERS - 2


@pytest.mark.parametrize("to", [[], ["--to", "new"]])
def test_what_may_have_been_sent_is_told_before_it_is_acknowledged(restored: Command, to: list[str]) -> None:
    with time_machine.travel(datetime(2024, 9, 17, 18, 0, tzinfo=UTC), tick=False):
        told = restored("backup", "restore", "b.gz", "--replace", *to).ok().out
        marked = restored("backup", "mark", "2024-09-13T17:00").ok().out
    for line in (
        f"  issue 2024-09-12/daily was sending: {READERS - 2} deliveries of it may have gone out",
        "  daily: issues of 2024-09-13 to 2024-09-17 may have been sent\n",
        "`newsletter backup restore --acknowledge --sent 2024-09-17/daily`",
        "It sends nothing yet",
    ):
        assert line in told
        assert line in marked


def test_what_is_known_to_be_sent_is_not_made_again(restored: Command) -> None:
    assert_complains(
        restored("backup", "restore", "--acknowledge", "--sent", str(DAY)), "is in the database already"
    )
    restored("backup", "restore", "--acknowledge", "--sent", "2024-09-16/daily").ok()
    shutil.copy(SAMPLE, restored.folder / "papers.json")
    again = restored("run", "--from", "papers.json", "--day", "2024-09-16")
    assert "sent after the backup was made" in again.out
    assert outbox(restored.folder) == {}


@pytest.mark.parametrize("state", ["approved", "draft", "held"])
def test_an_issue_that_was_only_planned_is_held_too(crowd: Command, state: str) -> None:
    database = opened(crowd)
    record = plan_issue(database)
    with database.write() as connection:
        connection.execute(text("UPDATE issue SET state = :state"), {"state": state})
    database.close()
    crowd("backup", "create", "--out", "b.gz").ok()
    crowd("backup", "restore", "b.gz", "--replace").ok()
    told = crowd("backup", "restore", "--acknowledge").ok().out
    assert f"issue {record.name} was {state}: {READERS} deliveries" in told
    assert set(states(crowd).values()) == {4}


def test_a_backup_of_a_restored_database_stays_marked_with_the_first_time(restored: Command) -> None:
    restored("backup", "create", "--out", "second.gz").ok()
    restored("backup", "restore", "second.gz", "--to", "new").ok()
    assert_complains(at(restored, "new")("run"), "from a backup of 2024-09-13 17:00 UTC", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the FILE to restore"),
        (["b.gz", "--acknowledge"], "name the FILE to restore"),
        (["b.gz", "--sent", "2024-09-16"], "--sent belongs to --acknowledge"),
        (["b.gz", "--identity", "x", "--passphrase-file", "y"], "choose one"),
    ],
)
def test_wrong_use(command: Command, arguments: list[str], words: str) -> None:
    assert_complains(command("backup", "restore", *arguments), words)
    assert list(command.folder.iterdir()) == []


def test_a_backup_of_an_older_schema_is_migrated_with_a_copy_and_stays_marked(command: Command) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(newsletter.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    database = opened(command)
    with database.write() as connection:
        config.attributes["connection"] = connection
        upgrade(config, "0009")
        connection.execute(text("INSERT INTO installation VALUES ('somebody', :who)"), {"who": address(1)})
    database.close()
    command("backup", "create").ok()
    (made,) = (command.folder / "backups").iterdir()
    assert "schema 0009" in command("backup", "verify", made).ok().out
    command("backup", "restore", made, "--replace").ok()
    assert_complains(command("run"), "was restored from a backup", code=1)
    copy = f"newsletter.db.before-{SCHEMA_REVISION}"
    assert (command.folder / copy).is_file()
    command("subscribers", "add", address(1)).ok()
    erased = command("subscribers", "erase", address(1), "--yes").ok().err
    assert f"{copy}: this copy of the database still holds" in erased
    assert "backups: 1 backup may still hold the person" in erased


def test_what_other_tools_restored_is_marked_by_hand(
    command: Command, migrated_template: str, postgres: PostgresServer
) -> None:
    with postgres.fresh(template=migrated_template) as url:
        env = {"NEWSLETTER_DATABASE__URL": url}
        command("backup", "mark", "2024-09-13T17:00", env=env).ok()
        assert_complains(command("run", env=env), "from a backup of 2024-09-13 17:00 UTC", code=1)
        told = command("backup", "restore", "--acknowledge", env=env).ok().out
        assert "daily: issues of 2024-09-09 to" in told
        assert "nothing to acknowledge" in command("backup", "restore", "--acknowledge", env=env).ok().out
    assert_complains(command("backup", "mark", "yesterday", env=env), "'yesterday'")
