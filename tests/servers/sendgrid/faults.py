"""What goes wrong with a request to the local SendGrid, told by its number."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Cut(Enum):
    """Where the connection ends."""

    BEFORE = "before"  # the request's body is not read; with a status, that is answered first
    BODY = "body"  # in the middle of the request's body
    AFTER = "after"  # the request was read whole, and nothing is answered
    HEADERS = "headers"  # in the middle of the answer's headers
    ANSWER = "answer"  # in the middle of the answer's body


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request instead of, or besides, the right answer.

    With ``status`` or ``cut`` nothing is taken, unless ``taken``; else the request is worked as ever, and only the
    answer is late (``delay`` seconds), slow (``drip`` seconds between its octets) or ``nameless`` (no X-Message-Id).
    ``body`` replaces the errors that a status has; ``reset`` is in how many seconds a 429 says to come again.
    """

    status: int | None = None
    taken: bool = False
    cut: Cut | None = None
    delay: float = 0.0
    drip: float = 0.0
    nameless: bool = False
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: float = 1.0

    @property
    def takes(self) -> bool:
        """Whether the request is worked."""
        return self.taken or (self.status is None and self.cut is None)


Script = Sequence[Fault | None] | Callable[[int], Fault | None]


def proxy_error(status: int = 502, *, taken: bool = False) -> Fault:
    """Answer with the HTML page of something between client and API."""
    page = f"<html><head><title>{status} Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
    return Fault(status=status, taken=taken, body=page.encode(), headers={"Content-Type": "text/html"})


def due(script: Script, number: int) -> Fault | None:
    """Return what happens to a request; the first has the number 1."""
    if callable(script):
        return script(number)
    return script[number - 1] if number <= len(script) else None


def seeded(seed: int, share: float, *, delay: float) -> Callable[[int], Fault | None]:
    """Return a script in which that share of requests meets a fault; ``delay`` is longer than the client waits."""
    kinds: tuple[Fault, ...] = (
        *(Fault(status=status) for status in (400, 401, 403, 413, 429, 500, 503)),
        *(Fault(status=status, taken=True) for status in (500, 503)),
        *(Fault(cut=cut) for cut in (Cut.BEFORE, Cut.BODY, Cut.AFTER)),
        *(Fault(cut=cut, taken=True) for cut in (Cut.AFTER, Cut.HEADERS, Cut.ANSWER)),
        Fault(delay=delay),
        Fault(status=503, cut=Cut.BEFORE),
        Fault(nameless=True),
        proxy_error(502),
        proxy_error(504, taken=True),
    )

    def script(number: int) -> Fault | None:
        chance = random.Random(f"{seed} {number}")
        return chance.choice(kinds) if chance.random() < share else None

    return script


def read_faults(document: Sequence[Mapping[str, Any] | None]) -> list[Fault | None]:
    """Return a script that was written as JSON: an object of a fault's fields, or null, for each request."""
    return [None if each is None else _read(dict(each)) for each in document]


def _read(fields: dict[str, Any]) -> Fault:
    if "cut" in fields:
        fields["cut"] = Cut(fields["cut"])
    if "body" in fields:
        fields["body"] = fields["body"].encode()
    return Fault(**fields)
