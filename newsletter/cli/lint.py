"""`newsletter lint`: what is wrong with a letter."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import Day, begun, edition_option, json_option, open_app, print_json, warn
from newsletter.counting import counted

if TYPE_CHECKING:
    from newsletter.templating.lint.findings import Finding


@click.command(short_help="Look for what is wrong with a letter, before anybody gets it.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--day", type=Day(), callback=begun, help="Day whose letter is made as `preview` makes it, and looked at."
)
@edition_option
@json_option
@click.pass_context
def lint(
    context: click.Context, file: Path | None, day: date | None, edition: str | None, as_json: bool
) -> int:
    """Look at a letter: a file (.eml, or .html alone), or the letter of a day as it would be sent.

    Errors (links that are not safe, no way to unsubscribe, what is left over, too many bytes, ...) stop every send
    and make this exit with 1. Warnings do not. Of a file, what it does not tell is not judged.
    """
    if (file is None) == (day is None):
        raise click.UsageError(
            "name a FILE, or a day with --day" + ("" if file is None else "; not both"), ctx=context
        )
    if file is not None and edition is not None:
        raise click.UsageError("--edition goes with --day", ctx=context)
    if file is not None:
        findings = _of_file(file)
        name, known = str(file), {"file": str(file)}
    else:
        assert day is not None
        findings = _of_day(context, day, edition)
        name, known = day.isoformat(), {"day": day.isoformat()}
    errors = sum(finding.severity.value == "error" for finding in findings)
    if as_json:
        from newsletter.templating.lint.findings import described

        print_json(
            {
                **known,
                "errors": errors,
                "warnings": len(findings) - errors,
                "findings": [described(each) for each in findings],
            }
        )
    else:
        for finding in findings:
            click.echo(_line(name, finding, page=file is not None and file.suffix.lower() != ".eml"))
        click.echo(f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")
    return 1 if errors else 0


def _of_file(file: Path) -> list[Finding]:
    from newsletter.templating.lint.check import lint as look
    from newsletter.templating.lint.file import read_letter

    return look(read_letter(file))


def _of_day(context: click.Context, day: date, edition: str | None) -> list[Finding]:
    with open_app(context) as app:
        from newsletter.app import now
        from newsletter.app.previewing import make_preview, show

        issue = make_preview(app, paths=(), day=day, edition=edition, language=None, top=None, min_votes=None)
        shown = show(app, issue, now())
        for warning in shown.notes:
            warn(warning)
        return list(shown.findings)


def _line(name: str, finding: Finding, *, page: bool) -> str:
    """Return a finding as linters print it; in an HTML file its place is the file's own."""
    place = f"{name}: {finding}"
    return place.replace(": html", "", 1) if page else place
