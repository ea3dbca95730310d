"""What a backup is: a gzipped tar whose first member, the manifest, has the size and SHA-256 of all others."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec
from msgspec import Struct

from newsletter.errors import InputError

FORMAT = 1
MANIFEST = "manifest.json"
MOST_MANIFEST = 16 << 20  # bytes: no list of files is longer
_CHUNK = 1 << 20
_LEVEL = 6
_ANOTHER = "name another backup"


class Kind(Enum):
    """What a member is."""

    DATABASE = "database"
    SETTINGS = "settings"
    SECRET = "secret"  # noqa: S105  # a kind of file
    TEMPLATE = "template"
    DKIM = "dkim"
    CA = "ca"


class Member(Struct, frozen=True, kw_only=True):
    """A file of a backup. ``name`` is where it goes, from the folder of the settings; ``size`` is in bytes."""

    name: str
    kind: Kind
    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup says of itself.

    ``fingerprint`` is the secret's (empty: there is none yet), ``counts`` are rows by table, ``moved`` is where files
    are that settings name elsewhere, by setting.
    """

    format: int = FORMAT
    version: str
    made: datetime
    schema: str
    fingerprint: str
    counts: dict[str, int]
    moved: dict[str, str]
    members: list[Member]

    def named(self, kind: Kind) -> str | None:
        """Return the name of the first member of a kind, None if there is none."""
        return next((member.name for member in self.members if member.kind is kind), None)

    def only(self, kind: Kind) -> str:
        """Return the name of the member of a kind that every backup has."""
        name = self.named(kind)
        assert name is not None, "unpack looked"
        return name


class _Format(Struct, frozen=True):
    format: int
    version: str = "unknown"


def described(name: str, kind: Kind, file: Path) -> Member:
    """Return what the manifest says of a file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Member(name=name, kind=kind, size=file.stat().st_size, sha256=digest)


def pack(target: BinaryIO, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write a backup; ``files`` are the members' contents by name."""
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=_LEVEL, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        document = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        archive.addfile(_entry(MANIFEST, len(document), manifest.made), BytesIO(document))
        for member in manifest.members:
            with files[member.name].open("rb") as content:
                archive.addfile(_entry(member.name, member.size, manifest.made), content)


def _entry(name: str, size: int, made: datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(made.timestamp())
    return entry


def unpack(source: BinaryIO, folder: Path | None, where: str) -> Manifest:
    """Check every byte of a backup and put its members into a folder, if one is given; return its manifest.

    ``where`` names it in an `InputError`, which says whether it is cut, changed, of a newer program, or no backup.
    """
    if source.read(2) != b"\x1f\x8b":
        raise _no_backup(where)
    _check_stream(source, where)
    source.seek(0)
    try:
        with tarfile.open(fileobj=source, mode="r:gz") as archive:
            manifest = _read_manifest(archive, where)
            for member in manifest.members:
                _read_member(archive, member, folder, where)
            if archive.next() is not None:
                raise InputError(
                    "holds more than its manifest names", subject=where, remedy="it was changed; " + _ANOTHER
                )
    except tarfile.TarError:
        raise _no_backup(where) from None
    return manifest


def _check_stream(source: BinaryIO, where: str) -> None:
    """Read it to the end, where the checksum of the whole stands."""
    source.seek(0)
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as packed:
            while packed.read(_CHUNK):
                pass
    except EOFError:
        raise InputError(
            "is cut: its end is missing", subject=where, remedy="copy it again, or " + _ANOTHER
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise changed(where) from None


def _read_manifest(archive: tarfile.TarFile, where: str) -> Manifest:
    entry = archive.next()
    content = archive.extractfile(entry) if entry is not None and entry.name == MANIFEST else None
    if entry is None or content is None or entry.size > MOST_MANIFEST:
        raise _no_backup(where)
    document = content.read()
    try:
        form = msgspec.json.decode(document, type=_Format)
        if form.format > FORMAT:
            raise InputError(
                f"was made by a newer program (version {form.version})", subject=where,
                remedy="use that version, or a newer one",
            )  # fmt: skip
        manifest = msgspec.json.decode(document, type=Manifest)
    except msgspec.DecodeError:
        raise _no_backup(where) from None
    if manifest.named(Kind.DATABASE) is None or not all(_is_inside(each.name) for each in manifest.members):
        raise _no_backup(where)
    return manifest


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return name not in {"", MANIFEST} and not path.is_absolute() and ".." not in path.parts


def _read_member(archive: tarfile.TarFile, member: Member, folder: Path | None, where: str) -> None:
    """Copy a member into a folder, if one is given, and compare it with what the manifest says."""
    entry = archive.next()
    content = archive.extractfile(entry) if entry is not None and entry.name == member.name else None
    if entry is None or content is None or entry.size != member.size:
        raise changed(f"{where}, {member.name}")
    digest, target = hashlib.sha256(), None
    if folder is not None:
        path = folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.open("xb")
    try:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            if target is not None:
                target.write(chunk)
    finally:
        if target is not None:
            target.close()
    if digest.hexdigest() != member.sha256:
        raise changed(f"{where}, {member.name}")


def changed(where: str) -> InputError:
    """Return the error of a backup whose bytes are not those that were written."""
    return InputError(
        "is damaged: its bytes are not those that were written", subject=where,
        remedy="copy it again, or " + _ANOTHER,
    )  # fmt: skip


def _no_backup(where: str) -> InputError:
    return InputError(
        "is no backup of a newsletter",
        subject=where,
        remedy="name a file that `newsletter backup create` made",
    )
