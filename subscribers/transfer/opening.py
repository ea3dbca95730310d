"""What a file is, before it is read: its kind, its encoding, the lists in an archive. All reading is bounded."""

from __future__ import annotations

import codecs
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from subscribers.errors import UnusableFile
from subscribers.transfer.words import Standing

_HEAD = 65_536
_PIECE = 1 << 20
_LARGEST_FILE = 8 << 30
_LARGEST_MEMBER = 2 << 30
_LARGEST_RATIO = 200  # deflate gives addresses about 4, and zeros 1,000
_MOST_MEMBERS = 100
_SAVE_AS = "save the list as CSV in UTF-8"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_MEMBER = re.compile(r"(unsubscribed|nonsubscribed|subscribed|cleaned)_", re.IGNORECASE)
# A file called cleaned_list.csv may be one that somebody tidied up: alone, only a name that Mailchimp gives counts.
_ALONE = re.compile(
    r"(unsubscribed|nonsubscribed|cleaned)_(members|segment|email|audience|export)", re.IGNORECASE
)
_STANDINGS = {
    "subscribed": None, "unsubscribed": Standing.LEFT, "nonsubscribed": Standing.LEFT, "cleaned": Standing.BOUNCED,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One list to read. ``standing`` is what the file's name says of everybody in it."""

    path: Path
    name: str
    encoding: str
    encoding_name: str
    standing: Standing | None = None
    member: bool = False  # of an archive


@contextmanager
def opened(path: Path) -> Iterator[list[Source]]:
    """Yield the lists in a file: one, or those of a zip; raise `UnusableFile` for what is none."""
    head = _head(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with TemporaryDirectory(prefix="newsletter-") as folder:
            yield _members(path, Path(folder))
        return
    yield [_source(path, path.name, head)]


def _head(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnusableFile("is a folder", subject=str(path), remedy="name a file")
        if not stat.S_ISREG(status.st_mode):
            raise UnusableFile(
                "is no regular file, and it is read twice",
                subject=str(path),
                remedy="save it to a file first",
            )
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise UnusableFile(
            f"cannot be read ({error.strerror})",
            subject=str(path),
            remedy="check the path and its permissions",
        ) from error
    except ValueError as error:  # a NUL in the path
        raise UnusableFile("is no path", subject=repr(str(path)), remedy="name a file") from error
    if status.st_size > _LARGEST_FILE:
        raise UnusableFile(f"is larger than {_LARGEST_FILE >> 30} GB", subject=str(path), remedy="part it")
    return head


def _source(path: Path, name: str, head: bytes, *, member: bool = False) -> Source:
    encoding, said = _encoding(path, name, head)
    found = (_MEMBER if member else _ALONE).match(name)
    return Source(
        path=path, name=name, encoding=encoding, encoding_name=said, member=member,
        standing=_STANDINGS[found[1].lower()] if found else None,
    )  # fmt: skip


def _encoding(path: Path, name: str, head: bytes) -> tuple[str, str]:
    """Return the encoding of a text and its name for people; UTF-8 is what is UTF-8 to its end."""
    for mark, encoding, said in _MARKS:
        if head.startswith(mark):
            if not encoding:
                raise UnusableFile(f"is in {said}", subject=name, remedy=_SAVE_AS)
            return encoding, said
    if not head.strip(b"\0 \t\r\n"):
        if path.stat().st_size <= len(head):
            raise UnusableFile("is empty", subject=name, remedy="name a file with a line for each person")
        raise UnusableFile("is no text", subject=name, remedy=_SAVE_AS)
    strange = sum(byte < 9 or 13 < byte < 32 for byte in head)
    if strange > len(head) // 20 + 2:
        raise UnusableFile("is no text, or UTF-16 without its mark", subject=name, remedy=_SAVE_AS)
    decoder = codecs.getincrementaldecoder("utf-8")()
    undefined, utf8 = False, True
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            undefined = undefined or any(
                byte in piece for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
            )
            try:
                if utf8:
                    decoder.decode(piece)
            except UnicodeDecodeError:
                utf8 = False
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    if utf8:
        return "utf-8", "UTF-8"
    return ("latin-1", "Latin-1") if undefined else ("cp1252", "Windows-1252")


def _members(path: Path, folder: Path) -> list[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            lists = _lists(path, archive)
            return [
                _extracted(path, archive, info, folder / str(number)) for number, info in enumerate(lists)
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        text = "is encrypted" if "encrypted" in str(error) else "is a broken archive"
        raise UnusableFile(text, subject=str(path), remedy="unpack it, and name the CSV in it") from error


def _lists(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that are lists of people."""
    infos = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    if len(infos) > _MOST_MEMBERS:
        problem = f"holds {len(infos)} files, more than the {_MOST_MEMBERS} that an export may"
        raise UnusableFile(problem, subject=str(path), remedy="name the CSV in it")
    nested = [info.filename for info in infos if info.filename.lower().endswith((".zip", ".gz", ".7z"))]
    if nested:
        problem = f"holds an archive in an archive ({nested[0][:60]})"
        raise UnusableFile(problem, subject=str(path), remedy="unpack it, and name the CSV in it")
    tables = [info for info in infos if info.filename.lower().endswith(".csv") and info.file_size]
    if not tables:
        if any(info.filename.startswith(("xl/", "content.xml")) for info in infos):
            raise UnusableFile("is a spreadsheet", subject=str(path), remedy=_SAVE_AS)
        raise UnusableFile("holds no CSV", subject=str(path), remedy="name a CSV, or a zip with one")
    named = [info for info in tables if _MEMBER.match(Path(info.filename).name)]
    if not named and len(tables) > 1:
        names = ", ".join(info.filename for info in tables[:5])
        raise UnusableFile(
            f"holds several CSV files ({names})", subject=str(path), remedy="unpack it, and name one"
        )
    return named or tables


def _extracted(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> Source:
    """Write a member to a file, and stop where it becomes absurd, whatever its entry says."""
    written = 0
    bound = min(_LARGEST_MEMBER, max(_PIECE, info.compress_size * _LARGEST_RATIO))
    if info.file_size > bound:
        raise _bomb(path, info)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, archive.open(info) as member:
        while piece := member.read(_PIECE):
            written += len(piece)
            if written > bound:
                raise _bomb(path, info)
            out.write(piece)
    name = Path(info.filename).name
    with target.open("rb") as file:
        return _source(target, name, file.read(_HEAD), member=True)


def _bomb(path: Path, info: zipfile.ZipInfo) -> UnusableFile:
    problem = f"{info.filename[:60]} in it unpacks to an absurd size"
    return UnusableFile(
        problem, subject=str(path), remedy="unpack it yourself if you trust it, and name the CSV"
    )
