"""`newsletter papers`: what was collected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import click

from newsletter.cli.shared import Day, json_option, open_app, print_json, print_table
from newsletter.errors import InputError

SPARKS = "▁▂▃▄▅▆▇█"


@click.group(short_help="Look at the papers that were collected.")
def papers() -> None:
    """Look at the papers that were collected, and at how their votes grew."""


@papers.command("list", short_help="Print the papers of a day.")
@click.option("--day", type=Day(), help="The day (the newest that was collected).")
@json_option
@click.pass_context
def list_(context: click.Context, day: date | None, as_json: bool) -> None:
    """Print the papers of a collected day, most votes first."""
    with open_app(context) as app:
        from newsletter import ranker

        found = app.days.stored(day, looking=True)
    if found is None:
        raise nothing_collected(day)
    ranked = ranker.rank(found.papers)
    if as_json:
        print_json(
            [{"id": p.id, "title": p.title, "votes": p.votes, "sources": list(p.sources)} for p in ranked]
        )
        return
    click.echo(
        f"{found.day}, {found.kind.value}, {len(ranked)} papers, taken at {found.taken_at:%Y-%m-%d %H:%M} UTC"
    )
    rows = [("-" if p.votes is None else str(p.votes), p.id, ", ".join(p.sources), p.title) for p in ranked]
    print_table(("votes", "paper", "sources", "title"), rows)


@papers.command(short_help="Show a paper and how its votes grew.")
@click.argument("paper_id", metavar="ID")
@json_option
@click.pass_context
def show(context: click.Context, paper_id: str, as_json: bool) -> None:
    """Show a paper by its arXiv id (a version does not matter), with every observation of its votes."""
    with open_app(context) as app:
        from newsletter import store
        from newsletter.ingestion.arxiv_ids import normalize_arxiv_id

        key = normalize_arxiv_id(paper_id) or paper_id
        database = app.databases.find(looking=True)
        found, history, sent, left_out = None, [], {}, {}
        if database is not None:
            with database.read() as connection:
                found = store.find_paper(connection, key)
                history = store.vote_history(connection, key)
                sent = store.issues_of(connection, key)
                left_out = store.left_out_of(connection, key)
    if found is None:
        raise _missing(paper_id, "`newsletter papers list` names those that were collected")
    paper, days = found
    from newsletter.summaries.about import kind_and_result

    kind, result = kind_and_result(paper)
    if as_json:
        print_json({
            "id": paper.id, "title": paper.title, "url": paper.url, "votes": paper.votes,
            "kind": kind.value if kind else None, "result": result,
            "sources": list(paper.sources), "days": [each.isoformat() for each in days],
            "sent": {edition: each.isoformat() for edition, each in sent.items()}, "left_out": left_out,
            "history": [{"at": seen.taken_at.isoformat(), "votes": seen.votes} for seen in history],
        })  # fmt: skip
        return
    click.echo(f"{paper.title}\n{paper.url}")
    click.echo(f"collected on {', '.join(each.isoformat() for each in days)} from {', '.join(paper.sources)}")
    if kind is not None:
        click.echo(f"kind: {kind.value}")
    if result:
        click.echo(f"main result: {result}")
    for edition, each in sent.items():
        click.echo(f"sent in {each}/{edition}")
    for name, reason in left_out.items():
        click.echo(f"left out of {name}: {reason}")
    if history:
        click.echo(f"votes  {sparkline([seen.votes for seen in history])}")
    for seen in history:
        click.echo(f"  {seen.taken_at:%Y-%m-%d %H:%M} UTC  {seen.votes:>4}")


def sparkline(values: Sequence[int]) -> str:
    """Return a line of small bars, from the lowest value to the highest; at most 60 of them."""
    if len(values) > 60:
        values = [values[index * (len(values) - 1) // 59] for index in range(60)]
    low, high = min(values), max(values)
    span = max(high - low, 1)
    return "".join(SPARKS[(value - low) * (len(SPARKS) - 1) // span] for value in values)


def nothing_collected(day: date | None) -> InputError:
    """Return the error for a day that is not there, or for no day at all."""
    if day is None:
        return InputError("no day was collected yet", remedy="`newsletter collect` collects one")
    return InputError(
        "was not collected", subject=str(day), remedy=f"`newsletter collect --day {day}` collects it"
    )


def _missing(subject: str, remedy: str) -> InputError:
    return InputError("was not collected", subject=subject, remedy=remedy)
