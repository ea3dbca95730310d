"""What people hand over by mistake, and what strangers write into titles."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.command import (
    SAMPLE,
    Command,
    assert_complains,
    entry,
    load,
    outbox,
    papers_file,
    snapshot,
)
from tests.support.unprivileged import ordinary_user, public_folder

ARXIV_ERROR = b"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/kAR1Nv2Dlwxg8w</id><title>arXiv Query: id_list=none</title>
  <updated>2026-04-27T00:00:00Z</updated><opensearch:totalResults>1</opensearch:totalResults>
  <entry>
    <id>https://arxiv.org/api/errors#incorrect_id_format_for_none</id><title>Error</title>
    <summary>incorrect id format for none</summary><author><name>arXiv api core</name></author>
    <link href="https://arxiv.org/api/errors#incorrect_id_format_for_none" rel="alternate" type="text/html"/>
  </entry>
</feed>
"""
NO_ITEMS = b"""<?xml version='1.0' encoding='UTF-8'?>
<rss version="2.0"><channel><title>cs.CL updates</title><link>https://rss.arxiv.org/rss/cs.CL</link>
<description>updates</description><lastBuildDate>Wed, 31 Dec 2025 05:00:00 +0000</lastBuildDate></channel></rss>
"""
UNUSABLE = {
    "empty": (b"", "the file is empty"),
    "spaces": (b" \n\t\n", "the file is empty"),
    "half a JSON": (SAMPLE.read_bytes()[:3000], "the JSON ends in the middle"),
    "another JSON": (b'{"papers": []}', "a list of daily papers was expected"),
    "a list of others": (b'[{"id": 1}, {"id": 2}]', "is not a list of daily papers"),
    "a list of none": (b"[]", "no papers"),
    "binary": (bytes(range(256)) * 20, "is a binary file"),
    "a PNG": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is a binary file"),
    "an HTML page": (b"<!DOCTYPE html>\n<html><body><h1>502</h1></body></html>", "is an HTML page"),
    "a text": (b"Dear reader,\nthere is nothing here.\n", "is not a file of papers"),
    "a digest of none": (b"## Papers of 2024-09-12\n\nNothing today.\n", "the digest has no papers"),
    "a feed of none": (NO_ITEMS, "no papers"),
    "arXiv's error": (ARXIV_ERROR, "incorrect id format for none"),
}


@pytest.fixture(params=UNUSABLE, ids=lambda name: name.replace(" ", "-"))
def unusable(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Return a file that is no file of papers, and what is said of it."""
    content, words = UNUSABLE[request.param]
    path = tmp_path / "given"
    path.write_bytes(content)
    return path, words


def test_preview_refuses_and_leaves_everything_as_it_was(
    command: Command, unusable: tuple[Path, str]
) -> None:
    path, words = unusable
    command("preview", "--out", "out", "--no-open").ok()
    before = snapshot(command.folder)
    result = command("preview", "--from", path, "--out", "out")
    assert_complains(result, str(path), words)
    assert result.out == ""
    assert snapshot(command.folder) == before
    assert not (command.folder / "newsletter.db").exists()


def test_run_refuses_and_makes_nothing(command: Command, unusable: tuple[Path, str]) -> None:
    path, words = unusable
    assert_complains(command("run", "--from", path), str(path), words)
    assert [item.name for item in command.folder.iterdir()] == ["given"]


def test_one_bad_file_among_good_ones_is_refused(command: Command) -> None:
    (command.folder / "bad.json").write_text("[")
    assert_complains(command("preview", "--from", SAMPLE, "--from", "bad.json"), "bad.json")
    assert not (command.folder / "preview").exists()


@pytest.mark.parametrize("name", ["absent.json", "no/such/folder.md", "x" * 5000])
def test_a_missing_file(command: Command, name: str) -> None:
    assert_complains(command("preview", "--from", name), name[:200])


def test_a_folder_is_no_file(command: Command) -> None:
    assert_complains(command("preview", "--from", "."), "is a directory")


def test_two_hundred_megabytes_are_refused_by_their_size(command: Command) -> None:
    with (command.folder / "big.json").open("wb") as file:
        file.write(b"[")
        os.truncate(file.fileno(), 200 * 1024 * 1024)
    assert_complains(command("preview", "--from", "big.json"), "big.json", "larger than")


def test_ten_thousand_papers_work(command: Command) -> None:
    many = [entry(f"26{n // 5000 + 10}.{n % 5000 + 10000:05}", f"Paper {n}", votes=n) for n in range(10_000)]
    papers_file(command.folder / "many.json", many)
    command("preview", "--from", "many.json", "--top", "0", "--no-open").ok()
    written = load(command.folder / "preview" / "issue.json")["entries"]
    assert [item["votes"] for item in written] == list(range(9_999, -1, -1))
    assert (command.folder / "preview" / "issue.html").stat().st_size < 102_000


def test_a_paper_given_twice_is_one_entry(command: Command) -> None:
    papers_file(
        command.folder / "p.json",
        [entry("2601.00001v1", votes=3), entry("2601.00001", votes=3), entry("2601.00002", votes=2)],
    )
    result = command("preview", "--from", "p.json", "--no-open").ok()
    assert "2601.00001 is listed more than once" in result.err
    assert _ids(command) == ["2601.00001", "2601.00002"]


def test_missing_votes_are_null_and_keep_nobody_out(command: Command) -> None:
    papers_file(command.folder / "p.json", [entry(f"2601.{n:05}", votes=None) for n in range(1, 9)])
    command("preview", "--from", "p.json", "--no-open").ok()
    entries = load(command.folder / "preview" / "issue.json")["entries"]
    assert [item["votes"] for item in entries] == [None] * 8


def test_six_hundred_and_sixty_four_authors(command: Command) -> None:
    names = [f"Author Number {n}" for n in range(664)]
    papers_file(command.folder / "p.json", [entry("2601.00001", authors=names)])
    command("preview", "--from", "p.json", "--no-open").ok()
    assert load(command.folder / "preview" / "issue.json")["entries"][0]["authors"] == names
    assert names[-1] in (command.folder / "preview" / "issue.md").read_text(encoding="utf-8")
    page = (command.folder / "preview" / "issue.html").read_text(encoding="utf-8")
    assert len(page) < 40_000
    assert names[0] in page


@pytest.mark.parametrize(
    "address",
    ["a@example.org\nBcc: b@example.org", "a@example.org\r\n", "\na@example.org", "a\n@example.org"],
)
def test_an_address_with_a_newline(command: Command, address: str) -> None:
    assert_complains(command("subscribers", "add", address), "line break")
    assert command("subscribers", "list", "--json").json == []


def test_an_outbox_that_cannot_be_written_rejects_nobody(command: Command) -> None:
    (command.folder / "blocked").write_text("a file where a folder should be")
    command("subscribers", "add", "ada@example.org").ok()
    path = {"NEWSLETTER_PROVIDER__OUTBOX__PATH": "blocked/outbox"}
    result = command("run", "--from", SAMPLE, "--json", env=path)
    assert_complains(result, "blocked/outbox", "cannot be written", code=1)
    assert result.json["state"] == "paused"
    assert (result.json["counts"]["waiting"], result.json["counts"]["rejected"]) == (1, 0)
    assert command("run", "--from", SAMPLE, "--json").ok().json["state"] == "finished"
    assert len(outbox(command.folder)) == 1


@pytest.mark.parametrize(
    ("text", "line", "nearest"),
    [
        ("[provider]\nnmae = 'smtp'", 2, "provider.name"),
        ("\n[provder]\nname = 'smtp'", 2, "provider"),
        ("[provider.smtp]\nhost = 'x'\npasword = 'y'", 3, "provider.smtp.password"),
        ("[editions.weekly]\nlangauge = 'ko'", 2, "editions.weekly.language"),
        ("[sender]\nemail = 'a@example.org'\npostal_adress = 'x'", 3, "sender.postal_address"),
    ],
)
def test_a_misspelt_key_names_the_nearest_one(command: Command, text: str, line: int, nearest: str) -> None:
    (command.folder / "newsletter.toml").write_text(text)
    for words in (["config"], ["run"], ["preview"], ["subscribers", "list"]):
        result = command(*words)
        assert_complains(result, f"newsletter.toml, line {line}", f"did you mean '{nearest}'?")
    assert not (command.folder / "newsletter.db").exists()


def _ids(command: Command) -> list[str]:
    return [item["id"] for item in load(command.folder / "preview" / "issue.json")["entries"]]


def test_a_new_database_is_for_its_owner_alone_and_an_old_one_stays(command: Command) -> None:
    database = command.folder / "newsletter.db"
    command("database", "upgrade").ok()
    assert database.stat().st_mode & 0o777 == 0o600
    database.chmod(0o640)
    command("subscribers", "add", "a@example.org").ok()
    assert database.stat().st_mode & 0o777 == 0o640
    command("backup", "create", "--out", "b.gz").ok()
    command("backup", "restore", "b.gz", "--replace").ok()
    assert {path.stat().st_mode & 0o777 for path in command.folder.glob("newsletter.db*")} == {0o600}


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "said"),
    [(0o555, 0o666, "make the folder {folder} writable"), (0o755, 0o444, "make the file writable")],
    ids=["folder", "file"],
)
def test_what_cannot_be_written_is_named(
    command: Command, folder_mode: int, file_mode: int, said: str
) -> None:
    env = {"NEWSLETTER_SECRET": "of this test"}
    with public_folder() as folder:
        there = replace(command, folder=folder)
        there("subscribers", "add", "a@example.org", env=env).ok()
        (folder / "newsletter.db").chmod(file_mode)
        folder.chmod(folder_mode)
        with ordinary_user():
            for words in (["subscribers", "add", "b@example.org"], ["run", "--from", SAMPLE]):
                refused = there(*words, env=env)
                where = str(folder / "newsletter.db")
                assert_complains(refused, where, said.format(folder=folder), code=1)
        folder.chmod(0o755)
