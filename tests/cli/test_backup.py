"""`newsletter backup create`: whole, of one moment, for its owner alone; or nothing at all."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pyrage
import pytest

from newsletter.database import Database
from tests.cli.command import Command, assert_complains, finish, snapshot

AGE = shutil.which("age")


def backups(command: Command, folder: str = "backups") -> list[Path]:
    """Return the backups of a folder, oldest first."""
    return sorted((command.folder / folder).glob("newsletter-*"))


def members(content: bytes) -> dict[str, bytes]:
    """Return the files in a backup that is not sealed."""
    with tarfile.open(fileobj=BytesIO(gzip.decompress(content))) as archive:
        found = {}
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None
            found[entry.name] = file.read()
        return found


def rows(content: bytes, table: str, folder: Path) -> list[Any]:
    """Return the rows of a table of a database that is given as bytes."""
    file = folder / "looked-at.db"
    file.write_bytes(content)
    with closing(sqlite3.connect(file)) as driver:
        return driver.execute(f"SELECT * FROM {table}").fetchall()


@pytest.fixture
def furnished(people: Command) -> Command:
    """Return the command with people, settings, templates and a key for signing."""
    own = people.folder / "own" / "email"
    own.mkdir(parents=True)
    (own / "masthead.mjml.j2").write_text("<mj-text>ours</mj-text>")
    people("dkim", "new-key", "k1").ok()
    (people.folder / "newsletter.toml").write_text(
        '[theme]\ntemplates = "own"\n[sender]\nemail = "news@example.com"\n'
        '[dkim]\ndomain = "example.com"\nkeys = { k1 = "dkim-k1.pem" }\n'
    )
    return people


def test_everything_that_is_needed_to_go_on_elsewhere(furnished: Command, tmp_path: Path) -> None:
    made = furnished("backup", "create").ok()
    (file,) = backups(furnished)
    assert made.out.startswith(f"Wrote backups/{file.name}: 3 subscribers, 0 issues, 0 deliveries; 4 files.")
    assert "holds the secret and is not sealed" in made.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = members(file.read_bytes())
    assert list(found) == [
        "manifest.json", "newsletter.db", "newsletter.toml", "newsletter.secret", "own/email/masthead.mjml.j2",
    ]  # fmt: skip
    for name in list(found)[2:]:
        assert found[name] == (furnished.folder / name).read_bytes()
    assert len(rows(found["newsletter.db"], "subscriber", tmp_path)) == 3
    manifest = json.loads(found["manifest.json"])
    assert (manifest["format"], manifest["counts"]["subscriber"], manifest["moved"]) == (1, 3, {})
    assert len(manifest["fingerprint"]) == 16
    left = {path.name for path in furnished.folder.iterdir()}
    assert not {name for name in left if name.startswith(".")}


def test_sealed_it_holds_the_signing_keys_and_age_opens_it(furnished: Command) -> None:
    identity = pyrage.x25519.Identity.generate()
    key = furnished.folder / "key.txt"
    key.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    made = furnished("backup", "create", "--recipient", str(identity.to_public())).ok()
    assert made.err == ""
    (file,) = backups(furnished)
    assert file.name.endswith(".tar.gz.age")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    plain = (
        subprocess.run([AGE, "-d", "-i", key, file], check=True, capture_output=True).stdout
        if AGE
        else pyrage.decrypt(content, [identity])
    )
    found = members(plain)
    assert found["dkim-k1.pem"] == (furnished.folder / "dkim-k1.pem").read_bytes()
    assert found["newsletter.secret"] == (furnished.folder / "newsletter.secret").read_bytes()


def test_a_secret_of_the_environment_and_files_elsewhere(command: Command, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    here = tmp_path / "here"
    here.mkdir()
    (elsewhere / "ca.pem").write_text("a certificate")
    (here / "newsletter.toml").write_text(
        f'[database]\nurl = "sqlite:///{elsewhere}/list.db"\n[provider.smtp]\nca_file = "{elsewhere}/ca.pem"\n'
    )
    env = {"NEWSLETTER_SECRET": "of the environment"}
    at = ("--config", here / "newsletter.toml")
    command(*at, "subscribers", "add", "a@example.org", env=env).ok()
    made = command(*at, "backup", "create", "--out", tmp_path / "one", env=env).ok()
    assert made.err == ""
    found = members((tmp_path / "one").read_bytes())
    assert list(found) == ["manifest.json", "newsletter.db", "newsletter.toml", "provider.smtp.pem"]
    moved = json.loads(found["manifest.json"])["moved"]
    assert moved == {"database.url": "newsletter.db", "provider.smtp.ca_file": "provider.smtp.pem"}


def test_of_its_own_the_newest_stay_and_nothing_else_goes(people: Command) -> None:
    env = {"NEWSLETTER_BACKUP__KEEP": "2"}
    (people.folder / "backups").mkdir()
    others = ["newsletter-old.tar.gz", "newsletter-20200101T000000000000Z.tar.gz.part", "notes.txt"]
    for name in others:
        (people.folder / "backups" / name).write_text("of somebody")
    (people.folder / "backups" / "newsletter-20200101T000000000000Z.tar.gz").write_text("the oldest")
    for _ in range(3):
        people("backup", "create", "--out", "backups").ok()
    assert len(backups(people)) == 6, "with --out nothing is removed"
    made = people("backup", "create", env=env).ok()
    assert "Removed newsletter-20200101T000000000000Z.tar.gz, newsletter-" in made.out
    left = {path.name for path in (people.folder / "backups").iterdir()}
    assert set(others) < left
    assert len(left) == len(others) + 2


def test_it_is_of_one_moment_while_others_write(people: Command, tmp_path: Path) -> None:
    database, done = Database(people.folder / "newsletter.db"), threading.Event()
    with database.write() as connection:
        for table in ("one", "two"):
            connection.exec_driver_sql(f"CREATE TABLE {table} (x)")

    def write() -> None:
        while not done.is_set():
            with database.write() as connection:
                connection.exec_driver_sql("INSERT INTO one VALUES (hex(randomblob(500)))")
                connection.exec_driver_sql("INSERT INTO two VALUES (1)")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    counted = []
    try:
        for number in range(3):
            people("backup", "create", "--out", f"{number}.gz").ok()
            content = members((people.folder / f"{number}.gz").read_bytes())["newsletter.db"]
            one, two = (len(rows(content, table, tmp_path)) for table in ("one", "two"))
            assert one == two
            counted.append(one)
    finally:
        done.set()
        for writer in writers:
            writer.join()
        database.close()
    assert 0 < counted[0] < counted[-1], "nobody wrote meanwhile"


def fill(command: Command, megabytes: int) -> None:
    """Make the database larger by what cannot be packed."""
    with closing(sqlite3.connect(command.folder / "newsletter.db")) as driver:
        driver.execute("CREATE TABLE filling AS SELECT randomblob(?) AS x", (megabytes << 20,))


def test_killed_it_leaves_nothing_that_looks_whole_and_the_next_one_cleans_up(people: Command) -> None:
    fill(people, 30)
    folder = people.folder / "backups"
    process = people.start("backup", "create")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not any(path.stat().st_size for path in folder.glob(".*")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert finish(process).code == -signal.SIGKILL
    assert backups(people) == []
    assert len(list(folder.iterdir())) == 1
    assert len(list(people.folder.glob(".newsletter-backup-*"))) == 1
    people("backup", "create").ok()
    assert [path.name for path in folder.iterdir()] == [path.name for path in backups(people)]
    assert not list(people.folder.glob(".*"))


@pytest.mark.parametrize("room", [2 << 20, 8 << 20], ids=["for-the-copy", "for-the-backup"])
@pytest.mark.parametrize("how", ["plain", "sealed"])
def test_without_room_it_says_so_and_leaves_nothing(people: Command, room: int, how: str) -> None:
    fill(people, 6)
    (people.folder / "own").mkdir()
    (people.folder / "own" / "large.j2").write_bytes(os.urandom(3 << 20))
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    before = snapshot(people.folder)
    process = people.start(
        "backup", "create", *(["--recipient", recipient] if how == "sealed" else []),
        env={"NEWSLETTER_THEME__TEMPLATES": "own"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip
    assert_complains(finish(process), code=1)
    assert snapshot(people.folder) == before


def test_postgresql_is_backed_up_by_its_own_tools(command: Command) -> None:
    env = {"NEWSLETTER_DATABASE__URL": "postgresql+psycopg://me:hidden@db.example.org/list"}
    result = command("backup", "create", env=env)
    assert_complains(result, "pg_dump --format=custom", "'postgresql://me:***@db.example.org/list'")
    assert "hidden" not in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--recipient", "age1nobody"], ["--recipient", "is no public key of age"]),
        (["--passphrase-file", "missing"], ["missing", "No such file"]),
        (["--passphrase-file", "empty"], ["empty", "holds no passphrase"]),
        (["--passphrase-file", "empty", "--recipient", "age1x"], ["choose one"]),
        (["--out", "empty"], ["empty", "exists already"]),
    ],
)
def test_what_cannot_be_asked(people: Command, arguments: list[str], words: list[str]) -> None:
    (people.folder / "empty").write_text("\n")
    before = snapshot(people.folder)
    assert_complains(people("backup", "create", *arguments), *words)
    assert snapshot(people.folder) == before


def test_there_is_nothing_yet(command: Command) -> None:
    assert_complains(command("backup", "create"), "newsletter.db", "there is no such file yet")
    assert list(command.folder.iterdir()) == []


def test_without_the_package_it_says_what_to_install(
    people: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    assert_complains(people("backup", "create", "--recipient", "age1x"), "pip install", "[backup]")


def test_a_backup_goes_to_no_folder_that_there_is_not(people: Command) -> None:
    refused = people("backup", "create", "--out", "no/such/file")
    assert_complains(refused, "no/such: there is no such folder", "--out")
    assert not (people.folder / "no").exists()
    people("backup", "create", "--out", "bk").ok()
    assert (people.folder / "bk").is_file()
