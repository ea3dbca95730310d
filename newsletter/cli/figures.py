"""The figures of an issue as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.tables import print_table, visible

if TYPE_CHECKING:
    from newsletter.delivery.figures import Figures

COUNTS = ("prepared", "accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")


def print_figures(figures: Figures) -> None:
    """Print each table that has a row, with a line above it that says what it is."""
    _table(
        "By domain:",
        ("domain", *COUNTS),
        [(each.domain, *(getattr(each.counts, name) for name in COUNTS)) for each in figures.domains],
    )
    _table(
        "Handed over (UTC):",
        ("from", "minutes", "accepted", "not accepted"),
        [
            (f"{each.start:%Y-%m-%d %H:%M}", each.minutes, each.accepted, each.not_accepted)
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


def figures_json(figures: Figures) -> dict[str, Any]:
    """Return the figures as `issues show --json` has them."""
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(figures)
    told["domains"] = [{"domain": each["domain"], **each["counts"]} for each in told["domains"]]
    return told


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    shown = [tuple(visible(str(cell)) for cell in row) for row in rows]
    if shown:
        texts = {"domain", "from", "cause", "reply"}
        click.echo(f"\n{title}")
        print_table(headings, shown, right=frozenset(headings) - texts)
