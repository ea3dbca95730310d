"""`newsletter preview`: the letter as files."""

from __future__ import annotations

import sys
import webbrowser
from datetime import date
from pathlib import Path

import click

from newsletter.cli.shared import Day, begun, edition_option, from_option, open_app, warn
from newsletter.cli.writing import write_all
from newsletter.languages import nearest_first, shipped_as


def _language(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Hold ``--language`` to what is shipped, as the settings do."""
    if value is not None and shipped_as(value) is None:
        near = ", ".join(nearest_first(value))
        raise click.BadParameter(f"{value!r} is not shipped; choose one of {near}")
    return value


@click.command(short_help="Write the letter to files, as a reader would get it.")
@from_option
@click.option(
    "--day",
    type=Day(),
    callback=begun,
    help="Day to preview (the newest collected one, else the bundled one).",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder to write to (preview).")
@click.option("--top", type=click.IntRange(min=0), metavar="N", help="Papers to take; 0 means all of them.")
@click.option("--min-votes", type=click.IntRange(min=0), metavar="N", help="Votes that a paper needs.")
@click.option(
    "--language",
    metavar="LANG",
    callback=_language,
    help="Language of the letter's own words, such as en, ko or zh-Hans.",
)
@click.option("--open/--no-open", "open_it", default=None, help="Open the letter in the browser.")
@click.option(
    "--serve", is_flag=True, help="Show the letter in a page that follows each change, until Ctrl-C."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port of that page, on this machine alone (8765); 0 takes a free one.",
)
@edition_option
@click.pass_context
def preview(
    context: click.Context, paths: tuple[Path, ...], day: date | None, out: Path | None, top: int | None,
    min_votes: int | None, language: str | None, open_it: bool | None, serve: bool, port: int | None,
    edition: str | None,
) -> None:  # fmt: skip
    """Write issue.html, issue.txt, issue.md, issue.eml and issue.json, as one example reader would get them.

    Nothing is written to the database. On a terminal the letter opens in the browser unless --out is given.

    With --serve no file is written: a page shows the letter on phone and desktop, light and dark, without pictures
    and as text, its weight, its line in an inbox and what is wrong with it, and follows changes of templates,
    settings and the files of --from.
    """
    if serve:
        if out is not None:
            raise click.UsageError("--serve writes no files; leave out --out", ctx=context)
        from newsletter.cli.studio import serve as serve_page
        from newsletter.web.making import Wanted

        wanted = Wanted(
            paths=paths, day=day, edition=edition, language=language, top=top, min_votes=min_votes
        )
        serve_page(context, wanted, port=port, open_it=open_it)
        return
    if port is not None:
        raise click.UsageError("--port goes with --serve", ctx=context)
    folder = Path("preview") if out is None else out
    with open_app(context) as app:
        from newsletter.app import now
        from newsletter.app.previewing import make_preview, show

        issue = make_preview(
            app, paths=paths, day=day, edition=edition, language=language, top=top, min_votes=min_votes
        )
        shown = show(app, issue, now())
    for warning in shown.notes:
        warn(warning)
    files = shown.files
    write_all(folder, files, option="--out")
    for finding in shown.findings:
        warn(f"lint: {finding}")
    click.echo(
        f"{len(issue.entries)} of {issue.collected} papers of {issue.day}, {len(files['issue.html']):,} bytes of HTML"
    )
    for file in files:
        click.echo(f"  {folder / file}")
    if open_it if open_it is not None else (out is None and sys.stdout.isatty()):
        webbrowser.open((folder / "issue.html").absolute().as_uri())
