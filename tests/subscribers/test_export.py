"""What export writes, and that import takes it back as the same list."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from subscribers.errors import UnusableFile
from subscribers.models import AddressState
from subscribers.schema import metadata
from subscribers.transfer.exporting import STATES, Picked
from subscribers.transfer.writing import whole
from tests.subscribers.conftest import with_foreign_keys
from tests.subscribers.transfers import NOW, Files, counts
from tests.support.torture import length

HEADER = (
    "email,name,edition,state,tags,language,consent_source,consent_given_at,consent_confirmed_at,"
    "paused_until,subscription"
)


def live(files: Files) -> None:
    """Put somebody of every kind on the list, with names and tags of every kind."""
    with files.engine.begin() as connection:
        add, now = files.people.add, NOW
        for number, (name, tags) in enumerate(
            [("=1+1", ["a,b", "=x"]), ("+1", ['q"q', "z"]), ("-x", ["[a]"]), ("@y", []), ("'=z", ["a;b"]), ("Ann", ["t"]),
             ("Ärz, das \"A\"", []), ("민준", ["연구"])]
        ):  # fmt: skip
            add(
                connection, f"p{number}@example.org", edition="daily", name=name, tags=tags,
                language="ko" if number == 7 else None, actor="operator", now=now,
            )  # fmt: skip
        add(connection, "+plus@example.org", edition="weekly", actor="operator", now=now)
        add(connection, "p0@example.org", edition="weekly", actor="operator", now=now)
        files.people.pause(
            connection, "p1@example.org", until=now + timedelta(days=9), actor="operator", now=now
        )
        files.people.remove(connection, "p2@example.org", actor="operator", now=now, reason="wished")
        for number, state in ((3, AddressState.BOUNCED), (4, AddressState.COMPLAINED)):
            person = files.people.find(connection, f"p{number}@example.org")
            files.suppressions.happened(connection, person.id, state, reason="mail failed", now=now)
        files.suppressions.suppress(
            connection, "p5@example.org", reason="asked by phone", actor="operator", now=now
        )
        asked = files.requests.ask(
            connection, "form@example.org", edition="daily", source="form", text_version="2", network="192.0.2.0/24",
            now=now,
        )  # fmt: skip
        done = files.requests.ask(
            connection, "done@example.org", edition="daily", source="form", text_version="2", now=now
        )
        assert asked.consent
        assert done.consent
        files.requests.confirm(connection, done.consent, now=now + timedelta(seconds=5))


def test_csv_has_a_line_for_each_subscription(files: Files) -> None:
    live(files)
    text = files.csv().decode()
    assert text.splitlines()[0] == HEADER
    rows = {(row["email"], row["edition"]): row for row in csv.DictReader(io.StringIO(text))}
    assert len(rows) == 12
    assert [rows[f"p{number}@example.org", "daily"]["state"] for number in range(6)] == [
        "active", "paused", "unsubscribed", "bounced", "complained", "suppressed"
    ]  # fmt: skip
    assert rows["p1@example.org", "daily"]["paused_until"] == "2024-09-21T08:00:00Z"
    assert rows["p3@example.org", "daily"]["subscription"] == "active"
    done = rows["done@example.org", "daily"]
    assert (done["state"], done["consent_source"]) == ("active", "form")
    assert (done["consent_given_at"], done["consent_confirmed_at"]) == (
        "2024-09-12T08:00:00Z",
        "2024-09-12T08:00:05Z",
    )
    assert rows["form@example.org", "daily"]["state"] == "pending"
    assert ("'+plus@example.org", "weekly") in rows
    for row in csv.reader(io.StringIO(text)):
        assert all(cell[:1] not in set("=+-@\t\r") for cell in row)


def test_json_lines_have_the_history_too(files: Files) -> None:
    live(files)
    rows = {(row["email"], row["edition"]): row for row in files.rows()}
    bounced = rows["p3@example.org", "daily"]
    assert [(step["from"], step["to"], step["through"]) for step in bounced["history"]] == [
        (None, "active", "cli"), ("active", "bounced", "event")
    ]  # fmt: skip
    assert bounced["suppression"] == "mail failed"
    assert rows["p2@example.org", "daily"]["history"][-1]["reason"] == "wished"
    assert rows["form@example.org", "daily"]["consent"] == {
        "source": "form", "text_version": "2", "given_at": "2024-09-12T08:00:00Z", "confirmed_at": None,
        "network": "192.0.2.0/24",
    }  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_list_comes_back_from_its_export_as_it_was(files: Files, other: Files, form: str) -> None:
    live(files)
    given = files.csv() if form == "csv" else files.jsonl()
    imported = other.bring(given, name=f"list.{form}")
    assert counts(imported) == {"new": 12}
    assert (other.csv() if form == "csv" else other.jsonl()) == given
    assert counts(other.bring(given, name=f"list.{form}")) == {"known": 12}
    assert counts(files.bring(given, name=f"list.{form}")) == {"known": 12}
    assert (other.csv() if form == "csv" else other.jsonl()) == given
    other.undo(1)
    assert other.rows() == []


def test_json_lines_that_are_wrong_are_faults(other: Files) -> None:
    lines = [
        '{"email": "a@example.org", "state": "active"}', '{"email": ', "[]", '{"email": 1}', '{"email": "b@example.org"}',
        '{"email": "c@example.org", "history": [{"at": "yesterday", "to": "active", "actor": "x", "through": "cli"}]}',
        '{"email": "d@example.org", "history": [{"at": "2024-01-01", "to": "no", "actor": "x", "through": "cli"}]}',
        '{"email": "e@example.org", "name": "a\\u0000b"}', '{"email": "f@example.org", "tags": "x", "consent": 5}',
    ]  # fmt: skip
    imported = other.bring("\n".join(lines))
    assert [fault.line for fault in imported.staged.faults] == [2, 3, 4, 6, 7, 8, 9]
    assert other.states() == {"a@example.org": "pending", "b@example.org": "pending"}


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_what_the_column_says(files: Files, state: str) -> None:
    live(files)
    every = {row["email"] for row in files.rows() if row["state"] == state}
    assert every
    rows = [json.loads(line) for line in files.jsonl(Picked(state=state)).splitlines()]
    assert {row["email"] for row in rows} == every
    assert {row["state"] for row in rows} == {state}


def test_an_edition_and_a_tag(files: Files) -> None:
    live(files)
    assert files.csv(Picked(edition="weekly")).count(b"\n") == 1 + 2
    assert files.csv(Picked(edition="weekly", tag="=x")).count(b"\n") == 1 + 1
    assert files.csv(Picked(tag="nobody's")).count(b"\n") == 1


def test_who_is_erased_is_in_no_export(files: Files) -> None:
    live(files)
    with files.engine.begin() as connection:
        files.suppressions.erase(connection, "p0@example.org", actor="operator", now=NOW)
    assert b"p0@" not in files.csv() + files.jsonl()


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path, late = tmp_path / "list.csv", tmp_path / "late.csv"
    with pytest.raises(RuntimeError), whole(path, option="--out") as file:
        file.write(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with whole(path, option="--out") as file:
        file.write(b"all")
    assert path.read_text() == "all"
    assert path.stat().st_mode & 0o777 == 0o600
    for wrong in (path, tmp_path, tmp_path / "missing" / "x", Path("/proc/x/y"), Path("a\0b")):
        with pytest.raises(UnusableFile, match="choose another --out"), whole(wrong, option="--out"):
            pass
    with pytest.raises(UnusableFile, match="exists already"), whole(late, option="--out"):
        late.write_text("of somebody else")
    assert late.read_text() == "of somebody else"


def test_thousands_of_lines(files: Files) -> None:
    total = length(4_000, 100_000)
    content = "email,name,tags\n" + "".join(
        f"p{number}@example.org,P {number},t\n" for number in range(total)
    )
    assert counts(files.bring(content, consent="x")) == {"new": total}
    tracemalloc.start()
    with files.engine.connect() as connection:
        from subscribers.transfer.exporting import export_csv

        size = sum(map(len, export_csv(connection, Picked())))
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > total * 60
    assert peak < 25_000_000, "a page at a time"
    assert counts(files.bring(content, consent="x")) == {"known": total}
    undone = files.undo(1)
    assert (undone.removed, undone.kept) == (total, 0)
    assert files.rows() == []


names = st.text(st.sampled_from("ab '\"=+-@,;|é민\u200d"), max_size=8).map(str.strip)
people = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c+d", "'=e", "+f"]), st.sampled_from(["daily", "weekly"]), st.sampled_from(STATES),
        names, st.sampled_from([None, "en", "pt-BR"]), st.lists(names.filter(bool), max_size=3),
        st.none() | names.filter(bool),
        st.integers(0, 4_000_000_000_000).map(lambda ms: (NOW + timedelta(milliseconds=ms)).isoformat()),
    ),
    max_size=6,
)  # fmt: skip


@settings(
    max_examples=length(8, 100),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example makes three databases: no time to shrink
)  # fmt: skip
@given(people=people)
def test_any_list_comes_back(tmp_path: Path, people: list[tuple[object, ...]]) -> None:
    lines = [
        json.dumps({
            "email": f"{local}@example.org", "edition": edition, "state": state, "name": name, "language": language,
            "tags": tags, "paused_until": at,
            **({"consent": {"source": source, "given_at": at}} if source else {}),
        })
        for local, edition, state, name, language, tags, source, at in people
    ]  # fmt: skip
    exports = []
    text: bytes = ("\n".join(lines) or "{}").encode()
    for number in range(3):
        engine = with_foreign_keys(sa.create_engine("sqlite://", poolclass=sa.StaticPool))
        metadata.create_all(engine)
        files = Files(engine=engine, folder=tmp_path)
        imported = files.bring(text, name=f"{number}.txt")
        if people:
            assert "invalid" not in counts(imported)
        exports.append((files.csv(), files.jsonl()))
        text = files.csv() if number == 0 else files.jsonl()
        engine.dispose()
        if not files_have_rows(exports[0]):
            return
    assert exports[1][0] == exports[0][0], "CSV brings all that is in a CSV"
    assert exports[2] == exports[1], "JSON Lines bring all that is in either"


def files_have_rows(export: tuple[bytes, bytes]) -> bool:
    """Return whether an export has anybody in it."""
    return bool(export[1])
