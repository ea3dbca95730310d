"""`newsletter events`: what mail providers posted of letters on their way."""

from __future__ import annotations

from dataclasses import asdict

import click

from newsletter.cli.shared import complain, json_option, open_app, print_json, print_table
from newsletter.errors import one_line


@click.group(short_help="See what mail providers posted of letters; work it through.")
def events() -> None:
    """What mail providers posted: delivered, bounced, complained (docs/events.md).

    `newsletter serve` takes it and works it through by itself, and every run does so before it sends.
    """


@events.command(short_help="Work through what waits.")
@json_option
@click.pass_context
def work(context: click.Context, as_json: bool) -> int:
    """Work through the events that wait, and those that were set aside because of a fault."""
    with open_app(context) as app:
        from newsletter.app.receiving import work_again

        done = work_again(app)
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(f"{done.worked} worked, {done.nobody} concern nobody, {done.failed} failed.")
    if done.failed:
        complain(f"{done.failed} set aside because of a fault; the log of level error names them")
    return 1 if done.failed else 0


@events.command("list", short_help="Print the newest events.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most."
)
@json_option
@click.pass_context
def list_(context: click.Context, limit: int, as_json: bool) -> None:
    """Print the newest events: what they say, of which delivery, and how far they are."""
    with open_app(context) as app:
        from newsletter.app.receiving import newest

        rows = newest(app, limit)
    if as_json:
        print_json(rows)
    elif rows:
        names = ("provider", "kind", "state", "issue", "subscriber", "status", "reason")
        cells = (["" if row[name] is None else one_line(str(row[name])) for name in names] for row in rows)
        times = (_time(row["at"]) for row in rows)
        print_table(("UTC", *names), [[time, *own] for time, own in zip(times, cells, strict=True)])
    else:
        click.echo("There are none.")


@events.command(short_help="Count events by provider and kind.")
@json_option
@click.pass_context
def stats(context: click.Context, as_json: bool) -> None:
    """Count the events that are kept: how many wait, concern nobody, or were set aside because of a fault."""
    with open_app(context) as app:
        from newsletter.app.receiving import counted

        rows = [{**asdict(each), "last": each.last.isoformat(timespec="seconds")} for each in counted(app)]
    if as_json:
        print_json(rows)
    elif rows:
        numbers = ("number", "waiting", "nobody", "failed")
        print_table(
            ("provider", "kind", *numbers, "last (UTC)"),
            [
                [row["provider"], row["kind"], *(f"{row[name]:,}" for name in numbers), _time(row["last"])]
                for row in rows
            ],
            right=frozenset(numbers),
        )
    else:
        click.echo("There are none.")


def _time(text: str) -> str:
    """Return a time of JSON, which is UTC, as tables show it."""
    return text.replace("T", " ")[:19]
