"""Commands for the addresses that nothing is sent to, on the list or not."""

from __future__ import annotations

from typing import Any

import click

from newsletter.cli.shared import json_option, open_app, print_json
from newsletter.cli.subscribers.forms import moment, operator, print_json_array
from newsletter.cli.tables import print_table
from newsletter.errors import one_line


@click.command(short_help="Never send anything to an address.")
@click.argument("email")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept.")
@json_option
@click.pass_context
def suppress(context: click.Context, email: str, reason: str, as_json: bool) -> None:
    """Send nothing to an address again, whether it is on the list or not, and whatever adds or imports it."""
    with open_app(context) as app:
        from newsletter.app import now

        suppressions = app.people.suppressions()
        with app.databases.open().write(durable=True) as connection:
            address = _address(suppressions, connection, email)
            at = now()
            made = suppressions.suppress(connection, address, reason=reason, actor=operator(), now=at)
    if as_json:
        print_json({"email": address, **_described(made)})
    elif made.at == at:
        click.echo(f"{address} is suppressed: nothing is sent to it.")
    else:
        because = f"since {made.at:%Y-%m-%d} ({one_line(made.reason)})"
        click.echo(f"{address} is suppressed {because}; nothing changed.")


@click.command(short_help="Let mail go to an address again.")
@click.argument("email")
@click.option("--force", is_flag=True, help="Needed: somebody had a reason to suppress it.")
@click.option("--reason", metavar="TEXT", help="Why mail may go to it again; kept.")
@json_option
@click.pass_context
def unsuppress(context: click.Context, email: str, force: bool, reason: str | None, as_json: bool) -> None:
    """Lift a suppression, a bounce or a complaint. Subscriptions stay as they are: who left is not brought back."""
    if not force or reason is None:
        raise click.UsageError("lifting a suppression takes --force and --reason TEXT, which is kept")
    with open_app(context) as app:
        from newsletter.app import now

        suppressions = app.people.suppressions()
        with app.databases.open().write(durable=True) as connection:
            address = _address(suppressions, connection, email)
            lifted = suppressions.unsuppress(connection, address, reason=reason, actor=operator(), now=now())
    if as_json:
        print_json({"email": address, "lifted": lifted})
    elif lifted:
        click.echo(f"Mail may go to {address} again.")
    else:
        click.echo(f"{address} was not suppressed; nothing changed.")


@click.group(short_help="Look at the suppressed addresses, or sync them.")
def suppressions() -> None:
    """Look at the addresses that nothing is sent to, or share them. `suppress` and `unsuppress` change them."""


@suppressions.command("list", short_help="Print the suppressions.")
@click.option("--lifted", is_flag=True, help="Those that were lifted, instead of those in force.")
@json_option
@click.pass_context
def list_(context: click.Context, lifted: bool, as_json: bool) -> None:
    """Print the suppressions, the oldest first.

    An address shows while its person is on the list; else there is only a hash, from which nobody can read it.
    """
    with open_app(context) as app:
        kept = app.people.suppressions(looking=True)
        with app.databases.open().read() as connection:
            rows = kept.listing(connection, lifted=lifted)
            if as_json:
                print_json_array(
                    {"id": each.id, "email": each.email or None, **_described(each)} for each in rows
                )
                return
            first = next(rows, None)
            if first is None:
                click.echo("No suppression was lifted." if lifted else "No address is suppressed.")
                return
            headings = ("id", "email", "since", "by", "reason")
            more = ("lifted", "by", "why") if lifted else ()
            print_table((*headings, *more), (_cells(each, lifted=lifted) for each in _again(first, rows)))


@suppressions.command(short_help="Put the suppressions beside SendGrid's, in both directions.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing on either side.")
@json_option
@click.pass_context
def sync(context: click.Context, dry_run: bool, as_json: bool) -> None:
    """Take over whom SendGrid sends nothing to, and tell it whom it shall send nothing to.

    Its bounces and invalid addresses are bounced here, its spam reports complained, its global unsubscribes leave
    every edition; of anybody else it is kept as a hash. Whoever asked here for quiet, or complained, goes to its
    global unsubscribes. Nothing is taken off either side.
    """
    with open_app(context) as app:
        from newsletter.app.syncing import sync

        synced = sync(app, dry_run=dry_run)
    if as_json:
        print_json(_synced(synced, dry_run=dry_run))
        return
    rows = [
        (name.replace("_", " "), *(f"{number:,}" for number in counts.values()))
        for name, counts in _counts(synced).items()
    ]
    headings = ("at SendGrid", "listed", "known", "newer here", "suppressed", "changed", "unreadable")
    print_table(headings, rows, right=frozenset(headings[1:]))
    click.echo(f"{'to be handed' if dry_run else 'handed'} over to SendGrid: {synced.handed_over:,}")
    if synced.hashes:
        click.echo(f"{synced.hashes:,} are kept as a hash only, and cannot be handed over")
    if not synced.changed + synced.handed_over:
        click.echo("Both sides know the same: nothing changed.")
    elif dry_run:
        click.echo("This was a dry run: nothing changed.")


def _synced(synced: Any, *, dry_run: bool) -> dict[str, Any]:
    """Return what was synced as JSON has it."""
    to_sendgrid = {"handed_over": synced.handed_over, "hashes": synced.hashes}
    return {"dry_run": dry_run, "from_sendgrid": _counts(synced), "to_sendgrid": to_sendgrid}


def _counts(synced: Any) -> dict[str, dict[str, int]]:
    from subscribers.exchange import Effect

    return {
        name: {
            "listed": sum(taken.values()) + synced.unreadable[name],
            **{effect.value: taken[effect] for effect in Effect},
            "unreadable": synced.unreadable[name],
        }
        for name, taken in synced.taken.items()
    }


def _again(first: Any, rest: Any) -> Any:
    yield first
    yield from rest


def _cells(each: Any, *, lifted: bool) -> tuple[str, ...]:
    cells = (str(each.id), each.email or "(hash)", moment(each.at), each.actor, one_line(each.reason))
    return (*cells, moment(each.lifted_at), each.lifted_by, one_line(each.lifted_reason)) if lifted else cells


def _described(each: Any) -> dict[str, Any]:
    """Return a suppression as JSON has it."""
    document = {"reason": each.reason, "by": each.actor, "since": each.at.isoformat()}
    if each.lifted_at is not None:
        document["lifted"] = each.lifted_at.isoformat()
        document["lifted_by"], document["lifted_reason"] = each.lifted_by, each.lifted_reason
    return document


def _address(book: Any, connection: Any, given: str) -> str:
    """Return an address; a number is that of a subscriber."""
    from subscribers.addresses import parse_address
    from subscribers.errors import UnknownSubscriber

    if not given.strip().isdigit():
        return parse_address(given).email
    person = book.find(connection, given)
    if not person.email:
        raise UnknownSubscriber("is erased", subject=f"subscriber {person.id}", remedy="give the address")
    return str(person.email)
