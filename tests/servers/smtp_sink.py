"""A fast SMTP server in a process of its own, whose log says who got what, and that can be told to misbehave.

Of each message a line ``connection TAB recipient TAB message-id`` is in the log before the end of its data is
answered, so whatever dies, the log holds what the server took. Its faults are drawn from a seed, anew for each moment
of each connection: the n-th MAIL of the m-th connection meets the same fate whatever happens elsewhere.

::

    with SinkProcess(folder, misbehaviour=Misbehaviour(seed=7, odds=0.02, most=30)) as sink:
        ...  # connect to sink.host, sink.port
        sink.taken()
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<\S+>)", re.IGNORECASE | re.MULTILINE)
MOMENTS = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT", "QUIT")
_NONSENSE = (
    b"what?\r\n",
    b"\xff\xfe\r\n",
    b"2\r\n",
    b"999 sure\r\n",
    b"250" + b"x" * 9_000 + b"\r\n",
    b"\r\n",
)
_END = b"\r\n.\r\n"


class Fate(Enum):
    """What happens instead of an answer. ``LATE`` answers rightly, when the client has given up."""

    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"
    TEMPORARY = "4xx"
    PERMANENT = "5xx"
    CLOSING = "421"
    NONSENSE = "nonsense"
    HALF_OPEN = "half-open"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """Faults with the odds of each moment, at most ``most`` of them in all; ``late`` seconds is past any time-out.

    At the end of the data the message is kept all the same in half of the cases that leave it open.
    """

    seed: int = 0
    odds: float = 0.0
    most: int = 0
    late: float = 1.0
    moments: tuple[str, ...] = MOMENTS
    fates: tuple[str, ...] = tuple(fate.value for fate in Fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message that the server took."""

    connection: int
    recipient: str
    message_id: str


class SinkProcess:
    """Starts the server on a free port of 127.0.0.1, and ends it; its logs are in ``folder``."""

    host = "127.0.0.1"

    def __init__(
        self, folder: Path, *, pipelining: bool = True, misbehaviour: Misbehaviour | None = None
    ) -> None:
        self.log, self.fault_log = folder / "sink.log", folder / "faults.log"
        self.log.touch()
        self.fault_log.touch()
        self._options = json.dumps(
            {
                "log": str(self.log), "fault_log": str(self.fault_log), "pipelining": pipelining,
                "misbehaviour": asdict(misbehaviour or Misbehaviour()),
            }
        )  # fmt: skip
        self.port = 0
        self._counted = self._read = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def count(self) -> int:
        """Return how many messages were taken so far, at the cost of reading what is new."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        self._counted += new.count(b"\n")
        return self._counted

    def wait_for(self, number: int, alive: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait until so many messages were taken, or nobody sends any more."""
        deadline = time.monotonic() + seconds
        while self.count() < number and alive():
            assert time.monotonic() < deadline, f"{self.count()} of {number} messages came in {seconds} s"
            time.sleep(0.002)

    def taken(self) -> list[Taken]:
        """Return what was taken, in order."""
        rows = [line.split("\t") for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [Taken(connection=int(number), recipient=who, message_id=name) for number, who, name in rows]

    def faults(self) -> list[tuple[str, Fate]]:
        """Return what it did wrong, in order: at which moment, and what."""
        rows = [line.split("\t") for line in self.fault_log.read_text(encoding="ascii").splitlines()]
        return [(moment, Fate(fate)) for _, moment, fate in rows]


@dataclass(slots=True, kw_only=True)
class _Shared:
    """What the connections of a server share."""

    log: int
    fault_log: int
    pipelining: bool
    misbehaviour: Misbehaviour
    connections: int = 0
    faults: int = 0


@dataclass(slots=True)
class _Draw:
    """What happens at a moment, and whether the message is kept where that is open."""

    fate: Fate
    keep: bool
    nonsense: bytes


@dataclass(slots=True)
class _Session(asyncio.Protocol):
    """One connection: commands in, answers out, all that is there at once."""

    shared: _Shared
    number: int = 0
    transport: asyncio.Transport = field(init=False)
    buffer: bytearray = field(default_factory=bytearray)
    recipients: list[str] = field(default_factory=list)
    in_data: bool = False
    searched: int = 0
    deaf: bool = False
    moments: dict[str, int] = field(default_factory=dict)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.shared.connections += 1
        self.number = self.shared.connections
        self.answer("CONNECT", b"220 sink.example ESMTP\r\n")

    def eof_received(self) -> bool:
        return self.deaf  # a half-open connection stays so

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self.deaf and (self._data() if self.in_data else self._command()):
            pass

    def _command(self) -> bool:
        line, found, _ = self.buffer.partition(b"\r\n")
        if not found:
            return False
        del self.buffer[: len(line) + 2]
        verb = bytes(line[:4]).upper()
        if verb in {b"EHLO", b"HELO"}:
            self.answer("EHLO", self._greeting())
        elif verb == b"MAIL":
            self.recipients.clear()
            self.answer("MAIL", b"250 2.1.0 ok\r\n")
        elif verb == b"RCPT":
            if self.answer("RCPT", b"250 2.1.5 ok\r\n"):
                self.recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
        elif verb == b"DATA":
            if not self.recipients:
                self.transport.write(b"503 5.5.1 no valid recipients\r\n")
            else:
                self.in_data = self.answer("DATA", b"354 go on\r\n")
        elif verb == b"QUIT":
            self.answer("QUIT", b"221 2.0.0 bye\r\n")
            if not self.deaf:
                self.transport.close()
        elif verb in {b"RSET", b"NOOP"}:
            self.recipients.clear()
            self.transport.write(b"250 2.0.0 ok\r\n")
        else:
            self.transport.write(b"500 5.5.2 not understood\r\n")
        return True

    def _greeting(self) -> bytes:
        offers = [b"sink.example", b"SIZE 52428800", b"8BITMIME", b"SMTPUTF8", b"ENHANCEDSTATUSCODES"]
        if self.shared.pipelining:
            offers.insert(1, b"PIPELINING")
        lines = [b"250-" + offer for offer in offers[:-1]]
        return b"\r\n".join([*lines, b"250 " + offers[-1], b""])

    def _data(self) -> bool:
        end = self.buffer.find(_END, self.searched)
        if end < 0:
            self.searched = max(0, len(self.buffer) - len(_END))
            return False
        found = MESSAGE_ID.search(self.buffer, 0, end)
        message_id = found[1].decode() if found else "-"
        del self.buffer[: end + len(_END)]
        self.in_data, self.searched = False, 0
        draw = self._draw("DOT")
        if draw is None:
            self._keep(message_id)
            self.transport.write(b"250 2.0.0 taken\r\n")
            return True
        if draw.keep and draw.fate not in {Fate.TEMPORARY, Fate.PERMANENT, Fate.CLOSING}:
            self._keep(message_id)
        elif draw.fate is Fate.LATE:
            asyncio.get_running_loop().call_later(self.shared.misbehaviour.late, self._keep, message_id)
        self._misbehave(draw, b"250 2.0.0 taken\r\n")
        return True

    def _keep(self, message_id: str) -> None:
        lines = [f"{self.number}\t{recipient}\t{message_id}\n" for recipient in self.recipients]
        os.write(self.shared.log, "".join(lines).encode())

    def answer(self, moment: str, reply: bytes) -> bool:
        """Answer, unless a fault is due; return whether the answer was given."""
        draw = self._draw(moment)
        if draw is None:
            self.transport.write(reply)
            return True
        self._misbehave(draw, reply)
        return False

    def _draw(self, moment: str) -> _Draw | None:
        plan = self.shared.misbehaviour
        if self.shared.faults >= plan.most or moment not in plan.moments:
            return None
        count = self.moments[moment] = self.moments.get(moment, 0) + 1
        dice = random.Random(f"{plan.seed} {self.number} {moment} {count}")
        if dice.random() >= plan.odds:
            return None
        self.shared.faults += 1
        draw = _Draw(Fate(dice.choice(plan.fates)), dice.random() < 0.5, dice.choice(_NONSENSE))
        os.write(self.shared.fault_log, f"{self.number}\t{moment}\t{draw.fate.value}\n".encode())
        return draw

    def _misbehave(self, draw: _Draw, reply: bytes) -> None:
        match draw.fate:
            case Fate.TEMPORARY:
                self.transport.write(b"451 4.3.0 try again later\r\n")
            case Fate.PERMANENT:
                self.transport.write(b"554 5.0.0 no\r\n")
            case Fate.CLOSING:
                self.transport.write(b"421 4.3.2 going down\r\n")
                self._leave()
            case Fate.NONSENSE:
                self.transport.write(draw.nonsense)
            case Fate.CLOSE:
                self._leave()
            case Fate.RESET:
                self.deaf = True
                line: socket.socket = self.transport.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
            case Fate.HALF_OPEN:
                self.deaf = True
                self.transport.write_eof()
            case Fate.STALL:
                self.deaf = True
            case Fate.LATE:
                self.deaf = True
                asyncio.get_running_loop().call_later(self.shared.misbehaviour.late, self._late, reply)

    def _leave(self) -> None:
        self.deaf = True
        self.transport.close()

    def _late(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(reply)


async def _serve(options: str) -> None:
    given = json.loads(options)
    plan = given["misbehaviour"]
    shared = _Shared(
        log=os.open(given["log"], os.O_WRONLY | os.O_APPEND),
        fault_log=os.open(given["fault_log"], os.O_WRONLY | os.O_APPEND),
        pipelining=given["pipelining"],
        misbehaviour=Misbehaviour(
            **{**plan, "moments": tuple(plan["moments"]), "fates": tuple(plan["fates"])}
        ),
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Session(shared), "127.0.0.1", 0, backlog=200)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started it is gone


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
