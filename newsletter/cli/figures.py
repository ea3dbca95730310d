"""The figures of an issue as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.tables import ending, print_table
from newsletter.errors import one_line

if TYPE_CHECKING:
    from newsletter.delivery.domains import OfDomain
    from newsletter.delivery.figures import Figures
    from newsletter.delivery.outcomes import Outcomes, Reach

COUNTS = ("prepared", "accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
OUTCOMES = ("delivered", "bounced", "complained", "unsubscribed", "no_word")
_UNTOLD = "-"


def told(number: int | None) -> str:
    """Return a number, or what stands for one that nobody told."""
    return _UNTOLD if number is None else f"{number:,}"


def print_reach(reach: Reach) -> None:
    """Print the counts of an issue, and what is known of what was accepted."""
    click.echo(", ".join(f"{getattr(reach.counts, name):,} {name}" for name in COUNTS))
    own = reach.outcomes
    if own.bounced is None:
        if reach.counts.accepted:
            click.echo("events: none came, so whether letters arrived is not known; see docs/events.md")
    else:
        known = [
            f"{told(getattr(own, name))} {name}" for name in OUTCOMES[:3] if getattr(own, name) is not None
        ]
        click.echo(f"events: {', '.join(known)}, {told(own.no_word)} no word yet")
    if reach.events:
        shown = ", ".join(f"{number:,} {kind}" for kind, number in reach.events.items())
        click.echo(f"events by kind, in deliveries: {shown}")
    if own.unsubscribed is not None:
        click.echo(f"unsubscribed until the next issue: {told(own.unsubscribed)}")


def reach_json(reach: Reach) -> dict[str, Any]:
    """Return the same for JSON; what nobody told is null."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(reach)
    return found


def print_figures(figures: Figures) -> None:
    """Print each table that has a row, with a line above it that says what it is."""
    _table(
        "By domain:",
        ("domain", *COUNTS),
        [
            (ending(each.domain), *(f"{getattr(each.counts, name):,}" for name in COUNTS))
            for each in figures.domains
        ],
    )
    if is_told(figures.reach.outcomes):
        print_outcomes([(each.domain, each.counts.accepted, each.outcomes) for each in figures.domains])
    _table(
        "Handed over (UTC):",
        ("from", "minutes", "accepted", "not accepted"),
        [
            (f"{each.start:%Y-%m-%d %H:%M}", each.minutes, f"{each.accepted:,}", f"{each.not_accepted:,}")
            for each in figures.intervals
        ],
    )
    _table(
        "Slowest domains (seconds for a message):",
        ("domain", "messages", "mean", "slowest"),
        [(each.domain, each.messages, f"{each.mean:.2f}", f"{each.slowest:.2f}") for each in figures.slowest],
    )
    _table(
        "Domains that refused most (for good, for a while):",
        ("domain", "rejected", "retry"),
        [(each.domain, each.rejected, each.retry) for each in figures.refusing],
    )
    _table(
        "Most frequent replies:",
        ("count", "cause", "reply"),
        [(each.count, each.cause, each.reply) for each in figures.replies],
    )


def is_told(outcomes: Outcomes) -> bool:
    """Say whether anything is known beside that letters were accepted."""
    return outcomes.bounced is not None or bool(outcomes.unsubscribed)


def print_outcomes(rows: Iterable[tuple[str, int, Outcomes]]) -> None:
    """Print what is known of each domain, and how many it accepted."""
    _table(
        "What is known of them, by domain:",
        ("domain", "accepted", *(name.replace("_", " ") for name in OUTCOMES)),
        [
            (ending(domain), f"{accepted:,}", *(told(getattr(own, name)) for name in OUTCOMES))
            for domain, accepted, own in rows
        ],
    )


def figures_json(figures: Figures) -> dict[str, Any]:
    """Return the figures as `issues show --json` has them."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(figures)
    del found["reach"]
    found["domains"] = domains_json(figures.domains)
    return found


def domains_json(domains: Iterable[OfDomain]) -> list[dict[str, Any]]:
    """Return what became of each domain's deliveries, for JSON."""
    import msgspec

    return [
        {"domain": each.domain, **msgspec.to_builtins(each.counts), **msgspec.to_builtins(each.outcomes)}
        for each in domains
    ]


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    shown = [tuple(one_line(str(cell)) for cell in row) for row in rows]
    if shown:
        texts = {"domain", "from", "cause", "reply"}
        click.echo(f"\n{title}")
        print_table(headings, shown, right=frozenset(headings) - texts)
