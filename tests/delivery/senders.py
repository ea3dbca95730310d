"""Processes that send an issue, as `newsletter run` does, under conditions that a test chooses.

They are forked from a small server that has everything imported, so that a thousand of them cost little.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from typing import Any

from sqlalchemy import event

import newsletter.sqlite_file
from newsletter import store
from newsletter.database import Database
from newsletter.delivery.patience import Patience
from newsletter.dispatch import Dispatcher
from newsletter.errors import DatabaseError
from newsletter.letters import Identity
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from newsletter.templating.issue import Design
from tests.support.issues import DAY, LETTER, LINKS

NO_DATABASE = 3  # the exit code where the database let it down
TIMEOUT = 0.25
_JUMPS = (timedelta(days=-1), timedelta(hours=-1), timedelta(minutes=10), timedelta(days=1))
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a sender has to live with.

    ``ahead`` sets its clock; ``jumps`` are the odds that it jumps each time it is asked. ``busy`` is how long
    it waits for a locked database, in seconds. Its SQLite file may have ``pages``, any file ``octets``.
    """

    ahead: timedelta = timedelta()
    jumps: float = 0.0
    seed: int = 0
    connections: int = 1
    busy: float = 30.0
    pages: int = 0
    octets: int = 0


class JumpingClock:
    """The time, as a machine tells it whose clock is set forth and back."""

    def __init__(self, conditions: Conditions) -> None:
        self._ahead, self._odds = conditions.ahead, conditions.jumps
        self._dice = random.Random(conditions.seed)

    def __call__(self) -> datetime:
        """Return the time."""
        if self._dice.random() < self._odds:
            self._ahead += self._dice.choice(_JUMPS)
        return datetime.now(UTC) + self._ahead


def start(url: str, port: int, conditions: Conditions) -> ForkServerProcess:
    """Start a process that goes on with the issue of the tests, once."""
    process = _processes.Process(target=send, args=(url, port, conditions), daemon=True)
    process.start()
    return process


def send(url: str, port: int, conditions: Conditions) -> None:
    """Go on with the issue; exit with `NO_DATABASE` where the database cannot be used."""
    newsletter.sqlite_file.BUSY_SECONDS = conditions.busy  # type: ignore[assignment]
    if conditions.octets:
        resource.setrlimit(resource.RLIMIT_FSIZE, (conditions.octets, resource.RLIM_INFINITY))
    database = Database(url)
    if conditions.pages and database.is_sqlite:

        def bound(driver: Any, _record: object) -> None:
            driver.execute(f"PRAGMA max_page_count={conditions.pages}")

        event.listen(database.engine, "connect", bound)
    try:
        with database.read() as connection:
            record = store.find_issue(connection, "daily", DAY)
        assert record is not None
        _dispatcher(database, port, conditions).go_on(record, dry_run=False)
    except DatabaseError:
        sys.exit(NO_DATABASE)
    finally:
        database.close()


def _dispatcher(database: Database, port: int, conditions: Conditions) -> Dispatcher:
    return Dispatcher(
        edition="daily", database=database,
        provider=SmtpProvider(SmtpSettings(host="127.0.0.1", port=port, tls="none", timeout=TIMEOUT)),
        design=Design(name="Daily", postal_address="1 Lane"),
        identity=Identity(newsletter="Daily", from_name="Daily", from_address=LETTER.from_address, links=LINKS),
        connections=conditions.connections, clock=JumpingClock(conditions), report=lambda _line: None,
        patience=Patience(first=timedelta(milliseconds=100)), wait=timedelta(milliseconds=300),
    )  # fmt: skip
