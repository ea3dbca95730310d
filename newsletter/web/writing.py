"""What pages write: one thread, one durable transaction for everything that waits, then the answers.

A commit costs a wait for the disk and SQLite has one writer, so the requests that come meanwhile share the next one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from newsletter.database import Database
from newsletter.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_AT_ONCE = 100  # in a transaction: others wait for it no longer than they would for some requests
MOST_WAITING = 2_000
GATHER_SECONDS = 0.02  # for others to come: a transaction costs more than what a request writes in it
_Item = TypeVar("_Item")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any] | None
    item: Any  # of `Writer.together`, where there is no work
    future: Future[Any]
    heard: list[Future[Any]] = field(default_factory=list)  # the future again, where somebody waits for it

    def answer(self, result: _Done | Exception) -> None:
        """Tell whoever waits."""
        for future in self.heard:
            if isinstance(result, _Done):
                future.set_result(result.value)
            else:
                future.set_exception(result)


class Writer(Generic[_Item]):
    """Does the writing of all requests. `start` it, `close` it at the end: what waits then is still done.

    ``together`` writes the items of `add` that wait, all of them in one call.
    """

    def __init__(self, database: Database, together: Callable[[Connection, Sequence[_Item]], object]) -> None:
        self._database = database
        self._together = together
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
        return self._put(_Job(work, None, Future()))

    def add(self, item: _Item) -> Future[None]:
        """Write an item together with others; done once the disk has it. Raises as `submit` does."""
        return self._put(_Job(None, item, Future()))

    def _put(self, job: _Job) -> Future[Any]:
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
        time.sleep(GATHER_SECONDS)
        with self._news:
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), MOST_AT_ONCE))]
        for job in jobs:  # who hung up gets no answer; the work is done all the same
            job.heard.extend([job.future] if job.future.set_running_or_notify_cancel() else [])
        return jobs

    def _do(self, jobs: list[_Job]) -> None:
        """Do jobs in one transaction; those that fail in it are tried once more, each alone.

        Where there is no transaction to be had, or none that can be committed, that is the answer for all.
        """
        groups = self._grouped(jobs)
        try:
            with self._database.write(durable=True) as connection:
                done = [self._tried(connection, group, alone=len(groups) == 1) for group in groups]
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer of those who wait
            for job in jobs:
                job.answer(error)
            return
        for group, result in zip(groups, done, strict=True):
            for job in group:
                if isinstance(result, _Done) or len(jobs) == 1:
                    job.answer(result)
                else:  # others in the group may be to blame
                    self._do([job])

    @staticmethod
    def _grouped(jobs: list[_Job]) -> list[list[_Job]]:
        """Return the jobs of work, each alone, and the items together."""
        items = [job for job in jobs if job.work is None]
        return [*([job] for job in jobs if job.work is not None), *([items] if items else [])]

    def _tried(self, connection: Connection, group: list[_Job], *, alone: bool) -> _Done | Exception:
        """Do a group, which undoes itself where it fails; ``alone`` the transaction does that."""
        if alone:
            return self._done(connection, group)
        try:
            with connection.begin_nested():
                return self._done(connection, group)
        except Exception as error:  # noqa: BLE001  # as above
            return error

    def _done(self, connection: Connection, group: list[_Job]) -> _Done:
        work = group[0].work
        if work is not None:
            return _Done(work(connection))
        self._together(connection, [job.item for job in group])
        return _Done(None)


@dataclass(frozen=True, slots=True)
class _Done:
    value: Any
