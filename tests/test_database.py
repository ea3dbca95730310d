"""Transactions, migrations and faults of the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import newsletter
from newsletter import store
from newsletter.database import Database
from newsletter.delivery import events
from newsletter.errors import ConfigError, DatabaseError
from newsletter.migrations.tables import TABLES
from newsletter.sqlite_file import SCHEMA_REVISION


def test_the_history_makes_the_tables_that_the_code_knows(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": TABLES})
        assert compare_metadata(context, TABLES) == []  # type: ignore[arg-type]  # a list is documented


def test_the_program_needs_the_newest_revision_of_the_history() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(newsletter.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_REVISION


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(text("INSERT INTO installation (name, value) VALUES ('a', 'b')"))
        raise RuntimeError
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM installation")).scalar() == 0


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert database.upgrade() is None
    assert database.revision() == SCHEMA_REVISION


def test_a_broken_constraint_leaves_the_room_as_our_error(database: Database) -> None:
    with pytest.raises(DatabaseError), database.write() as connection:
        connection.execute(text("INSERT INTO installation (name) VALUES ('a')"))


def test_sqlite_migrates_by_itself_and_postgresql_says_how(database_url: str) -> None:
    opened = Database(database_url)
    if opened.is_sqlite:
        opened.ensure_schema()
        assert opened.revision() == SCHEMA_REVISION
    else:
        with pytest.raises(DatabaseError, match="newsletter database upgrade"):
            opened.ensure_schema()
    opened.close()


def test_another_schema_stops_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE alembic_version (version_num TEXT)")
        raw.execute("INSERT INTO alembic_version VALUES ('0000')")
    raw.close()
    before = path.read_bytes()
    opened = Database(f"sqlite:///{path}", read_only=True)
    with pytest.raises(DatabaseError, match="has the schema 0000, this program needs"):
        opened.ensure_schema()
    opened.close()
    assert path.read_bytes() == before


def test_a_database_of_a_newer_program_is_left_alone(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="schema 9999, which this program does not know"):
        database.upgrade()
    if database.is_sqlite:
        with pytest.raises(DatabaseError, match="schema 9999"):
            database.ensure_schema()


def test_a_migration_keeps_a_copy_of_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.db"
    opened = Database(f"sqlite:///{path}")
    opened.upgrade()
    with opened.write() as connection:
        connection.execute(text("INSERT INTO installation VALUES ('precious', 'kept')"))
    monkeypatch.setattr("newsletter.database.SCHEMA_REVISION", "next")
    monkeypatch.setattr("newsletter.database.migrate", lambda _connection, _revision: None)
    copy = opened.upgrade()
    second = opened.upgrade()
    opened.close()
    assert copy is not None
    assert second not in {None, copy}, "a copy never overwrites another"
    with sqlite3.connect(copy) as raw:
        assert raw.execute("SELECT value FROM installation").fetchone() == ("kept",)
    raw.close()


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    opened = Database(f"sqlite:///{tmp_path / 'busy.db'}")
    opened.upgrade()

    def add(number: int) -> None:
        for step in range(20):
            with opened.write() as connection:
                known = connection.execute(text("SELECT count(*) FROM installation")).scalar()
                connection.execute(
                    text("INSERT INTO installation VALUES (:name, :value)"),
                    {"name": f"{number}-{step}", "value": str(known)},
                )

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened.read() as connection:
        values = {
            int(value) for value in connection.execute(text("SELECT value FROM installation")).scalars()
        }
    opened.close()
    assert values == set(range(80)), "each writer saw all that was committed before it"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "is no database URL"),
        ("mysql://localhost/x", "is no database URL|needs the package|not supported"),
        ("wombat:///x", "is no database URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_a_matter_of_configuration(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Database(url)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("this is no database, whatever its name says" * 50)
    opened = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseError, match="not a database"):
        opened.ensure_schema()
    opened.close()
    assert path.read_text().startswith("this is no database")


def test_no_password_shows_in_an_error() -> None:
    opened = Database("postgresql://somebody:geheim@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseError) as caught:
        opened.ensure_schema()
    opened.close()
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("folder", ["wh?t", "a#b", "50%25 off", "with space", "한국어"])
def test_a_folder_may_have_any_name(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "newsletter.db"
    opened = Database(path)
    opened.ensure_schema()
    opened.close()
    reader = Database(path, read_only=True)
    reader.ensure_schema()
    reader.close()
    assert path.is_file()
    assert [each.name for each in tmp_path.iterdir()] == [folder]


def test_reading_in_a_folder_that_cannot_be_written(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "newsletter.db"
    shutil.copy(migrated_file, path)
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    reader = Database(path, read_only=True)
    reader.ensure_schema()
    with reader.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM installation")).scalar() == 0
    assert [each.name for each in tmp_path.iterdir()] == ["newsletter.db"], (
        "no log beside it, not even for a moment"
    )
    reader.close()


def test_a_database_of_the_first_version_keeps_its_content(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("newsletter.database.SCHEMA_REVISION", "0001")
        first = Database(database_url)
        first.upgrade()
        with first.write() as connection:
            connection.execute(text("INSERT INTO installation VALUES ('precious', 'kept')"))
            connection.execute(
                text(
                    "INSERT INTO issue (edition, day, number, state, kind, document, created_at)"
                    " VALUES ('daily', '2024-09-12', 1, 'finished', 'complete', :document, 0)"
                ),
                {"document": b'{"entries": []}'},
            )
            connection.execute(
                text(
                    "INSERT INTO event (provider, event_id, kind, at, received_at, payload)"
                    " VALUES ('mailbox', 'a', 'hard', 0, 0, :payload)"
                ),
                {"payload": b"{}"},
            )
        first.close()
    opened = Database(database_url)
    copy = opened.upgrade()
    assert (copy is not None) == opened.is_sqlite
    if copy is not None:
        assert copy.name == f"newsletter.db.before-{SCHEMA_REVISION}"
        assert copy.stat().st_mode & 0o077 == 0, "it holds addresses"
    with opened.read() as connection:
        record = store.find_issue(connection, "daily", date(2024, 9, 12))
        assert store.get_setting(connection, "precious") == "kept"
        assert not events.is_waiting(connection), "what was done before is not done again"
        assert [each.number for each in events.tally(connection)] == [1]
    opened.close()
    assert record is not None
    assert record.warnings == ()
