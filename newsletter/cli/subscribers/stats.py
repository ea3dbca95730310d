"""The command that counts the list, and draws how it grew."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.charts import EIGHTHS, axis, bars
from newsletter.cli.shared import json_option, only_edition_option, open_app, print_json
from newsletter.cli.subscribers.forms import STATES
from newsletter.cli.tables import print_table

if TYPE_CHECKING:
    from subscribers.standing import Standing
    from subscribers.statistics import DayOfGrowth

BY_DAY = 14  # with more days the table goes by week
ROWS = 8


@click.command(short_help="Count the list, and draw how it grew.")
@only_edition_option
@click.option(
    "--days", type=click.IntRange(1, 3_660), default=30, show_default=True, metavar="N", help="How far to look back."
)  # fmt: skip
@json_option
@click.pass_context
def stats(context: click.Context, edition: str | None, days: int, as_json: bool) -> None:
    """Count the list by edition and state, and say who joined and left. Days are UTC.

    A reader is a subscription that is active or paused. Whoever ceases to be one has left: unsubscribed, bounced,
    complained, suppressed or erased. On a terminal growth is drawn.
    """
    with open_app(context) as app:
        from newsletter.app import now
        from subscribers.statistics import growth, standings

        if edition is not None:
            app.editions.name(edition)
        today = now().date()
        with app.databases.open_to_look().read() as connection:
            counts = standings(connection)
            grown = growth(
                connection, counts, edition_name=edition, since=today - timedelta(days=days - 1), until=today
            )
    if edition is not None:
        counts = {edition: counts.get(edition, Counter())}
    if as_json:
        print_json(_described(counts, grown))
        return
    if not any(each.total() for each in counts.values()):
        click.echo("Nobody is on the list; `newsletter subscribers add EMAIL` adds somebody.")
        return
    _print_counts(counts)
    _print_growth(grown)


def _named(counts: Counter[Standing]) -> dict[str, int]:
    found = {standing.value: number for standing, number in counts.items()}
    return {state: found.get(state, 0) for state in STATES}


def _print_counts(counts: dict[str, Counter[Standing]]) -> None:
    """Print the states that there are; what every edition lacks would only be in the way."""
    named = {edition: _named(each) for edition, each in counts.items()}
    if len(named) > 1:
        named["all"] = _named(sum(counts.values(), Counter()))
    shown = [state for state in STATES if state == "active" or any(n[state] for n in named.values())]
    rows = [
        (edition, *(f"{each[state]:,}" for state in shown), f"{sum(each.values()):,}")
        for edition, each in named.items()
    ]
    print_table(("edition", *shown, "in all"), rows, right=frozenset([*shown, "in all"]))


def _print_growth(grown: Sequence[DayOfGrowth]) -> None:
    first, last = grown[0], grown[-1]
    before = first.readers - first.joined + first.left
    joined, left = sum(day.joined for day in grown), sum(day.left for day in grown)
    span = "today" if len(grown) == 1 else f"in the last {len(grown)} days"
    click.echo(f"\nReaders {span}: {before:,} + {joined:,} joined - {left:,} left = {last.readers:,}")
    if len(grown) > 1 and _can_draw():
        lines = bars(
            [day.readers for day in grown], columns=shutil.get_terminal_size().columns - 1, rows=ROWS
        )
        click.echo("\n" + "\n".join([*lines, axis(f"{first.day}", f"{last.day}", lines[-1])]))
    by_week = len(grown) > BY_DAY
    stretches = _weeks(grown) if by_week else [[day] for day in grown]
    rows = [
        (
            f"{days[0].day}", f"{sum(day.joined for day in days):,}", f"{sum(day.left for day in days):,}",
            f"{days[-1].readers:,}",
        )
        for days in stretches
    ]  # fmt: skip
    click.echo()
    numbers = ("joined", "left", "readers")
    print_table(("week from" if by_week else "day", *numbers), rows, right=frozenset(numbers))


def _weeks(grown: Sequence[DayOfGrowth]) -> list[list[DayOfGrowth]]:
    """Return the days by week, from Monday; the first and the last week may be cut."""
    weeks: dict[date, list[DayOfGrowth]] = {}
    for day in grown:
        weeks.setdefault(day.day - timedelta(days=day.day.weekday()), []).append(day)
    return list(weeks.values())


def _can_draw() -> bool:
    """Whether standard output is a terminal that has the characters."""
    if not sys.stdout.isatty():
        return False
    try:
        f"{EIGHTHS}┤└─".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _described(counts: dict[str, Counter[Standing]], grown: Sequence[DayOfGrowth]) -> dict[str, Any]:
    """Return the statistics as JSON has them."""
    editions = {edition: _named(each) for edition, each in counts.items()}
    return {
        "editions": {name: {**each, "all": sum(each.values())} for name, each in editions.items()},
        "growth": [
            {"day": each.day.isoformat(), "joined": each.joined, "left": each.left, "readers": each.readers}
            for each in grown
        ],
    }
