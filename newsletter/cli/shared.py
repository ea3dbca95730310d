"""What the commands share: opening the parts, days, JSON, questions."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.tables import print_table as print_table
from newsletter.config import Config, load, timetables
from newsletter.errors import ConfigError
from newsletter.schedule import EXAMPLE, Timetable

if TYPE_CHECKING:
    from newsletter.app import App

_EASTERNMOST = timedelta(hours=14)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999  # of a time that a command is told


_BAR_SECONDS = 0.1  # between two drawings of a progress bar


class Day(click.ParamType[date]):
    """A day written as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date, or fail with the form that is right."""
        if isinstance(value, date):
            return value
        try:
            return (
                date.fromisoformat(value)
                if len(value) == len("YYYY-MM-DD")
                else self._fail(value, param, ctx)
            )
        except ValueError:
            return self._fail(value, param, ctx)

    def _fail(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        self.fail(f"{value!r} is no day; write YYYY-MM-DD, such as 2024-09-12", param, ctx)


def begun(_context: click.Context, _option: click.Parameter, day: date | None) -> date | None:
    """Refuse a day that has not begun anywhere on earth: no source has it."""
    if day is not None and day > (datetime.now(UTC) + _EASTERNMOST).date():
        raise click.BadParameter(f"{day} is in the future; give a day that has begun")
    return day


class Moment(click.ParamType[datetime]):
    """A time written as ISO 8601, UTC where it names no other; returned in UTC."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time, or fail with the form that is right."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write it as 2026-03-08T07:30:00Z, or with +09:00", param, ctx)
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            self.fail(f"{value!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}", param, ctx)
        return found


class IssueName(click.ParamType[tuple[date, str | None]]):
    """An issue written as DAY or DAY/EDITION."""

    name = "DAY[/EDITION]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[date, str | None]:
        """Return the day, and the edition where one is named."""
        if isinstance(value, tuple):
            return value
        day, _, edition = str(value).partition("/")
        return Day().convert(day, param, ctx), edition or None


from_option = click.option(
    "--from", "paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="File with papers (digest, Hugging Face JSON, feed) instead of the configured sources; repeatable.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
edition_option = click.option("--edition", metavar="NAME", help="Edition (the only one, else daily).")
only_edition_option = click.option("--edition", metavar="NAME", help="This edition alone (all of them).")


@contextmanager
def open_app(context: click.Context) -> Iterator[App]:
    """Read the settings and build the parts; close them at the end."""
    config = load(context.find_object(Path))
    from newsletter.app import App

    app = App(config, warn)
    try:
        with logging_to(config):
            yield app
    finally:
        app.close()


def scheduled(config: Config, edition: str | None) -> dict[str, Timetable]:
    """Return the sends of the editions that have a schedule, or of one; raise `ConfigError` where there is none."""
    if edition is not None:
        config.settings.edition(edition)
    known = timetables(config.settings)
    found = {name: table for name, table in known.items() if edition in {None, name}}
    if not found:
        name = edition or next(iter(config.settings.editions))
        raise ConfigError(
            "has no schedule" if edition else "no edition has a schedule",
            subject=f"edition {edition}" if edition else "",
            remedy=f"write below [editions.{name}] in {config.file or 'newsletter.toml'}: {EXAMPLE}",
        )
    return found


def logging_to(config: Config) -> AbstractContextManager[None]:
    """Return what writes the log that is configured, as long as it lasts."""
    from newsletter.logs import logged

    own = config.settings.log
    file = config.path(own.file) if own.file else None
    return logged(
        own.level, form=own.format, file=file, addresses=own.addresses, stream=sys.stderr, warn=warn
    )


def warn(text: str) -> None:
    """Say something that may need a hand, on standard error."""
    complain(f"warning: {text}")


def complain(text: str) -> None:
    """Say what went wrong, on standard error."""
    click.echo(f"newsletter: {text}", err=True)


def certain(question: str, *, yes: bool, about: str = "") -> bool:
    """Ask before something that cannot be undone, told what it is; without a terminal ``--yes`` must have answered."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("this cannot be undone, and without a terminal nobody can be asked: add --yes")
    if about:
        click.echo(about, err=True)
    return click.confirm(question, err=True)


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


class ProgressBar:
    """A progress bar on a terminal (standard error), nothing elsewhere; `finish` it before other output."""

    def __init__(self, label: str = "send     ") -> None:
        self._label = label
        self._bar: Any = None
        self._began = (0.0, 0)
        self._next = 0.0
        self._lock = threading.Lock()

    def show(self, done: int, total: int) -> None:
        """Show how far the work is."""
        now = time.monotonic()
        if not sys.stderr.isatty() or (now < self._next and done < total):
            return
        with self._lock:
            self._next = now + _BAR_SECONDS
            if self._bar is None:
                self._began = now, done
                self._bar = click.progressbar(
                    length=total, label=self._label, file=sys.stderr, show_pos=True, item_show_func=self._rate
                )
            self._bar.update(done - self._bar.pos, now)

    def _rate(self, now: float | None) -> str | None:
        """Say how many there are a second, on average."""
        began, before = self._began
        if now is None or now <= began:
            return None
        return f"{(self._bar.pos - before) / (now - began):,.0f}/s"

    def finish(self) -> None:
        """Leave the bar as it is and go to the next line; the next `show` begins another one."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
