"""`newsletter issues`: what was sent."""

from __future__ import annotations

from datetime import date

import click

from newsletter.cli.shared import IssueName, json_option, open_app, print_json, print_table
from newsletter.errors import InputError


@click.group(short_help="Look at issues.")
def issues() -> None:
    """Look at issues. An issue is named DAY or DAY/EDITION, such as 2024-09-12 or 2024-09-12/daily."""


@issues.command(short_help="Show one issue with its counts.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@json_option
@click.pass_context
def show(context: click.Context, name: tuple[date, str | None], as_json: bool) -> None:
    """Show an issue: its state, its papers in sending order, and what became of every delivery."""
    day, given = name
    with open_app(context) as app:
        import msgspec

        from newsletter import store
        from newsletter.delivery import ledger

        edition = app.edition_name(given)
        database, record = app.existing_database(), None
        if database is not None:
            with database.read() as connection:
                record = store.find_issue(connection, edition, day)
                if record is not None:
                    counts = msgspec.to_builtins(ledger.counts(connection, record.id))
    if record is None:
        subject = f"{day}/{edition}"
        raise InputError("there is no such issue", subject=subject, remedy="`newsletter run` makes one")
    if as_json:
        print_json({**record.document, "state": record.state.value, "counts": counts})
        return
    click.echo(f"Issue {record.name}, number {record.number}: {record.state.value}{_because(record.reason)}")
    click.echo(", ".join(f"{number} {state}" for state, number in counts.items()))
    for warning in record.warnings:
        click.echo(f"warning: {warning}")
    for paper_id, refusals in record.refused.items():
        for refusal in refusals:
            click.echo(f"refused: {paper_id}, {refusal.origin.value} summary, {refusal.check}: {refusal.why}")
    rows = [
        (str(rank), "-" if entry["votes"] is None else str(entry["votes"]), entry["id"], entry["title"])
        for rank, entry in enumerate(record.document["entries"], 1)
    ]
    print_table(("#", "votes", "paper", "title"), rows)


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
