"""How each language writes dates and numbers, from a file that `python -m tools.messages` makes with babel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "locales" / "forms.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """Names and patterns of one language. Patterns hold {day}, {year}, and {month} by name or {number}."""

    months: tuple[str, ...]
    weekdays: tuple[str, ...]  # from Monday on
    day_month: str
    day_month_year: str
    first: str  # how the first day of a month is written
    group: str  # between thousands
    grouped_from: int  # the least number that is grouped

    def short_date(self, day: date) -> str:
        """Return day and month."""
        return self._dated(self.day_month, day)

    def long_date(self, day: date) -> str:
        """Return day, month and year."""
        return self._dated(self.day_month_year, day)

    def weekday(self, day: date) -> str:
        """Return the name of the weekday as a line begins with it."""
        name = self.weekdays[day.weekday()]
        return name[:1].upper() + name[1:]

    def number(self, n: int) -> str:
        """Return a whole number with its thousands grouped."""
        if -self.grouped_from < n < self.grouped_from:
            return str(n)
        return f"{n:,}".replace(",", self.group)

    def _dated(self, pattern: str, day: date) -> str:
        return pattern.format(  # ours alone, from the file
            day=self.first if day.day == 1 else day.day,
            month=self.months[day.month - 1],
            number=day.month,
            year=day.year,
        )


@lru_cache(maxsize=1)
def _all() -> dict[str, Forms]:
    tables = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        language: Forms(**(table | {name: tuple(table[name]) for name in ("months", "weekdays")}))
        for language, table in tables.items()
    }


def forms(language: str) -> Forms:
    """Return the forms of a shipped language."""
    return _all()[language]
