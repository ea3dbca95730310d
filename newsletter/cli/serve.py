"""`newsletter serve`: the pages on which people subscribe and leave."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from newsletter.cli.shared import complain, logging_to, scheduled, warn
from newsletter.config import load
from newsletter.errors import ConfigError


@click.command(short_help="Serve the pages on which people subscribe and leave.")
@click.option("--host", metavar="ADDRESS", help="Address to listen on (web.host).")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", help="Port, 0 for any that is free (web.port)."
)
@click.option("--schedule", is_flag=True, help="Send each edition when its schedule says so, too.")
@click.option("--quiet", is_flag=True, help="Log faults alone, not each request.")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None, schedule: bool, quiet: bool) -> None:
    """Serve sign-up, confirmation and unsubscribe pages, and send the mails that they cause, until Ctrl-C or SIGTERM.

    It takes the events that mail providers post, where the settings say whose (docs/events.md). It speaks plain HTTP:
    put a proxy with https before it (docs/web.md). Requests are logged on standard error, with neither tokens nor
    addresses. With --schedule it does what `newsletter run --if-due` does, about every 30 seconds.
    """
    try:
        from newsletter.web.opening import opened
        from newsletter.web.server import address_of, listen
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("newsletter"):
            raise
        raise ConfigError(
            f"needs the package {error.name.partition('.')[0]!r}", subject="newsletter serve",
            remedy="pip install 'daily-papers-newsletter[web]'",
        ) from error  # fmt: skip
    from newsletter.app import App
    from newsletter.app.receiving import event_readers
    from newsletter.app.serving import public_url, reached_at
    from newsletter.web.events import PATH

    config = load(context.find_object(Path))
    web = config.settings.web
    tables = scheduled(config, None) if schedule else {}
    listening = listen(web.host if host is None else host, web.port if port is None else port)
    with listening, logging_to(config):
        address = address_of(listening)
        app = App(reached_at(config, address), warn)
        try:
            log, readers = _silent if quiet else _log, event_readers(app)
            server = opened(app, listening, log=log, complain=complain, tables=tables, readers=readers)
            click.echo(f"The pages are at {address}/ (Ctrl-C ends it)")
            for name in readers:
                click.echo(f"Events of {name} are taken at {public_url(app) or address}{PATH}{name}")
            sys.stdout.flush()
            server.run()
        finally:
            app.close()


def _log(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")


def _silent(line: str) -> None:
    if " failed: " in line or " refused: " in line:
        _log(line)
