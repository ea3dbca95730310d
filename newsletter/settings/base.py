"""What every table of settings is made of: secrets, durations, rates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from msgspec import Struct


class Secret:
    """A value that never shows in a log or a repr."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('***')" if self._value else "Secret('')"


def without_password(url: str) -> str:
    """Return a database's URL without its password, wherever in it that stands."""
    hidden = re.sub(r"(://[^:/@]*:).*@", r"\1***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """One setting as `newsletter config` shows it; ``path`` is dotted, ``NAME`` stands for an edition."""

    path: str
    default: object
    help: str
    kind: str
    choices: tuple[str, ...] = ()


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


DURATION = r"^(\d{1,6} ?(s|min|h)|\d{1,5} ?d)$"  # at most some hundred years: a time so long ago exists
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Return how long ``30 s``, ``30 min``, ``12 h`` or ``2 d`` is."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    return timedelta(**{_UNITS[text[len(number) :].strip()]: int(number)})


BASE_URL = r"^https?://[^\s/?#@]+(/[^\s?#@]*)?\Z"  # host, port and path of an API
RATE = r"^$|^[1-9]\d{0,6} ?/ ?(s|min)$"


def interval(rate: str) -> timedelta | None:
    """Return the time between two messages at a rate such as ``600/min``; None for no rate."""
    number, _, unit = rate.partition("/")
    return duration(f"1{unit.strip()}") / int(number) if rate else None
