"""`newsletter send`: one issue by its name, or its letter to a few as a test."""

from __future__ import annotations

from datetime import date

import click

from newsletter.cli.run import steps, stopped_by_signals, tell
from newsletter.cli.shared import IssueName, json_option, open_app, print_json
from newsletter.errors import ProviderUnavailable


@click.command(short_help="Send one issue by its name, or its letter as a test.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Send to at most N now; the rest waits."
)
@click.option(
    "--test", "tests", multiple=True, metavar="ADDRESS",
    help="Send the letter, marked as a test, to this address alone; repeatable.",
)  # fmt: skip
@json_option
@click.pass_context
def send(
    context: click.Context,
    name: tuple[date, str | None],
    limit: int | None,
    tests: tuple[str, ...],
    as_json: bool,
) -> int:
    """Send what is waiting of an issue that `newsletter run` planned.

    With --test the real letter goes to the given addresses, marked, with an unsubscribe link that leads to nobody;
    nothing of it is kept, and it is no copy of an issue. Without a planned issue it is the letter of now.
    """
    day, given = name
    if tests and limit is not None:
        raise click.UsageError("--limit is for subscribers; leave it out with --test")
    with open_app(context) as app:
        edition = app.editions.name(given)
        if tests:
            return _test(app, edition, day, tests, as_json=as_json)
        from newsletter.app.sending import send_planned

        with steps(quiet=as_json) as (report, progress):
            dispatcher = app.senders.dispatcher(edition, report=report, progress=progress)
            dispatcher.limit = limit
            dispatcher.guard = stopped_by_signals
            result = send_planned(dispatcher, edition, day)
    return tell(result, as_json=as_json)


def _test(app: object, edition: str, day: date, tests: tuple[str, ...], *, as_json: bool) -> int:
    from newsletter.app import App
    from newsletter.app.sending import send_test

    assert isinstance(app, App)
    told: list[dict[str, str]] = []
    try:
        for address, receipt in send_test(app, edition, day, tests, lambda line: click.echo(line, err=True)):
            told.append({"address": address, "outcome": receipt.outcome.value, "reply": receipt.reply})
            if not as_json:
                click.echo(f"{address}: {receipt.outcome.value} ({receipt.reply})")
    except ProviderUnavailable:
        if as_json and told:
            print_json(told)
        raise
    if as_json:
        print_json(told)
    return 0 if all(row["outcome"] == "accepted" for row in told) else 1
