"""`newsletter next`: when the coming issues are sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from itertools import islice
from pathlib import Path

import click

from newsletter.cli.shared import (
    Moment,
    json_option,
    only_edition_option,
    open_app,
    print_json,
    print_table,
    scheduled,
)
from newsletter.config import load
from newsletter.schedule import Send


@click.command("next", short_help="Print when the coming issues are sent.")
@click.option(
    "--now", type=Moment(), help="Count from this time instead of now (UTC, unless it says +09:00 or such)."
)
@click.option(
    "--count", type=click.IntRange(1, 1_000), default=5, show_default=True, metavar="N", help="How many."
)
@click.option("--past", is_flag=True, help="Print instead what became of the last sends.")
@only_edition_option
@json_option
@click.pass_context
def next_(
    context: click.Context, now: datetime | None, count: int, past: bool, edition: str | None, as_json: bool
) -> None:
    """Print the coming sends of every edition that has a schedule, the next one first, in local time and in UTC.

    `newsletter run --if-due` sends them. A local time that the clocks skip is the first moment after the gap; one that
    they show twice is the first.
    """
    tables = scheduled(load(context.find_object(Path)), edition)
    if past:
        _past(context, list(tables), count, as_json=as_json)
        return
    if now is None:
        from newsletter.app import now as clock

        now = clock()
    coming = merge(
        *(_named(name, table.coming(now)) for name, table in tables.items()),
        key=lambda each: (each[1].begins, each[0]),
    )
    sends = list(islice(coming, count))
    if as_json:
        print_json(
            [
                {
                    "edition": name, "day": send.day.isoformat(), "local": send.local.isoformat(),
                    "utc": f"{send.begins:%Y-%m-%dT%H:%M:%SZ}",
                }
                for name, send in sends
            ]
        )  # fmt: skip
        return
    print_table(
        ("edition", "day", "local", "UTC", "until"),
        [
            (
                name, f"{send.day:%a} {send.day}", f"{send.local:%H:%M} {send.zone}", f"{send.begins:%Y-%m-%d %H:%M}",
                f"{send.local_latest:%H:%M}",
            )
            for name, send in sends
        ],
    )  # fmt: skip


def _past(context: click.Context, editions: list[str], count: int, *, as_json: bool) -> None:
    """Print what became of the last sends: the state of each one's issue, or why there is none."""
    with open_app(context) as app:
        from newsletter import store

        database, found = app.databases.find(looking=True), []
        if database is not None:
            with database.read() as connection:
                found = store.newest_turns(connection, editions, count)
    rows = [
        {
            "edition": turn.edition, "day": turn.day.isoformat(), "issue": record.name if record else None,
            "state": (record or turn).state.value, "reason": record.reason if record else turn.reason,
        }
        for turn, record in found
    ]  # fmt: skip
    if as_json:
        print_json(rows)
    elif rows:
        print_table(tuple(rows[0]), [tuple(text or "-" for text in row.values()) for row in rows])
    else:
        click.echo("No send was due yet; `newsletter run --if-due` is to be called every few minutes.")


def _named(name: str, sends: Iterator[Send]) -> Iterator[tuple[str, Send]]:
    return ((name, send) for send in sends)
