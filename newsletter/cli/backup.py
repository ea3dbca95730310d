"""`newsletter backup`: one file with everything that is needed to go on elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import warn
from newsletter.config import load

if TYPE_CHECKING:
    from newsletter.backup.archive import Manifest
    from newsletter.backup.sealing import Opener, Seal

_COUNTED = {"subscriber": "subscribers", "issue": "issues", "delivery": "deliveries"}
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
@click.option("--out", type=_path, metavar="DIR|FILE", help="Where it goes (a new file in backup.folder).")
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
    from newsletter.app.restoring import verify as check

    checked = check(load(context.find_object(Path)), file, _opener(passphrase_file, identity))
    manifest = checked.manifest
    click.echo(f"{file} is whole: {_content(manifest)}.")
    sealed = "sealed" if checked.sealed else "not sealed"
    click.echo(
        f"Made {manifest.made:%Y-%m-%d %H:%M:%S} UTC by version {manifest.version}, schema {manifest.schema}, {sealed}."
    )
    if not checked.secret_known:
        click.echo("The secret is not in it, and NEWSLETTER_SECRET is not set to compare.")


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
        f"{manifest.counts[table]:,} {noun}" for table, noun in _COUNTED.items() if table in manifest.counts
    )
    files = len(manifest.members)
    return f"{counts or 'an empty database'}; {files} {'file' if files == 1 else 'files'}"
