"""Checking backups, putting them back, and what follows from a ledger that is older than what was sent."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from newsletter.app import SECRET_FILE
from newsletter.backup import archive
from newsletter.backup.archive import Kind, Manifest
from newsletter.backup.sealing import Opener, is_sealed, unseal
from newsletter.config import Config
from newsletter.database import check_known
from newsletter.errors import ConfigError, InputError
from newsletter.keys import fingerprint_of
from newsletter.settings import Secret
from newsletter.store import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A backup that is whole. ``secret_known`` says whether the secret that it needs is at hand."""

    manifest: Manifest
    sealed: bool
    secret_known: bool


def verify(config: Config, file: Path, opener: Opener | None) -> Checked:
    """Check a backup from end to end; raise an error of one line for what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="newsletter-backup-") as folder:
        return _examine(config, file, opener, Path(folder), None)


def _examine(
    config: Config, file: Path, opener: Opener | None, work: Path, secret_file: Path | None
) -> Checked:
    """Check a backup and put its members into ``work/members``; a secret may be in ``secret_file`` already."""
    members = work / "members"
    members.mkdir()
    try:
        sealed = is_sealed(file)
        plain = work / "plain" if sealed else file
        if sealed:
            unseal(file, plain, opener)
        with plain.open("rb") as content:
            manifest = archive.unpack(content, members, str(file))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", subject=str(file)) from error
    name = manifest.named(Kind.DATABASE)
    assert name is not None, "unpack looked"
    facts = files.inspect(members / name, f"{file}, {name}")
    check_known(facts.schema or None, str(file))
    if (facts.counts, facts.fingerprint) != (manifest.counts, manifest.fingerprint):
        raise archive.changed(f"{file}, {name}")
    known = _check_secret(config, manifest, members, secret_file, file)
    return Checked(manifest=manifest, sealed=sealed, secret_known=known)


def _check_secret(
    config: Config, manifest: Manifest, members: Path, secret_file: Path | None, file: Path
) -> bool:
    """Compare the secret that the newsletter would use with the one that the database was made with.

    Returns False where there is none to compare. Raises `ConfigError` for another one.
    """
    own = manifest.named(Kind.SECRET)
    if config.secret:
        where, secret = "NEWSLETTER_SECRET", config.secret
    elif own is not None:
        where, secret = f"{file}, {own}", Secret((members / own).read_text(encoding="utf-8").strip())
    elif secret_file is not None and secret_file.is_file():
        where, secret = str(secret_file), Secret(secret_file.read_text(encoding="utf-8").strip())
    else:
        return not manifest.fingerprint
    if manifest.fingerprint and fingerprint_of(secret) != manifest.fingerprint:
        raise ConfigError(
            "is another secret than the one that this backup's database was made with", subject=where,
            remedy=f"set NEWSLETTER_SECRET to that one, or {SECRET_FILE}",
        )  # fmt: skip
    return True
