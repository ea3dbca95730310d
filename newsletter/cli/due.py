"""`newsletter run --if-due`: what the schedule says is due, of each edition."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from newsletter.cli.run import steps, stopped_by_signals, tidy
from newsletter.cli.shared import complain, open_app, print_json, scheduled, warn
from newsletter.cli.telling import tell_github

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.app.alerting import Voices
    from newsletter.dispatch import RunResult
    from newsletter.schedule import Timetable


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


def ask_operator(app: App, edition: str) -> None:
    """Mail the drafts of an edition that wait for the operator's word, where it has such."""
    from newsletter.app.deciding import asked_of

    if asked_of(app.settings, edition) and (fault := app.correspondence(complain).drain().fault):
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
    from newsletter.dispatch import RunResult
    from newsletter.errors import ConfigError, NewsletterError
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
