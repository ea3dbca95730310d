"""Commands that put people on the list, and take them off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import edition_option, json_option, only_edition_option, open_app, print_json
from newsletter.cli.subscribers.forms import operator, rows_of

if TYPE_CHECKING:
    from subscribers.models import Subscriber
    from subscribers.subscriptions import Added

FORCE_NEEDS_REASON = "--force goes with --reason TEXT, which is kept in the history"


@click.command(short_help="Put somebody on the list.")
@click.argument("email")
@edition_option
@click.option("--name", default="", help="The person's name.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Tag for the person; repeatable.")
@click.option("--language", metavar="TAG", help="The person's language, such as en or pt-BR.")
@click.option("--force", is_flag=True, help="Also somebody who left, or whose address is suppressed.")
@click.option("--reason", metavar="TEXT", help="Why you may write to the person again (with --force).")
@json_option
@click.pass_context
def add(
    context: click.Context, email: str, edition: str | None, name: str, tags: tuple[str, ...], language: str | None,
    force: bool, reason: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Put somebody on the list who told you so; the consent is recorded as given to the operator.

    Whoever left, complained or bounced stays off the list, unless --force gives a --reason.
    """
    because = _forced(force=force, reason=reason)
    with open_app(context) as app:
        from newsletter.app import now
        from subscribers.errors import Suppressed

        edition, people = app.editions.name(edition), app.people.subscribers()
        try:
            with app.databases.open().write(durable=True) as connection:
                added = people.add(
                    connection, email, edition=edition, name=name, tags=tags, language=language, actor=operator(),
                    now=now(), force=because,
                )  # fmt: skip
                (row,) = rows_of(people, connection, added.subscriber, [edition])
        except Suppressed as error:
            remedy = f"{error.remedy}, or take --force with --reason TEXT"
            raise Suppressed(error.problem, subject=error.subject, remedy=remedy) from error
    if as_json:
        print_json(row)
    else:
        click.echo(_said(added))


def _forced(*, force: bool, reason: str | None) -> str:
    """Return the reason of force, empty without force."""
    if force != (reason is not None):
        raise click.UsageError(FORCE_NEEDS_REASON)
    if reason is not None and not reason.strip():
        raise click.UsageError("--reason cannot be empty: say why, in a few words")
    return reason or ""


def _said(added: Added) -> str:
    """Return what `add` did, as a sentence."""
    person, edition = added.subscriber, added.subscription.edition
    known = not (added.created or added.reactivated or added.lifted)
    again = " again" if added.lifted or (added.before and added.before.name == "UNSUBSCRIBED") else ""
    sentence = f"{person.email} is {'already ' if known else ''}on the list of {edition}{again} (number {person.id})."
    if added.subscription.paused_until is not None:
        sentence += f" It is paused until {added.subscription.paused_until:%Y-%m-%d}."
    if added.described:
        sentence += " What you say of the person is taken over."
    return f"{sentence} Mail may go to the address again." if added.lifted else sentence


@click.command(short_help="Take somebody off the list.")
@click.argument("subscriber")
@only_edition_option
@click.option("--yes", is_flag=True, expose_value=False, help="Accepted for scripts; this never asks.")
@json_option
@click.pass_context
def remove(context: click.Context, subscriber: str, edition: str | None, as_json: bool) -> None:
    """End somebody's subscription to an edition, or to all of them: your own wish, so `add` brings back.

    The history is kept. For a person who asked you, use `unsubscribe`; to leave nothing of a person, `erase`.
    """
    _end(context, subscriber, edition, own_wish=False, reason="", as_json=as_json)


@click.command(short_help="Take somebody off the list who asked you.")
@click.argument("subscriber")
@only_edition_option
@click.option("--reason", default="", metavar="TEXT", help="What the person said; kept in the history.")
@json_option
@click.pass_context
def unsubscribe(
    context: click.Context, subscriber: str, edition: str | None, reason: str, as_json: bool
) -> None:
    """End somebody's subscription as the person asked; `add` does not bring the person back by accident."""
    _end(context, subscriber, edition, own_wish=True, reason=reason, as_json=as_json)


def _end(
    context: click.Context, who: str, edition: str | None, *, own_wish: bool, reason: str, as_json: bool
) -> None:
    with open_app(context) as app:
        from newsletter.app import now
        from subscribers.models import Through

        if edition is not None:
            app.editions.name(edition)
        people = app.people.subscribers()
        with app.databases.open().write(durable=True) as connection:
            person = people.find(connection, who)
            through = Through.REQUEST if own_wish else Through.CLI
            ended = people.remove(
                connection, who, edition=edition, actor=operator(), now=now(), through=through, reason=reason
            )
            rows = rows_of(people, connection, person, [each.edition for each in ended])
    report(
        person, rows, as_json=as_json, done="is off the list of", other=f"was not on {edition or 'any list'}"
    )


def report(
    person: Subscriber, rows: Sequence[dict[str, Any]], *, as_json: bool, done: str, other: str
) -> None:
    """Say which of a person's subscriptions changed, or that none did."""
    if as_json:
        print_json(rows)
    elif rows:
        click.echo(f"{person.email} {done} {', '.join(row['edition'] for row in rows)}.")
    else:
        click.echo(f"{person.email} {other}; nothing changed.")
