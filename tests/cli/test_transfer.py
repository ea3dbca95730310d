"""`newsletter subscribers import` and `export` from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from newsletter.database import Database
from tests.cli.command import SENDER, Command, assert_complains, outbox, snapshot
from tests.subscribers.transfers import DATA, RESULT

PAIR = "email,name\nada@example.org,Ada\ngrace@example.org,Grace\n"


@pytest.fixture
def pair(command: Command) -> Path:
    """Return a file with two people."""
    path = command.folder / "people.csv"
    path.write_text(PAIR)
    return path


def states(command: Command) -> dict[str, str]:
    """Return the state of each subscription as `list` has it."""
    return {row["email"]: row["state"] for row in command("subscribers", "list", "--json").ok().json}


def test_import_says_what_it_did(command: Command, pair: Path) -> None:
    said = command("subscribers", "import", pair).ok().out
    assert "read as CSV with commas in UTF-8" in said
    assert "Import 1: 2 new." in said
    assert "import --undo 1" in said
    assert states(command) == {"ada@example.org": "pending", "grace@example.org": "pending"}
    document = command("subscribers", "import", pair, "--consent", "the fair", "--json").ok()
    assert list(document.json) == [*RESULT, "pending", "import", "dry_run", "faults", "notes"]
    assert (document.json["updated"], document.json["import"]) == (2, 2)
    assert set(states(command).values()) == {"active"}
    assert command("subscribers", "import", pair, "--consent", "the fair", "--json").json["known"] == 2


def test_who_is_pending_is_told_with_what_makes_them_readers(command: Command, pair: Path) -> None:
    (command.folder / "newsletter.toml").write_text("[editions.daily]\n[editions.weekly]\n")
    said = command("subscribers", "import", pair, "--edition", "weekly").ok().out
    assert "Pending, so sent nothing until they confirm: 2." in said
    assert "`newsletter subscribers confirm --send --edition weekly`" in said
    asked = command("subscribers", "confirm", "--send", "--edition", "weekly", env=SENDER)
    assert asked.ok().out.startswith("2 asked")
    assert len(outbox(command.folder)) == 2
    again = ("subscribers", "import", pair, "--edition", "weekly", "--consent", "the fair")
    assert "pending" not in command(*again).ok().out
    assert set(states(command).values()) == {"active"}


def test_the_number_who_are_pending_as_json(command: Command, pair: Path) -> None:
    pair.write_text(
        "email,edition,state,consent_source\nada@example.org,daily,active,a form\ngrace@example.org,daily,,\n"
    )
    assert command("subscribers", "import", pair, "--dry-run", "--json").json["pending"] == 1
    assert command("subscribers", "import", pair, "--json").json["pending"] == 1
    assert command("subscribers", "import", pair, "--json").json["pending"] == 0


@pytest.mark.parametrize(
    "text", ['[{"email": "ada@example.org"}]', '[\n"ada@example.org"]', '{\n"people": []}', "[]"]
)
def test_json_that_is_no_json_lines(command: Command, text: str) -> None:
    (command.folder / "people.json").write_text(text)
    result = command("subscribers", "import", "people.json")
    assert_complains(result, "people.json: is JSON, but not JSON Lines", '{"email": "ada@example.org"}')


def test_all_or_nothing(command: Command, pair: Path) -> None:
    pair.write_text(PAIR + "bad\nworse@\n")
    rejects = command.folder / "rejects.csv"
    before = snapshot(command.folder)
    refused = command("subscribers", "import", pair)
    assert_complains(refused, "2 lines are wrong, nothing was changed", "line 4", "line 5", "--skip-invalid")
    refused = command("subscribers", "import", pair, "--json")
    assert_complains(refused, "2 lines are wrong")
    document = refused.json
    assert (document["new"], document["invalid"], document["import"]) == (0, 2, None)
    assert [fault["line"] for fault in document["faults"]] == [4, 5]
    assert command("subscribers", "list", "--json").json == []
    done = command("subscribers", "import", pair, "--skip-invalid", "--rejects", rejects, "--json")
    assert (done.code, done.json["new"], done.json["invalid"]) == (0, 2, 2)
    assert rejects.read_text().splitlines()[0] == "email,name,problem"
    assert rejects.stat().st_mode & 0o777 == 0o600
    rejects.write_text(
        rejects.read_text().replace("bad,", "bad@example.org,").replace("worse@,", "worse@example.org,")
    )
    assert command("subscribers", "import", rejects, "--json").json["new"] == 2
    assert snapshot(command.folder)["people.csv"] == before["people.csv"]


def test_a_dry_run_makes_nothing(command: Command, pair: Path) -> None:
    before = snapshot(command.folder)
    said = command("subscribers", "import", pair, "--dry-run").ok().out
    assert "It would be: 2 new. Nothing was changed." in said
    assert snapshot(command.folder) == before
    command("subscribers", "add", "ada@example.org").ok()
    database = (command.folder / "newsletter.db").read_bytes()
    document = command("subscribers", "import", pair, "--dry-run", "--json").json
    assert (document["new"], document["updated"], document["dry_run"], document["import"]) == (
        1,
        1,
        True,
        None,
    )
    assert (command.folder / "newsletter.db").read_bytes() == database


def test_undo(command: Command, pair: Path) -> None:
    command("subscribers", "import", pair).ok()
    assert "2 removed" in command("subscribers", "import", "--undo", "1").ok().out
    assert states(command) == {}
    assert_complains(command("subscribers", "import", "--undo", "1"), "was taken back on")
    assert_complains(command("subscribers", "import", "--undo", "9"), "import 9", "the newest is 1")
    assert_complains(command("subscribers", "import", pair, "--undo", "1"), "--undo")
    command("subscribers", "import", pair).ok()
    undone = command("subscribers", "import", "--undo", "2", "--json").json
    assert undone == {"import": 2, "removed": 2, "restored": 0, "lifted": 0, "kept": 0}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_list_goes_out_and_comes_back(command: Command, tmp_path: Path, form: str) -> None:
    for name in ("buttondown.csv", "listmonk.csv", "ghost.csv"):
        command("subscribers", "import", DATA / name, "--consent", "their site", "--tag", "moved").ok()
    out = tmp_path / f"list.{form}"
    said = command("subscribers", "export", "--format", form, "--out", out)
    assert said.ok().out == f"The list is in {out}.\n"
    assert out.stat().st_mode & 0o777 == 0o600
    assert command("subscribers", "export", "--format", form).out.encode() == out.read_bytes()
    before, times = command("subscribers", "list", "--json").json, {"since": "", "changed": ""}
    for name in ("newsletter.db", "newsletter.db-wal", "newsletter.db-shm", "newsletter.secret"):
        (command.folder / name).unlink(missing_ok=True)
    assert command("subscribers", "import", out, "--json").json["new"] == len(before)
    again = command("subscribers", "export", "--format", form).out
    assert again.encode() == out.read_bytes()
    after = command("subscribers", "list", "--json").json
    assert [{**row, **times} for row in after] == [{**row, **times} for row in before]


def test_export_chooses(command: Command, pair: Path) -> None:
    command("subscribers", "import", pair, "--tag", "lab", "--consent", "x").ok()
    command("subscribers", "remove", "ada@example.org").ok()
    rows = list(csv.DictReader(io.StringIO(command("subscribers", "export", "--state", "active").out)))
    assert [row["email"] for row in rows] == ["grace@example.org"]
    assert command("subscribers", "export", "--tag", "none").out.count("\n") == 1
    lines = command("subscribers", "export", "--format", "jsonl", "--edition", "daily").out.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["unsubscribed", "active"]


def test_an_edition_for_everybody(command: Command, pair: Path) -> None:
    (command.folder / "newsletter.toml").write_text("[editions.daily]\n[editions.weekly]\n")
    command("subscribers", "import", pair).ok()
    exported = command.folder / "list.csv"
    command("subscribers", "export", "--out", exported)
    assert command("subscribers", "import", exported, "--edition", "weekly", "--json").json["new"] == 2
    assert {row["edition"] for row in command("subscribers", "list", "--json").json} == {"daily", "weekly"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "FILE"), (["missing.csv"], "missing.csv"), (["."], "folder"), (["empty.csv"], "empty"),
        (["people.csv", "--edition", "dialy"], "daily"), (["people.csv", "--map", "x"], "--map"),
        (["people.csv", "--map", "nothing=email"], "email, name"), (["people.csv", "--map", "name=nome"], "name"),
        (["people.csv", "--rejects", "people.csv"], "--rejects"), (["people.csv", "--tag", "a\nb"], "tag"),
        (["people.csv", "--consent", "x" * 201], "consent"), (["phones.csv"], "name, phone"),
        (["bad.csv", "--rejects", "missing/x.csv"], "--rejects"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line(command: Command, pair: Path, words: list[str], said: str) -> None:
    (command.folder / "empty.csv").touch()
    (command.folder / "phones.csv").write_text("name,phone\nAda,1\n")
    (command.folder / "bad.csv").write_text("email\nbad\n")
    assert_complains(command("subscribers", "import", *words), said)


def test_an_unreadable_place_for_the_export(command: Command, pair: Path) -> None:
    command("subscribers", "import", pair).ok()
    assert_complains(command("subscribers", "export", "--out", "missing/list.csv"), "--out")
    assert_complains(command("subscribers", "export", "--out", "."), "folder")


def test_nothing_is_written_over(people: Command) -> None:
    people("init").ok()
    bad = people.folder / "bad.csv"
    bad.write_text("email\nbad\n")
    for name in ("newsletter.db", "newsletter.toml"):
        before = (people.folder / name).read_bytes()
        assert_complains(people("subscribers", "export", "--out", name), name, "exists already", "--out")
        assert_complains(
            people("subscribers", "import", bad, "--rejects", name), "exists already", "--rejects"
        )
        assert (people.folder / name).read_bytes() == before


def test_on_a_database_of_either_kind(command: Command, database: Database, pair: Path) -> None:
    env = {"NEWSLETTER_DATABASE__URL": database.engine.url.render_as_string(hide_password=False)}
    assert command("subscribers", "import", pair, "--dry-run", "--json", env=env).json["new"] == 2
    assert command("subscribers", "import", pair, "--json", env=env).json["new"] == 2
    assert command("subscribers", "import", pair, "--dry-run", "--json", env=env).json["known"] == 2
    assert "2 removed" in command("subscribers", "import", "--undo", "1", env=env).out
    assert "\nada" not in command("subscribers", "export", env=env).out


def test_nothing_is_left_behind(
    command: Command, pair: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    command("subscribers", "import", pair).ok()
    pair.write_text(PAIR + "bad\n")
    command("subscribers", "import", pair)
    assert list(folder.iterdir()) == []
