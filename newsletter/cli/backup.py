"""`newsletter backup`: one file with everything that is needed to go on elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import IssueName, open_app, warn
from newsletter.config import load
from newsletter.errors import InputError

if TYPE_CHECKING:
    from newsletter.backup.archive import Manifest
    from newsletter.backup.sealing import Opener, Seal
    from newsletter.delivery.restored import Doubts

_COUNTED = {
    "subscriber": "subscribers",
    "issue": "issues",
    "delivery": "deliveries",
}  # by table, which names one
_path = click.Path(path_type=Path)
_passphrase_option = click.option(
    "--passphrase-file", type=_path, metavar="FILE", help="Its first line opens a sealed backup."
)
_identity_option = click.option(
    "--identity", type=_path, metavar="FILE", help="File with the key of age that opens a sealed backup."
)


@click.group(short_help="Make, check and restore backups.")
def backup() -> None:
    """Make, check and restore backups: the database and what belongs to it, in one file (docs/backup.md)."""


@backup.command(short_help="Make a backup, also while the newsletter works.")
@click.option(
    "--out",
    type=_path,
    metavar="DIR|FILE",
    help="Folder that is there, or name of the new file (one in backup.folder).",
)
@click.option("--passphrase-file", type=_path, metavar="FILE", help="Seal it; the first line opens it again.")
@click.option(
    "--recipient", "recipients", multiple=True, metavar="AGE1...",
    help="Seal it for who has the key to this public key of age; repeatable.",
)  # fmt: skip
@click.pass_context
def create(
    context: click.Context, out: Path | None, passphrase_file: Path | None, recipients: tuple[str, ...]
) -> None:
    """Write a backup: the database as it is at one moment, newsletter.toml, the secret, your templates.

    It is checked before it gets its name. A sealed one is in age's format and holds the DKIM keys too. In backup.folder
    the newest are kept (backup.keep); with --out nothing is removed.
    """
    from newsletter.app import now
    from newsletter.app.backing_up import create as make

    wanted = _seal(passphrase_file, recipients)
    made = make(load(context.find_object(Path)), out, wanted, now())
    click.echo(f"Wrote {made.file}: {_content(made.manifest)}.")
    if made.removed:
        click.echo(f"Removed {', '.join(path.name for path in made.removed)} (backup.keep).")
    from newsletter.backup.archive import Kind

    if wanted is None and made.manifest.named(Kind.SECRET) is not None:
        warn(
            f"{made.file} holds the secret and is not sealed: keep it as safe as a password, or seal it "
            "(--recipient, --passphrase-file)"
        )


@backup.command(short_help="Check a backup from end to end.")
@click.argument("file", type=_path)
@_passphrase_option
@_identity_option
@click.pass_context
def verify(context: click.Context, file: Path, passphrase_file: Path | None, identity: Path | None) -> None:
    """Open a backup and check every byte of it, its database, its schema, and that its secret is the right one."""
    from newsletter.app.verifying import verify as check

    checked = check(load(context.find_object(Path)), file, _opener(passphrase_file, identity))
    manifest = checked.manifest
    click.echo(f"{file} is whole: {_content(manifest)}.")
    sealed = "sealed" if checked.sealed else "not sealed"
    click.echo(
        f"Made {manifest.made:%Y-%m-%d %H:%M:%S} UTC by version {manifest.version}, schema {manifest.schema}, {sealed}."
    )
    if not checked.secret_known:
        click.echo("The secret is not in it, and NEWSLETTER_SECRET is not set to compare.")


@backup.command(short_help="Put a backup back; nothing is sent from it before you say so.")
@click.argument("file", type=_path, required=False)
@_passphrase_option
@_identity_option
@click.option("--to", type=_path, metavar="DIR", help="Folder to restore into (where the newsletter is).")
@click.option("--replace", is_flag=True, help="Keep a database that is there under another name.")
@click.option("--acknowledge", is_flag=True, help="Let what was restored send again.")
@click.option(
    "--sent", type=IssueName(), multiple=True, metavar="DAY[/EDITION]",
    help="With --acknowledge: an issue that went out since, which is not to be made again; repeatable.",
)  # fmt: skip
@click.pass_context
def restore(
    context: click.Context, file: Path | None, passphrase_file: Path | None, identity: Path | None, to: Path | None,
    replace: bool, acknowledge: bool, sent: tuple[tuple[date, str | None], ...],
) -> None:  # fmt: skip
    """Check a backup and put it back. Nothing that is there is written over.

    The database does not know what was sent since the backup was made. It tells what that may be, and `run`, `send` and
    the newsletter's own mails refuse to send until `restore --acknowledge`, without FILE. Name with --sent each issue
    that went out since, or it is sent again; what was begun then is held for `newsletter deliveries resolve`.
    """
    if acknowledge == (file is not None):
        raise click.UsageError("name the FILE to restore, or say --acknowledge after that, without one")
    if acknowledge:
        _acknowledge(context, sent)
        return
    if sent:
        raise click.UsageError("--sent belongs to --acknowledge")
    from newsletter.app import now
    from newsletter.app.restoring import restore as put_back

    assert file is not None
    opener = _opener(passphrase_file, identity)
    done = put_back(load(context.find_object(Path)), file, opener, to=to, replace=replace, now=now())
    click.echo(f"Restored {file} to {done.database}: {_content(done.manifest)}.")
    for path in done.aside:
        click.echo(f"What was there is kept in {path}.")
    for path in done.left:
        warn(f"{path} is there already and differs from the backup's: it stays as it is")
    for setting, name in done.manifest.moved.items():
        warn(f"{setting} named a place outside of the settings' folder; what was there is now {name}")
    if done.doubts is None:
        made = f"{done.manifest.made:%Y-%m-%d %H:%M} UTC"
        click.echo(
            f"It does not know what was sent since {made}, so it sends nothing until you name with --sent each"
        )
        click.echo("issue that went out: `newsletter backup restore --acknowledge --sent DAY/EDITION`.")
    else:
        _tell_before(done.doubts)


@backup.command(short_help="Say that the database was restored by other tools.")
@click.argument("made", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]), metavar="TIME")
@click.pass_context
def mark(context: click.Context, made: datetime) -> None:
    """Mark a database that `pg_restore` or a copied file brought back, so that nothing is sent from it for now.

    TIME is when that backup was made, in UTC, such as 2026-01-31T18:00. `newsletter backup restore --acknowledge` then
    does what it does for our own.
    """
    from newsletter.app.acknowledging import mark as put_down

    with open_app(context) as app:
        doubts = put_down(app, made.replace(tzinfo=UTC))
    _tell_before(doubts)


def _acknowledge(context: click.Context, sent: tuple[tuple[date, str | None], ...]) -> None:
    from newsletter.app.acknowledging import acknowledge

    with open_app(context) as app:
        doubts = acknowledge(app, [(day, app.editions.name(edition)) for day, edition in sent])
    if doubts is None and sent:
        raise InputError(
            "this database is not marked as restored, so nothing was put down of --sent",
            remedy="`newsletter backup mark TIME` (when the backup was made, UTC), then this again",
        )
    if doubts is None:
        click.echo("This database is not marked as restored; there is nothing to acknowledge.")
        return
    for line in _told(doubts):
        click.echo(line)
    if doubts.held:
        held = _number(doubts.held, "delivery", "deliveries")
        click.echo(f"`newsletter deliveries resolve ISSUE --assume-sent` or `--resend` decides about {held}.")
    click.echo(
        "Whoever asked to leave since: `newsletter subscribers suppress EMAIL`. It sends again from now on."
    )
    if doubts.since:
        click.echo(
            "An issue of those days went out? Before the next run "
            f"`newsletter backup mark {doubts.made:%Y-%m-%dT%H:%M}`, then --acknowledge with --sent."
        )


def _tell_before(doubts: Doubts) -> None:
    """Tell what is to be known before a restored database may send again."""
    for line in _told(doubts):
        click.echo(line)
    click.echo(
        "It sends nothing yet. Whoever asked to leave since: `newsletter subscribers suppress EMAIL`. Then"
    )
    if doubts.since:
        edition, (_first, last) = next(iter(doubts.since.items()))
        click.echo(
            f"`newsletter backup restore --acknowledge --sent {last}/{edition}`, with a --sent for each issue of"
        )
        click.echo("those days that went out; without it `newsletter run` sends the newest of them again.")
    else:
        click.echo("`newsletter backup restore --acknowledge`.")


def _told(doubts: Doubts) -> Iterator[str]:
    """Yield what may have been sent since the backup was made."""
    yield f"The backup was made at {doubts.made:%Y-%m-%d %H:%M} UTC. What may have happened since:"
    for issue in doubts.begun:
        held = _number(issue.unsettled, "delivery", "deliveries")
        yield f"  issue {issue.name} was {issue.state.value}: {held} of it may have gone out; held, as uncertain"
    for edition, (first, last) in doubts.since.items():
        days = f"{first}" if first == last else f"{first} to {last}"
        yield f"  {edition}: issues of {days} may have been sent"
    if doubts.notices:
        mails = _number(doubts.notices, "mail", "mails")
        yield f"  {mails} of the newsletter's own may have gone out (to confirm, to welcome): they go out again"
    yield "  people may have left or been suppressed: they are on the list again, as it was then"


def _opener(passphrase_file: Path | None, identity: Path | None) -> Opener | None:
    from newsletter.backup.sealing import Opener, read_passphrase

    if passphrase_file is not None and identity is not None:
        raise click.UsageError("--passphrase-file and --identity cannot be had at once; choose one")
    if passphrase_file is not None:
        return Opener(passphrase=read_passphrase(passphrase_file))
    return Opener(identity=identity) if identity is not None else None


def _seal(passphrase_file: Path | None, recipients: tuple[str, ...]) -> Seal | None:
    from newsletter.backup.sealing import Seal, read_passphrase

    if passphrase_file is not None and recipients:
        raise click.UsageError("--passphrase-file and --recipient cannot be had at once; choose one")
    if passphrase_file is not None:
        return Seal(passphrase=read_passphrase(passphrase_file))
    return Seal(recipients=recipients) if recipients else None


def _content(manifest: Manifest) -> str:
    """Return how much a backup holds."""
    counts = ", ".join(
        _number(manifest.counts[table], table, nouns)
        for table, nouns in _COUNTED.items()
        if table in manifest.counts
    )
    return f"{counts or 'an empty database'}; {_number(len(manifest.members), 'file', 'files')}"


def _number(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
