"""`newsletter deliveries`: who got an issue and who did not, and what is done about it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any

import click

from newsletter.cli.shared import IssueName, json_option, open_app, print_json
from newsletter.cli.subscribers.forms import print_json_array
from newsletter.cli.tables import print_table
from newsletter.counting import so_many
from newsletter.errors import InputError, one_line

STATES = ("pending", "claimed", "accepted", "rejected", "uncertain", "suppressed", "cancelled")
COLUMNS = (
    "issue",
    "subscriber",
    "email",
    "state",
    "outcome",
    "attempt",
    "cause",
    "reply",
    "at",
    "not_before",
)
_issue = click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
_who = click.option("--subscriber", metavar="WHO", help="Only this one, by address or number.")
_states = click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    metavar="STATE",
    help=f"Only these ({', '.join(STATES)}); repeatable.",
)


@click.group(short_help="See who got an issue; send again, resolve.")
def deliveries() -> None:
    """See what became of an issue for every subscriber, send again what failed, resolve what is uncertain."""


@deliveries.command("list", short_help="List the deliveries of an issue.")
@_issue
@_states
@json_option
@click.pass_context
def list_(
    context: click.Context, name: tuple[date, str | None], states: tuple[str, ...], as_json: bool
) -> None:
    """List the deliveries of an issue with the last problem of each."""
    with _rows(context, name, states, None) as rows:
        if as_json:
            print_json_array(rows)
            return
        first = next(rows, None)
        if first is None:
            click.echo("There are none.")
            return
        print_table(
            ("id", "email", "state", "outcome", "tries", "last problem"), map(_line, chain([first], rows))
        )


@deliveries.command(short_help="Show one delivery.")
@_issue
@click.argument("subscriber")
@json_option
@click.pass_context
def show(context: click.Context, name: tuple[date, str | None], subscriber: str, as_json: bool) -> None:
    """Show what became of an issue for one subscriber."""
    with _rows(context, name, (), subscriber) as rows:
        row = next(rows, None)
    if row is None:
        raise InputError("was not planned for them", subject=f"{name[0]}")
    if as_json:
        print_json(row)
    else:
        for key in COLUMNS:
            if row[key] not in {None, ""}:
                click.echo(f"{key:<11} {one_line(str(row[key]))}")


@deliveries.command(short_help="Write the deliveries of an issue as CSV.")
@_issue
@_states
@click.option(
    "--out", type=click.Path(path_type=Path, allow_dash=True), default="-", metavar="FILE",
    help="File to write, which only you can read (standard output).",
)  # fmt: skip
@click.pass_context
def export(context: click.Context, name: tuple[date, str | None], states: tuple[str, ...], out: Path) -> None:
    """Write the deliveries of an issue as CSV, however many there are."""
    with _rows(context, name, states, None) as rows:
        if str(out) == "-":
            with click.open_file("-", "w", encoding="utf-8") as printed:
                _write(printed, rows)
            return
        from subscribers.transfer.writing import whole

        with whole(out, option="--out") as file:
            text = TextIOWrapper(file, encoding="utf-8", newline="")
            _write(text, rows)
            text.detach()  # which writes the rest, and leaves the closing to `whole`


def _write(out: IO[str], rows: Iterator[dict[str, Any]]) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[key]) for key in COLUMNS] for row in rows)


@deliveries.command(short_help="Let refused deliveries be tried again.")
@_issue
@click.option(
    "--state", "states", multiple=True, required=True, type=click.Choice(["rejected"]),
    help="Which ones: the rejected. What was accepted or suppressed is never sent again.",
)  # fmt: skip
@_who
@json_option
@click.pass_context
def retry(
    context: click.Context, name: tuple[date, str | None], states: tuple[str, ...], subscriber: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Let deliveries be tried again; the next `newsletter run` sends them."""
    _resolve(context, name, states, subscriber, sent=False, as_json=as_json)


@deliveries.command(short_help="Decide what is done about uncertain deliveries.")
@_issue
@click.option("--resend", is_flag=True, help="Send them again.")
@click.option("--assume-sent", is_flag=True, help="Count them as taken.")
@_who
@json_option
@click.pass_context
def resolve(
    context: click.Context,
    name: tuple[date, str | None],
    resend: bool,
    assume_sent: bool,
    subscriber: str | None,
    as_json: bool,
) -> None:
    """Decide what is done about deliveries of which nobody knows whether they were taken."""
    if resend == assume_sent:
        raise click.UsageError("choose one: --resend or --assume-sent")
    _resolve(context, name, ("uncertain",), subscriber, sent=assume_sent, as_json=as_json)


def _resolve(
    context: click.Context, name: tuple[date, str | None], states: tuple[str, ...], who: str | None, *, sent: bool,
    as_json: bool,
) -> None:  # fmt: skip
    day, edition = name
    with open_app(context) as app:
        from newsletter.app.delivering import resolve as resolved
        from newsletter.states import DeliveryState

        chosen = [DeliveryState[state.upper()] for state in states]
        edition = app.editions.name(edition)
        done = resolved(app, edition, day, chosen, who, sent=sent)
    if as_json:
        print_json({"moved": done.moved, "gone": done.gone})
    elif sent:
        click.echo(f"{so_many(done.moved, 'counted as accepted')}.")
    else:
        click.echo(_sent_again(done.moved, edition) + _not_sent_again(done.gone, states))


def _sent_again(number: int, edition: str) -> str:
    wait, them = ("waits", "it") if number == 1 else ("wait", "them")
    run = f"; `newsletter run --edition {edition}` sends {them}" if number else ""
    return f"{number} {wait} to be sent again{run}."


def _not_sent_again(number: int, states: tuple[str, ...]) -> str:
    if not number:
        return ""
    stay = "is not written to any more, and stays" if number == 1 else "are not written to any more, and stay"
    return f" {number} {stay} {' or '.join(states)}."


@contextmanager
def _rows(
    context: click.Context, name: tuple[date, str | None], states: tuple[str, ...], who: str | None
) -> Iterator[Iterator[dict[str, Any]]]:
    day, edition = name
    with open_app(context) as app:
        from newsletter.app.delivering import deliveries as found
        from newsletter.states import DeliveryState

        chosen = [DeliveryState[state.upper()] for state in states]
        with found(app, app.editions.name(edition), day, chosen, who) as rows:
            yield rows


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    problem = one_line(f"{row['cause']} {row['reply']}")
    return (
        str(row["subscriber"]), row["email"] or "(erased)", row["state"], row["outcome"], str(row["attempt"]),
        problem,
    )  # fmt: skip


def _cell(value: Any) -> str:
    from subscribers.cells import safe_cell

    return safe_cell("" if value is None else str(value))
