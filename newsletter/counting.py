"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return a number of things: "1 letter", "2 letters"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def so_many(number: int, what: str) -> str:
    """Return how many are waiting, uncertain and the like: "1 is waiting", "2 are waiting"."""
    return f"{number} {'is' if number == 1 else 'are'} {what}"
