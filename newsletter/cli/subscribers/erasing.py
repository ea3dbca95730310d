"""The command that leaves nothing of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import certain, json_option, open_app, print_json, warn, yes_option
from newsletter.cli.subscribers.forms import operator

if TYPE_CHECKING:
    from newsletter.app.erasing import Erasure


@click.command(short_help="Leave nothing of somebody.")
@click.argument("subscriber")
@yes_option
@json_option
@click.pass_context
def erase(context: click.Context, subscriber: str, yes: bool, as_json: bool) -> int | None:
    """Erase a person: address, name, language, tags, consents, reasons, and what mail servers said.

    What is left is a number, so that counts stay true, and a keyed hash that keeps the address from coming back by
    accident. It cannot be undone. The database's file is rewritten, so nothing stands in its free space either.
    """
    with open_app(context) as app:
        from newsletter.app import erasing, now
        from subscribers.errors import UnknownSubscriber

        planned = erasing.to_erase(app, subscriber)
        person = planned.person.subscriber
        if not person.email:
            raise UnknownSubscriber("is erased already", subject=f"subscriber {person.id}")
        if not certain("Erase this person for good?", yes=yes, about=_told(planned)):
            click.echo("Nothing was erased.", err=True)
            return 1
        done = erasing.erase(app, person.id, actor=operator(), now=now())
        name = app.databases.open().name
    if as_json:
        print_json(_described(done))
    else:
        click.echo(f"Subscriber {person.id} is erased.")
    if not done.compacted:
        warn(
            f"{name}: another process uses the database, so deleted rows may still stand in its free space; "
            "`newsletter database compact` takes them out"
        )
    for copy in done.copies:
        warn(f"{copy}: this copy of the database still holds the person; delete it when you do not need it")
    if done.backups:
        number, noun = len(done.backups), "backup" if len(done.backups) == 1 else "backups"
        warn(
            f"{done.backups[0].parent}: {number} {noun} may still hold the person, until newer ones replace them or "
            "you delete them"
        )
    return None


def _told(planned: Erasure) -> str:
    """Return what will be gone."""
    person, taken = planned.person.subscriber, planned.person
    counted = [
        (taken.subscriptions, "subscription"), (taken.consents, "consent"), (taken.tags, "tag"),
        *((planned.rest[kind], singular) for kind, singular in _REST.items()),
    ]  # fmt: skip
    lines = [f"{person.email}{f' ({person.name})' if person.name else ''}, number {person.id}"]
    lines += [f"  {number:>4} {noun}{'' if number == 1 else 's'}" for number, noun in counted if number]
    return "\n".join(lines)


_REST = {"replies": "reply of a mail server", "events": "event of a provider", "notices": "notice"}


def _described(done: Erasure) -> dict[str, Any]:
    """Return an erasure as JSON has it; the person's words are not among it."""
    taken = done.person
    return {
        "id": taken.subscriber.id, "subscriptions": taken.subscriptions, "consents": taken.consents,
        "tags": taken.tags, **done.rest, "compacted": done.compacted, "copies": [str(copy) for copy in done.copies],
        "backups": [str(backup) for backup in done.backups],
    }  # fmt: skip
