"""The list on a database of each kind, with nobody on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from subscribers.store import metadata
from subscribers.subscriptions import ListSettings, SubscriberList
from tests.subscribers.transfers import Files


def with_foreign_keys(engine: sa.Engine) -> sa.Engine:
    """Make SQLite hold its foreign keys."""

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """Return an engine on a fresh database that has the tables."""
    if request.param == "sqlite":
        engine = with_foreign_keys(sa.create_engine(f"sqlite:///{tmp_path / 'list.db'}"))
    else:
        engine = sa.create_engine(request.getfixturevalue("postgres_url"))
    metadata.create_all(engine)
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
def other(tmp_path: Path) -> Iterator[Files]:
    """Return another list, an empty one."""
    folder = tmp_path / "other"
    folder.mkdir()
    engine = with_foreign_keys(sa.create_engine(f"sqlite:///{folder / 'other.db'}"))
    metadata.create_all(engine)
    yield Files(engine=engine, folder=folder)
    engine.dispose()
