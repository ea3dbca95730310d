"""Putting a backup back: nothing that is there is written over, and nothing is sent from it before somebody looked."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from newsletter.app.backing_up import SETTINGS_NAME
from newsletter.app.secret import SECRET_FILE
from newsletter.app.verifying import knows_secret, taken_out
from newsletter.backup.archive import Kind, Manifest
from newsletter.backup.folder import arriving, workplace
from newsletter.backup.sealing import Opener
from newsletter.collecting import closed_days
from newsletter.config import Config
from newsletter.database import Database
from newsletter.delivery import restored
from newsletter.delivery.restored import Doubts
from newsletter.errors import BackupError, ConfigError, InputError
from newsletter.sqlite_file import SCHEMA_REVISION
from newsletter.store import files, issue_editions

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did: ``aside`` is what it found and keeps under another name, ``left`` differs and stayed.

    ``doubts`` are None for an older schema, which is not read before it is migrated.
    """

    database: Path
    manifest: Manifest
    aside: tuple[Path, ...]
    left: tuple[Path, ...]
    doubts: Doubts | None


def restore(
    config: Config, file: Path, opener: Opener | None, *, to: Path | None, replace: bool, now: datetime
) -> Restored:
    """Put a backup back into a folder, or where the settings have the newsletter; it is checked first.

    With ``replace`` a database and a secret that are there are kept under another name; other files stay. Raises
    `InputError`, and `DatabaseError` while another process uses the database.
    """
    folder = to or config.folder
    database = _place(config) if to is None else None
    beside = folder if database is None else database.parent
    if database is not None:
        _check_free(database, replace)
    existed = beside.exists()
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with workplace(beside) as work:
            members = work / "members"
            manifest = taken_out(file, opener, members)
            target = database or folder / manifest.only(Kind.DATABASE)
            _check_free(target, replace)
            _check_secret(config, manifest, members, file, target.with_name(SECRET_FILE), replace)
            settings = config.file if to is None else None
            editions = config.settings.editions if to is None else None
            closes = time.fromisoformat(config.settings.sources.huggingface.closes_at)
            told = _mark(
                members / manifest.only(Kind.DATABASE), manifest, editions, closed_days(now, closes)[0]
            )
            return _put(manifest, members, target, folder, settings, now, told)
    except OSError as error:
        raise BackupError(
            f"the backup cannot be put back ({error.strerror or error})", subject=os.fsdecode(error.filename or file),
            remedy="make room, or check the permissions",
        ) from error  # fmt: skip
    finally:
        if not existed:
            with suppress(OSError):  # it holds what was put there
                beside.rmdir()


def _place(config: Config) -> Path | None:
    """Return where the settings have the database; None where they say nothing, and the backup does."""
    if config.file is None and "database.url" not in config.origins:
        return None
    address = config.database_address()
    if isinstance(address, str):
        raise InputError(
            "names a server, and a backup holds a file",
            subject="database.url",
            remedy="restore it --to a folder",
        )
    return address


def _check_free(database: Path, replace: bool) -> None:
    if not replace and files.is_there(database):
        raise InputError(
            "there is a database already", subject=str(database),
            remedy="--replace keeps it under another name, --to restores into another folder",
        )  # fmt: skip


def _check_secret(
    config: Config, manifest: Manifest, members: Path, file: Path, place: Path, replace: bool
) -> None:
    """Refuse a restore after which the newsletter would have no secret, or another one."""
    if not knows_secret(config, manifest, members, file, place):
        raise ConfigError(
            "its secret is not in it",
            subject=str(file),
            remedy=f"set NEWSLETTER_SECRET to it, or write it into {place}",
        )
    own = manifest.named(Kind.SECRET)
    if own is not None and not replace and place.exists() and not _same(members / own, place):
        raise InputError(
            "there is another secret already",
            subject=str(place),
            remedy="--replace keeps it under another name",
        )


def _put(
    manifest: Manifest, members: Path, database: Path, folder: Path, settings: Path | None, now: datetime,
    told: Doubts | None,
) -> Restored:  # fmt: skip
    """Put every member in its place, the database last; ``settings`` is the file that is in use, if there is one."""
    source = members / manifest.only(Kind.DATABASE)
    aside, left = [], []
    places = {Kind.SECRET: database.with_name(SECRET_FILE), Kind.SETTINGS: settings or folder / SETTINGS_NAME}
    with arriving(database) as arrived, source.open("rb") as restoring:
        shutil.copyfileobj(restoring, arrived, _CHUNK)
        files.fold(database)
        for member in manifest.members:
            content, target = members / member.name, places.get(member.kind, folder / member.name)
            if member.kind is Kind.DATABASE or _same(content, target):
                continue
            if target.exists() and member.kind is not Kind.SECRET:
                left.append(target)
                continue
            if target.exists():
                aside.append(_aside(target, now))
                target.rename(aside[-1])
            with arriving(target) as file, content.open("rb") as taken:
                shutil.copyfileobj(taken, file, _CHUNK)
        if files.is_there(database):
            aside.append(_aside(database, now))
            files.set_aside(database, aside[-1])
    return Restored(database=database, manifest=manifest, aside=tuple(aside), left=tuple(left), doubts=told)


def _mark(file: Path, manifest: Manifest, editions: Iterable[str] | None, last: date) -> Doubts | None:
    """Mark the database; return what may have been sent up to a day of some editions (of those it has issues of)."""
    database = Database(file)
    try:
        with database.write() as connection:
            restored.mark(connection, manifest.made)
            if manifest.schema != SCHEMA_REVISION:
                return None
            return restored.doubts(
                connection, issue_editions(connection) if editions is None else editions, last
            )
    finally:
        database.close()


def _aside(path: Path, now: datetime) -> Path:
    """Return the name under which something is kept, one that `subscribers erase` looks into."""
    return path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%S%f}")


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)
