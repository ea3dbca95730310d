"""Fixtures that every room shares."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as property_settings

from newsletter.database import Database
from newsletter.http_client import HttpClient
from tests.cli.command import PEOPLE, PROGRAM, Command
from tests.support.drafts import make_draft
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.serving import Served, serving
from tools.chromium import EXECUTABLE, chromium

# A machine that is busy is no fault of what is tried: how fast anything is is measured elsewhere.
property_settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
property_settings.load_profile("suite")


def pytest_configure() -> None:
    """A shell that starts the suite in the background has it ignore SIGINT, and so would the processes of tests."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start one PostgreSQL server a test process."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start one Chromium a test process; playwright cannot be started twice in one."""
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: make browser")
    if not EXECUTABLE.exists():
        pytest.skip("Chromium is missing: apt-get install chromium")
    with chromium() as opened:
        yield opened


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Return the URL of a fresh, empty PostgreSQL database."""
    with postgres.fresh() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database: the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'newsletter.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with this program's schema, to copy."""
    path = tmp_path_factory.mktemp("schema") / "newsletter.db"
    opened = Database(f"sqlite:///{path}")
    opened.upgrade()
    with opened.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    opened.close()
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """Return the name of a PostgreSQL database with this program's schema, to clone."""
    with postgres.admin() as admin:
        admin.execute("CREATE DATABASE migrated")
    opened = Database(postgres.url("migrated"))
    opened.upgrade()
    opened.close()
    return "migrated"


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgresServer, migrated_template: str) -> str:
    """Return the name of a PostgreSQL database with this program's schema, to be emptied for each test."""
    with postgres.admin() as admin:
        admin.execute(f"CREATE DATABASE shared TEMPLATE {migrated_template}".encode())
    return "shared"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a database with this program's schema, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "newsletter.db")
        opened = Database(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    opened = Database(server.emptied(request.getfixturevalue("migrated_database")))
    yield opened
    opened.close()


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command `newsletter` in an empty folder, its environment free of our variables, its patience short."""
    for name in os.environ:
        if name.startswith("NEWSLETTER_"):
            monkeypatch.delenv(name)
    assert HttpClient.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(HttpClient.__init__.__kwdefaults__, "backoff", 0.01)
    return Command(folder=tmp_path, monkeypatch=monkeypatch, capsys=capsys)


@pytest.fixture(scope="session")
def people_folder(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three subscribers on the list, to copy."""
    folder = tmp_path_factory.mktemp("people")
    shutil.copy(migrated_file, folder / "newsletter.db")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    for address in PEOPLE:
        adding = [str(PROGRAM), "subscribers", "add", address]
        subprocess.run(adding, cwd=folder, env=environ, check=True, capture_output=True)
    return folder


@pytest.fixture
def people(command: Command, people_folder: Path) -> Command:
    """Return the command with three subscribers on the list."""
    shutil.copytree(people_folder, command.folder, dirs_exist_ok=True)
    return command


@pytest.fixture(scope="session")
def draft_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a newsletter with a draft that waits for its operator's word, to copy."""
    folder = tmp_path_factory.mktemp("draft")
    make_draft(folder)
    return folder


@pytest.fixture
def office(draft_folder: Path, tmp_path: Path) -> Iterator[Served]:
    """Return a running server with a draft that waits for its operator's word."""
    shutil.copytree(draft_folder, tmp_path, dirs_exist_ok=True)
    with serving(tmp_path, settings=(tmp_path / "newsletter.toml").read_text(encoding="utf-8")) as served:
        yield served
