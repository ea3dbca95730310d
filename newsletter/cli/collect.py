"""`newsletter collect`: days into the database, without sending anything."""

from __future__ import annotations

from datetime import date, timedelta

import click

from newsletter.cli.shared import Day, begun, json_option, open_app, print_json, warn
from newsletter.errors import InputError
from newsletter.models.papers import DayKind, DayOfPapers


@click.command(short_help="Collect days and their votes, without sending.")
@click.option("--day", type=Day(), callback=begun, help="Collect this day alone.")
@click.option("--since", type=Day(), help="Collect every day from this one to today.")
@json_option
@click.pass_context
def collect(context: click.Context, day: date | None, since: date | None, as_json: bool) -> int:
    """Collect today as far as it has come, and the votes of earlier days again. Can run every hour.

    Each collection is an observation of the votes; `newsletter papers show ID` prints them.
    """
    if day is not None and since is not None:
        raise InputError("--day and --since exclude each other", remedy="give one of them")
    with open_app(context) as app:
        from newsletter.app import now

        today = now().date()
        if since is not None and since > today:
            raise InputError(
                f"{since} is in the future", subject="--since", remedy="give a day that has begun"
            )
        collector = app.days.collector()
        first = day or today
        back = 0 if day is not None else (today - since).days if since else app.settings.sources.history_days
        collected = [collector.collect(first)]
        for warning in collector.collect_again([first - timedelta(days=n) for n in range(1, back + 1)]):
            warn(warning)
        collected += [
            found for n in range(1, back + 1) if (found := app.days.stored(first - timedelta(days=n)))
        ]
    for each in collected[:1]:
        for text in each.warnings:
            warn(text)
    if as_json:
        print_json([_row(each) for each in collected])
    else:
        for each in collected:
            click.echo(f"{each.day}  {each.kind.value:<9}  {len(each.papers):>3} papers  {each.source}")
    return 1 if collected[0].kind is DayKind.FAILED else 0


def _row(day: DayOfPapers) -> dict[str, object]:
    return {
        "day": day.day.isoformat(),
        "kind": day.kind.value,
        "source": day.source,
        "papers": len(day.papers),
        "taken_at": day.taken_at.isoformat(),
        "warnings": list(day.warnings),
    }
