"""`newsletter run`: the daily send."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import (
    Day,
    Moment,
    ProgressBar,
    begun,
    complain,
    edition_option,
    from_option,
    json_option,
    open_app,
    print_json,
)
from newsletter.cli.telling import told

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.results import RunResult


@click.command(short_help="Send the day's issue: each subscriber once.")
@click.option(
    "--day", type=Day(), callback=begun, help="Day to send (the newest closed one that is not quiet)."
)
@from_option
@click.option("--dry-run", is_flag=True, help="Do everything but plan and send; the database stays as it is.")
@click.option("--if-due", is_flag=True, help="Send what the schedule says is due; call it every 10 minutes.")
@click.option(
    "--now", type=Moment(),
    help="With --if-due: take this for the time (UTC, unless it says +09:00 or such). One that is yet to come needs "
    "--dry-run: it would use up the send of then.",
)  # fmt: skip
@json_option
@edition_option
@click.pass_context
def run(
    context: click.Context,
    day: date | None,
    paths: tuple[Path, ...],
    dry_run: bool,
    if_due: bool,
    now: datetime | None,
    as_json: bool,
    edition: str | None,
) -> int:
    """Collect, rank, summarise, render and send: each subscriber once, however often it is called.

    A run that was killed goes on where it stopped, with the bytes that were planned. Without --day it takes the
    newest closed day that is not quiet, at most 4 days back.

    With --if-due it does so for each edition with a schedule whose time has come, once a local day, and goes on with
    what was begun; what was not begun by the schedule's latest is held. With --dry-run it does what is due with the
    papers there are now, and puts nothing down. With --json that is an object for one edition, a list for several.

    Exit code 0: it did what there was to do, and where nothing was sent, the sentence says why. 1: the work failed, in
    part or as a whole. 2: wrong use, settings or input. `[alerts]` tells somebody else.
    """
    if if_due:
        if day is not None:
            raise click.UsageError("--if-due does not go with --day: the schedule says what is sent")
        from newsletter.cli.due import rehearse_due, send_due

        look = rehearse_due if dry_run else send_due
        return look(context, edition, now, paths, as_json=as_json)
    if now is not None:
        raise click.UsageError("--now goes with --if-due alone")
    with open_app(context) as app:
        name = app.editions.name(edition)
        for other in app.settings.editions if edition is None else ():
            if other != name:
                click.echo(
                    f"edition   {other} is not in this run: `newsletter run --edition {other}`", err=as_json
                )
        result = told(
            app, name, lambda: send(app, name, day, paths, dry_run=dry_run, quiet=as_json), dry_run=dry_run
        )
    return tell(result, as_json=as_json)


def tell(result: RunResult, *, as_json: bool) -> int:
    """Say how a send ended; return the exit code."""
    if as_json:
        print_json(result.as_json())
    elif result.ok:
        click.echo(result.sentence)
    if not result.ok:
        complain(result.sentence)
    return 0 if result.ok else 1


def send(
    app: App,
    edition: str,
    day: date | None,
    paths: tuple[Path, ...],
    *,
    dry_run: bool = False,
    quiet: bool = False,
) -> RunResult:
    """Run an edition's day and say each step (on standard error when ``quiet``)."""
    source = app.days.file_source(paths, day) if paths else None
    given = source.day if source is not None else day
    days = app.days.closed() if given is None else [given]
    with steps(quiet=quiet) as (report, progress):
        publisher = app.senders.publisher(edition, source, report=report, progress=progress, dry_run=dry_run)
        publisher.dispatcher.guard = stopped_by_signals
        result = publisher.run(days, dry_run=dry_run)
        if not dry_run and not publisher.dispatcher.stop.is_set():
            tidy(app, report)
        return result


def tidy(app: App, report: Callable[[str], None]) -> None:
    """Keep old issues as counts, and say so."""
    from newsletter.app.retention import roll_up_old

    if rolled_up := roll_up_old(app):
        report(f"tidy      of {', '.join(rolled_up)} the counts are kept (delivery.keep)")


@contextmanager
def steps(*, quiet: bool) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Give what says each step of a send (on standard error when ``quiet``), and what draws its progress."""
    bar = ProgressBar()

    def report(line: str) -> None:
        bar.finish()
        click.echo(line, err=quiet)

    try:
        yield report, bar.show
    finally:
        bar.finish()


@contextmanager
def stopped_by_signals(*stops: Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the sending after the message in flight; a second one ends at once."""

    def ask(number: int, _frame: object) -> None:
        for stop in stops:
            stop.set()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
