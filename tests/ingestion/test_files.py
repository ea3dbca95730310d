"""Files: recognised by content, and everything that is none."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.ingestion.files import FileSource, read_file
from newsletter.models.papers import DayKind
from tests.support.unprivileged import ordinary_user, public_folder

PAPER = "### [Ünïcode](https://arxiv.org/abs/2409.06820)\n\nVote: 45\n\n- **What's New**: x\n"
DIGEST = f"## Daily Papers (2024-09-12)\n\n{PAPER}"
ENTRIES = [{"paper": {"id": "2409.06820", "title": "T", "upvotes": 43, "summary": "An abstract."}}]
RSS = '<rss version="2.0"><channel><title>x</title>{}</channel></rss>'
ITEM = "<item><title>T</title><link>https://arxiv.org/abs/2409.06820</link></item>"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def write(folder: Path, content: bytes | str, name: str = "input") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (DIGEST, "digest"),
        (DIGEST.replace("\n", "\r\n"), "digest"),
        (DIGEST.encode("utf-8-sig"), "digest"),
        (DIGEST.encode("utf-16"), "digest"),
        (b"\xfe\xff" + DIGEST.encode("utf-16-be"), "digest"),
        ("\x00" + DIGEST, "digest"),
        (json.dumps(ENTRIES), "huggingface"),
        ("\n  " + json.dumps(ENTRIES), "huggingface"),
        (json.dumps(ENTRIES).encode("utf-8-sig"), "huggingface"),
        (json.dumps(ENTRIES).encode("utf-16"), "huggingface"),
        (RSS.format(ITEM), "feed"),
        ("\n" + RSS.format(ITEM), "feed"),
        (RSS.format(ITEM).encode("utf-8-sig"), "feed"),
        (('<?xml version="1.0" encoding="utf-16"?>' + RSS.format(ITEM)).encode("utf-16"), "feed"),
        ("<?xml version='1.0'?><!-- a feed --><?x y?>" + RSS.format(ITEM), "feed"),
    ],
)
def test_content_tells_the_kind(tmp_path: Path, content: bytes | str, kind: str) -> None:
    parsed = read_file(write(tmp_path, content))
    assert parsed.kind == kind
    assert [paper.id for paper in parsed.papers] == ["2409.06820"]
    if kind == "digest":
        assert parsed.papers[0].title == "Ünïcode"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b" \n\t\n", "the file is empty"),
        (json.dumps(ENTRIES)[:-20], r"JSON ends in the middle \(line 1, column \d+"),
        ('[{"paper": {"id": "x"}}', r"JSON ends in the middle \(line 1, column 24"),
        ('[\n{"paper": oops}]', r"is not valid JSON \(line 2, column 11"),
        ('{"papers": []}', "is another JSON"),
        ('{"name": "x", "version": 1}', "is another JSON"),
        ('["a", "b"]', r"is not a list of daily papers: .*\$\[0\]"),
        ("[]", "the list has no papers"),
        ("[" + "9" * 5000 + "]", "is not usable JSON"),
        ("[" * 100_000, "is not usable JSON"),
        (PNG, "is a binary file"),
        (bytes(1000), "is a binary file"),
        ("Grüße".encode("latin-1"), "is a binary file"),
        (b"\xff\xfe\x00\xd8", "is a binary file"),
        ("<!DOCTYPE html><html><body>Not found</body></html>", "is an HTML page"),
        ("<HTML><p>Not found", "is an HTML page"),
        ("<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html xmlns='y'></html>", "is an HTML page"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a readable RSS or Atom feed"),
        ("<rss", "is not a readable RSS or Atom feed|has no papers"),
        (RSS.format(""), "the feed has no papers"),
        ("## Daily Papers (2024-09-12)\n\nNobody wrote anything.\n", "the digest has no papers"),
        ("# Notes\n\nMilk, eggs.\n", "is not a file of papers"),
        ("name,email\nAda,ada@example.org\n", "is not a file of papers"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_everything_else_is_an_error_that_names_the_path(
    tmp_path: Path, content: bytes | str, said: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=said) as caught:
        read_file(path)
    assert caught.value.subject == str(path)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.md: there is no such file; check the path"):
        read_file(tmp_path / "nothing.md")
    with pytest.raises(InputError, match="cannot be read"):
        read_file(write(tmp_path, DIGEST) / "below-a-file.md")
    with pytest.raises(InputError, match="cannot be read"):
        read_file(Path("nul\x00byte"))


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        read_file(tmp_path)


def test_a_file_that_may_not_be_read() -> None:
    with public_folder() as folder:
        path = write(folder, DIGEST)
        path.chmod(0)
        with ordinary_user(), pytest.raises(InputError, match="cannot be read"):
            read_file(path)


@pytest.mark.timeout(20)  # a hang fails
def test_a_huge_file_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    with pytest.raises(InputError, match=r"huge\.json: is larger than 32 MB"):
        read_file(path)


def test_a_pipe_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="is larger than 32 MB"):
        read_file(Path("/dev/zero"))


def source(paths: list[Path], day: date | None = None) -> FileSource:
    return FileSource(paths, day=day, clock=lambda: NOW)


def test_several_files_are_one_day(tmp_path: Path) -> None:
    digest = write(tmp_path, DIGEST, "a.md")
    other = json.dumps([*ENTRIES, {"paper": {"id": "2409.00001", "title": "B"}}, {"no": "paper"}])
    files = source([digest, write(tmp_path, other, "2020-01-01.json")])
    assert files.day == date(2024, 9, 12)
    day = files.fetch(files.day)
    assert (day.source, day.day, day.kind, day.taken_at) == ("file", files.day, DayKind.COMPLETE, NOW)
    assert [(paper.id, paper.votes) for paper in day.papers] == [("2409.06820", 45), ("2409.00001", None)]
    assert day.papers[0].abstract == "An abstract."
    assert day.papers[0].sources == ("digest", "huggingface")
    assert len(day.warnings) == 1
    assert "$[2]" in day.warnings[0]


def test_the_day_of_files(tmp_path: Path) -> None:
    digest = write(tmp_path, DIGEST, "a.md")
    undated = write(tmp_path, json.dumps(ENTRIES), "x.json")
    named = write(tmp_path, json.dumps(ENTRIES), "daily-2024-09-13.json")
    assert source([digest], date(2025, 1, 1)).day == date(2025, 1, 1)
    assert source([undated]).day == NOW.date()
    assert source([undated, digest]).day == date(2024, 9, 12)
    assert source([named]).day == date(2024, 9, 13)


def test_a_bad_file_among_good_ones_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a binary file"):
        source([write(tmp_path, DIGEST, "a.md"), write(tmp_path, PNG, "b.md")])
