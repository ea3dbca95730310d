"""How the commands say what is on the list, and who says it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from typing import Any

import click


def operator() -> str:
    """Return who gives the command, for the history."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name for this user id, as in some containers
        return "operator"


def print_json_array(rows: Iterator[dict[str, Any]]) -> None:
    """Print an array one row a line, without holding the list in memory."""
    import msgspec

    click.echo("[", nl=False)
    for number, row in enumerate(rows):
        click.echo(("," if number else "") + "\n  " + msgspec.json.encode(row).decode(), nl=False)
    click.echo("\n]")


def row(person: Any, subscription: Any) -> dict[str, Any]:
    """Return a subscription as JSON has it."""
    return {
        "id": person.id, "email": person.email, "name": person.name, "edition": subscription.edition,
        "state": subscription.state.name.lower(), "tags": list(person.tags),
        "since": subscription.created_at.isoformat(),
    }  # fmt: skip


def listed(rows: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the list as JSON has them."""
    for one in rows:
        document = {
            "id": one.id, "email": one.email, "name": one.name, "edition": one.edition,
            "state": one.state.name.lower(), "tags": list(one.tags), "since": one.created_at.isoformat(),
        }  # fmt: skip
        if one.address_state is not None:
            document["address_state"] = one.address_state.name.lower()
        yield document


def described(details: Any) -> dict[str, Any]:
    """Return everything about a subscriber as JSON has it."""
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
