"""What a file may look like, and what is refused with one line."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.addresses import parse_address
from subscribers.cells import cell_tags, plain_cell, safe_cell, tags_cell
from subscribers.errors import InvalidAddress, InvalidValue, UnusableFile
from subscribers.models import Address
from subscribers.transfer.lines import CsvRecords, Lines
from subscribers.transfer.quick import Addresses
from subscribers.transfer.systems import check_mapping
from tests.subscribers.transfers import Files, counts, problems


@pytest.fixture
def files(other: Files) -> Files:
    """Return the list on SQLite alone: these tests are about files."""
    return other


@pytest.mark.parametrize(
    ("encoding", "mark", "said"),
    [
        ("utf-8", b"", "in UTF-8"), ("utf-8", codecs.BOM_UTF8, "byte order mark"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"), ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("cp1252", b"", "Windows-1252"), ("latin-1", b"\x81;", "Latin-1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(
    files: Files, encoding: str, mark: bytes, said: str, delimiter: str
) -> None:
    rows = [
        ["E-Mail", "Vorname", "Nachname"],
        ["a@example.org", "Jürgen", "Groß, der Große"],
        ["b@bücher.example", "", "é"],
    ]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    content = out.getvalue().encode(encoding)
    if said == "Latin-1":  # a byte that Windows-1252 does not have
        content = content.replace(b"\r\n", b"\r\n", 1) + b"c@example.org" + delimiter.encode() + b"\x81\r\n"
        mark = b""
    imported = files.bring(mark + content)
    assert said in imported.staged.notes[0]
    names = {row["email"]: row["name"] for row in files.rows()}
    assert names["a@example.org"] == "Jürgen Groß, der Große"
    assert names["b@xn--bcher-kva.example"] == "é"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_counts_them(files: Files, end: str) -> None:
    lines = ["", "email,note", 'a@example.org,"one', "", 'two"', "", "bad", "b@example.org,", "also bad,x"]
    imported = files.bring(end.join(lines))
    assert counts(imported) == {"new": 2, "invalid": 2}
    assert list(problems(imported)) == [7, 9]


def test_a_broken_quote_costs_its_own_line_alone(files: Files) -> None:
    content = (
        'email,name\n"a@example.org,Ann\nb@example.org,Ben\nc@example.org,"Cleo\nd@example.org,Dan "the" Man\n'
        'e@example.org,"Eve "the" First"\nf@example.org,"Fay ""the"" Last"\n'
    )
    imported = files.bring(content)
    assert list(problems(imported)) == [2, 4, 6]
    assert "quotation mark" in problems(imported)[2]
    assert {row["email"]: row["name"] for row in files.rows()} == {
        "b@example.org": "Ben", "d@example.org": 'Dan "the" Man', "f@example.org": 'Fay "the" Last',
    }  # fmt: skip


def test_a_file_of_broken_quotes_is_read_in_time(files: Files) -> None:
    began = perf_counter()
    imported = files.bring("email,name\n" + '"a@example.org,x\n' * 30_001)
    assert counts(imported) == {"invalid": 30_001}
    assert perf_counter() - began < 20
    assert len(imported.staged.faults) == 100


def test_a_nul_is_a_fault_of_its_line(files: Files) -> None:
    imported = files.bring(b"email,name\na@example.org,A\0da\nb@example.org,\nc\0@example.org,\n")
    assert problems(imported) == {2: "it holds a NUL character", 4: "it holds a NUL character"}
    assert list(files.states()) == ["b@example.org"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("a@example.org\nb@example.org\n", ["", ""]),
        ("Ann Lee,a@example.org\nBen,b@example.org\n", ["Ann Lee", "Ben"]),
        ("1;a@example.org;Ann\n2;b@example.org;\n", ["Ann", ""]),
        ("sep=;\nemail;name\na@example.org;Ann\nb@example.org;\n", ["Ann", ""]),
    ],
)
def test_a_file_without_a_header(files: Files, content: str, names: list[str]) -> None:
    assert counts(files.bring(content)) == {"new": 2}
    assert [row["name"] for row in files.rows()] == names


def test_columns_are_mapped_by_hand(files: Files) -> None:
    content = "Who,State,Reached at,Said yes\nAnn,CA,a@example.org,fair\nBen,TX,b@example.org,\n"
    assert counts(files.bring(content, mapping=["reached at=email"])) == {"invalid": 2}
    imported = files.bring(
        content, mapping=["Reached at=email", "State=ignore", "1=name", "Said yes=consent"]
    )
    assert counts(imported) == {"new": 2}
    assert [(row["name"], row["state"]) for row in files.rows()] == [("Ann", "active"), ("Ben", "pending")]


@pytest.mark.parametrize("pair", ["", "=email", "email", "a=nothing", "a=emial"])
def test_a_mapping_that_is_none(pair: str) -> None:
    with pytest.raises(InvalidValue, match=r"is no mapping|there are email"):
        check_mapping([pair])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"), (b"\n\n \n", "is empty"), (b"\xef\xbb\xbf", "holds no line"),
        (b"name,phone\nAda,1\n", "among: name, phone; name it with --map"),
        (b"%PDF-1.4\x00\x01\x02\x03\x04" * 99, "is no text"), (b"\0" * 5000, "is no text|empty"),
        ("email\na@example.org\n".encode("utf-16-le"), "UTF-16 without its mark"),
        ("email".encode("utf-32"), "UTF-32"), (b'"email,name\na@example.org\n', "line 1: a quotation mark"),
        (b"PK\x03\x04 and then nothing", "broken archive"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(files: Files, content: bytes, problem: str) -> None:
    with pytest.raises(UnusableFile, match=problem) as caught:
        files.bring(content)
    assert "\n" not in str(caught.value)


def test_a_wrong_column_names_those_that_there_are(files: Files) -> None:
    with pytest.raises(UnusableFile, match=r"there are Who, Mail"):
        files.bring("Who,Mail\nx,a@example.org\n", mapping=["Whom=name"])


def test_what_is_no_file(files: Files, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path, Path("/dev/null"), Path("a\0b")):
        with pytest.raises(UnusableFile):
            files.bring(path)


def test_one_line_of_100_mb_is_refused_quickly(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"email,name\na@example.org,")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    began = perf_counter()
    with pytest.raises(UnusableFile, match="line 2 has more than 1,000,000 characters"):
        files.bring(path)
    assert perf_counter() - began < 10


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"people.csv": b"\0" * 20_000_000}, "absurd size"),
        ({"people.csv": b"email\na@example.org\n", "more.zip": b"x"}, "an archive in an archive"),
        ({"notes.txt": b"x"}, "holds no CSV"), ({"xl/sheet1.xml": b"x"}, "is a spreadsheet"),
        ({"a.csv": b"email\n", "b.csv": b"email\n"}, "several CSV files"),
        ({f"{number}.csv": b"email\n" for number in range(101)}, "holds 101 files"),
    ],
)  # fmt: skip
def test_archives_that_are_refused(
    files: Files, tmp_path: Path, members: dict[str, bytes], problem: str
) -> None:
    with pytest.raises(UnusableFile, match=problem):
        files.bring(_zip(tmp_path / "x.zip", members))


def test_an_archive_that_lies_about_its_size(files: Files, tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"people.csv": b"\0" * 50_000_000})
    path.write_bytes(
        path.read_bytes().replace((50_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    )
    with pytest.raises(UnusableFile, match=r"absurd size|broken archive"):
        files.bring(path)


def test_a_zip_with_one_list(files: Files, tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "x.zip", {"folder/people.csv": b"email\na@example.org\n", "__MACOSX/people.csv": b"x"}
    )
    assert counts(files.bring(path)) == {"new": 1}


def test_faults_say_what_is_wrong(files: Files) -> None:
    content = (
        "email,state,language,edition,tags,name\na@example.org,whatever,,,,\nb@example.org,,engl1sh,,,\n"
        "c@example.org,,,monthly,,\nd@example.org,paused,,,,\ne@example.org,,,,," + "x" * 201 + "\n"
        "f@example.org,,,,,,more\ng@@example.org,,,,,\n"
    )
    imported = files.bring(content, consent="x")
    said = problems(imported)
    assert list(said) == [2, 3, 4, 5, 6, 7, 8]
    for line, word in (
        (2, "state"),
        (3, "language"),
        (4, "daily, weekly"),
        (5, "pause"),
        (6, "200"),
        (7, "7 cells"),
    ):
        assert word in said[line]
    assert counts(imported) == {"invalid": 7}


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0\x85\u2028\u2029"), max_size=8
) | st.sampled_from(['"', '""', 'a"b', "a,b", "a\nb", "", " ", "'=1", "=1"])


@settings(max_examples=200)
@given(rows=st.lists(st.lists(cells, min_size=1, max_size=4), max_size=6), delimiter=st.sampled_from(",;\t|"))
def test_records_are_those_of_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "oracle.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    with path.open(encoding="utf-8", newline="") as file:
        expected = [
            row for row in csv.reader(file, delimiter=delimiter) if "".join(row).strip() or len(row) > 1
        ]
    lines = Lines(path, "oracle", "utf-8")
    found = [
        (row, problem)
        for _, row, problem in CsvRecords(lines, delimiter)
        if "".join(row).strip() or len(row) > 1
    ]
    lines.close()
    # A line of nothing but spaces is no record here; a tab is one of them where it does not part cells.
    expected = [row for row in expected if not (delimiter == "\t" and not "".join(row).strip())]
    found = [(row, problem) for row, problem in found if not (delimiter == "\t" and not "".join(row).strip())]
    assert found == [(row, "") for row in expected]


@settings(max_examples=300)
@given(text=st.text(st.sampled_from("'=+-@\t\rab "), max_size=6))
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert safe_cell(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert plain_cell(safe_cell(text)) == text


@settings(max_examples=300)
@given(
    tags=st.lists(
        st.text(st.sampled_from("ab\",;|[]'= é"), min_size=1, max_size=5).map(str.strip).filter(bool),
        max_size=4,
    )
)
def test_tags_come_back_from_their_cell(tags: list[str]) -> None:
    assert cell_tags(tags_cell(tags)) == tags


locals_ = st.text(st.sampled_from("abZ09._+-'%!é "), min_size=1, max_size=10) | st.integers(60, 70).map(
    "a".__mul__
)
labels = st.text(st.sampled_from("abZ09-_é"), min_size=1, max_size=5) | st.sampled_from(
    [
        "xn--bcher-kva",
        "localhost",
        "test",
        "invalid",
        "local",
        "arpa",
        "onion",
        "example",
        "com",
        "a" * 63,
        "a" * 64,
    ]
)


@settings(max_examples=600)
@given(
    local=locals_,
    domain=st.lists(labels, min_size=1, max_size=5).map(".".join),
    around=st.sampled_from(["", " "]),
)
def test_quick_addresses_are_those_of_the_slow_way(local: str, domain: str, around: str) -> None:
    text = f"{around}{local}@{domain}{around}"
    addresses = Addresses()
    for _ in range(2):  # the second time the domain is remembered
        try:
            expected: Address | None = parse_address(text)
        except InvalidAddress:
            expected = None
        try:
            found: Address | None = Address(**dict(zip(("email", "key"), addresses.read(text), strict=True)))
        except InvalidAddress:
            found = None
        assert found == expected
