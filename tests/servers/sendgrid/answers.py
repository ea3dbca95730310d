"""The answers that the API has beside its 202."""

from __future__ import annotations

import math

import orjson

from tests.servers.sendgrid.rules import Broken
from tests.servers.sendgrid.wire import Answer


def rate_headers(rate: tuple[int, float], remaining: int, ends: float) -> dict[str, str]:
    """Return the headers that tell of the limit: calls, those left, when it begins anew (seconds of the clock)."""
    return {
        "X-RateLimit-Limit": str(rate[0]),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(math.ceil(ends)),
    }


def errors(*broken: Broken) -> bytes:
    """Return broken rules as the body that the API answers."""
    return orjson.dumps({"errors": [each.document() for each in broken]})


def refusal(
    status: int, message: str, *, field: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Return an answer with one error."""
    kind = {"Content-Type": "application/json"}
    return Answer(
        status=status, headers=kind | (headers or {}), body=errors(Broken(message=message, field=field))
    )
