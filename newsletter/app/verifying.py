"""Checking backups from end to end."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from newsletter.app.secret import SECRET_FILE
from newsletter.backup import archive
from newsletter.backup.archive import Kind, Manifest
from newsletter.backup.sealing import Opener, is_sealed, unseal
from newsletter.config import Config
from newsletter.database.schema import check_known
from newsletter.errors import BackupError, ConfigError, InputError
from newsletter.keys import fingerprint_of
from newsletter.settings.base import Secret
from newsletter.store import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A backup that is whole. ``secret_known`` says whether the secret that it needs is at hand."""

    manifest: Manifest
    sealed: bool
    secret_known: bool


def verify(config: Config, file: Path, opener: Opener | None) -> Checked:
    """Check a backup from end to end; raise an error of one line for what is wrong with it."""
    try:
        with tempfile.TemporaryDirectory(prefix="newsletter-backup-") as folder:
            members = Path(folder) / "members"
            manifest = taken_out(file, opener, members)
            known = knows_secret(config, manifest, members, file)
    except OSError as error:
        raise BackupError(
            f"cannot be unpacked to look at it ({error.strerror})", subject=str(file),
            remedy="make room there, or name another folder in TMPDIR",
        ) from error  # fmt: skip
    return Checked(manifest=manifest, sealed=is_sealed(file), secret_known=known)


def taken_out(file: Path, opener: Opener | None, members: Path) -> Manifest:
    """Check all of a backup but its secret, and put its members into a new folder."""
    try:
        sealed = is_sealed(file)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", subject=str(file)) from error
    members.mkdir()
    plain = members.with_name("plain") if sealed else file
    if sealed:
        unseal(file, plain, opener)
    with plain.open("rb") as content:
        manifest = archive.unpack(content, members, str(file))
    name = manifest.only(Kind.DATABASE)
    facts = files.inspect(members / name, f"{file}, {name}")
    check_known(facts.schema or None, str(file))
    if (facts.counts, facts.fingerprint) != (manifest.counts, manifest.fingerprint):
        raise archive.changed(f"{file}, {name}")
    return manifest


def knows_secret(
    config: Config, manifest: Manifest, members: Path, file: Path, place: Path | None = None
) -> bool:
    """Compare the secret that the newsletter would use with the one that the database was made with.

    ``place`` is where a secret may stand already. Returns False where there is none to compare; raises `ConfigError`
    for another one.
    """
    own = manifest.named(Kind.SECRET)
    if config.secret:
        where, secret = "NEWSLETTER_SECRET", config.secret
    elif own is not None:
        where, secret = f"{file}, {own}", _read(members / own)
    elif place is not None and place.is_file():
        where, secret = str(place), _read(place)
    else:
        return not manifest.fingerprint
    if manifest.fingerprint and fingerprint_of(secret) != manifest.fingerprint:
        raise ConfigError(
            "is another secret than the one that this backup's database was made with", subject=where,
            remedy=f"set NEWSLETTER_SECRET to that one, or write it into {SECRET_FILE}",
        )  # fmt: skip
    return True


def _read(file: Path) -> Secret:
    return Secret(file.read_text(encoding="utf-8", errors="replace").strip())
