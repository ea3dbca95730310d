"""`newsletter stats`: the last issues side by side, with rates, and their domains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import json_option, only_edition_option, open_app, print_json
from newsletter.cli.tables import ending, print_table

if TYPE_CHECKING:
    from newsletter.delivery.outcomes import Outcomes
    from newsletter.delivery.review import Review
    from newsletter.states import Counts

_RATES = {"delivered": 100, "bounced": 100, "complained": 1000, "unsubscribed": 1000}  # of so many accepted
_SIGNS = {100: "%", 1000: "‰"}
_NUMBERS = ("prepared", "accepted", *_RATES)


@click.command(short_help="Tell how the last issues did, and at which domains.")
@only_edition_option
@click.option(
    "--last", type=click.IntRange(1, 1_000), default=10, show_default=True, metavar="N", help="How many issues."
)  # fmt: skip
@json_option
@click.pass_context
def stats(context: click.Context, edition: str | None, last: int, as_json: bool) -> None:
    """Tell how the last issues did: prepared, accepted, delivered, bounced, complained, unsubscribed; newest first.

    Rates are of the accepted ones, in per cent, and in per mille for complaints and leavings. What nobody told is "-"
    and not 0. Domains are those of the issues of which most is known, the ten largest. docs/numbers.md says what each
    number counts; `newsletter subscribers stats` counts the list.
    """
    with open_app(context) as app:
        from newsletter.delivery.review import review
        from subscribers.store import mailboxes

        if edition is not None:
            app.editions.name(edition)
        database, found = app.databases.find(looking=True), None
        if database is not None:
            with database.read() as connection:
                found = review(connection, edition, last, mailboxes())
    if as_json:
        print_json(_described(found))
    elif found is None or not found.issues:
        click.echo("No issue was sent yet; `newsletter run` sends one.")
    else:
        _show(found, edition)


def _show(found: Review, edition: str | None) -> None:
    rows = [
        (record.name if edition is None else f"{record.day}", of.counts, of.outcomes)
        for record, of in found.issues
    ]
    _print("issue", rows)
    if found.domains:
        issues = "the issue" if len(found.told) == 1 else f"{len(found.told)} issues"
        click.echo(f"\nBy domain, over {issues} of which most is known:")
        _print("domain", [(ending(each.domain), each.counts, each.outcomes) for each in found.domains])


def _print(first: str, rows: Iterable[tuple[str, Counts, Outcomes]]) -> None:
    cells = [
        (name, f"{counts.prepared:,}", f"{counts.accepted:,}",
         *(_cell(getattr(outcomes, each), counts.accepted, scale) for each, scale in _RATES.items()))
        for name, counts, outcomes in rows
    ]  # fmt: skip
    print_table((first, *_NUMBERS), cells, right=frozenset(_NUMBERS))


def _cell(number: int | None, accepted: int, scale: int) -> str:
    if number is None:
        return "-"
    rate = _rate(number, accepted)
    told = "" if rate is None else f"{rate * scale:.1f}{_SIGNS[scale]}"
    return f"{number:,} {told:>6}"


def _rate(number: int | None, accepted: int) -> float | None:
    return None if number is None or not accepted else number / accepted


def _described(found: Review | None) -> dict[str, Any]:
    """Return the numbers as JSON has them; rates are shares of the accepted ones, null where they are not known."""
    import msgspec

    from newsletter.cli.figures import domains_json

    if found is None:
        return {"issues": [], "domains": [], "domains_of": []}
    issues = [
        {
            "issue": record.name, "day": record.day.isoformat(), "edition": record.edition, "number": record.number,
            "state": record.state.value, **msgspec.to_builtins(of.counts), **msgspec.to_builtins(of.outcomes),
            "rates": _rates(of.counts, of.outcomes), "events": dict(of.events),
        }
        for record, of in found.issues
    ]  # fmt: skip
    domains = [
        {**told, "rates": _rates(each.counts, each.outcomes)}
        for told, each in zip(domains_json(found.domains), found.domains, strict=True)
    ]
    return {"issues": issues, "domains": domains, "domains_of": [record.name for record in found.told]}


def _rates(counts: Counts, outcomes: Outcomes) -> dict[str, float | None]:
    return {name: _rate(getattr(outcomes, name), counts.accepted) for name in _RATES}
