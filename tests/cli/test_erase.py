"""`newsletter subscribers erase`: nothing of the person is left, in the tables or between them."""

from __future__ import annotations

import os
import pty
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

import newsletter.database.files
from newsletter.database import Database
from newsletter.delivery import forgetting
from newsletter.delivery.tables import delivery_problem, event_table, notice_table
from newsletter.delivery.tables import metadata as delivery_tables
from newsletter.migrations.tables import TABLES
from newsletter.store.tables import issue
from subscribers import schema, traces
from subscribers.models import AddressState
from tests.cli.command import PROGRAM, SAMPLE, Command, assert_complains
from tests.support.issues import plan_issue

ADA = "Ada.L+x@example.org"
NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)
FORMS = [b"ada.l+x@example.org", b"ada.l+x=example.org", b"ada.l+x%40example.org", b"lovelace"]


def bytes_of(folder: Path) -> bytes:
    """Return the database's file and what stands beside it, in lower case."""
    files = sorted(folder.glob("newsletter.db*"))
    assert files
    return b"".join(path.read_bytes() for path in files).lower()


def fill_ledger(database: Database, number: int) -> None:
    """Write down what servers and providers say of somebody, and of others who name the person."""
    with database.write() as connection:
        reply = f"550 <{ADA.upper()}> Lovelace is unknown"
        problems = [
            {"issue_id": 1, "subscriber_id": who, "attempt": 1, "at": NOW, "cause": "rejected", "reply": text}
            for who, text in [(number, reply), (number + 1, f"forwarded to {ADA}; see postmaster")]
        ]
        connection.execute(sa.insert(delivery_problem), problems)
        event = {"provider": "x", "kind": "bounced", "issue_id": 1, "at": NOW, "received_at": NOW}
        events = [
            {**event, "event_id": f"{who}-{place}", "subscriber_id": who, "payload": payload}
            for place, (who, payload) in enumerate(
                [(number, b"\x00\xffLovelace"), (None, f'{{"to":"{ADA}"}}'.encode()), (None, b"x=ada.l%2Bx")]
            )
        ]
        connection.execute(sa.insert(event_table), events)
        notice = {"kind": "welcome", "state": 0, "attempt": 0, "due": NOW}
        notices = [
            {**notice, "subscriber_id": who, "address": address, "payload": payload}
            for who, address, payload in [
                (number, ADA, b"Hello Lovelace"), (None, ADA.lower(), b"Hello"), (None, "b@example.org", f"<{ADA}>\x00".encode()),
            ]
        ]  # fmt: skip
        connection.execute(sa.insert(notice_table), notices)
        connection.execute(sa.update(issue).values(reason=f"paused: 451 {ADA} try later"))


@pytest.fixture
def erased(command: Command) -> Command:
    """Return the command with Ada on the list among many, and everything that may name her."""
    for name in ("x", "y"):
        command("subscribers", "add", f"{name}@example.org").ok()
    command("subscribers", "add", ADA, "--name", "Ada Lovelace", "--tag", "lovelace", "--language", "en").ok()
    command("subscribers", "add", "b@example.org", "--name", f"knows {ADA}").ok()
    command("run", "--from", SAMPLE).ok()
    opened = Database(command.folder / "newsletter.db")
    fill_ledger(opened, 3)
    opened.close()
    command("subscribers", "suppress", ADA, "--reason", f"Ada Lovelace ({ADA.upper()}) is angry").ok()
    command("subscribers", "unsuppress", ADA, "--force", "--reason", f"{ADA} is not").ok()
    command("subscribers", "unsubscribe", ADA, "--reason", "Lovelace said so").ok()
    command("subscribers", "remove", "1").ok()
    assert all(form in bytes_of(command.folder) for form in (FORMS[0], FORMS[3]))
    return command


def test_no_byte_of_the_files_names_who_is_erased(erased: Command) -> None:
    done = erased("subscribers", "erase", ADA.upper(), "--yes", "--json").ok().json
    assert done == {
        "id": 3, "subscriptions": 1, "consents": 1, "tags": 1, "replies": 1, "events": 1, "notices": 1,
        "compacted": True, "copies": [], "backups": [],
    }  # fmt: skip
    content = bytes_of(erased.folder)
    assert [form for form in FORMS if form in content] == []
    with sqlite3.connect(erased.folder / "newsletter.db") as driver:
        replies = [
            row[0] for row in driver.execute("SELECT reply FROM delivery_problem ORDER BY subscriber_id")
        ]
        assert replies == ["", "forwarded to (erased); see postmaster"]
        payloads = [row[0] for row in driver.execute("SELECT payload FROM event ORDER BY id")]
        assert payloads == [b"", b'{"to":"(erased)"}', b"x=ada.l%2Bx"], "what is not the address stays"
        assert driver.execute("SELECT address, payload FROM notice").fetchall() == [
            ("b@example.org", b"<(erased)>\x00")
        ]
        assert driver.execute("SELECT count(*) FROM delivery").fetchone() == (4,), (
            "counts of issues stay true"
        )
    assert "paused: 451 (erased)" in str(erased("issues", "show", "2024-09-12").ok().out)


def test_who_is_erased_stays_away_and_is_counted(erased: Command) -> None:
    erased("subscribers", "erase", "3", "--yes").ok()
    assert_complains(erased("subscribers", "add", ADA), "is suppressed since", "(erased)")
    assert_complains(erased("subscribers", "erase", "3", "--yes"), "subscriber 3: is erased already")
    assert_complains(erased("subscribers", "erase", ADA, "--yes"), "is not on the list")
    shown = erased("subscribers", "show", "3", "--json").ok().json
    assert (shown["email"], shown["name"], shown["state"], shown["consents"]) == ("", "", "erased", [])
    assert {step["reason"] for step in shown["history"]} == {""}
    (row,) = erased("subscribers", "list", "--state", "erased", "--json").ok().json
    assert row["id"] == 3
    again = erased("subscribers", "add", ADA, "--force", "--reason", "a new start").ok()
    assert "(number 5)" in again.out


def test_after_many_others_came_and_went(command: Command) -> None:
    command("subscribers", "add", "first@example.org").ok()
    opened = Database(command.folder / "newsletter.db")
    with opened.write() as connection:
        rows = [
            {
                "key": number.to_bytes(16, "big"), "email": f"r{number}@example.org",
                "address_key": f"r{number}@example.org", "address_hash": number.to_bytes(32, "big"),
                "name": f"Reader {number}", "state": AddressState.ACTIVE, "created_at": NOW,
            }
            for number in range(5_000)
        ]  # fmt: skip
        connection.execute(sa.insert(schema.subscriber), rows)
    with opened.write() as connection:
        connection.execute(sa.delete(schema.subscriber).where(schema.subscriber.c.id % 3 == 0))
    opened.close()
    for _ in range(3):
        number = (
            command("subscribers", "add", ADA, "--name", "Lovelace", "--force", "--reason", "x", "--json")
            .ok()
            .json
        )
        command("subscribers", "remove", ADA).ok()
        command("subscribers", "erase", str(number["id"]), "--yes").ok()
        assert [form for form in FORMS if form in bytes_of(command.folder)] == []


def test_a_copy_that_still_holds_the_person_is_named(command: Command) -> None:
    command("subscribers", "add", "x@example.org").ok()
    file = command.folder / "newsletter.db"
    shutil.copy(file, command.folder / "newsletter.db.before-0001")
    command("subscribers", "add", ADA).ok()
    opened = Database(file)
    opened.compact()
    opened.close()
    shutil.copy(file, command.folder / "newsletter.db.before-0002")
    result = command("subscribers", "erase", ADA, "--yes").ok()
    (warning,) = result.err.splitlines()
    assert "before-0002: this copy of the database still holds the person" in warning


def test_another_process_that_reads_is_named_and_the_file_is_compacted_later(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsletter.database.files, "COMPACT_SECONDS", 0.1)
    command("subscribers", "add", ADA).ok()
    reader = sqlite3.connect(command.folder / "newsletter.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM subscriber").fetchall()
    result = command("subscribers", "erase", ADA, "--yes").ok()
    assert "`newsletter database compact`" in result.err
    assert FORMS[0] in bytes_of(command.folder)
    assert_complains(command("database", "compact"), "another process uses it", code=1)
    reader.close()
    assert "bytes" in command("database", "compact").ok().out
    assert FORMS[0] not in bytes_of(command.folder)


def test_compacting_what_is_not_there(command: Command) -> None:
    assert_complains(command("database", "compact"), "there is no such file yet")


def test_without_a_terminal_yes_must_be_said(command: Command) -> None:
    command("subscribers", "add", ADA).ok()
    assert_complains(command.process("subscribers", "erase", ADA), "add --yes")
    command("subscribers", "show", ADA).ok()


@pytest.mark.parametrize(("answer", "left"), [("n", True), ("y", False)])
def test_on_a_terminal_it_shows_what_goes_and_asks(command: Command, answer: str, left: bool) -> None:
    command("subscribers", "add", ADA, "--name", "Ada", "--tag", "a", "--tag", "b").ok()
    terminal, inner = pty.openpty()
    try:
        process = subprocess.Popen(
            [PROGRAM, "subscribers", "erase", "1"], cwd=command.folder, stdin=inner, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.write(terminal, f"{answer}\n".encode())
        out, err = process.communicate(timeout=60)
    finally:
        os.close(terminal)
        os.close(inner)
    assert f"{ADA} (Ada), number 1" in err
    assert "2 tags" in err
    assert process.returncode == (1 if left else 0)
    assert ("Nothing was erased." in err) == left
    assert ("Subscriber 1 is erased." in out) != left
    assert (command("subscribers", "show", ADA).code == 0) == left


@pytest.fixture
def ledger(database: Database) -> Database:
    """Return a database of each kind with a planned issue and what is said of subscriber 3."""
    plan_issue(database)
    fill_ledger(database, 3)
    return database


def test_the_ledger_forgets_on_both_databases(ledger: Database) -> None:
    with ledger.read() as connection:
        assert forgetting.left_behind(connection, 3) == {"replies": 1, "events": 1, "notices": 1}
    with ledger.write() as connection:
        forgetting.forget(connection, 3, ADA)
    with ledger.read() as connection:
        for table in (*delivery_tables.sorted_tables, issue):
            for row in connection.execute(sa.select(table)):
                texts = [each if isinstance(each, bytes) else str(each).encode() for each in row]
                assert not [form for form in FORMS for text in texts if form in text.lower()], table.name


def test_no_row_on_postgresql_names_who_is_erased(
    command: Command, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", postgres_url)
    command("database", "upgrade").ok()
    command("subscribers", "add", ADA, "--name", "Lovelace", "--tag", "lovelace").ok()
    command("subscribers", "add", "b@example.org", "--name", f"knows {ADA}").ok()
    command("run", "--from", SAMPLE).ok()
    opened = Database(postgres_url)
    fill_ledger(opened, 1)
    command("subscribers", "unsubscribe", ADA, "--reason", f"{ADA} wrote").ok()
    done = command("subscribers", "erase", ADA, "--yes", "--json").ok().json
    assert (done["compacted"], done["copies"]) == (True, [])
    with opened.read() as connection:
        for table in (each for metadata in TABLES for each in metadata.sorted_tables):
            for row in connection.execute(sa.select(table)):
                texts = [each if isinstance(each, bytes) else str(each).encode() for each in row]
                assert not [form for form in FORMS for text in texts if form in text.lower()], table.name
    opened.close()
    assert "autovacuum" in command("database", "compact").ok().out
    assert command("subscribers", "stats", "--json").ok().json["editions"]["daily"]["erased"] == 1


def test_every_column_that_can_hold_an_address_is_known_to_erasure() -> None:
    """A new table says here whether erasure has to look into it."""
    swept = {
        f"{column.table.name}.{column.name}"
        for column in (*traces.WRITTEN, *forgetting.WRITTEN, *forgetting.PAYLOADS)
    }
    gone = {
        "subscriber.email",
        "subscriber.address_key",
        "subscriber.language",
        "tag.tag",
        "notice.address",
        "import_change.detail",
        "domain_time.domain",
    }
    words_of_our_own = {
        "allowance.name", "edition.name", "import_run.counts", "consent.text_version", "consent.network", "claim.owner", "claim.provider", "claim.exposure",
        "claim.provider_id", "delivery_problem.cause", "event.provider", "event.event_id", "event.kind", "notice.kind",
    }  # fmt: skip
    keys = {"subscriber.key", "subscriber.address_hash", "suppression.address_hash"}
    same_for_everybody = {
        "letter.bytes", *(f"{table.name}.{column.name}" for table in newsletter_tables() for column in table.columns)
    }  # fmt: skip
    known = swept | gone | words_of_our_own | keys | same_for_everybody
    kinds = (sa.Text, sa.String, sa.LargeBinary, sa.JSON)
    found = {
        f"{table.name}.{column.name}"
        for metadata in TABLES
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, kinds)
    }
    assert found <= known, found - known


def newsletter_tables() -> list[sa.Table]:
    """Return the tables of papers and issues, which know no subscriber."""
    return list(issue.metadata.sorted_tables)
