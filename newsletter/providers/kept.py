"""What a connection keeps of the letter that it sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from newsletter.models.issues import Letter

_Made = TypeVar("_Made")


class OfLetter(Generic[_Made]):
    """Gives what is made of a letter: once for all pages of a send, because it keeps what its messages share."""

    def __init__(self, make: Callable[[Letter], _Made]) -> None:
        self._make = make
        self._last: tuple[Letter, _Made] | None = None

    def __call__(self, letter: Letter) -> _Made:
        """Return what was made last if that is of this letter, else make it."""
        if self._last is None or self._last[0] is not letter:
            self._last = letter, self._make(letter)
        return self._last[1]
