"""How long the provider takes for messages, by the domain that they go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from sqlalchemy import Connection, case

from newsletter.delivery.tables import domain_time
from newsletter.models.deliveries import Receipt, Recipient
from newsletter.store.upsert import insert_into


@dataclass(slots=True, kw_only=True)
class Taken:
    """Messages to one domain, their seconds together, and those of the slowest."""

    messages: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


@dataclass(slots=True)
class Stopwatch:
    """Times messages in memory, for several threads at once."""

    _taken: dict[str, Taken] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def timed(
        self, people: Sequence[Recipient], receipts: Iterable[Receipt]
    ) -> Iterator[tuple[Receipt, float]]:
        """Yield receipts with the seconds that each was waited for: one message, from being asked for to its answer."""
        timed: list[tuple[str, float]] = []
        began = monotonic()
        try:
            for person, receipt in zip(people, receipts, strict=False):
                seconds = monotonic() - began
                timed.append((person.address, seconds))
                yield receipt, seconds
                began = monotonic()
        finally:
            self._add(timed)

    def _add(self, timed: Iterable[tuple[str, float]]) -> None:
        with self._lock:
            for address, seconds in timed:
                taken = self._taken.setdefault(domain_of(address), Taken())
                taken.messages += 1
                taken.seconds += seconds
                taken.slowest = max(taken.slowest, seconds)

    def take(self) -> Mapping[str, Taken]:
        """Return what was timed since the last time, by domain."""
        with self._lock:
            taken, self._taken = self._taken, {}
        return taken


def domain_of(address: str) -> str:
    """Return the domain of an address."""
    return address.rpartition("@")[2].lower()


def add(connection: Connection, issue_id: int, times: Mapping[str, Taken]) -> None:
    """Add times to those of an issue."""
    if not times:
        return
    rows = [
        {
            "issue_id": issue_id, "domain": domain, "messages": taken.messages, "seconds": taken.seconds,
            "slowest": taken.slowest,
        }
        for domain, taken in sorted(times.items())  # in one order, so that two processes never wait for each other
    ]  # fmt: skip
    statement = insert_into(connection, domain_time)
    own, new = domain_time.c, statement.excluded
    summed = {
        "messages": own.messages + new.messages, "seconds": own.seconds + new.seconds,
        "slowest": case((own.slowest > new.slowest, own.slowest), else_=new.slowest),
    }  # fmt: skip
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(domain_time.primary_key), set_=summed), rows
    )
