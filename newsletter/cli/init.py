"""`newsletter init`: a settings file to begin with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from newsletter.cli.shared import warn
from newsletter.config import load, timetables
from newsletter.config.descriptions import describe
from newsletter.errors import InputError
from newsletter.schedule import EXAMPLE
from newsletter.settings.base import Secret, SettingInfo
from newsletter.settings.editions import DEFAULT_EDITION

GITIGNORE = """\
# written by `newsletter init`: what must not go into a repository
newsletter.db*
newsletter.env
newsletter.secret
*.pem
backups/
mails/
outbox/
preview/
"""
HEAD = """\
# Settings of the newsletter. Each line that begins with "# " and a name shows a default; take the "# " away to
# change it. `newsletter config` prints what is in force and where it came from. Every setting can also be given
# by the environment: NEWSLETTER_ and its path in capitals with __ between, such as NEWSLETTER_PROVIDER__NAME=smtp
# (the right place for passwords and keys).
"""
_ALERTS = "alerts.provider"


@click.command(short_help="Write a commented newsletter.toml.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[DIR]")
@click.option(
    "--cron", is_flag=True, help="Print the line for crontab that sends by the schedule of DIR's settings."
)
@click.option("--systemd", is_flag=True, help="Print a service and a timer that do so.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="With --cron or --systemd: write them into FOLDER, where nothing is overwritten.",
)
@click.pass_context
def init(context: click.Context, folder: Path, cron: bool, systemd: bool, out: Path | None) -> None:
    """Write a commented newsletter.toml and a .gitignore for database, outbox and secret into DIR.

    Nothing that exists is changed: without a newsletter.toml of its own DIR gets one, a .gitignore gets the lines
    that it lacks. With --cron or --systemd it writes neither, but what has `newsletter run --if-due` called every ten
    minutes, with the settings of DIR (or of --config).
    """
    if cron and systemd:
        raise click.UsageError("choose --cron or --systemd")
    if cron or systemd:
        _timers(context.find_object(Path) or folder / "newsletter.toml", systemd=systemd, out=out)
        return
    if out is not None:
        raise click.UsageError("--out goes with --cron or --systemd; DIR says where the settings go")
    settings = folder / "newsletter.toml"
    if settings.exists():
        raise InputError("exists already", subject=str(settings), remedy="edit it, or name another DIR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings.write_text(settings_file(), encoding="utf-8")
        _ignore(folder / ".gitignore")
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", subject=str(folder), remedy="name another DIR"
        ) from error
    click.echo(f"Wrote {settings} and {folder / '.gitignore'}.")
    there = "" if folder.resolve() == Path.cwd() else f"`cd {shlex.quote(str(folder))}`, "
    click.echo(
        f"Next: {there}set [sender] in newsletter.toml, then `newsletter subscribers add you@example.org` and "
        "`newsletter run`."
    )


def _timers(settings: Path, *, systemd: bool, out: Path | None) -> None:
    """Print the timers, or write them into a folder; say where they would find no schedule."""
    from newsletter.cli.timers import command_of, crontab, units

    if not settings.is_file() or not timetables(load(settings).settings):
        where = f"{settings} has no schedule" if settings.is_file() else f"there is no {settings}"
        warn(f"{where} yet; write below [editions.{DEFAULT_EDITION}] in it: {EXAMPLE}")
    words = command_of(settings)
    files = units(words, settings) if systemd else {"newsletter.cron": crontab(words)}
    if out is None:
        click.echo(
            "\n".join(f"# {name}\n{text}" for name, text in files.items()) if systemd else files.popitem()[1],
            nl=False,
        )
        return
    for name in files:
        if (out / name).exists():
            raise InputError("exists already", subject=str(out / name), remedy="name another FOLDER")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (out / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", subject=str(out), remedy="name another FOLDER"
        ) from error
    click.echo(f"Wrote {' and '.join(str(out / name) for name in files)}.")
    if systemd:
        click.echo(
            "Next: copy them to ~/.config/systemd/user, then `systemctl --user enable --now newsletter.timer`, and"
            " `loginctl enable-linger` so that it goes on when you are logged out."
        )
    else:
        click.echo(f"Next: `crontab -e`, and add what {out / 'newsletter.cron'} holds.")


def settings_file() -> str:
    """Return a newsletter.toml in which every setting stands, commented out, with its help."""
    return HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    table = ""
    for info in describe():
        path = info.path.replace("NAME", "daily")
        if (
            ".schedule." in path
            or ".feeds." in path
            or (path.startswith(f"{_ALERTS}.") and path != f"{_ALERTS}.name")
        ):
            continue
        parent, _, name = path.rpartition(".")
        if parent != table:
            table = parent
            yield f"\n[{parent}]"
        yield f"# {info.help}"
        yield f"# {name} = {_toml(info)}"
        if path == f"{_ALERTS}.name":
            yield f"# What it is told stands in [{_ALERTS}.NAME], as that of the newsletter's own in [provider.NAME]."
    yield "# More editions: [editions.NAME]. More sources: [sources.feeds.NAME] with a url, and NAME in sources.use."
    yield "# When the edition is sent by `run --if-due`; `run` alone sends at once."
    yield f"# {EXAMPLE}"


def _toml(info: SettingInfo) -> str:
    default = "" if isinstance(info.default, Secret) else info.default
    return json.dumps(default, ensure_ascii=False)


def _ignore(path: Path) -> None:
    """Add the lines that a .gitignore lacks; what stands there stays, whatever its encoding and line ends."""
    content = path.read_bytes() if path.exists() else b""
    present = {line.strip() for line in content.splitlines()}
    missing = [line for line in GITIGNORE.encode().splitlines() if line not in present]
    if missing:
        gap = b"" if content.endswith(b"\n") or not content else b"\n"
        path.write_bytes(content + gap + b"\n".join(missing) + b"\n")
