"""`newsletter rank`: who would stand in the issue, and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from newsletter.cli.papers import nothing_collected
from newsletter.cli.shared import (
    Day,
    edition_option,
    from_option,
    json_option,
    open_app,
    print_json,
    print_table,
)


@click.command(short_help="Print who would stand in the issue of a day, and why.")
@click.option("--day", type=Day(), help="The day (the newest that was collected).")
@from_option
@click.option("--explain", is_flag=True, help="Say the reason of every candidate, of those left out too.")
@click.option("--top", type=click.IntRange(min=0), metavar="N", help="Papers to take; 0 means all of them.")
@click.option("--min-votes", type=click.IntRange(min=0), metavar="N", help="Votes that a paper needs.")
@json_option
@edition_option
@click.pass_context
def rank(
    context: click.Context, day: date | None, paths: tuple[Path, ...], explain: bool, top: int | None,
    min_votes: int | None, as_json: bool, edition: str | None,
) -> None:  # fmt: skip
    """Print the candidates of a day in their order: place, votes, paper; with --explain why each is where it is."""
    with open_app(context) as app:
        from newsletter import ranker

        name = app.editions.name(edition)
        if paths:
            source = app.days.file_source(paths, day)
            collected = source.fetch(source.day)
        else:
            found = app.days.stored(day, looking=True)
            if found is None:
                raise nothing_collected(day)
            collected = found
        ranked = ranker.choose(
            app.days.candidates(name, collected), app.editions.selection(name, top, min_votes)
        )
    shown = [each for each in ranked if explain or each.place is not None]
    if as_json:
        print_json([
            {
                "place": each.place, "id": each.candidate.paper.id, "title": each.candidate.paper.title,
                "votes": each.candidate.paper.votes, "reason": ranker.explain(each),
            }
            for each in shown
        ])  # fmt: skip
        return
    click.echo(f"{collected.day}, {len(ranked)} candidates")
    rows = []
    for each in shown:
        paper = each.candidate.paper
        votes = "-" if paper.votes is None else str(paper.votes)
        row = (str(each.place or "-"), votes, paper.id, ranker.explain(each) if explain else "", paper.title)
        rows.append(row if explain else (*row[:3], row[4]))
    print_table(("#", "votes", "paper", *(["why"] if explain else []), "title"), rows)
