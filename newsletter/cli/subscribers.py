"""`newsletter subscribers`: the list."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from typing import Any

import click

from newsletter.cli.shared import edition_option, json_option, open_app, print_json, print_table


@click.group(short_help="Manage the list of subscribers.")
def subscribers() -> None:
    """Manage the list of subscribers. A subscriber may be given by e-mail address or by number."""


@subscribers.command(short_help="Put somebody on the list.")
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
                connection, email, edition=edition, name=name, tags=tags, actor=_operator(), now=now()
            )
    if as_json:
        print_json(_row(added.subscriber, added.subscription))
        return
    known = not (added.created or added.reactivated)
    verb = "is already on" if known else "is on"
    click.echo(
        f"{added.subscriber.email} {verb} the list of {added.subscription.edition} (number {added.subscriber.id})."
    )


@subscribers.command(short_help="Take somebody off the list.")
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
            ended = people.remove(connection, subscriber, edition=edition, actor=_operator(), now=now())
    if as_json:
        print_json([_row(person, subscription) for subscription in ended])
    elif ended:
        click.echo(f"{person.email} is off the list of {', '.join(item.edition for item in ended)}.")
    else:
        click.echo(f"{person.email} was not on {edition or 'any list'}; nothing changed.")


@subscribers.command("list", short_help="Print the list.")
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
            rows = _listing(people.listing(connection, Chosen(edition=edition)))
            if as_json:
                _print_json_array(rows)
                return
            table = [(str(r["id"]), r["email"], r["edition"], r["state"], r["name"]) for r in rows]
    if table:
        print_table(("id", "email", "edition", "state", "name"), table)
    else:
        click.echo("Nobody is on the list; `newsletter subscribers add EMAIL` adds somebody.")


@subscribers.command(short_help="Show everything about one subscriber.")
@click.argument("subscriber")
@json_option
@click.pass_context
def show(context: click.Context, subscriber: str, as_json: bool) -> None:
    """Show a subscriber's subscriptions, consents and history."""
    with open_app(context) as app:
        people = app.subscriber_list()
        with app.database().read() as connection:
            details = people.show(connection, subscriber)
    document = _details(details)
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


def _operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name for this user id, as in some containers
        return "operator"


def _print_json_array(rows: Iterator[dict[str, Any]]) -> None:
    """Print an array one row a line, without holding the list in memory."""
    import msgspec

    click.echo("[", nl=False)
    for number, row in enumerate(rows):
        click.echo(("," if number else "") + "\n  " + msgspec.json.encode(row).decode(), nl=False)
    click.echo("\n]")


def _row(person: Any, subscription: Any) -> dict[str, Any]:
    return {
        "id": person.id, "email": person.email, "name": person.name, "edition": subscription.edition,
        "state": subscription.state.name.lower(), "tags": list(person.tags),
        "since": subscription.created_at.isoformat(),
    }  # fmt: skip


def _listing(rows: Iterator[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        document = {
            "id": row.id, "email": row.email, "name": row.name, "edition": row.edition,
            "state": row.state.name.lower(), "tags": list(row.tags), "since": row.created_at.isoformat(),
        }  # fmt: skip
        if row.address_state is not None:
            document["address_state"] = row.address_state.name.lower()
        yield document


def _details(details: Any) -> dict[str, Any]:
    person = details.subscriber
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "state": person.state.name.lower(),
        "tags": list(person.tags),
        "since": person.created_at.isoformat(),
        "suppressed": None if details.suppression is None else details.suppression.reason,
        "subscriptions": [
            {"edition": item.edition, "state": item.state.name.lower(), "since": item.created_at.isoformat()}
            for item in details.subscriptions
        ],
        "consents": [
            {"edition": item.edition, "source": item.source, "given": item.given_at.isoformat()}
            for item in details.consents
        ],
        "history": [
            {
                "at": item.step.at.isoformat(), "edition": item.edition, "to": item.to_state.name.lower(),
                "actor": item.step.actor, "through": item.step.through.name.lower(), "reason": item.step.reason,
            }
            for item in details.history
        ],
    }  # fmt: skip
