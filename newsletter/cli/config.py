"""`newsletter config`: every setting, its value, where it came from, and its help."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from newsletter.cli.shared import json_option, open_app, print_json
from newsletter.config import Config, load
from newsletter.config.descriptions import describe
from newsletter.settings.base import Secret, without_password


@click.command(short_help="Print every setting, its value and where it came from.")
@click.option("--check", is_flag=True, help="Say whether a run could use them, and what it would refuse.")
@json_option
@click.pass_context
def config(context: click.Context, check: bool, as_json: bool) -> None:
    """Print every setting with its value, where that came from, and what it does. Secrets are not shown.

    With --check only what is wrong is said; the exit code is 2 then. Nothing is sent, written or fetched.
    """
    if check:
        context.exit(_check(context, as_json=as_json))
    loaded = load(context.find_object(Path))
    rows = list(settings(loaded))
    if as_json:
        print_json(rows)
        return
    click.echo(f"# {loaded.file}" if loaded.file else "# no newsletter.toml here: the defaults")
    for row in rows:
        click.echo(f"{row['setting']} = {_shown(row['value'])}  ({row['origin']})")
        click.echo(f"    {row['help']}")


def _check(context: click.Context, *, as_json: bool) -> int:
    from newsletter.app.checking import faults

    with open_app(context) as app:
        found = faults(app)
    if as_json:
        print_json(found)
    elif not found:
        click.echo("The settings can be used.")
    for fault in [] if as_json else found:
        click.echo(f"newsletter: {fault}", err=True)
    return 2 if found else 0


def settings(loaded: Config) -> Iterator[dict[str, Any]]:
    """Yield every setting of a configuration; those of editions once for each edition."""
    for info in describe():
        parent, named, rest = info.path.partition(".NAME.")
        tables = loaded.value(parent) if named else None
        for path in (
            [f"{parent}.{name}.{rest}" for name in tables] if isinstance(tables, dict) else [info.path]
        ):
            yield {
                "setting": path,
                "value": _public(path, _value(loaded, path)),
                "origin": loaded.origins.get(path, "default"),
                "help": info.help,
            }


def _value(loaded: Config, path: str) -> object:
    if ".schedule." in path and loaded.value(path.rpartition(".")[0]) is None:
        return None
    return loaded.value(path)


def _public(path: str, value: object) -> object:
    if isinstance(value, Secret):
        return "(set)" if value else "(not set)"
    return without_password(str(value)) if path == "database.url" else value


def _shown(value: object) -> str:
    """Return a value as the file would have it."""
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
