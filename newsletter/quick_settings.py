"""What `newsletter status` needs of the settings, without reading and checking all of them, which takes longer.

What is not plain here is left to `newsletter.config`, which says what is wrong with it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import ConfigError

if TYPE_CHECKING:
    from newsletter.schedule import Timetable

_DATABASE = "sqlite:///newsletter.db"
_SCHEDULE = {"at": "07:30", "days": "mon-fri", "timezone": "UTC", "latest": "12:00"}
_VARIABLE = "NEWSLETTER_DATABASE__URL"
_PLAIN = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickSettings:
    """The SQLite file, and when each edition with a schedule is sent."""

    database: Path
    tables: Mapping[str, Timetable]


def quick_settings(file: Path | None, environ: Mapping[str, str] | None = None) -> QuickSettings | None:
    """Return what the settings say, as `config.load` would; None where that has to be asked."""
    environ = os.environ if environ is None else environ
    if any(name.startswith("NEWSLETTER_EDITIONS__") for name in environ):
        return None
    path = file or Path("newsletter.toml")
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8-sig")) if file or path.is_file() else {}
        given = tree.get("database", {}).get("url", _DATABASE)
        url = environ[_VARIABLE].rstrip("\r\n") if _VARIABLE in environ else given
        schedules = {name: edition.get("schedule") for name, edition in tree.get("editions", {}).items()}
        tables = {name: _timetable(_SCHEDULE | own) for name, own in schedules.items() if own is not None}
    except (OSError, ValueError, AttributeError, TypeError, ConfigError):
        return None
    name = url.removeprefix(_PLAIN) if isinstance(url, str) and url.startswith(_PLAIN) else ""
    if not name or name == ":memory:" or "?" in name:
        return None
    return QuickSettings(database=(path.parent / Path(name).expanduser()).absolute(), tables=tables)


def _timetable(schedule: Mapping[str, str]) -> Timetable:
    from newsletter.schedule import timetable

    if not set(schedule) <= {*_SCHEDULE, "approve"} or not all(
        re.fullmatch(r"\d\d:\d\d", schedule[name]) for name in ("at", "latest")
    ):
        raise ValueError("the settings say what is wrong")
    return timetable(**{name: schedule[name] for name in _SCHEDULE}, subject="")
