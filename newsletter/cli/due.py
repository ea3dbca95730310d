"""`newsletter run --if-due`: what the schedule says is due, of each edition."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from newsletter.cli.run import steps, stopped_by_signals, tell, tidy
from newsletter.cli.shared import complain, open_app, print_json, scheduled, warn
from newsletter.cli.telling import tell_github

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.app.alerting import Voices
    from newsletter.results import RunResult
    from newsletter.schedule import Timetable

_AHEAD = timedelta(minutes=5)  # as far as clocks may differ


def send_due(
    context: click.Context,
    edition: str | None,
    now: datetime | None,
    paths: tuple[Path, ...],
    *,
    as_json: bool,
) -> int:
    """Send what is due of each edition with a schedule; one that fails keeps no other from it."""
    codes: list[int] = []
    documents: list[object] = []
    stopped = Event()
    with open_app(context) as app:
        from newsletter.app.alerting import Voices
        from newsletter.app.scheduling import clock_from

        if now is not None and now > app.clock() + _AHEAD:
            raise click.UsageError(
                f"--now {now:%Y-%m-%d %H:%M} UTC is yet to come, and would use up the send of then: add --dry-run"
            )
        tables = scheduled(app.config, edition)
        for name, table in sorted(tables.items()):
            if stopped.is_set():
                break
            if now is not None:
                app.clock = clock_from(now)
            voices = Voices(app, name, warn)
            result, code = _look(app, name, table, paths, stopped, voices, quiet=as_json)
            tell_github(app.config.step_summary, result)
            voices.ended(result, over=not result.again)
            documents.append(result.as_json())
            codes.append(code)
            if code:
                complain(result.sentence)
            elif not as_json:
                click.echo(result.sentence)
    if as_json:
        print_json(documents[0] if len(documents) == 1 else documents)
    return max(codes)


def rehearse_due(
    context: click.Context,
    edition: str | None,
    now: datetime | None,
    paths: tuple[Path, ...],
    *,
    as_json: bool,
) -> int:
    """Do what is due of each edition with a schedule at a time, with the papers of the present; put nothing down."""
    results: list[RunResult] = []
    with open_app(context) as app:
        from newsletter.app.scheduling import scheduled as scheduled_send

        for name, table in sorted(scheduled(app.config, edition).items()):
            with steps(quiet=as_json) as (report, progress):
                send = scheduled_send(
                    app, name, table, report=report, progress=progress, paths=paths, dry_run=True,
                    guard=stopped_by_signals,
                )  # fmt: skip
                results.append(send.rehearse(now or app.clock()))
    if as_json and len(results) > 1:
        print_json([result.as_json() for result in results])
        return max(0 if result.ok else 1 for result in results)
    return max(tell(result, as_json=as_json) for result in results)


def ask_operator(app: App, edition: str) -> None:
    """Mail the drafts of an edition that wait for the operator's word, where it has such."""
    from newsletter.app.deciding import asked_of

    if asked_of(app.settings, edition) and (fault := app.senders.correspondence(complain).drain().fault):
        complain(f"the operator is not asked yet: {fault}")


def _look(
    app: App,
    edition: str,
    table: Timetable,
    paths: tuple[Path, ...],
    stopped: Event,
    voices: Voices,
    *,
    quiet: bool,
) -> tuple[RunResult, int]:
    """Return how an edition's scheduled send ended, and its exit code."""
    from newsletter.app.scheduling import scheduled as scheduled_send
    from newsletter.cli import explain
    from newsletter.errors import ConfigError, NewsletterError
    from newsletter.results import RunResult
    from subscribers.errors import SubscribersError

    try:
        with steps(quiet=quiet) as (report, progress):
            send = scheduled_send(
                app,
                edition,
                table,
                report=report,
                progress=progress,
                paths=paths,
                guard=lambda stop: stopped_by_signals(stop, stopped),
            )
            voices.follow(send)
            result = send.look()
            if result.state is not None and not stopped.is_set():
                tidy(app, report)
        ask_operator(app, edition)
    except (ConfigError, NewsletterError, SubscribersError) as error:
        sentence, code = explain(error)
        return RunResult(edition=edition, sentence=sentence, ok=False), code
    return result, 0 if result.ok else 1
