"""Commands that only look at the list."""

from __future__ import annotations

import click

from newsletter.cli.shared import edition_option, json_option, open_app, print_json, print_table
from newsletter.cli.subscribers.forms import described, listed, print_json_array


@click.command("list", short_help="Print the list.")
@edition_option
@json_option
@click.pass_context
def list_(context: click.Context, edition: str | None, as_json: bool) -> None:
    """Print every subscription, also of those who left."""
    with open_app(context) as app:
        from subscribers.selection import Chosen

        if edition is not None:
            app.edition_name(edition)
        people = app.subscriber_list()
        with app.database().read() as connection:
            rows = listed(people.listing(connection, Chosen(edition=edition)))
            if as_json:
                print_json_array(rows)
                return
            table = [(str(r["id"]), r["email"], r["edition"], r["state"], r["name"]) for r in rows]
    if table:
        print_table(("id", "email", "edition", "state", "name"), table)
    else:
        click.echo("Nobody is on the list; `newsletter subscribers add EMAIL` adds somebody.")


@click.command(short_help="Show everything about one subscriber.")
@click.argument("subscriber")
@json_option
@click.pass_context
def show(context: click.Context, subscriber: str, as_json: bool) -> None:
    """Show a subscriber's subscriptions, consents and history."""
    with open_app(context) as app:
        people = app.subscriber_list()
        with app.database().read() as connection:
            details = people.show(connection, subscriber)
    document = described(details)
    if as_json:
        print_json(document)
        return
    for key in ("id", "email", "name", "state", "since"):
        if document[key]:
            click.echo(f"{key:<8} {document[key]}")
    if document["tags"]:
        click.echo(f"{'tags':<8} {', '.join(document['tags'])}")
    for item in document["subscriptions"]:
        click.echo(f"{item['edition']:<8} {item['state']} since {item['since']}")
    for item in document["history"]:
        click.echo(
            f"  {item['at']}  {item['to']} by {item['actor']} ({item['through']}) {item['reason']}".rstrip()
        )
