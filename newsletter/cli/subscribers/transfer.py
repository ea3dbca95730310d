"""Commands that take the list in from a file, and give it out."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import ProgressBar, complain, edition_option, json_option, open_app, print_json
from newsletter.cli.subscribers.forms import operator

if TYPE_CHECKING:
    from newsletter.app import App
    from subscribers.transfer.importing import Imported, Staged
    from subscribers.transfer.rows import Wanted

_FIRST_FAULTS = 5
_STATES = ("pending", "active", "paused", "unsubscribed", "bounced", "complained", "suppressed")


@click.command("import", short_help="Take people in from a CSV or another system's export.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@edition_option
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Tag for everybody in the file; repeatable."
)
@click.option(
    "--map", "mapping", multiple=True, metavar="COLUMN=FIELD",
    help="What a column says, where its name does not tell (email, name, state, ... or ignore); repeatable.",
)  # fmt: skip
@click.option(
    "--consent", default="", metavar="TEXT",
    help="Where and when these people agreed; without it they are pending.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.option("--skip-invalid", is_flag=True, help="Import the other lines where some are wrong.")
@click.option(
    "--rejects", type=click.Path(path_type=Path), metavar="FILE",
    help="Write the lines that are wrong to a file, to mend and import again.",
)  # fmt: skip
@click.option("--undo", type=int, metavar="N", help="Take import number N back.")
@json_option
@click.pass_context
def import_(
    context: click.Context, file: Path | None, edition: str | None, tags: tuple[str, ...], mapping: tuple[str, ...],
    consent: str, dry_run: bool, skip_invalid: bool, rejects: Path | None, undo: int | None, as_json: bool,
) -> int:  # fmt: skip
    """Take people in from FILE: a CSV of any form, our own export, or that of another system.

    Mailchimp (its zip too), Substack, Ghost, Buttondown, listmonk, Brevo, beehiiv and Kit are known. Who left,
    bounced or complained there is not written to here. Nothing is sent. A line that is wrong ends it before anything
    is changed, unless --skip-invalid is given.
    """
    if undo is not None:
        given = [file, edition, tags, mapping, consent, dry_run, skip_invalid, rejects]
        if any(each not in {None, (), "", False} for each in given):
            raise click.UsageError("--undo takes an import's number and nothing else but --json.")
        _undo(context, undo, as_json=as_json)
        return 0
    if file is None:
        raise click.UsageError("Missing argument 'FILE'.")
    with open_app(context) as app:
        wanted = _wanted(app, edition, tags, mapping, consent, skip_invalid=skip_invalid)
        bar = ProgressBar("read     ")
        importer = app.people.importer(dry_run=dry_run)
        with importer.stage(file, wanted, rejects=rejects, progress=bar.show) as staged:
            bar.finish()
            for note in () if as_json else staged.notes:
                click.echo(note)
            refused = staged.invalid > 0 and not skip_invalid
            imported = _done(app, importer, staged, dry_run=dry_run or refused)
    if as_json:
        print_json(_document(imported, dry_run=dry_run, refused=refused))
    if refused:
        complain(_refusal(file, staged, rejects))
        return 2
    if not as_json:
        _tell(imported, rejects, edition, dry_run=dry_run)
    return 0


def _wanted(
    app: App, edition: str | None, tags: tuple[str, ...], mapping: tuple[str, ...], consent: str, *,
    skip_invalid: bool,
) -> Wanted:  # fmt: skip
    from subscribers.checks import check_tags, check_text
    from subscribers.transfer.rows import Wanted
    from subscribers.transfer.systems import check_mapping

    return Wanted(
        edition=app.editions.name(edition), everybody=edition is not None,
        editions=frozenset(app.settings.editions) | {app.editions.name(edition)}, tags=check_tags(tags),
        consent=check_text(consent, "consent"), mapping=check_mapping(mapping), skip_invalid=skip_invalid,
    )  # fmt: skip


def _done(app: App, importer: Any, staged: Staged, *, dry_run: bool) -> Imported:
    from newsletter.app import now

    if dry_run:
        with app.databases.open().read(staging=staged.path) as connection:
            counted: Imported = importer.count(connection, staged)
            return counted
    with app.databases.open().write(durable=True, staging=staged.path) as connection:
        merged: Imported = importer.merge(connection, staged, actor=operator(), now=now())
        return merged


def _document(imported: Imported, *, dry_run: bool, refused: bool) -> dict[str, Any]:
    staged = imported.staged
    counts = imported.counts
    if refused:  # nothing was changed
        counts = {name: count if name in {"invalid", "duplicate"} else 0 for name, count in counts.items()}
    faults = [
        {"line": fault.line, "problem": fault.problem, **({"file": fault.file} if fault.file else {})}
        for fault in staged.faults
    ]
    pending = 0 if refused else imported.pending
    return {
        **counts,
        "pending": pending,
        "import": imported.number,
        "dry_run": dry_run,
        "faults": faults,
        "notes": staged.notes,
    }


def _refusal(file: Path, staged: Staged, rejects: Path | None) -> str:
    first = "; ".join(
        f"{fault.file + ' ' if fault.file else ''}line {fault.line}: {fault.problem}"
        for fault in staged.faults[:_FIRST_FAULTS]
    )
    lines = "1 line is wrong" if staged.invalid == 1 else f"{staged.invalid:,} lines are wrong"
    more = f"; and {staged.invalid - _FIRST_FAULTS:,} more" if staged.invalid > _FIRST_FAULTS else ""
    where = f"they are in {rejects}" if rejects is not None else "--rejects FILE writes them to a file"
    return (
        f"{file}: {lines}, nothing was changed ({first}{more}); mend them, or go on without them by "
        f"--skip-invalid ({where})"
    )


def _tell(imported: Imported, rejects: Path | None, edition: str | None, *, dry_run: bool) -> None:
    words = {
        "new": "new", "known": "known", "updated": "updated", "suppressed": "suppressed",
        "left": "left here before", "invalid": "invalid", "duplicate": "more than once",
    }  # fmt: skip
    counts = ", ".join(f"{count:,} {words[name]}" for name, count in imported.counts.items() if count)
    counts = counts or "nobody in it"
    for fault in imported.staged.faults[:_FIRST_FAULTS]:
        click.echo(f"{fault.file + ' ' if fault.file else ''}line {fault.line}: {fault.problem}")
    if imported.staged.invalid and rejects is not None:
        click.echo(f"The lines that are wrong are in {rejects}.")
    if dry_run:
        click.echo(f"It would be: {counts}. Nothing was changed.")
        return
    click.echo(f"Import {imported.number}: {counts}.")
    if imported.pending:
        where = f" --edition {edition}" if edition is not None else ""
        click.echo(
            f"Pending, so sent nothing until they confirm: {imported.pending:,}. `newsletter subscribers confirm "
            f"--send{where}` asks them, or import the file again with --consent TEXT."
        )
    click.echo(f"`newsletter subscribers import --undo {imported.number}` takes it back.")


def _undo(context: click.Context, number: int, *, as_json: bool) -> None:
    with open_app(context) as app:
        from newsletter.app import now

        importer = app.people.importer()
        with app.databases.open().write(durable=True) as connection:
            undone = importer.undo(connection, number, actor=operator(), now=now())
    if as_json:
        names = ("removed", "restored", "lifted", "kept")
        print_json({"import": undone.number, **{name: getattr(undone, name) for name in names}})
        return
    click.echo(
        f"Import {number} was taken back: {undone.removed:,} removed, {undone.restored:,} as before, "
        f"{undone.lifted:,} suppressions lifted."
    )
    if undone.kept:
        click.echo(f"{undone.kept:,} stay, because something happened to them since.")


@click.command("export", short_help="Write the list to a file that `import` takes back.")
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True,
    help="CSV for spreadsheets, or JSON Lines with the history too.",
)  # fmt: skip
@edition_option
@click.option(
    "--state", type=click.Choice(_STATES), metavar="STATE", help=f"Only those who are {', '.join(_STATES)}."
)
@click.option("--tag", metavar="TAG", help="Only those with this tag.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="File to write, which only you can read (else standard output).",
)  # fmt: skip
@click.pass_context
def export(
    context: click.Context,
    form: str,
    edition: str | None,
    state: str | None,
    tag: str | None,
    out: Path | None,
) -> None:
    """Write the list with states, tags and consents. Cells that a spreadsheet would calculate are made harmless."""
    with open_app(context) as app:
        from subscribers.transfer.exporting import Picked, export_csv, export_jsonl
        from subscribers.transfer.writing import whole

        if edition is not None:
            app.editions.name(edition)
        picked = Picked(edition=edition, state=state, tag=tag)
        with app.databases.open_to_look().read() as connection:
            pieces = (export_csv if form == "csv" else export_jsonl)(connection, picked)
            if out is None:
                _print_utf8(pieces)
                return
            with whole(out, option="--out") as file:
                for piece in pieces:
                    file.write(piece)
    click.echo(f"The list is in {out}.")


def _print_utf8(pieces: Iterator[bytes]) -> None:
    """Print a file that others read, whatever the terminal's encoding is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")
    for piece in pieces:
        sys.stdout.write(piece.decode())
