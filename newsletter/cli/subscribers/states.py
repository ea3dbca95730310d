"""Commands that stop the letters for a while, and let them go on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import click

from newsletter.cli.shared import Day, json_option, only_edition_option, open_app
from newsletter.cli.subscribers.editing import report
from newsletter.cli.subscribers.forms import operator, rows_of, word

LONGEST_PAUSE = 3_660  # days; who stays away longer than ten years has left


@click.command(short_help="Send somebody nothing for a while.")
@click.argument("subscriber")
@click.option("--until", type=Day(), help="The first day on which letters go out again (UTC).")
@click.option("--days", type=click.IntRange(1, LONGEST_PAUSE), metavar="N", help="For so many days from now.")
@only_edition_option
@json_option
@click.pass_context
def pause(
    context: click.Context, subscriber: str, until: date | None, days: int | None, edition: str | None, as_json: bool
) -> None:  # fmt: skip
    """Send somebody nothing until a day; then the letters go on by themselves."""
    if (until is None) == (days is None):
        raise click.UsageError("say how long: --until YYYY-MM-DD or --days N")
    with open_app(context) as app:
        from newsletter.app import now

        at = now()
        end = at + timedelta(days=days or 0) if until is None else datetime.combine(until, time(), UTC)
        if end > at + timedelta(days=LONGEST_PAUSE):
            raise click.UsageError("--until is more than ten years away; `unsubscribe` ends a subscription")
        if edition is not None:
            app.editions.name(edition)
        people = app.people.subscribers()
        with app.databases.open().write(durable=True) as connection:
            person = people.find(connection, subscriber)
            paused = people.pause(
                connection, subscriber, until=end, edition=edition, actor=operator(), now=at
            )
            rows = rows_of(people, connection, person, [each.edition for each in paused])
            why = stands_as(people.show(connection, subscriber).subscriptions, edition)
    report(person, rows, as_json=as_json, done=f"gets nothing until {end:%Y-%m-%d} of", other=why)


@click.command(short_help="End somebody's pause.")
@click.argument("subscriber")
@only_edition_option
@json_option
@click.pass_context
def resume(context: click.Context, subscriber: str, edition: str | None, as_json: bool) -> None:
    """End somebody's pause at once. Who left or has not confirmed is not brought back by this."""
    with open_app(context) as app:
        from newsletter.app import now

        if edition is not None:
            app.editions.name(edition)
        people = app.people.subscribers()
        with app.databases.open().write(durable=True) as connection:
            person = people.find(connection, subscriber)
            resumed = people.resume(connection, subscriber, edition=edition, actor=operator(), now=now())
            rows = rows_of(people, connection, person, [each.edition for each in resumed])
            why = stands_as(people.show(connection, subscriber).subscriptions, edition)
    report(person, rows, as_json=as_json, done="gets letters again of", other=why)


def stands_as(subscriptions: tuple[object, ...], edition: str | None) -> str:
    """Return why a step was not taken: what the subscriptions are."""
    known = [
        f"{item.edition} ({word(item.state)})"  # type: ignore[attr-defined]
        for item in subscriptions
        if edition in {None, item.edition}  # type: ignore[attr-defined]
    ]
    return f"is on {', '.join(known)}" if known else f"is not on {edition or 'any list'}"
