"""The list on a database of each kind, with nobody on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from subscribers.store import metadata
from subscribers.subscriptions import ListSettings, SubscriberList
from tests.subscribers.transfers import Files
from tests.support.postgres import PostgresServer


def with_foreign_keys(engine: sa.Engine) -> sa.Engine:
    """Make SQLite hold its foreign keys."""

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


@pytest.fixture(scope="session")
def list_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file that has the tables, to copy."""
    path = tmp_path_factory.mktemp("list") / "list.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def list_database(postgres: PostgresServer) -> str:
    """Return the name of a PostgreSQL database that has the tables, to be emptied for each test."""
    with postgres.admin() as admin:
        admin.execute("CREATE DATABASE list")
    engine = sa.create_engine(postgres.url("list"))
    metadata.create_all(engine)
    engine.dispose()
    return "list"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """Return an engine on a database that has the tables, and nothing in them."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("list_file"), tmp_path / "list.db")
        engine = with_foreign_keys(sa.create_engine(f"sqlite:///{path}"))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        engine = sa.create_engine(server.emptied(request.getfixturevalue("list_database")))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Return a connection in a transaction."""
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def people() -> SubscriberList:
    """Return the list under test."""
    return SubscriberList(ListSettings(hash_key=b"a key for tests only"))


@pytest.fixture
def files(engine: sa.Engine, tmp_path: Path) -> Files:
    """Return the list with files going in and out, on a database of each kind."""
    return Files(engine=engine, folder=tmp_path)


@pytest.fixture
def other(list_file: Path, tmp_path: Path) -> Iterator[Files]:
    """Return another list, an empty one."""
    folder = tmp_path / "other"
    folder.mkdir()
    path = shutil.copy(list_file, folder / "other.db")
    engine = with_foreign_keys(sa.create_engine(f"sqlite:///{path}"))
    yield Files(engine=engine, folder=folder)
    engine.dispose()
