"""`newsletter templates`: the letter's templates, and those that replace them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter import __version__
from newsletter.cli.shared import json_option, open_app, print_json, print_table, warn
from newsletter.cli.writing import write_all
from newsletter.config import Config, load
from newsletter.errors import ConfigError, InputError

if TYPE_CHECKING:
    from newsletter.templating.partials import Partial

USUAL_FOLDER = "templates"


@click.group(short_help="List, copy and check the letter's templates.")
def templates() -> None:
    """List, copy and check the letter's templates: a file in the folder theme.templates replaces ours of its name."""


@templates.command("list", short_help="List the templates, what each draws, and what replaces it.")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List the templates, what each of them draws, and the file that replaces it where there is one."""
    from newsletter.app.theming import override_folder
    from newsletter.templating.partials import ours

    config = load(context.find_object(Path))
    try:
        folder = override_folder(config)
    except ConfigError as error:  # the folder is yet to be made
        folder = None
        warn(str(error))
    rows = [(partial, _replaced_by(folder, partial)) for partial in ours().values()]
    if as_json:
        print_json(
            [
                {
                    "name": partial.name,
                    "draws": partial.draws,
                    "replaced_by": str(file) if file else None,
                }
                for partial, file in rows
            ]
        )
        return
    print_table(
        ("template", "replaced by", "draws"),
        [(partial.name, str(file or ""), partial.draws) for partial, file in rows],
    )


@templates.command(short_help="Copy templates into your folder, to change them there.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Copy all of them.")
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="DIR",
    help=f"Folder to copy to (theme.templates, else {USUAL_FOLDER}/ beside the settings).",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.pass_context
def export(
    context: click.Context, names: tuple[str, ...], everything: bool, to: Path | None, force: bool
) -> None:
    """Copy templates into your folder, to change them there. NAME is as in the list, or short, such as foot.

    What you do not copy stays ours and follows our changes, so copy only what you want to change.
    """
    if bool(names) == everything:
        raise click.UsageError("name the templates to copy, or give --all", context)
    from newsletter.templating.partials import copy_of, ours

    config = load(context.find_object(Path))
    configured = config.settings.theme.templates.strip()
    folder = to if to is not None else config.path(configured or USUAL_FOLDER)
    if "\0" in str(folder):
        raise InputError("a NUL character is part of no path", subject=str(folder).replace("\0", "?"))
    chosen = list(ours().values()) if everything else _chosen(names, ours())
    _refuse(folder, chosen, force=force)
    copies = {partial.name: copy_of(partial, __version__).encode() for partial in chosen}
    write_all(folder, copies, option="--to")
    for partial in chosen:
        click.echo(f"  {folder / partial.name}")
    if not configured or config.path(configured).resolve() != folder.resolve():
        click.echo(
            f"To use them, set this under [theme] in {config.file or 'newsletter.toml'}: "
            f"templates = {_as_setting(folder, config)}"
        )
    click.echo("`newsletter templates check` says whether they work, `newsletter preview` shows them.")


@templates.command(short_help="Try out the templates in your folder.")
@json_option
@click.pass_context
def check(context: click.Context, as_json: bool) -> int:
    """Compile the templates in your folder, and make letters of the bundled day with them.

    That is in every layout, in your languages and from right to left, with many papers, few and none. Each fault
    names file and line. The exit code is 1 if there is one.
    """
    with open_app(context) as app:
        from newsletter.app.theming import check_overrides, override_folder

        folder = override_folder(app.config)
        report = check_overrides(app, folder) if folder is not None else None
    faults, warnings = (report.faults, report.warnings) if report is not None else ((), ())
    if as_json:
        print_json(
            {
                "folder": str(folder) if folder is not None else None,
                "replaced": report.replaced if report is not None else (),
                "faults": [
                    {"file": fault.file, "line": fault.line or None, "what": fault.what} for fault in faults
                ],
                "warnings": warnings,
            }
        )
        return 1 if faults else 0
    for text in warnings:
        warn(text)
    for fault in faults:
        click.echo(str(fault))
    if report is None:
        click.echo("No folder of templates is set (theme.templates): the letter is made of ours.")
    elif not faults:
        count = len(report.replaced)
        click.echo(
            f"{count} of ours {'is' if count == 1 else 'are'} replaced from {folder}, without a fault."
        )
    return 1 if faults else 0


def _replaced_by(folder: Path | None, partial: Partial) -> Path | None:
    file = folder / partial.name if folder is not None else None
    return file if file is not None and file.is_file() else None


def _chosen(wishes: Sequence[str], known: Mapping[str, Partial]) -> list[Partial]:
    """Return the templates that are meant, each once; refuse a name that none or several have."""
    from newsletter.templating.partials import matching, nearest

    chosen: dict[str, Partial] = {}
    for wish in wishes:
        found = matching(wish, known)
        if not found:
            near = nearest(wish, known)
            remedy = f"did you mean {near!r}?" if near else "`newsletter templates list` names them all"
            raise InputError(f"there is no template {wish!r}", remedy=remedy)
        if len(found) > 1:
            raise InputError(f"{wish!r} could be {' or '.join(found)}", remedy="name one of them")
        chosen[found[0]] = known[found[0]]
    return list(chosen.values())


def _refuse(folder: Path, chosen: Sequence[Partial], *, force: bool) -> None:
    """Refuse to write over what is there without ``force``, and over our own in any case."""
    for partial in chosen:
        file = folder / partial.name
        if file.resolve() == partial.file.resolve():
            raise InputError(
                "is the newsletter's own", subject=str(file), remedy="choose another folder: --to"
            )
        if file.is_dir():
            raise InputError("is a folder", subject=str(file), remedy="move it away, or choose another --to")
        if not force and (file.exists() or file.is_symlink()):
            raise InputError("exists already", subject=str(file), remedy="--force writes over it")


def _as_setting(folder: Path, config: Config) -> str:
    """Return a folder as newsletter.toml names it: relative to that file where it stands beside or below it."""
    whole, home = folder.resolve(), config.folder.resolve()
    path = whole.relative_to(home) if whole.is_relative_to(home) else whole
    return json.dumps(path.as_posix(), ensure_ascii=False)
