"""Commands that put people on the list, and take them off."""

from __future__ import annotations

import click

from newsletter.cli.shared import edition_option, json_option, open_app, print_json
from newsletter.cli.subscribers.forms import operator, row


@click.command(short_help="Put somebody on the list.")
@click.argument("email")
@edition_option
@click.option("--name", default="", help="The person's name.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Tag for the person; repeatable.")
@json_option
@click.pass_context
def add(
    context: click.Context, email: str, edition: str | None, name: str, tags: tuple[str, ...], as_json: bool
) -> None:
    """Put somebody on the list who told you so; the consent is recorded as given to the operator."""
    with open_app(context) as app:
        from newsletter.app import now

        edition, people = app.edition_name(edition), app.subscriber_list()
        with app.database().write(durable=True) as connection:
            added = people.add(
                connection, email, edition=edition, name=name, tags=tags, actor=operator(), now=now()
            )
    if as_json:
        print_json(row(added.subscriber, added.subscription))
        return
    known = not (added.created or added.reactivated)
    verb = "is already on" if known else "is on"
    click.echo(
        f"{added.subscriber.email} {verb} the list of {added.subscription.edition} (number {added.subscriber.id})."
    )


@click.command(short_help="Take somebody off the list.")
@click.argument("subscriber")
@edition_option
@json_option
@click.pass_context
def remove(context: click.Context, subscriber: str, edition: str | None, as_json: bool) -> None:
    """End somebody's subscription to an edition, or to all of them. The history is kept."""
    with open_app(context) as app:
        from newsletter.app import now

        if edition is not None:
            app.edition_name(edition)
        people = app.subscriber_list()
        with app.database().write(durable=True) as connection:
            person = people.find(connection, subscriber)
            ended = people.remove(connection, subscriber, edition=edition, actor=operator(), now=now())
    if as_json:
        print_json([row(person, subscription) for subscription in ended])
    elif ended:
        click.echo(f"{person.email} is off the list of {', '.join(item.edition for item in ended)}.")
    else:
        click.echo(f"{person.email} was not on {edition or 'any list'}; nothing changed.")
