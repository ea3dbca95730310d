"""`newsletter preview --serve`: the studio from its start to Ctrl-C."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import complain, open_app, warn

if TYPE_CHECKING:
    from newsletter.web.making import Wanted


PORT = 8765  # where none is named; always the same, so that an address that somebody kept stays good


def serve(context: click.Context, wanted: Wanted, *, port: int | None, open_it: bool | None) -> None:
    """Serve the page until Ctrl-C. What keeps it from starting is an error; later faults stand in the page."""
    from newsletter.app import now
    from newsletter.cli import explain
    from newsletter.web.making import Maker
    from newsletter.web.studio import Studio

    with open_app(context) as app:
        app.editions.name(wanted.edition)
        collected = app.days.for_preview(wanted.paths, wanted.day)
    for warning in collected.warnings:
        warn(warning)

    def told(error: Exception) -> str:
        line, _ = explain(error)
        complain(line)
        return line

    maker = Maker(settings_file=context.find_object(Path), wanted=wanted, collected=collected, clock=now)
    studio = Studio(maker, port=PORT if port is None else port, explain=told)
    click.echo(f"The letter of {collected.day} at {studio.address} (Ctrl-C ends it)")
    if sys.stdout.isatty() if open_it is None else open_it:
        webbrowser.open(studio.address)
    studio.run()
