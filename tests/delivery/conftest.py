"""The command, for tests of delivery that go through it; a database by a test's seed; files with many readers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from newsletter.database import Database
from tests.support.issues import add_readers
from tests.support.postgres import PostgresServer

ON_POSTGRES = 10  # one seed of so many


@pytest.fixture
def seeded_database(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> Iterator[Database]:
    """Return a database: SQLite, and now and then PostgreSQL."""
    with ExitStack() as stack:
        if seed % ON_POSTGRES == 1:
            server: PostgresServer = request.getfixturevalue("postgres")
            template = request.getfixturevalue("migrated_template")
            where: str | Path = stack.enter_context(server.fresh(template=template))
        else:
            where = Path(shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "newsletter.db"))
        opened = Database(where)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def filled_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return what makes an SQLite file with so many subscribers, to copy; one for each number."""
    made: dict[int, Path] = {}

    def filled(number: int) -> Path:
        if number not in made:
            made[number] = Path(
                shutil.copy(migrated_file, tmp_path_factory.mktemp("filled") / "newsletter.db")
            )
            fill(f"sqlite:///{made[number]}", number)
        return made[number]

    return filled


def fill(url: str, number: int) -> None:
    """Put so many subscribers into a database."""
    database = Database(url)
    add_readers(database, number)
    with database.read() as connection:  # SQLite copies its log into the file when the last connection closes
        connection.exec_driver_sql("SELECT 1")
    database.close()
