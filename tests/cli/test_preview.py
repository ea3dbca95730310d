"""`newsletter preview`: which day, which papers, which files, and nothing else."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import (
    FILES,
    SAMPLE,
    Command,
    assert_complains,
    entry,
    load,
    outbox,
    papers_file,
    snapshot,
)
from tests.servers.papers_api import PapersApi
from tests.support.mail import assert_well_formed, parse

DIGEST = Path(__file__).resolve().parents[1] / "data" / "digests" / "seed-form.md"
EMPTY = hashlib.sha256(b"").hexdigest()
PAPERS = [entry(f"2601.0000{n}", f"Paper {n}", votes=n) for n in range(1, 9)]


def preview(command: Command, *arguments: str | Path, out: str = "out") -> Any:
    """Preview without a fault, and return issue.json."""
    command("preview", *arguments, "--out", out).ok()
    return load(command.folder / out / "issue.json")


def votes(document: Any) -> list[int | None]:
    """Return the votes of the entries in order."""
    return [item["votes"] for item in document["entries"]]


@pytest.fixture
def papers(command: Command) -> Path:
    """Return a file of eight papers with 1 to 8 votes."""
    return papers_file(command.folder / "papers.json", PAPERS)


def test_a_newcomer_sees_the_bundled_day(command: Command) -> None:
    result = command("preview").ok()
    folder = command.folder / "preview"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in command.folder.iterdir()] == ["preview"]
    assert load(folder / "issue.json")["date"] == "2024-09-12"
    assert result.out.splitlines()[0].startswith("13 of 14 papers of 2024-09-12")
    for name in FILES:
        assert f"preview/{name}" in result.out


def test_the_document_has_exactly_the_documented_shape(command: Command) -> None:
    document = preview(command, "--from", DIGEST, "--top", "0")
    assert list(document) == ["date", "language", "entries"]
    assert document["date"] == "2024-09-12"
    assert document["language"] == "en"
    assert document["entries"]
    for item in document["entries"]:
        assert list(item) == ["id", "title", "url", "votes", "authors", "image", "summary"]
        assert isinstance(item["id"], str)
        assert isinstance(item["title"], str)
        assert item["url"].startswith("http")
        assert item["votes"] is None or type(item["votes"]) is int
        assert all(isinstance(author, str) for author in item["authors"])
        assert item["image"] is None or isinstance(item["image"], str)
        assert list(item["summary"]) == ["origin", "sections"]
        assert item["summary"]["origin"] == "digest"
        for section in item["summary"]["sections"]:
            assert list(section) == ["heading", "text"]
            assert all(isinstance(value, str) for value in section.values())


def test_votes_lead_and_the_later_paper_wins_a_tie(command: Command) -> None:
    given = [
        entry("2601.00001", votes=3),
        entry("2601.00002", votes=9),
        entry("2601.00003", votes=3),
        entry("2601.00004", votes=None),
        entry("2601.00005", votes=0),
    ]
    papers_file(command.folder / "p.json", given)
    document = preview(command, "--from", "p.json", "--top", "0")
    assert [item["id"][-1] for item in document["entries"]] == ["2", "3", "1", "5", "4"]
    assert votes(document) == [9, 3, 3, 0, None]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [8, 7, 6, 5, 4, 3, 2]),
        (["--top", "3"], [8, 7, 6]),
        (["--top", "0"], [8, 7, 6, 5, 4, 3, 2, 1]),
        (["--min-votes", "3"], [8, 7, 6, 5, 4, 3]),
        (["--min-votes", "8"], [8, 7, 6, 5, 4]),
        (["--min-votes", "8", "--top", "2"], [8, 7]),
        (["--min-votes", "0"], [8, 7, 6, 5, 4, 3, 2, 1]),
        (["--top", "0", "--min-votes", "4"], [8, 7, 6, 5, 4]),
    ],
)
def test_how_many_papers(command: Command, papers: Path, options: list[str], expected: list[int]) -> None:
    assert votes(preview(command, "--from", papers, *options)) == expected


@pytest.mark.parametrize(
    ("option", "value"),
    [("--top", "-1"), ("--top", "x"), ("--min-votes", "-2"), ("--day", "12.9.2024"), ("--day", "2024-02-30"),
     ("--day", "20240912"), ("--edition", "weekly"), ("--language", "!"), ("--language", "x" * 99)],
)  # fmt: skip
def test_options_that_make_no_sense(command: Command, option: str, value: str) -> None:
    assert_complains(command("preview", option, value), value[:20])
    assert list(command.folder.iterdir()) == []


def test_korean(command: Command) -> None:
    document = preview(command, "--language", "ko")
    assert document["language"] == "ko"
    page = (command.folder / "out" / "issue.html").read_text(encoding="utf-8")
    assert 'lang="ko"' in page
    assert "구독" in page


@pytest.mark.parametrize(
    ("language", "known"),
    [("de-AT", "Abbestellen"), ("zh-CN", "退订"), ("ar", "إلغاء الاشتراك"), ("EN", "Unsubscribe")],
)
def test_a_region_has_the_words_of_its_language(command: Command, language: str, known: str) -> None:
    assert preview(command, "--language", language)["language"] == language
    assert known in (command.folder / "out" / "issue.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("language", "nearest"),
    [("xx", "en"), ("fi", "fr"), ("zh-TW", "zh-Hans"), ("pt-BR", "es"), ("ko_KR", "ko")],
)
def test_a_language_that_is_not_shipped_is_refused(command: Command, language: str, nearest: str) -> None:
    result = command("preview", "--language", language)
    assert_complains(
        result, "--language", f"'{language}' is not shipped; choose one of {nearest}, ", "zh-Hans"
    )
    assert list(command.folder.iterdir()) == []


def test_the_day_of_a_file_is_its_own_unless_given(command: Command, papers: Path) -> None:
    assert preview(command, "--from", papers)["date"] == "2026-01-05"
    assert preview(command, "--from", papers, "--day", "2025-12-24")["date"] == "2025-12-24"


def test_a_digest_and_a_json_are_merged(command: Command, papers: Path) -> None:
    digest = (
        "## Papers for 2026-01-05\n\n### [Paper 3](https://arxiv.org/abs/2601.00003)\n\n"
        "- **What's New**: It is told here.\n\n### [Paper 9](https://arxiv.org/abs/2601.00009)\n\n"
        "- **What's New**: It stands in the digest alone.\n"
    )
    (command.folder / "d.md").write_text(digest)
    document = preview(command, "--from", papers, "--from", "d.md", "--top", "0")
    entries = {item["id"]: item for item in document["entries"]}
    assert len(document["entries"]) == len(entries) == 9
    assert entries["2601.00003"]["votes"] == 3
    assert entries["2601.00003"]["authors"] == ["Ada L."]
    assert entries["2601.00003"]["summary"] == {
        "origin": "digest", "sections": [{"heading": "What's New", "text": "It is told here."}],
    }  # fmt: skip
    assert entries["2601.00009"]["votes"] is None
    assert entries["2601.00002"]["summary"]["origin"] == "extract"


@pytest.mark.parametrize("source", [SAMPLE, DIGEST], ids=["json", "digest"])
def test_the_archive_form_reads_back(command: Command, source: Path) -> None:
    once = preview(command, "--from", source, "--top", "0")
    twice = preview(command, "--from", "out/issue.md", "--top", "0", out="again")
    assert twice["date"] == once["date"]
    again = {item["id"]: item for item in twice["entries"]}
    assert len(again) == len(twice["entries"]) == len(once["entries"])
    for before in once["entries"]:
        after = again[before["id"]]
        assert {**after, "summary": None} == {**before, "summary": None}
        assert after["summary"]["sections"] == before["summary"]["sections"]


def test_what_stands_in_the_mail_stands_in_the_files(command: Command) -> None:
    preview(command)
    folder = command.folder / "out"
    content = (folder / "issue.eml").read_bytes()
    assert_well_formed(content)
    mail = parse(content)
    assert mail["To"] == "reader@example.org"
    assert len(mail.get_all("Message-ID", [])) == len(mail.get_all("List-Unsubscribe", [])) == 1
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    written = (folder / "issue.html").read_text(encoding="utf-8")
    assert html.get_content().split() == written.split()
    assert text.get_content().split() == (folder / "issue.txt").read_text(encoding="utf-8").split()
    assert len(written) < 60_000
    assert "\ue000" not in written


def test_without_a_database_none_appears_and_with_one_no_byte_changes(command: Command) -> None:
    preview(command)
    assert not list(command.folder.glob("newsletter*"))
    command("subscribers", "add", "ada@example.org").ok()
    command("run", "--from", SAMPLE).ok()
    before = snapshot(command.folder)
    preview(command, out="preview")
    preview(command, "--day", "2024-09-12", out="preview")
    after = {name: text for name, text in snapshot(command.folder).items() if not name.startswith("preview/")}
    after.pop("newsletter.db-shm", None)  # SQLite's index of a log that is empty
    assert after.pop("newsletter.db-wal", EMPTY) == EMPTY
    assert after == before


def test_the_newest_collected_day_comes_before_the_bundled_one(command: Command, papers: Path) -> None:
    command("subscribers", "add", "ada@example.org").ok()
    command("run", "--from", papers).ok()
    older = papers_file(command.folder / "older.json", [entry("2501.00001", "Older", day="2025-01-06")])
    command("run", "--from", older).ok()
    assert len(outbox(command.folder)) == 2
    assert preview(command)["date"] == "2026-01-05"
    assert preview(command)["entries"] == preview(command, "--from", papers)["entries"]
    assert preview(command, "--day", "2025-01-06")["entries"][0]["title"] == "Older"
    assert preview(command, "--day", "2024-09-12")["entries"][0]["id"] == "2409.06820"


def test_a_day_that_nobody_collected_is_fetched_and_not_kept(command: Command) -> None:
    with PapersApi(days={"2026-01-05": PAPERS}) as api:
        env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}
        command("preview", "--day", "2026-01-05", env=env).ok()
        assert_complains(command("preview", "--day", "2026-01-03", env=env), "2026-01-03", "quiet")
    assert load(command.folder / "preview" / "issue.json")["date"] == "2026-01-05"
    assert not list(command.folder.glob("newsletter*"))


def test_a_source_that_cannot_be_reached_is_a_failure(command: Command) -> None:
    env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": "http://127.0.0.1:1"}
    assert_complains(command("preview", "--day", "2026-01-05", env=env), "127.0.0.1", code=1)
    assert list(command.folder.iterdir()) == []


def test_settings_of_the_edition_count_and_options_come_first(command: Command, papers: Path) -> None:
    (command.folder / "newsletter.toml").write_text('[editions.korean]\nlanguage = "ko"\ntop = 2\n')
    assert votes(preview(command, "--from", papers)) == [8, 7]
    assert preview(command, "--from", papers)["language"] == "ko"
    document = preview(command, "--from", papers, "--top", "1", "--language", "en")
    assert (votes(document), document["language"]) == ([8], "en")


def test_files_of_others_in_the_folder_stay(command: Command) -> None:
    (command.folder / "out").mkdir()
    (command.folder / "out" / "notes.txt").write_text("mine")
    preview(command)
    assert sorted(path.name for path in (command.folder / "out").iterdir()) == [*FILES, "notes.txt"]


def test_files_can_be_read_like_any_other(command: Command) -> None:
    (command.folder / "plain").write_text("")
    preview(command)
    expected = stat.S_IMODE((command.folder / "plain").stat().st_mode)
    for name in FILES:
        assert stat.S_IMODE((command.folder / "out" / name).stat().st_mode) == expected


@pytest.mark.parametrize("out", ["file/out", "file", "/proc/nowhere/out"])
def test_a_folder_that_cannot_be_written(command: Command, out: str) -> None:
    (command.folder / "file").write_text("a file")
    assert_complains(command("preview", "--out", out), out)
    assert [path.name for path in command.folder.iterdir()] == ["file"]


def test_a_file_is_no_folder(command: Command) -> None:
    command("init").ok()
    assert_complains(command("preview", "--out", "newsletter.toml"), "newsletter.toml: is no folder", "--out")


def test_a_folder_in_the_way_of_one_file_keeps_all_of_them_out(command: Command) -> None:
    preview(command)
    (command.folder / "out" / "issue.md").unlink()
    (command.folder / "out" / "issue.md").mkdir()
    before = snapshot(command.folder)
    assert_complains(command("preview", "--out", "out", "--top", "1"), "issue.md")
    assert snapshot(command.folder) == before
    assert sorted(path.name for path in (command.folder / "out").iterdir()) == FILES


def test_the_browser_opens_when_asked(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    preview(command)
    preview(command, "--no-open")
    assert opened == []
    preview(command, "--open")
    assert opened == [(command.folder / "out" / "issue.html").as_uri()]
