"""The loop that sends: claim a page, hand it to the provider, settle each answer; and what dead owners left."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from newsletter.database import Database
from newsletter.delivery import ledger
from newsletter.delivery.recipients import Links, recipient
from newsletter.errors import DatabaseError, ProviderUnavailable
from newsletter.models import IssueState, Letter, Receipt, Recipient
from newsletter.protocols import Connection, Exposure, Provider
from newsletter.store import IssueRecord
from subscribers.models import AddressState
from subscribers.suppressions import Suppressions

if TYPE_CHECKING:
    from sqlalchemy import Select

CLAIM_SECONDS = 10.0
FIRST_CLAIM = 20
HEARTBEAT_SECONDS = 5.0
MOST_REASON = 200  # characters of a reply that are kept as the reason of a suppression
LOOK_SECONDS = 1.0  # between two looks whether the issue is still to be sent


@dataclass(kw_only=True)
class Sending:
    """One issue being sent by this process. ``stop`` ends it after the message that is in flight.

    What was refused for a while is tried again within ``wait``; another process may pause or cancel the issue.
    ``limit`` bounds how many are written to.
    """

    database: Database
    provider: Provider
    issue: IssueRecord
    letter: Letter
    audience: Select[Any]
    links: Links
    clock: Callable[[], datetime]
    connections: int = 1
    patience: ledger.Patience = ledger.PATIENCE
    wait: timedelta = timedelta()
    limit: int | None = None
    on_receipt: Callable[[Recipient, Receipt], None] = lambda _recipient, _receipt: None
    stop: threading.Event = field(default_factory=threading.Event)
    _claims: set[int] = field(default_factory=set)
    _faults: list[BaseException] = field(default_factory=list)
    _unconnected: list[ProviderUnavailable] = field(default_factory=list)
    _looked: float = 0.0
    _left: threading.Lock = field(default_factory=threading.Lock)
    _halted: bool = False

    def run(self) -> None:
        """Send until nothing is due within ``wait``; raise `ProviderUnavailable` when the provider as a whole refuses.

        Rows that were not handed over are pending again in every case.
        """
        resolve_dead_claims(self.database, self.issue.id, self.clock())
        with self._heartbeat():
            connected = self._round(self.connections)
            while connected and not self._faults and self._may_go_on():
                connected = self._round(1 if self._unconnected else self.connections)
        if self._halted:
            self._settle_cancelled()
        if self._faults:
            raise self._faults[0]
        if not connected:
            raise self._unconnected[-1]

    def _round(self, connections: int) -> bool:
        """Send what is due now; False where none of the connections could be had."""
        before = len(self._unconnected)
        threads = [threading.Thread(target=self._guarded_work) for _ in range(connections - 1)]
        for thread in threads:
            thread.start()
        self._guarded_work()
        for thread in threads:
            thread.join()
        return len(self._unconnected) - before < connections

    def _may_go_on(self) -> bool:
        """Wait until something is due again; False where that is too far away, or the issue is halted."""
        if self.limit == 0:
            return False
        with self.database.read() as connection:
            if ledger.has_due(connection, self.issue.id, self.clock()):
                # what a thread gave back that found no connection, or what another process is about to take
                return not self.stop.wait(0.1) and not self._is_halted()
            due = ledger.next_due(connection, self.issue.id)
        if due is None or due - self.clock() > self.wait:
            return False
        while not self.stop.is_set() and not self._is_halted():
            left = (due - self.clock()).total_seconds()
            if left <= 0:
                return True
            self.stop.wait(min(left, LOOK_SECONDS))
        return False

    def _is_halted(self) -> bool:
        """Look, every second, whether another process paused or cancelled the issue."""
        if not self._halted and monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            with self.database.read() as connection:
                self._halted = ledger.state_of(connection, self.issue.id) is not IssueState.SENDING
        return self._halted

    def _settle_cancelled(self) -> None:
        """Where the issue was cancelled, so is what this process gave back."""
        with self.database.write() as transaction:
            if ledger.state_of(transaction, self.issue.id) is IssueState.CANCELLED:
                ledger.cancel_waiting(transaction, self.issue.id)

    def _guarded_work(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # a thread's fault is raised by `run`
            self._faults.append(error)
            self.stop.set()

    def _work(self) -> None:
        claim = self._claim(min(FIRST_CLAIM, self.provider.batch_size), 0)
        if claim is None:
            return
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self.provider.connect())
            except BaseException as error:
                self._release(claim, Exposure.NONE)
                if not isinstance(error, ProviderUnavailable):
                    raise
                self._unconnected.append(error)  # no fault while other threads have a connection
                return
            while claim is not None:
                claim = self._send_page(connection, claim)

    def _send_page(self, connection: Connection, claim: ledger.Claim) -> ledger.Claim | None:
        """Send a claim and end it; return the next one."""
        began = monotonic()
        try:
            self._send(connection, claim)
        except ProviderUnavailable:
            self._release(claim, Exposure.NONE)
            raise
        except BaseException:
            self._release(claim, self.provider.exposure)
            raise
        self._release(claim, Exposure.NONE)
        if self.stop.is_set() or self._halted:
            return None
        rate = len(claim.rows) / max(monotonic() - began, 1e-3)
        size = max(1, min(self.provider.batch_size, int(rate * CLAIM_SECONDS)))
        # Behind the last one, look from the start again: others may have given something back.
        return self._claim(size, claim.last) or self._claim(size, 0)

    def _claim(self, size: int, after: int) -> ledger.Claim | None:
        with self._left:  # the limit is over all threads
            return self._claim_within(size, after)

    def _claim_within(self, size: int, after: int) -> ledger.Claim | None:
        if self.limit is not None:
            size = min(size, self.limit)
            if size == 0:
                return None
        with self.database.write(durable=True) as transaction:
            claim = ledger.claim(
                transaction, self.issue.id, self.audience, owner=process_name(), provider=self.provider.name,
                exposure=self.provider.exposure, limit=size, after=after, now=self.clock(),
            )  # fmt: skip
        if claim is not None:
            self._claims.add(claim.id)
            if self.limit is not None:
                self.limit -= len(claim.rows)
        return claim

    def _send(self, connection: Connection, claim: ledger.Claim) -> None:
        people = [
            recipient(
                row,
                edition=self.issue.edition,
                day=self.issue.day,
                links=self.links,
                from_address=self.letter.from_address,
            )
            for row in claim.rows
        ]
        receipts = connection.send(self.letter, people)
        for row, person, receipt in zip(claim.rows, people, receipts, strict=True):
            with self.database.write() as transaction:
                ours = ledger.settle(
                    transaction, claim, row, receipt, self.clock(),
                    resend_uncertain=self.provider.exposure is not Exposure.ALL, patience=self.patience,
                )  # fmt: skip
                if ours and receipt.hard:
                    Suppressions.happened(
                        transaction, row.subscriber_id, AddressState.BOUNCED, reason=receipt.reply[:MOST_REASON],
                        actor=self.provider.name, now=self.clock(),
                    )  # fmt: skip
            if ours:
                self.on_receipt(person, receipt)
            if self.stop.is_set() or not ours or self._is_halted():
                return

    def _release(self, claim: ledger.Claim, doubt: Exposure) -> None:
        """End a claim; what it still holds goes back, or is in doubt."""
        with self.database.write() as transaction:
            ledger.take_over(transaction, claim.issue_id, claim.id, doubt, self.clock())
        self._claims.discard(claim.id)

    @contextmanager
    def _heartbeat(self) -> Iterator[None]:
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(HEARTBEAT_SECONDS):
                with (
                    suppress(DatabaseError),
                    self.database.write() as transaction,
                ):  # the next beat tries again
                    ledger.beat(transaction, set(self._claims), self.clock())

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def resolve_dead_claims(database: Database, issue_id: int, now: datetime) -> int:
    """Take over the claims of processes that are gone; return how many messages may have been written twice."""
    doubtful = 0
    with database.write(durable=True) as transaction:
        for claim in ledger.open_claims(transaction, issue_id):
            if is_dead(claim.owner, claim.heartbeat, now):
                doubtful += ledger.take_over(transaction, issue_id, claim.id, Exposure(claim.exposure), now)
    return doubtful


def process_name() -> str:
    """Return this process's name as the owner of claims: host, process id and start time."""
    return f"{_host()}:{os.getpid()}:{_start_time(os.getpid())}"


def is_dead(owner: str, heartbeat: datetime, now: datetime) -> bool:
    """Tell whether an owner is gone: at once on the same host, after 15 s without a heartbeat elsewhere."""
    host, pid, started = owner.rsplit(":", 2)
    if host != _host():
        return now - heartbeat > ledger.DEAD_AFTER
    return _start_time(int(pid)) != started


def _host() -> str:
    """Return where process ids mean the same: this boot of this machine, this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{boot}/{space}".replace(":", "")


def _start_time(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; empty if there is no such process, or only its remains.

    Where the kernel does not tell (no /proc), it is "0" for every process that lives.
    """
    if Path("/proc/self").exists():
        try:
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
            return "" if fields[0] in {"Z", "X"} else fields[19]
        except (OSError, IndexError):
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "0"
