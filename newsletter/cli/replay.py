"""`newsletter replay`: an issue made again from the answers that were kept."""

from __future__ import annotations

import difflib
from datetime import date

import click

from newsletter.cli.shared import IssueName, open_app


@click.command(short_help="Make a sent issue again from the sources' answers, and compare.")
@click.argument("name", type=IssueName(), metavar="DAY[/EDITION]")
@click.pass_context
def replay(context: click.Context, name: tuple[date, str | None]) -> int:
    """Make an issue again from the answers of its sources that were kept, and compare the letters.

    Under unchanged code, templates and settings the bytes are the same (exit 0); else the difference is printed
    (exit 1). Nothing is fetched and nothing is written.
    """
    with open_app(context) as app:
        from newsletter.app.replay import sent_and_again

        sent, again = sent_and_again(app, app.editions.name(name[1]), name[0])
    if sent == again:
        click.echo(
            f"The same bytes: {len(sent.html.encode()):,} of HTML, {len(sent.text.encode()):,} of text."
        )
        return 0
    for part in ("subject", "text", "html"):
        before, after = getattr(sent, part), getattr(again, part)
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"sent {part}", f"replayed {part}", lineterm="", n=1
        )
        for line in lines:
            click.echo(line[:200])
    return 1
