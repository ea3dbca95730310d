"""What an import does with people who are new, known, gone, or must not be written to."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from subscribers.errors import ImportRefused
from subscribers.models import AddressState, Through
from subscribers.store import deliverable
from tests.subscribers.transfers import DATA, NOW, Files, counts, problems

EXPECTED: dict[str, dict[str, str]] = json.loads((DATA / "expected.json").read_text())
PAIR = "email,name\nada@example.org,Ada\ngrace@example.org,\n"


def test_people_are_pending_without_consent_and_active_with_it(files: Files) -> None:
    assert counts(files.bring(PAIR)) == {"new": 2}
    assert set(files.states().values()) == {"pending"}
    (ada,) = [row for row in files.rows() if row["name"] == "Ada"]
    assert "consent" not in ada
    assert [(step["to"], step["through"], step["reason"]) for step in ada["history"]] == [
        ("pending", "import", "import 1")
    ]
    assert counts(files.bring("email\nnew@example.org\n", consent="the fair of 2024")) == {"new": 1}
    (new,) = [row for row in files.rows() if row["email"] == "new@example.org"]
    assert (new["state"], new["consent"]["source"]) == ("active", "the fair of 2024")
    with files.engine.connect() as connection:
        assert len(connection.execute(deliverable("daily")).all()) == 1


def test_the_same_import_again_changes_nothing(files: Files) -> None:
    content = "email,name,state,tags\n" + "".join(
        f"p{number}@example.org,P,{state},lab\n"
        for number, state in enumerate(
            ["active", "pending", "unsubscribed", "bounced", "complained", "suppressed", "cleaned"]
        )
    )
    assert counts(files.bring(content, consent="a fair")) == {"new": 7}
    before = files.content()
    assert counts(files.bring(content, consent="a fair")) == {"known": 7}
    assert files.content() == before
    assert counts(files.bring(content, consent="a fair", dry=True)) == {"known": 7}


def test_a_dry_import_counts_the_same_and_changes_nothing(files: Files) -> None:
    files.bring(PAIR)
    before = files.content()
    content = "email,name\ngrace@example.org,Grace\nnew@example.org,\nbad\nnew@example.org,\n"
    dry = files.bring(content, dry=True)
    assert dry.number is None
    assert files.content() == before
    assert counts(dry) == counts(files.bring(content))
    assert counts(dry) == {"new": 1, "updated": 1, "invalid": 1, "duplicate": 1}


def test_nobody_comes_back_by_a_file(files: Files) -> None:
    files.bring(
        "email\nleft@example.org\nbounced@example.org\nangry@example.org\nnever@example.org\n", consent="x"
    )
    with files.engine.begin() as connection:
        files.people.remove(connection, "left@example.org", actor="operator", now=NOW)
        bounced = files.people.find(connection, "bounced@example.org")
        angry = files.people.find(connection, "angry@example.org")
        for person, state in ((bounced, AddressState.BOUNCED), (angry, AddressState.COMPLAINED)):
            files.suppressions.happened(connection, person.id, state, reason="mail", now=NOW)
        files.suppressions.suppress(
            connection, "never@example.org", reason="asked", actor="operator", now=NOW
        )
        files.suppressions.suppress(
            connection, "unknown@example.org", reason="asked", actor="operator", now=NOW
        )
    before = files.content()
    content = (
        "email,name,tags\nleft@example.org,L,t\nbounced@example.org,B,t\nangry@example.org,A,t\n"
        "never@example.org,N,t\nunknown@example.org,U,t\n"
    )
    assert counts(files.bring(content, consent="a fair")) == {"left": 1, "suppressed": 4}
    assert files.content() == before


def test_who_is_erased_stays_erased(files: Files) -> None:
    files.bring(PAIR, consent="x")
    with files.engine.begin() as connection:
        files.suppressions.erase(connection, "ada@example.org", actor="operator", now=NOW)
    assert counts(files.bring(PAIR, consent="x")) == {"suppressed": 1, "known": 1}
    assert list(files.states()) == ["grace@example.org"]
    assert files.undo(1).removed == 1
    assert files.rows() == []


def test_who_left_there_leaves_here(files: Files) -> None:
    files.bring("email\na@example.org\nb@example.org\nc@example.org\nd@example.org\n", consent="x")
    content = "email,status\na@example.org,unsubscribed\nb@example.org,cleaned\nc@example.org,spam\nd@example.org,blocked\n"
    assert counts(files.bring(content, consent="x")) == {"updated": 4}
    assert files.states() == {
        "a@example.org": "unsubscribed", "b@example.org": "bounced", "c@example.org": "complained",
        "d@example.org": "suppressed",
    }  # fmt: skip
    last = {row["email"]: row["history"][-1] for row in files.rows()}
    assert last["a@example.org"]["through"] == "import"
    assert (last["b@example.org"]["to"], last["b@example.org"]["address"]) == ("bounced", True)
    with files.engine.connect() as connection:
        assert connection.execute(deliverable("daily")).all() == []


def test_what_is_empty_is_filled_and_tags_are_added(files: Files) -> None:
    files.bring("email,name,tags\nada@example.org,Ada,lab\ngrace@example.org,,\n")
    content = "email,name,tags,language\nada@example.org,Another,new,en\ngrace@example.org,Grace,,pt_BR\n"
    assert counts(files.bring(content)) == {"updated": 2}
    rows = {row["email"]: (row["name"], row["tags"], row["language"]) for row in files.rows()}
    assert rows == {
        "ada@example.org": ("Ada", ["lab", "new"], "en"), "grace@example.org": ("Grace", [], "pt-BR")
    }  # fmt: skip


def test_consent_makes_the_pending_active_unless_they_left_before(files: Files) -> None:
    files.bring(PAIR)
    with files.engine.begin() as connection:
        files.people.remove(connection, "ada@example.org", actor="operator", now=NOW)
        files.requests.ask(
            connection, "ada@example.org", edition="daily", source="form", text_version="1", now=NOW
        )
    assert counts(files.bring(PAIR, consent="a fair")) == {"updated": 1, "left": 1}
    assert files.states() == {"ada@example.org": "pending", "grace@example.org": "active"}


def test_of_doubles_the_strictest_word_holds(files: Files) -> None:
    content = (
        "email,state,edition,name,tags\na@example.org,active,daily,,x\nA@EXAMPLE.org,unsubscribed,daily,Ann,y\n"
        "a@example.org,active,weekly,,\nb@example.org,active,daily,,\nb@example.org,bounced,weekly,Ben,\n"
    )
    assert counts(files.bring(content, consent="x")) == {"new": 4, "duplicate": 1}
    assert [(row["email"], row["edition"], row["state"]) for row in files.rows()] == [
        ("a@example.org", "daily", "unsubscribed"), ("a@example.org", "weekly", "active"),
        ("b@example.org", "daily", "bounced"), ("b@example.org", "weekly", "bounced"),
    ]  # fmt: skip
    assert {row["name"] for row in files.rows()} == {"Ann", "Ben"}
    assert files.rows()[0]["tags"] == ["x", "y"]
    assert set(counts(files.bring(content, consent="x"))) == {"known", "duplicate"}


def test_a_known_person_in_another_edition(files: Files) -> None:
    files.bring(PAIR, consent="x")
    assert counts(files.bring(PAIR, consent="x", edition="weekly")) == {"new": 2}
    assert files.undo(2).removed == 2
    assert {row["edition"] for row in files.rows()} == {"daily"}
    assert len(files.rows()) == 2


@pytest.mark.parametrize("name", EXPECTED)
def test_exports_of_other_systems(files: Files, name: str) -> None:
    imported = files.bring(DATA / name, consent="on their own site")
    assert problems(imported) == {}
    assert files.states() == EXPECTED[name]
    before = files.content()
    assert set(counts(files.bring(DATA / name, consent="on their own site"))) == {"known"}
    assert files.content() == before


def test_what_other_systems_tell_of_people(files: Files) -> None:
    for name in ("mailchimp.csv", "ghost.csv", "brevo.csv", "kit.csv", "listmonk.csv", "buttondown.csv"):
        files.bring(DATA / name)
    told = {row["email"]: (row["name"], row["tags"]) for row in files.rows()}
    assert told["mc.ada@example.org"] == ("Ada Lane", ["early, bird", "reader"])
    assert told["gh.in@example.org"] == ("Ina Ink", ["lab", "vip"])
    assert told["br.in@example.org"][0] == "Bea Stone"
    assert told["kit.active@example.org"][0] == "Kim"
    assert told["lm.on@example.org"][0] == "Lea"
    assert told["bd.regular@example.org"][1] == ["early", "lab"]


def test_the_archive_of_mailchimp(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(DATA / "mailchimp.csv", "subscribed_members_export_1a2b.csv")
        archive.write(DATA / "mailchimp-unsubscribed.csv", "unsubscribed_members_export_1a2b.csv")
        archive.writestr(
            "cleaned_members_export_1a2b.csv", "Email Address,First Name\nmc.dan@example.org,Dan\nbad,X\n"
        )
    rejects = tmp_path / "rejects.csv"
    imported = files.bring(path, consent="their site", rejects=rejects)
    assert counts(imported) == {"new": 4, "invalid": 1}
    assert [(fault.file, fault.line) for fault in imported.staged.faults] == [
        ("cleaned_members_export_1a2b.csv", 3)
    ]
    assert files.states() == {
        "mc.ada@example.org": "active", "mc.ben@example.org": "active", "mc.cleo@example.org": "unsubscribed",
        "mc.dan@example.org": "bounced",
    }  # fmt: skip
    mended = rejects.read_text().replace("bad,X", "bad@example.org,X")
    assert counts(files.bring(mended, consent="their site")) == {"new": 1}
    assert files.states()["bad@example.org"] == "bounced"


def test_refused_rows_are_mended_and_fed_again(files: Files, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    content = (
        "Full name;Mail;Notes;Mail\nAda;ada@example.org;x;\nBob;bob(at)example.org;=1+1;second\nEve;;;\n"
    )
    first = files.bring(content, rejects=rejects)
    assert counts(first) == {"new": 1, "invalid": 2}
    assert rejects.stat().st_mode & 0o777 == 0o600
    lines = rejects.read_text().splitlines()
    assert lines[0] == "Full name,Mail,Notes,Mail,problem"
    assert lines[1].startswith("Bob,bob(at)example.org,'=1+1,second,")
    mended = rejects.read_text().replace("(at)", "@").replace("Eve,", "Eve,eve@example.org")
    assert counts(files.bring(mended)) == {"new": 2}
    assert {row["name"] for row in files.rows()} == {"Ada", "Bob", "Eve"}


class TestUndo:
    def test_what_was_created_is_gone_again(self, files: Files) -> None:
        files.bring("email\nold@example.org\n", consent="x")
        before = files.content()
        number = files.bring(
            "email,tags,state\na@example.org,t,\nb@example.org,,bounced\n", consent="x"
        ).number
        assert number == 2
        undone = files.undo(2)
        assert (undone.removed, undone.restored, undone.lifted, undone.kept) == (2, 0, 1, 0)
        after = files.content()
        assert before.pop("suppression") == []
        (lifted,) = after.pop("suppression")
        assert "import 2 undone" in lifted
        assert after == before
        assert counts(files.bring("email\na@example.org\nb@example.org\n")) == {"new": 2}

    def test_what_was_changed_is_as_before(self, files: Files) -> None:
        files.bring(
            "email,name\na@example.org,\nb@example.org,B\nc@example.org,\nd@example.org,\n", consent="x"
        )
        files.bring("email\ne@example.org\n")
        with files.engine.begin() as connection:
            files.people.pause(connection, "d@example.org", until=NOW + timedelta(days=9), actor="o", now=NOW)
        before = [{**row, "history": [], "changed": ""} for row in files.rows()]
        content = (
            "email,name,tags,state,language\na@example.org,Ann,t,,en\nb@example.org,,,unsubscribed,\n"
            "c@example.org,,,complained,\nd@example.org,,,unsubscribed,\ne@example.org,,,,\n"
        )
        assert counts(files.bring(content, consent="y")) == {"updated": 5}
        undone = files.undo(3)
        assert (undone.removed, undone.lifted, undone.kept) == (0, 1, 0)
        assert undone.restored == 3 + 2 + 1 + 1
        assert [{**row, "history": [], "changed": ""} for row in files.rows()] == before
        steps = {row["email"]: row["history"] for row in files.rows()}
        assert [step["reason"] for step in steps["b@example.org"]] == [
            "import 1",
            "import 3",
            "import 3 undone",
        ]

    def test_who_has_lived_on_stays(self, files: Files) -> None:
        files.bring("email\na@example.org\nb@example.org\nc@example.org\n", consent="x")
        with files.engine.begin() as connection:
            files.people.remove(connection, "a@example.org", actor="o", now=NOW, through=Through.MAILTO)
            person = files.people.find(connection, "b@example.org")
            files.suppressions.happened(connection, person.id, AddressState.BOUNCED, reason="mail", now=NOW)
        undone = files.undo(1)
        assert (undone.removed, undone.kept) == (1, 2)
        assert files.states() == {"a@example.org": "unsubscribed", "b@example.org": "bounced"}

    def test_twice_or_never(self, files: Files) -> None:
        with pytest.raises(ImportRefused, match="nothing was imported yet"):
            files.undo(1)
        files.bring(PAIR)
        files.undo(1)
        with pytest.raises(ImportRefused, match="was taken back on 2024-09-12"):
            files.undo(1)
        for number in (2, 0, -1, 10**30):
            with pytest.raises(ImportRefused, match="the newest is 1"):
                files.undo(number)

    def test_numbers_of_people_are_not_used_again(self, files: Files) -> None:
        files.bring(PAIR)
        files.undo(1)
        with files.engine.begin() as connection:
            added = files.people.add(connection, "z@example.org", edition="daily", actor="o", now=NOW)
        assert added.subscriber.id > 2
        assert added.subscription.id > 2
        files.bring(PAIR)
        assert len(files.rows()) == 3
