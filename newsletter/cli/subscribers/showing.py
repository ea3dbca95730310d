"""The command that shows everything about one subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import json_option, open_app, print_json
from newsletter.cli.subscribers.forms import moment, word
from newsletter.cli.tables import print_table
from newsletter.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from newsletter.delivery.recent import RecentDelivery
    from subscribers.models import Details

LAST = 10


@click.command(short_help="Show everything about one subscriber.")
@click.argument("subscriber")
@json_option
@click.pass_context
def show(context: click.Context, subscriber: str, as_json: bool) -> None:
    """Show a subscriber's subscriptions, consents, last ten deliveries and history. Times are UTC."""
    with open_app(context) as app:
        from newsletter.delivery.recent import recent_deliveries

        people = app.people.subscribers(looking=True)
        with app.databases.open().read() as connection:
            details = people.show(connection, subscriber)
            deliveries = recent_deliveries(connection, details.subscriber.id, LAST)
    if as_json:
        print_json({**_described(details), "deliveries": [_delivery(each) for each in deliveries]})
        return
    for label, text in _facts(details):
        click.echo(f"{label:<9}{text}")
    _section("subscriptions", ("edition", "state", "began", "changed"), _subscriptions(details))
    _section("consents", ("edition", "given", "confirmed", "source", "text"), _consents(details))
    title = f"last {LAST} deliveries" if len(deliveries) == LAST else "deliveries"
    _section(title, ("issue", "state", "outcome", "problem"), [_became(each) for each in deliveries])
    _section("history", ("at", "what", "step", "by", "through", "reason"), _history(details))


def _section(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        click.echo(f"\n{title.upper()}")
        print_table(headings, rows)


def _facts(details: Details) -> Iterator[tuple[str, str]]:
    person, barred = details.subscriber, details.suppression
    yield "number", str(person.id)
    if person.email:
        yield "email", person.email
    if person.name:
        yield "name", person.name
    if person.language:
        yield "language", person.language
    if person.tags:
        yield "tags", ", ".join(person.tags)
    yield "since", moment(person.created_at)
    if barred is None:
        yield "address", word(person.state)
    else:
        yield (
            "address",
            f"{word(person.state)}, suppressed since {moment(barred.at)} by {barred.actor}: {one_line(barred.reason)}",
        )


def _subscriptions(details: Details) -> list[tuple[str, ...]]:
    return [
        (
            each.edition,
            word(each.state) + (f" until {moment(each.paused_until)}" if each.paused_until else ""),
            moment(each.created_at),
            moment(each.changed_at),
        )
        for each in details.subscriptions
    ]


def _consents(details: Details) -> list[tuple[str, ...]]:
    return [
        (
            each.edition, moment(each.given_at), moment(each.confirmed_at) if each.confirmed_at else "-",
            each.source + (f" ({each.network})" if each.network else ""), each.text_version or "-",
        )
        for each in details.consents
    ]  # fmt: skip


def _became(each: RecentDelivery) -> tuple[str, ...]:
    outcome = "-" if each.outcome.name == "UNKNOWN" else word(each.outcome)
    problem = f"{each.cause}: {one_line(each.reply)}" if each.reply else each.cause
    return (each.issue, word(each.state), outcome, problem)


def _history(details: Details) -> list[tuple[str, ...]]:
    return [
        (
            moment(each.step.at), each.edition or "address",
            f"{'new' if each.from_state is None else word(each.from_state)} → {word(each.to_state)}",
            each.step.actor, word(each.step.through), one_line(each.step.reason),
        )
        for each in details.history
    ]  # fmt: skip


def _described(details: Details) -> dict[str, Any]:
    """Return everything that the list knows about a subscriber as JSON has it."""
    person, barred = details.subscriber, details.suppression
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "state": word(person.state),
        "tags": list(person.tags),
        "since": person.created_at.isoformat(),
        "suppression": barred and {
            "reason": barred.reason, "by": barred.actor, "since": barred.at.isoformat(),
        },
        "subscriptions": [
            {
                "edition": each.edition, "state": word(each.state), "since": each.created_at.isoformat(),
                "changed": each.changed_at.isoformat(), "paused_until": _iso(each.paused_until),
            }
            for each in details.subscriptions
        ],
        "consents": [
            {
                "edition": each.edition, "source": each.source, "text_version": each.text_version,
                "given": each.given_at.isoformat(), "confirmed": _iso(each.confirmed_at), "network": each.network,
            }
            for each in details.consents
        ],
        "history": [
            {
                "at": each.step.at.isoformat(), "edition": each.edition,
                "from": None if each.from_state is None else word(each.from_state), "to": word(each.to_state),
                "actor": each.step.actor, "through": word(each.step.through), "reason": each.step.reason,
            }
            for each in details.history
        ],
    }  # fmt: skip


def _delivery(each: RecentDelivery) -> dict[str, Any]:
    """Return a delivery as JSON has it; ``problem`` is the last one, also where a later try went well."""
    problem = {"at": _iso(each.at), "cause": each.cause, "reply": each.reply} if each.cause else None
    outcome = None if each.outcome.name == "UNKNOWN" else word(each.outcome)
    return {
        "issue": each.issue, "state": word(each.state), "attempt": each.attempt, "outcome": outcome, "problem": problem,
    }  # fmt: skip


def _iso(at: Any) -> str | None:
    return None if at is None else str(at.isoformat())
