"""Commands that look through the list."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import click

from newsletter.cli.shared import Day, json_option, only_edition_option, open_app
from newsletter.cli.subscribers.forms import State, listed, print_json_array, stands
from newsletter.cli.tables import print_table

HEADINGS = ("id", "email", "edition", "state", "name", "language", "since", "tags")
CSV_COLUMNS = ("id", "email", "name", "edition", "state", "tags", "language", "since", "paused_until")
_BLOCK = 1_000
csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print CSV on standard output.")


@click.command("list", short_help="Print the list.")
@only_edition_option
@click.option(
    "--state",
    type=State(),
    help="Only those who stand so: pending, active, paused, unsubscribed, "
    "bounced, complained, suppressed or erased.",
)
@click.option("--tag", metavar="TAG", help="Only those with this tag.")
@click.option("--language", metavar="TAG", help="Only those with this language.")
@click.option("--since", type=Day(), help="Only subscriptions that began on this day or later (UTC).")
@click.option("--before", type=Day(), help="Only subscriptions that began before this day (UTC).")
@json_option
@csv_option
@click.pass_context
def list_(
    context: click.Context, edition: str | None, state: str | None, tag: str | None, language: str | None,
    since: date | None, before: date | None, as_json: bool, as_csv: bool,
) -> None:  # fmt: skip
    """Print one row a subscription, also of those who left. Erased people show with --state erased alone.

    The state is one word: what is true of the address (bounced, complained, suppressed, erased) comes first.
    """
    if since is not None and before is not None and since >= before:
        raise click.UsageError(f"--since {since} is not before --before {before}: no day lies between them")
    chosen = {
        "edition": edition, "state": state, "tag": tag, "language": language,
        "since": since and datetime.combine(since, time(), UTC),
        "before": before and datetime.combine(before, time(), UTC),
    }  # fmt: skip
    filtered = any(value is not None for value in chosen.values())
    nobody = (
        "Nobody on the list is so."
        if filtered
        else ("Nobody is on the list; `newsletter subscribers add EMAIL` adds somebody.")
    )
    _print(context, chosen, nobody, as_json=as_json, as_csv=as_csv)


@click.command(short_help="Find somebody by a part of the address or name.")
@click.argument("text")
@json_option
@csv_option
@click.pass_context
def find(context: click.Context, text: str, as_json: bool, as_csv: bool) -> None:
    """Print the subscriptions of everybody whose address or name holds a text, whatever its case."""
    wanted = text.strip()
    if not wanted:
        raise click.UsageError(
            "give some letters of an address or a name; `subscribers list` prints everybody"
        )
    nobody = f"Nobody on the list has {wanted!r} in the address or the name."
    _print(context, {"text": wanted}, nobody, as_json=as_json, as_csv=as_csv)


def _print(
    context: click.Context, chosen: dict[str, Any], nobody: str, *, as_json: bool, as_csv: bool
) -> None:
    """Print what is chosen, in one of three forms, a page in memory at a time."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: choose one")
    with open_app(context) as app:
        from subscribers.selection import Chosen
        from subscribers.standing import Standing

        if chosen.get("edition") is not None:
            app.editions.name(chosen["edition"])
        if chosen.get("state") is not None:
            chosen["state"] = Standing(chosen["state"])
        people = app.people.subscribers(looking=True)
        with app.databases.open().read() as connection:
            rows = people.listing(connection, Chosen(**chosen))
            if as_json:
                print_json_array(listed(rows))
                return
            if as_csv:
                _print_csv(rows)
                return
            first = next(rows, None)
            if first is None:
                click.echo(nobody)
                return
            print_table(HEADINGS, map(_cells, itertools.chain([first], rows)))


def _cells(one: Any) -> tuple[str, ...]:
    state = stands(one)
    if state == "paused" and one.paused_until is not None:
        state = f"paused until {one.paused_until:%Y-%m-%d}"
    return (
        str(one.id), one.email, one.edition, state, one.name, one.language or "", f"{one.created_at:%Y-%m-%d}",
        ", ".join(one.tags),
    )  # fmt: skip


def _print_csv(rows: Iterator[Any]) -> None:
    from subscribers.cells import safe_cell, tags_cell

    def cells(row: dict[str, Any]) -> Iterator[str]:
        for column in CSV_COLUMNS:
            value = row[column]
            yield safe_cell(tags_cell(value) if column == "tags" else str("" if value is None else value))

    click.echo(",".join(CSV_COLUMNS))
    documents = listed(rows)
    while block := list(itertools.islice(documents, _BLOCK)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(cells(row) for row in block)
        click.echo(text.getvalue(), nl=False)
