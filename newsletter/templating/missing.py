"""What a template asked for and is not there: its fault names the nearest thing that is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from jinja2 import StrictUndefined
from jinja2.utils import missing

_NAME = re.compile(r"'(\w+)' is undefined")


class Missing(StrictUndefined):
    """Raises at every use, and says what was meant where an attribute is misspelt."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        thing, name = self._undefined_obj, self._undefined_name
        if self._undefined_hint or thing is missing or not isinstance(name, str):
            return super()._undefined_message
        known = (each for each in dir(thing) if not each.startswith("_"))
        kind = type(thing).__name__.removesuffix("View").lower()
        return f"{kind} has no attribute {name!r}{_meant(name, known)}"


def with_nearest(said: str, known: Iterable[str]) -> str:
    """Return what is said of a name that is undefined, with the nearest one that is known."""
    found = _NAME.fullmatch(said)
    return f"{said}{_meant(found[1], known)}" if found else said


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
