"""`newsletter backup`: one file with everything that is needed to go on elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import warn
from newsletter.config import load

if TYPE_CHECKING:
    from newsletter.backup.archive import Manifest
    from newsletter.backup.sealing import Seal

_COUNTED = {"subscriber": "subscribers", "issue": "issues", "delivery": "deliveries"}
_path = click.Path(path_type=Path)


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
