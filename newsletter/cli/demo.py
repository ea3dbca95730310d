"""`newsletter demo`: the whole line on the bundled day, without network, key or server."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.init import settings_file
from newsletter.cli.run import send
from newsletter.cli.shared import complain
from newsletter.cli.writing import write_all
from newsletter.config import load
from newsletter.errors import InputError

SETTINGS, DATABASE = "newsletter.toml", "newsletter.db"
SUBSCRIBERS = (("ada@example.org", "Ada"), ("grace@example.org", "Grace"), ("minjun@example.org", "민준"))


@click.command(short_help="Send the bundled day to three sample subscribers.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo", metavar="[DIR]")
def demo(folder: Path) -> int:
    """Collect the bundled day, rank, summarise, render, and send to three sample subscribers into DIR/outbox.

    Works again and again: who has the issue gets no second copy. A newsletter of your own in DIR is left alone.
    """
    _check_ours(folder)
    settings = folder / SETTINGS
    if not settings.exists():
        folder.mkdir(parents=True, exist_ok=True)
        settings.write_text(settings_file(), encoding="utf-8")
    from email import policy
    from email.parser import BytesParser

    from newsletter.app import App, now
    from newsletter.app.previewing import make_preview, show
    from newsletter.sample import SAMPLE_DAY, sample_day_path

    app = App(load(settings, environ={}), lambda _text: None)  # example values are what a demo is for
    try:
        people = app.people.subscribers()
        with app.databases.open().write(durable=True) as connection:
            for email, name in SUBSCRIBERS:
                people.add(connection, email, edition="daily", name=name, actor="demo", now=now())
        result = send(app, "daily", SAMPLE_DAY, (sample_day_path(),))
        issue = make_preview(
            app, paths=[sample_day_path()], day=SAMPLE_DAY, edition="daily", language="en", top=None, min_votes=None
        )  # fmt: skip
        write_all(folder / "preview", show(app, issue, now()).files, option="DIR")
    finally:
        app.close()
    if not result.ok:
        complain(result.sentence)
        return 1
    click.echo(result.sentence)
    click.echo("\nIn the outbox:")
    for message in sorted((folder / "outbox").glob("*/*")):
        header = BytesParser(policy=policy.default).parsebytes(message.read_bytes(), headersonly=True)
        click.echo(f"  {header['To']}  {message}")
    click.echo(f"\nLook at the letter:  {(folder / 'preview' / 'issue.html').absolute()}")
    click.echo(
        f"In a mail program:   open {folder / 'outbox'} as a Maildir, for example: mutt -f {folder / 'outbox'}"
    )
    return 0


def _check_ours(folder: Path) -> None:
    """Raise `InputError` for a folder with a newsletter that the demo did not make."""
    present = {name for name in (SETTINGS, DATABASE) if (folder / name).exists()}
    if present and (len(present) == 1 or not _is_ours(folder / SETTINGS)):
        raise InputError(
            "holds a newsletter of its own, which the demo leaves alone", subject=str(folder), remedy="name another DIR"
        )  # fmt: skip


def _is_ours(settings: Path) -> bool:
    """Whether a newsletter is one that the demo made: nothing is set, and its people alone are on the list."""
    from newsletter.database import Database
    from subscribers.selection import Chosen, listing

    config = load(settings, environ={})
    if config.origins:
        return False
    database = Database(config.database_address(), read_only=True)  # of an older program too, as it is
    try:
        with database.read() as connection:
            present = {row.email for row in listing(connection, Chosen())}
    finally:
        database.close()
    return bool(present) and present <= {email for email, _ in SUBSCRIBERS}
