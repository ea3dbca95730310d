"""What pages write: one thread, one durable transaction for everything that waits, then the answers.

A commit costs a wait for the disk and SQLite has one writer, so the requests that come meanwhile share the next one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from newsletter.database import Database
from newsletter.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_AT_ONCE = 100  # in a transaction: others wait for it no longer than they would for some requests
MOST_WAITING = 2_000
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    future: Future[Any]


class Writer:
    """Does the writing of all requests. `start` it, `close` it at the end: what waits then is still done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: deque[_Job] = deque()
        self._news = Condition()
        self._closing = False
        self._thread = Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, work: Callable[[Connection], _Value]) -> Future[_Value]:
        """Do some work in a transaction; its result is there once the disk has it.

        What the work raises comes out of the future and undoes that work alone. Raises `DatabaseError` where too
        much waits already.
        """
        job = _Job(work, Future())
        with self._news:
            if self._closing or len(self._jobs) >= MOST_WAITING:
                raise DatabaseError("too much waits to be written", remedy="try again")
            self._jobs.append(job)
            self._news.notify()
        return job.future

    def close(self) -> None:
        """Do what waits, then end."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._taken():
            self._do(jobs)

    def _taken(self) -> list[_Job]:
        """Wait for jobs and return them; none at the end."""
        with self._news:
            self._news.wait_for(lambda: self._jobs or self._closing)
            return [self._jobs.popleft() for _ in range(min(len(self._jobs), MOST_AT_ONCE))]

    def _do(self, jobs: list[_Job]) -> None:
        """Do jobs in one transaction; those that fail are tried once more, each alone."""
        try:
            with self._database.write(durable=True) as connection:
                done = [_tried(connection, job, alone=len(jobs) == 1) for job in jobs]
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer of those who wait
            done = [error] * len(jobs)
        for job, result in zip(jobs, done, strict=True):
            if isinstance(result, _Done):
                job.future.set_result(result.value)
            elif len(jobs) > 1:  # others may be to blame: a lost connection, a deadlock
                self._do([job])
            else:
                job.future.set_exception(result)


@dataclass(frozen=True, slots=True)
class _Done:
    value: Any


def _tried(connection: Connection, job: _Job, *, alone: bool) -> _Done | Exception:
    if alone:
        return _Done(job.work(connection))
    try:
        with connection.begin_nested():
            return _Done(job.work(connection))
    except Exception as error:  # noqa: BLE001  # as above
        return error
