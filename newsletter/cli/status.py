"""`newsletter status`: how everything stands. It is to be quick, so what every other command shares is not imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.tables import print_table
from newsletter.delivery.standing import Need, Standing, needs
from newsletter.errors import one_line
from newsletter.quick_settings import quick_settings

if TYPE_CHECKING:
    from newsletter.schedule import Send, Timetable

_PARTS = ("prepared", "accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled")
_A_WEEK = timedelta(days=7)
_GRACE = timedelta(minutes=15)  # calls come every ten


@click.command(short_help="Tell how everything stands, and what needs a hand.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> int:
    """Tell how the newest issues stand, when the next one is sent, and what needs a hand, with its command.

    It changes nothing. The exit code is 1 where something needs a hand, else 0, so a monitor can call it.
    """
    file, now = context.find_object(Path), datetime.now(UTC)
    standing, tables = _quickly(file, now) or _thoroughly(context, now)
    if standing is None:
        wanted = [Need(sentence="There is no database yet.", command="newsletter run")]
    else:
        wanted = list(needs(standing, {name: _due(table, now) for name, table in tables.items()}))
    coming = [(name, next(table.coming(now))) for name, table in sorted(tables.items())]
    coming.sort(key=lambda each: each[1].begins)
    if as_json:
        import json

        click.echo(json.dumps(_told(standing, coming, wanted), indent=2, ensure_ascii=False))
    else:
        _print(standing, coming, wanted)
    return 1 if wanted else 0


def _quickly(file: Path | None, now: datetime) -> tuple[Standing | None, Mapping[str, Timetable]] | None:
    """Return how an SQLite file stands; None where something is not as usual, so that the usual way says what."""
    from newsletter.delivery.at_a_glance import at_a_glance

    settings = quick_settings(file)
    if settings is None:
        return None
    if not settings.database.is_file():
        return None, settings.tables
    standing = at_a_glance(settings.database, now)
    return (standing, settings.tables) if standing is not None else None


def _thoroughly(context: click.Context, now: datetime) -> tuple[Standing | None, Mapping[str, Timetable]]:
    """Return how any database stands; raises what is wrong with it or the settings."""
    from newsletter.cli.shared import open_app
    from newsletter.config import timetables

    with open_app(context) as app:
        from newsletter.delivery.overview import overview

        database, standing = app.databases.find(), None
        if database is not None:
            with database.read() as connection:
                standing = overview(connection, now)
        return standing, timetables(app.settings)


def _due(table: Timetable, now: datetime) -> date | None:
    """Return the newest local day whose send must be over, and looked at."""
    begun = table.begun(now, now.astimezone(table.zone).date() - _A_WEEK)
    return next((send.day for send in reversed(begun) if send.latest + _GRACE < now), None)


def _told(standing: Standing | None, coming: list[tuple[str, Send]], wanted: list[Need]) -> dict[str, Any]:
    known = standing or None
    return {
        "ok": not wanted,
        "needs": [{"sentence": need.sentence, "command": need.command} for need in wanted],
        "issues": [
            {
                "issue": issue.name, "day": issue.day.isoformat(), "edition": issue.edition, "state": issue.state.value,
                "reason": issue.reason, "at": _utc(issue.at), "dead_claims": issue.dead_claims,
                "counts": {part: getattr(issue.counts, part) for part in _PARTS},
            }
            for issue in (known.issues if known else ())
        ],
        "sends": [
            {"edition": turn.edition, "day": turn.day.isoformat(), "state": turn.state, "reason": turn.reason}
            for turn in (known.turns if known else ())
        ],
        "next": [
            {
                "edition": name, "day": send.day.isoformat(), "local": send.local.isoformat(),
                "utc": _utc(send.begins),
            }
            for name, send in coming
        ],
        "readers": dict(known.readers) if known else {},
        "notices": {part: getattr(known.notices, part) if known else 0 for part in ("waiting", "overdue", "failed")},
    }  # fmt: skip


def _print(standing: Standing | None, coming: list[tuple[str, Send]], wanted: list[Need]) -> None:
    if standing is not None:
        _print_standing(standing, wanted)
    for name, send in coming:
        click.echo(
            f"Next: {name} on {send.local:%a %Y-%m-%d at %H:%M} {send.zone} ({send.begins:%Y-%m-%d %H:%M} UTC)."
        )
    if not wanted:
        click.echo("Nothing needs a hand.")
        return
    click.echo("Needs a hand:")
    for need in wanted:
        click.echo(f"- {one_line(need.sentence)} `{need.command}`")


def _print_standing(standing: Standing, wanted: Sequence[Need]) -> None:
    parts = ("accepted", "rejected", "uncertain", "waiting")
    rows = [
        (
            issue.name, f"{issue.at:%Y-%m-%d %H:%M}", *(str(getattr(issue.counts, part)) for part in parts),
            issue.state.value,
        )
        for issue in standing.issues
    ]  # fmt: skip
    if rows:
        print_table(("issue", "UTC", *parts, "state"), rows, right=frozenset(parts))
    else:
        click.echo("There is no issue yet.")
    for issue in standing.issues:
        if issue.reason and not any(issue.reason.rstrip(".") in need.sentence for need in wanted):
            click.echo(one_line(f"Issue {issue.name} is {issue.state.value}: {issue.reason}"))
    for turn in standing.turns:
        if turn.state in {"waiting", "nothing"}:
            click.echo(one_line(f"Send of {turn.edition} on {turn.day}: {turn.state}, {turn.reason}"))
    readers = ", ".join(f"{name} {number}" for name, number in standing.readers)
    click.echo(f"Readers: {readers or 'none'}.")
    mails = standing.notices
    click.echo(f"Mails of its own: {mails.waiting} waiting, {mails.failed} failed in the last 30 days.")


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
