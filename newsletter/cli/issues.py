"""`newsletter issues`: what was sent, and what is on its way."""

from __future__ import annotations

from datetime import date

import click

from newsletter.cli.shared import (
    IssueName,
    certain,
    edition_option,
    json_option,
    open_app,
    print_json,
    print_table,
)
from newsletter.cli.subscribers.forms import operator
from newsletter.errors import InputError


@click.group(short_help="Look at issues; pause, go on, cancel.")
def issues() -> None:
    """Look at issues, pause them, go on, cancel them.

    An issue is named DAY or DAY/EDITION, such as 2024-09-12 or 2024-09-12/daily.
    """


@issues.command(short_help="Show one issue with its counts.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@json_option
@click.pass_context
def show(context: click.Context, name: tuple[date, str | None], as_json: bool) -> None:
    """Show an issue: its state, its papers in sending order, and what became of its deliveries.

    That is told in all, by the domain of the addresses as they are now, over time, and by what was slow and refused.
    Delivered, bounced and complained are known where events or returned mails came, each delivery under the worst of
    it. Unsubscribed are the people who left the edition from when the issue began to be sent until its next one did.
    """
    day, given = name
    with open_app(context) as app:
        from newsletter import store
        from newsletter.cli.figures import figures_json, print_figures, print_reach, reach_json
        from newsletter.delivery import figures
        from subscribers.store import mailboxes

        edition = app.editions.name(given)
        database, record = app.databases.find(looking=True), None
        if database is not None:
            with database.read() as connection:
                record = store.find_issue(connection, edition, day)
                if record is not None:
                    found = figures.figures(connection, record, mailboxes())
    if record is None:
        subject = f"{day}/{edition}"
        raise InputError("there is no such issue", subject=subject, remedy="`newsletter run` makes one")
    if as_json:
        told = {"state": record.state.value, **reach_json(found.reach), "figures": figures_json(found)}
        print_json({**record.document, **told})
        return
    click.echo(f"Issue {record.name}, number {record.number}: {record.state.value}{_because(record.reason)}")
    print_reach(found.reach)
    for warning in record.warnings:
        click.echo(f"warning: {warning}")
    for paper_id, refusals in record.refused.items():
        for refusal in refusals:
            click.echo(f"refused: {paper_id}, {refusal.origin.value} summary, {refusal.check}: {refusal.why}")
    rows = [
        (str(rank), "-" if entry["votes"] is None else str(entry["votes"]), entry["id"], entry["title"])
        for rank, entry in enumerate(record.document["entries"], 1)
    ]
    print_table(("#", "votes", "paper", "title"), rows)
    print_figures(found)


@issues.command("list", short_help="List the newest issues with their counts.")
@edition_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@json_option
@click.pass_context
def list_(context: click.Context, edition: str | None, limit: int, as_json: bool) -> None:
    """List the newest issues of every edition: state, and what became of their deliveries."""
    with open_app(context) as app:
        import msgspec

        from newsletter import store
        from newsletter.delivery import ledger

        if edition is not None:
            app.editions.name(edition)
        database, found = app.databases.find(looking=True), []
        if database is not None:
            with database.read() as connection:
                found = [
                    (record, msgspec.to_builtins(ledger.counts(connection, record.id)))
                    for record in store.all_issues(connection, edition, limit)
                ]
    if as_json:
        print_json(
            [
                {
                    "issue": record.name, "day": record.day.isoformat(), "edition": record.edition,
                    "number": record.number, "state": record.state.value, "reason": record.reason, "counts": counts,
                }
                for record, counts in found
            ]
        )  # fmt: skip
    elif found:
        parts = ("prepared", "accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
        print_table(
            ("issue", "no.", *parts, "state"),
            [
                (record.name, str(record.number), *(str(counts[part]) for part in parts),
                 f"{record.state.value}{_because(record.reason)}")
                for record, counts in found
            ],
        )  # fmt: skip
    else:
        click.echo("There is no issue yet; `newsletter run` makes one.")


@issues.command(short_help="Stop sending an issue until it is resumed.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@click.option("--reason", default="", help="Why; kept with the issue.")
@json_option
@click.pass_context
def pause(context: click.Context, name: tuple[date, str | None], reason: str, as_json: bool) -> None:
    """Stop sending an issue, in every process, within two seconds. Nobody is lost: `resume` goes on."""
    _move(context, name, "paused", reason, as_json=as_json)


@issues.command(short_help="Let a paused or held issue go on.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@json_option
@click.pass_context
def resume(context: click.Context, name: tuple[date, str | None], as_json: bool) -> None:
    """Let a paused or held issue go on: the next `newsletter run` sends what is waiting."""
    _move(context, name, "sending", "", as_json=as_json)


@issues.command(short_help="Have a draft, or one that is held, sent.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@json_option
@click.pass_context
def approve(context: click.Context, name: tuple[date, str | None], as_json: bool) -> None:
    """Approve a draft, or one that is held: the next `newsletter run` sends it, byte for byte as it was shown."""
    _decide(context, name, "approve", "", as_json=as_json)


@issues.command(short_help="Keep a draft from being sent.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@click.option("--reason", default="", help="Why; kept with the issue.")
@json_option
@click.pass_context
def hold(context: click.Context, name: tuple[date, str | None], reason: str, as_json: bool) -> None:
    """Keep a draft, or what was approved and not begun, from being sent, until it is approved."""
    _decide(context, name, "hold", reason, as_json=as_json)


@issues.command(short_help="Change a draft; it is mailed again.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@click.option("--subject", help="Another subject.")
@click.option("--drop", metavar="PAPER", multiple=True, help="Leave a paper out, by its id.")
@click.option(
    "--replace",
    "replacing",
    metavar="OLD NEW",
    nargs=2,
    multiple=True,
    help="Say something otherwise: words that stand in one paper's summary, and what stands there instead.",
)
@json_option
@click.pass_context
def edit(
    context: click.Context,
    name: tuple[date, str | None],
    subject: str | None,
    drop: tuple[str, ...],
    replacing: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Change a draft, or an issue that is held. Its letter is made again and mailed; only a word about that one counts.

    Who changed what and when is kept.
    """
    from newsletter.edits import Edit, EditKind

    edits = [
        *(Edit(kind=EditKind.DROP, before=paper) for paper in drop),
        *(Edit(kind=EditKind.SENTENCE, before=old, after=new) for old, new in replacing),
        *([Edit(kind=EditKind.SUBJECT, after=subject)] if subject is not None else []),
    ]
    if not edits:
        raise click.UsageError("Say what to change: --subject, --drop or --replace.")
    day, given = name
    with open_app(context) as app:
        from newsletter.app import deciding
        from newsletter.cli.due import ask_operator

        edition = app.editions.name(given)
        record = deciding.edit(app, edition, day, edits, actor=operator())
        ask_operator(app, edition)
    if as_json:
        print_json({"issue": record.name, "state": record.state.value, "reason": record.reason})
        return
    again = "it is mailed again" if record.state.value == "draft" else "it stays held until it is approved"
    click.echo(f"Issue {record.name} is edited; {again}.")


def _decide(
    context: click.Context, name: tuple[date, str | None], word: str, reason: str, *, as_json: bool
) -> None:
    day, given = name
    with open_app(context) as app:
        from newsletter.app.deciding import decide
        from newsletter.delivery.drafts import Decision

        record = decide(app, app.editions.name(given), day, Decision(word), actor=operator(), reason=reason)
    if as_json:
        print_json({"issue": record.name, "state": record.state.value, "reason": record.reason})
        return
    then = (
        "the next `newsletter run` sends it" if record.state.value == "approved" else "nothing of it is sent"
    )
    click.echo(f"Issue {record.name} is {record.state.value}{_because(record.reason)}; {then}.")


@issues.command(short_help="End an issue; who was not written to yet never will be.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@click.option("--reason", default="", help="Why; kept with the issue.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def cancel(
    context: click.Context, name: tuple[date, str | None], reason: str, yes: bool, as_json: bool
) -> int:
    """End an issue for good: who was not written to yet does not get it. What was sent stays sent."""
    if not certain("Cancel it for good? Who has not got it will not get it", yes=yes):
        click.echo("Nothing was cancelled.", err=True)
        return 1
    _move(context, name, "cancelled", reason, as_json=as_json)
    return 0


def _move(
    context: click.Context, name: tuple[date, str | None], to: str, reason: str, *, as_json: bool
) -> None:
    day, given = name
    with open_app(context) as app:
        import msgspec

        from newsletter.app.halting import move
        from newsletter.states import IssueState

        edition = app.editions.name(given)
        record, counts = move(app, edition, day, IssueState(to), actor=operator(), reason=reason)
        scheduled = app.settings.edition(edition).schedule is not None
        told = msgspec.to_builtins(counts)
    if as_json:
        print_json(
            {"issue": record.name, "state": record.state.value, "reason": record.reason, "counts": told}
        )
        return
    click.echo(
        f"Issue {record.name} is {record.state.value}: "
        + ", ".join(f"{n} {part}" for part, n in told.items())
        + "."
        + (_what_sends(edition, scheduled=scheduled) if to == "sending" and counts.waiting else "")
    )


def _what_sends(edition: str, *, scheduled: bool) -> str:
    run = f"`newsletter run --edition {edition}`"
    if scheduled:
        return f" The schedule sends what is waiting; {run} does so now."
    return f" {run} sends what is waiting."


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
