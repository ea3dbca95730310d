"""`newsletter notices`: mails of the newsletter's own."""

from __future__ import annotations

from dataclasses import asdict

import click

from newsletter.cli.shared import complain, json_option, open_app, print_json, print_table, warn


@click.group(short_help="Send mails of its own: to confirm, to welcome.")
def notices() -> None:
    """Mails of the newsletter's own. `newsletter serve` sends them by itself; without it, cron calls `send`."""


@notices.command(short_help="Send what is due.")
@json_option
@click.pass_context
def send(context: click.Context, as_json: bool) -> int:
    """Work through sign-ups and send every mail that is due."""
    with open_app(context) as app:
        tally = app.senders.correspondence(warn).drain()
    if as_json:
        print_json(asdict(tally))
    else:
        parts = ("signed_up", "sent", "failed", "dropped", "waiting")
        click.echo(", ".join(f"{getattr(tally, part)} {part.replace('_', ' ')}" for part in parts) + ".")
    if tally.fault:
        complain(tally.fault)
    return 1 if tally.fault else 0


@notices.command("list", short_help="Print what was sent lately and what waits.")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """Print the mails of the last 30 days, the newest first."""
    with open_app(context) as app:
        from newsletter.delivery.notices import listing

        with app.databases.open_to_look().read() as connection:
            rows = [
                {
                    "id": each.id, "kind": each.kind.value, "state": each.state.name.lower(), "attempt": each.attempt,
                    "due": each.due.isoformat(timespec="seconds"), "address": each.address,
                }
                for each in listing(connection)
            ]  # fmt: skip
    if as_json:
        print_json(rows)
    elif rows:
        headings = ("id", "kind", "state", "attempt", "due", "address")
        print_table(headings, [[str(row[name]) for name in headings] for row in rows])
    else:
        click.echo("There are none.")
