"""Cells that a spreadsheet does not compute, and that come back as they were."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.cells import cell_tags, plain_cell, safe_cell, tags_cell

SIGNS = "=+-@\t\r\n|%＝＋－＠"


@pytest.mark.parametrize("sign", SIGNS)
def test_a_formula_becomes_text(sign: str) -> None:
    for before in ("", " ", "'", "' '"):
        cell = safe_cell(f"{before}{sign}1+1")
        assert cell[0] == "'"
        assert plain_cell(cell) == f"{before}{sign}1+1"


@pytest.mark.parametrize(
    "text", ["", "'", "Ada", "O'Brien", "'tis", "1-1", "a=b", "ada@example.org", "김민준"]
)
def test_what_is_no_formula_stays(text: str) -> None:
    assert safe_cell(text) == text == plain_cell(text)


@given(st.text(alphabet=f"{SIGNS}' a1", max_size=6) | st.text(max_size=20))
def test_every_text_comes_back(text: str) -> None:
    cell = safe_cell(text)
    assert plain_cell(cell) == text
    assert cell[:1] not in {*SIGNS} - {""} or not cell


@given(
    st.lists(st.text(alphabet="ab ,\"'=;", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=4)
)
def test_tags_come_back_from_one_cell(tags: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([safe_cell(tags_cell(tags))])
    file.seek(0)
    (cell,) = next(csv.reader(file), [""]) or [""]
    assert cell_tags(plain_cell(cell)) == tuple(tags)
