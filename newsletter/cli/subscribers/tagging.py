"""Commands for a person's tags."""

from __future__ import annotations

import click

from newsletter.cli.shared import json_option, open_app, print_json


@click.command(short_help="Tag somebody.")
@click.argument("subscriber")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@json_option
@click.pass_context
def tag(context: click.Context, subscriber: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Give somebody one or more tags, for all editions."""
    _change(context, subscriber, tags, away=False, as_json=as_json)


@click.command(short_help="Take tags off somebody.")
@click.argument("subscriber")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@json_option
@click.pass_context
def untag(context: click.Context, subscriber: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Take one or more tags off somebody."""
    _change(context, subscriber, tags, away=True, as_json=as_json)


def _change(context: click.Context, who: str, tags: tuple[str, ...], *, away: bool, as_json: bool) -> None:
    with open_app(context) as app:
        people = app.people.subscribers()
        with app.databases.open().write(durable=True) as connection:
            changed = (people.untag if away else people.tag)(connection, who, tags)
            person = people.find(connection, who)
    if as_json:
        print_json({"id": person.id, "email": person.email, "tags": list(person.tags), "changed": changed})
        return
    now = f"tags: {', '.join(person.tags)}" if person.tags else "no tags"
    click.echo(f"{person.email} has {now}." if changed else f"{person.email} has {now}; nothing changed.")
