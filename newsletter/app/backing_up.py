"""Making backups: the database as it is at one moment, and what is needed beside it to go on elsewhere."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from newsletter import __version__
from newsletter.app.secret import SECRET_FILE
from newsletter.app.theming import override_folder
from newsletter.backup import archive, folder
from newsletter.backup.archive import Kind, Manifest
from newsletter.backup.sealing import Seal, check_recipients, seal
from newsletter.config import Config
from newsletter.config.descriptions import describe
from newsletter.database import Database
from newsletter.errors import BackupError, InputError
from newsletter.settings.base import without_password
from newsletter.store import files

DATABASE_NAME = "newsletter.db"
SETTINGS_NAME = "newsletter.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was made; ``removed`` are older ones that it took the turn of."""

    file: Path
    manifest: Manifest
    removed: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A file to take: what it is, where it goes; where a setting names it elsewhere, that and what it should say."""

    kind: Kind
    name: str
    file: Path
    moved: tuple[str, str] | None = None


def create(config: Config, out: Path | None, wanted: Seal | None, now: datetime) -> Made:
    """Make a backup while others work with the database; it is checked before it gets its name.

    ``out`` is a file or a folder; without it, it goes to ``backup.folder`` and older ones are removed there. Raises
    `InputError` for what cannot be asked, `BackupError` where there is no room.
    """
    database = _file(config)
    if wanted is not None:
        check_recipients(wanted.recipients)
    target = _target(config, out, folder.name_of(now, sealed=wanted is not None))
    folder.check_new(target)
    try:
        with folder.workplace(database.parent) as work, folder.arriving(target) as file:
            manifest = _make(config, database, work, wanted is not None, now)
            contents = {member.name: work / "taken" / member.name for member in manifest.members}
            if wanted is None:
                archive.pack(file, manifest, contents)
                file.seek(0)
                archive.unpack(file, None, target.name)
            else:
                plain = work / "plain"
                with plain.open("w+b") as packed:
                    archive.pack(packed, manifest, contents)
                    packed.seek(0)
                    archive.unpack(packed, None, target.name)
                seal(plain, file, wanted)
    except OSError as error:
        raise BackupError(
            f"the backup cannot be made ({error.strerror or error})", subject=os.fsdecode(error.filename or target),
            remedy="make room, or check the permissions; nothing unfinished was left",
        ) from error  # fmt: skip
    removed = folder.rotate(target.parent, config.settings.backup.keep) if out is None else []
    return Made(file=target, manifest=manifest, removed=tuple(removed))


def _file(config: Config) -> Path:
    """Return the database's file; raise `InputError` where its server makes backups, or where there is none yet."""
    address = config.database_address()
    if isinstance(address, str):
        url = without_password(address).replace("+psycopg", "", 1)
        raise InputError(
            "is backed up by its server's own tools", subject="database.url",
            remedy=f"pg_dump --format=custom --file=newsletter.dump '{url}' (keep newsletter.secret with it; "
            "docs/backup.md)",
        )  # fmt: skip
    if not address.is_file():
        raise InputError(
            "there is no such file yet",
            subject=str(address),
            remedy="nothing has to be backed up here; --config FILE names a newsletter that is elsewhere",
        )
    return address


def _target(config: Config, out: Path | None, name: str) -> Path:
    if out is None:
        return config.path(config.settings.backup.folder) / name
    if out.is_dir():
        return out / name
    if not out.parent.is_dir():
        raise InputError(
            "there is no such folder", subject=str(out.parent), remedy="make it, or name another --out"
        )
    return out


def _make(config: Config, database: Path, work: Path, sealed: bool, now: datetime) -> Manifest:
    """Take a copy of every file into ``work/taken`` and describe them."""
    taken = work / "taken"
    sources = [
        _source(config, Kind.DATABASE, database, "database.url", DATABASE_NAME),
        *_beside(config, database),
        *(_keys(config) if sealed else ()),
    ]
    members = []
    for source in sources:
        target = taken / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.kind is Kind.DATABASE:
            Database(database).copy_to(target)
        else:
            shutil.copyfile(source.file, target)
        members.append(archive.described(source.name, source.kind, target))
    facts = files.inspect(taken / sources[0].name, str(database))
    return Manifest(
        version=__version__, made=now, schema=facts.schema, fingerprint=facts.fingerprint, counts=facts.counts,
        moved=dict(source.moved for source in sources if source.moved), members=members,
    )  # fmt: skip


def _beside(config: Config, database: Path) -> Iterator[_Source]:
    """Yield the settings, the secret (unless the environment gives it), templates and certificate that are used."""
    if config.file is not None:
        yield _Source(kind=Kind.SETTINGS, name=SETTINGS_NAME, file=config.file)
    secret = database.with_name(SECRET_FILE)
    if not config.secret and secret.is_file():
        yield _Source(kind=Kind.SECRET, name=SECRET_FILE, file=secret)
    if own := override_folder(config):
        place = _source(config, Kind.TEMPLATE, own, "theme.templates", "templates")
        for file in sorted(path for path in own.rglob("*.j2") if path.is_file()):
            yield replace(place, file=file, name=f"{place.name}/{file.relative_to(own).as_posix()}")
    yield from _certificates(config)


def _certificates(config: Config) -> Iterator[_Source]:
    """Yield the certificate authorities of providers, a file of several once."""
    taken = set()
    for setting in (info.path for info in describe()):
        if re.fullmatch(r"(?:alerts\.)?provider\.\w+\.ca_file", setting) and (named := config.value(setting)):
            fallback = f"{setting.removesuffix('.ca_file')}.pem"
            source = _source(config, Kind.CA, config.path(str(named)), setting, fallback)
            if source.name not in taken:
                yield source
            taken.add(source.name)


def _keys(config: Config) -> Iterator[_Source]:
    for selector, named in config.settings.dkim.keys.items():
        yield _source(config, Kind.DKIM, config.path(named), f"dkim.keys.{selector}", f"dkim-{selector}.pem")


def _source(config: Config, kind: Kind, file: Path, setting: str, fallback: str) -> _Source:
    """Return a file with where it goes: as it stands below the folder of the settings, else a name of ours."""
    try:
        name = file.absolute().relative_to(config.folder.absolute()).as_posix()
    except ValueError:
        return _Source(kind=kind, name=fallback, file=file, moved=(setting, fallback))
    return _Source(kind=kind, name=name, file=file)
