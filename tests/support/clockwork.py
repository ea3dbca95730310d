"""A newsletter whose time a test moves on: its source is late or broken, its processes die, and two may be one day's."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.collecting import Collector, closed_days
from newsletter.database import Database
from newsletter.delivery import deadline, pages, processes
from newsletter.delivery.recipients import Links
from newsletter.dispatch import Dispatcher
from newsletter.errors import ProviderUnavailable
from newsletter.letters import Identity
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter, Selection
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.publishing import Policy, Publisher
from newsletter.results import RunResult
from newsletter.schedule import Timetable
from newsletter.scheduling import Scheduled
from newsletter.summaries.chain import SummaryChain
from newsletter.templating.issue import Design

READERS = 3
CLOSES_AT = time(16)
SETTINGS: dict[str, Any] = {
    "design": Design(name="Daily Papers", postal_address="5 Paper Lane, 1234 Sampletown"),
    "identity": Identity(
        newsletter="Daily Papers", from_name="Daily Papers", from_address="news@example.org",
        links=Links(public_url="https://news.example.org", unsubscribe_mailbox=""),
    ),
}  # fmt: skip


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass(slots=True, kw_only=True)
class Process:
    """One call: it dies after ``steps`` of its work, if that is a number; ``between`` is what others do meanwhile."""

    number: int
    steps: int | None
    between: Callable[[], None] = lambda: None
    dead: bool = False

    def step(self) -> None:
        """Do a step of the work, or die; the dead do nothing."""
        if self.steps is not None:
            self.steps -= 1
            self.dead = self.dead or self.steps < 0
        if self.dead:
            raise Killed

    def meet(self) -> None:
        """Do a step between transactions, in which other processes may come to work, once."""
        self.step()
        between, self.between = self.between, lambda: None
        between()


class MortalDatabase(Database):
    """A database whose process may die before and after each commit."""

    process: Process

    @contextmanager
    def write(self, **options: Any) -> Iterator[Any]:
        self.process.step()
        with super().write(**options) as connection:
            yield connection
            self.process.step()
        self.process.step()

    @contextmanager
    def direct(self, statement: Any) -> Iterator[Any]:
        with super().direct(statement) as run:

            def step(values: Any) -> int:
                self.process.step()
                done: int = run(values)
                self.process.step()
                return done

            yield step


@dataclass(slots=True, kw_only=True)
class World:
    """What is outside of the processes: the sources' days, the mail server, and the machine."""

    where: Path | str
    table: Timetable
    dice: random.Random
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    ready_at: dict[date, datetime] = field(default_factory=dict)
    quiet: set[date] = field(default_factory=set)
    server_down: bool = False
    arrived: set[str] = field(default_factory=set)  # delivery ids
    given_up: list[str] = field(default_factory=list)  # what a call said that came too late
    alive: list[int] = field(default_factory=list)
    started: int = 0

    def kind(self, day: date, now: datetime) -> DayKind:
        """Return what a day is at a time; what it will be is decided when it is first asked for."""
        if day not in self.ready_at:
            closed = datetime.combine(day, CLOSES_AT, UTC)
            late = self.dice.choice([0, 0, 0, 0, self.dice.randrange(48), 10_000])
            self.ready_at[day] = closed + timedelta(hours=late)
            if self.dice.random() < 0.25:
                self.quiet.add(day)
        if now < self.ready_at[day]:
            return DayKind.NOT_READY if day.toordinal() % 2 else DayKind.FAILED
        return DayKind.QUIET if day in self.quiet else DayKind.COMPLETE

    def call(self, *, steps: int | None = None, between: Callable[[], None] = lambda: None) -> RunResult:
        """Call the scheduled send as a process of its own, at the world's time."""
        self.started += 1
        process = Process(number=self.started, steps=steps, between=between)
        database = MortalDatabase(self.where)
        database.process = process
        self.alive.append(process.number)
        try:
            return self._scheduled(database, process).look()
        finally:
            self.alive.remove(process.number)
            database.close()

    def _scheduled(self, database: MortalDatabase, process: Process) -> Scheduled:
        now = self.now

        def dispatcher() -> Dispatcher:
            return Dispatcher(
                edition="daily", database=database, provider=Server(world=self, process=process, now=now), connections=1,
                clock=lambda: now, report=lambda _line: None, **SETTINGS,
            )  # fmt: skip

        def publisher() -> tuple[Publisher, Sequence[date]]:
            collector = Collector(
                database=database, source=Days(world=self, process=process, now=now), clock=lambda: now
            )
            made = Publisher(
                language="en", policy=Policy(selection=Selection(top=2)), collector=collector, history_days=0,
                summarizer=lambda _papers: SummaryChain([]), dispatcher=dispatcher(),
            )  # fmt: skip
            return made, closed_days(now, CLOSES_AT)

        return Scheduled(
            edition="daily", table=self.table, database=database, clock=lambda: now, dispatcher=dispatcher,
            publisher=publisher,
        )  # fmt: skip

    def name(self) -> str:
        """Return the name of the process that runs."""
        return f"{processes._host()}:{self.alive[-1]}:1"

    def start_time(self, number: int) -> str:
        """Return when a process began, empty for one that is gone."""
        return "1" if number in self.alive else ""


@dataclass(slots=True, kw_only=True)
class Days:
    """The source: it has what the world says."""

    world: World
    process: Process
    now: datetime
    name: str = "days"

    def fetch(self, day: date) -> DayOfPapers:
        self.process.meet()
        kind = self.world.kind(day, self.now)
        papers = [
            Paper(
                id=f"{day:%y%m.%d}{n:03}",
                title=f"Paper {n} of {day}",
                url="https://arxiv.org/abs/1",
                votes=9 - n,
            )
            for n in range(2)
        ]
        given = tuple(papers) if kind is DayKind.COMPLETE else ()
        return DayOfPapers(source=self.name, day=day, kind=kind, papers=given, taken_at=self.now)


@dataclass(slots=True, kw_only=True)
class Server:
    """The provider: a mail server, which may have taken one message that its client never heard of."""

    world: World
    process: Process
    now: datetime
    name: str = "server"
    batch_size: int = 2
    exposure: Exposure = Exposure.FIRST
    on_uncertain: OnUncertain = OnUncertain.RESEND

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        if self.world.server_down:
            raise ProviderUnavailable("the server is gone", subject="server")
        yield self

    def send(self, _letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        for recipient in recipients:
            self.process.meet()
            self.world.arrived.add(recipient.delivery_id)
            self.process.step()
            yield Receipt(subscriber_id=recipient.subscriber_id, outcome=Outcome.ACCEPTED)


def on_this_machine(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Let the processes of a world be those that the machine knows."""
    monkeypatch.setattr(pages, "process_name", world.name)
    monkeypatch.setattr(deadline, "process_name", world.name)
    monkeypatch.setattr(processes, "_start_time", world.start_time)
