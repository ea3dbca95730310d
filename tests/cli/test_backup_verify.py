"""`newsletter backup verify`: a whole backup is told, and each fault has one clear line."""

from __future__ import annotations

import gzip
import io
import json
import random
import resource
import sqlite3
import tarfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyrage
import pytest

from newsletter.sqlite_file import SCHEMA_REVISION
from tests.cli.command import PEOPLE, Command, Result, assert_complains, finish, snapshot
from tests.support.age import sealed
from tests.support.torture import length

HEADER = 10  # bytes of gzip's, of which those after the magic tell time and system


@pytest.fixture
def made(people: Command) -> Command:
    """Return the command with a backup, b.gz."""
    people("backup", "create", "--out", "b.gz").ok()
    return people


def test_a_whole_one_is_told_and_nothing_is_changed(made: Command) -> None:
    before = snapshot(made.folder)
    told = made("backup", "verify", "b.gz").ok().out
    assert "b.gz is whole: 3 subscribers, 0 issues, 0 deliveries; 2 files.\n" in told
    assert f"schema {SCHEMA_REVISION}, not sealed." in told
    assert snapshot(made.folder) == before


def test_wherever_it_is_cut(made: Command) -> None:
    content = (made.folder / "b.gz").read_bytes()
    for end in sorted(random.Random(1952).sample(range(HEADER, len(content)), length(12, 200))):
        (made.folder / "cut").write_bytes(content[:end])
        assert_complains(made("backup", "verify", "cut"), "cut: is cut: its end is missing")


def unpacks_to(content: bytearray, whole: bytes) -> bool:
    try:
        return gzip.decompress(content) == whole
    except (OSError, EOFError, zlib.error):
        return False


def test_wherever_a_byte_is_changed(made: Command) -> None:
    """A few bits of a packed stream say nothing: where what is unpacked is the same to the byte, it is whole."""
    content = bytearray((made.folder / "b.gz").read_bytes())
    whole = gzip.decompress(content)
    for place in sorted(random.Random(1952).sample(range(HEADER, len(content)), length(12, 200))):
        was = content[place]
        content[place] ^= 0x10
        (made.folder / "changed").write_bytes(content)
        says_nothing = unpacks_to(content, whole)
        content[place] = was
        result = made("backup", "verify", "changed")
        if says_nothing:
            result.ok()
            continue
        assert_complains(result, "changed")
        assert "is damaged" in result.err or "is cut" in result.err


def test_what_is_no_backup(made: Command) -> None:
    for name, content in {
        "text": b"hello", "empty": b"", "packed": gzip.compress(b"hello"), "database": (made.folder / "newsletter.db").read_bytes(),
    }.items():  # fmt: skip
        (made.folder / name).write_bytes(content)
        assert_complains(made("backup", "verify", name), f"{name}: is no backup of a newsletter")
    with tarfile.open(made.folder / "other.tar.gz", "w:gz") as archive:
        archive.add(made.folder / "text", "text")
    assert_complains(made("backup", "verify", "other.tar.gz"), "is no backup of a newsletter")
    assert_complains(made("backup", "verify", "missing"), "missing: cannot be read (No such file")


def rewritten(folder: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """Write b.gz as other.gz, with its manifest or its members changed."""
    with tarfile.open(folder / "b.gz") as archive:
        found = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    manifest = json.loads(found.pop("manifest.json"))
    change(manifest, found)
    with tarfile.open(folder / "other.gz", "w:gz") as archive:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **found}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def newer_format(manifest: dict[str, Any], _files: dict[str, bytes]) -> None:
    manifest.clear()
    manifest.update(format=2, version="9.1")


def another_member(_manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    files["newsletter.secret"] = files["newsletter.secret"][::-1]


def one_more(_manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    files["more"] = b""


def one_less(_manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    del files["newsletter.secret"]


def outside(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    manifest["members"][1]["name"] = "../newsletter.secret"
    files["../newsletter.secret"] = files.pop("newsletter.secret")


def other_counts(manifest: dict[str, Any], _files: dict[str, bytes]) -> None:
    manifest["counts"]["subscriber"] = 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (newer_format, "was made by a newer program (version 9.1)"),
        (another_member, "newsletter.secret: is damaged"),
        (one_more, "holds more than its manifest names"),
        (one_less, "newsletter.secret: is damaged"),
        (outside, "is no backup of a newsletter"),
        (other_counts, "newsletter.db: is damaged"),
    ],
)
def test_what_was_packed_again(made: Command, change: Callable[..., None], words: str) -> None:
    rewritten(made.folder, change)
    assert_complains(made("backup", "verify", "other.gz"), words)
    assert not (made.folder.parent / "newsletter.secret").exists()


def test_a_schema_of_a_newer_program(made: Command) -> None:
    with closing(sqlite3.connect(made.folder / "newsletter.db")) as driver:
        driver.execute("UPDATE alembic_version SET version_num = '9999'")
        driver.commit()
    made("backup", "create", "--out", "newer.gz").ok()
    assert_complains(
        made("backup", "verify", "newer.gz"), "newer.gz: has the schema 9999, which this program", code=1
    )


def test_a_database_that_was_damaged_before_is_not_taken(made: Command) -> None:
    file = made.folder / "newsletter.db"
    with closing(sqlite3.connect(file)) as driver:
        driver.execute("PRAGMA writable_schema=ON")
        driver.execute("UPDATE sqlite_master SET rootpage = 1 WHERE name = 'ix_subscriber_email'")
        driver.execute("UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'consent'")
        driver.commit()
    assert_complains(made("backup", "create", "--out", "bad.gz"), "newsletter.db", code=1)
    assert not (made.folder / "bad.gz").exists()


def test_the_secret_is_compared(made: Command) -> None:
    secret = (made.folder / "newsletter.secret").read_text().strip()
    wrong, right = {"NEWSLETTER_SECRET": "another"}, {"NEWSLETTER_SECRET": secret}
    made("backup", "verify", "b.gz", env=right).ok()
    assert_complains(
        made("backup", "verify", "b.gz", env=wrong), "NEWSLETTER_SECRET: is another secret than the one"
    )
    made("backup", "create", "--out", "without.gz", env=right).ok()
    assert "2 files" not in made("backup", "verify", "without.gz", env=right).ok().out
    assert "NEWSLETTER_SECRET is not set to compare" in made("backup", "verify", "without.gz").ok().out
    assert_complains(made("backup", "verify", "without.gz", env=wrong), "NEWSLETTER_SECRET: is another")


def test_sealed_ones(people: Command) -> None:
    ours, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    for name, identity in {"ours": ours, "other": other}.items():
        (people.folder / name).write_text(f"{identity}\n")
    people("backup", "create", "--out", "b.age", "--recipient", str(ours.to_public())).ok()
    whole = people("backup", "verify", "b.age", "--identity", "ours").ok().out
    assert f"{len(PEOPLE)} subscribers" in whole
    assert ", sealed." in whole
    assert_complains(people("backup", "verify", "b.age"), "b.age: is sealed; --passphrase-file or --identity")
    assert_complains(
        people("backup", "verify", "b.age", "--identity", "other"), "b.age: is sealed with another key"
    )
    assert_complains(people("backup", "verify", "b.age", "--identity", "b.age"), "b.age")
    content = (people.folder / "b.age").read_bytes()
    for place in (len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        (people.folder / "changed").write_bytes(changed)
        assert_complains(people("backup", "verify", "changed", "--identity", "ours"), "changed: is damaged")
        (people.folder / "cut").write_bytes(content[:place])
        assert_complains(
            people("backup", "verify", "cut", "--identity", "ours"), "cut: is damaged, or its end is missing"
        )
    (people.folder / "cut").write_bytes(content[:60])
    assert_complains(
        people("backup", "verify", "cut", "--identity", "ours"), "cut: is damaged, or its end is missing"
    )


def test_a_passphrase_seals_and_opens(people: Command) -> None:
    (people.folder / "right").write_text("correct horse\r\nnot this line\n")
    people("backup", "create", "--out", "b.age", "--passphrase-file", "right").ok()
    people("backup", "restore", "b.age", "--passphrase-file", "right", "--to", "new").ok()
    assert (people.folder / "new" / "newsletter.db").is_file()


def test_another_passphrase(made: Command) -> None:
    content = (made.folder / "b.gz").read_bytes()
    whole = sealed(content, "correct horse")
    for name, text in {"right": "correct horse\n", "wrong": "battery staple"}.items():
        (made.folder / name).write_text(text)
    files = {"b.age": whole, "cut.age": whole[:-1], "costly.age": sealed(content, "correct horse", said=40)}
    for name, damaged in files.items():
        (made.folder / name).write_bytes(damaged)

    def verify(name: str, passphrase: str) -> Result:
        return made("backup", "verify", name, "--passphrase-file", passphrase)

    verify("b.age", "right").ok()
    assert_complains(verify("b.age", "wrong"), "b.age: is sealed with another passphrase")
    assert_complains(verify("cut.age", "right"), "cut.age: is damaged, or its end is missing")
    assert_complains(verify("costly.age", "right"), "costly.age: cannot be opened here")


def test_without_room_to_look_into_it(made: Command) -> None:
    for command in (["verify", "b.gz"], ["restore", "b.gz", "--to", "new"]):
        process = made.start(
            "backup", *command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (99_999, 99_999))
        )
        assert_complains(finish(process), "b.gz", "File too large", code=1)
    assert not (made.folder / "new").exists()
