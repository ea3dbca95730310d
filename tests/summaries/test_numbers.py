"""Numbers, however they are written, and whether a source has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.summaries.numbers import Form, Known, absent, find, may_be_counted, squeeze, with_other_unit

# A text, and the value and unit of every number in it.
TABLE = {
    "from 51.1% to 24.6 %": [(51.1, "%"), (24.6, "%")],
    "3× and 2.5-4x faster": [(3, "x"), (2.5, "x"), (4, "x")],
    "10–20% of 1,000 and of 12,345,678": [(10, "%"), (20, "%"), (1000, ""), (12345678, "")],
    "4.5T tokens, 7B parameters, 1.6k stars, 2.3 million": [
        (4.5e12, ""),
        (7e9, ""),
        (1600, ""),
        (2300000, ""),
    ],
    "10^5, 3 × 10⁻⁴ and 10⁶": [(100000, ""), (0.0003, ""), (1000000, "")],
    "512×512 pixels at 30 fps in 4-bit": [(512, ""), (512, ""), (30, "fps"), (4, "bits")],
    "2.8 points, 12 GB, 3 hours, 40 ms": [(2.8, "points"), (12, "bytes"), (3, "h"), (40, "ms")],
    "two stages, twenty-five tasks, three hundred": [(2, ""), (25, ""), (300, "")],
    "one hundred of them; one of them": [(100, "")],
    "twice, half, tenfold, two-thirds": [(2, "x"), (50, "%"), (10, "x"), (66.66666667, "%")],
    "ten times as fast": [(10, "x")],
    "두 가지 방법과 세 단계, 네트워크와 세계": [(2, ""), (3, "")],
    "약 40% 줄고 1.5배 빨라": [(40, "%"), (1.5, "x")],
    "70억 개, 100만 개, 5.1조 개, 1억": [(7e9, ""), (1e6, ""), (5.1e12, ""), (1e8, "")],
    "3분의 1과 절반": [(33.33333333, "%"), (50, "%")],
    "12퍼센트, 2.5%p": [(12, "%"), (2.5, "points")],
    "三つの段階、約3割、2倍": [(3, ""), (30, "%"), (2, "x")],
    "三个阶段，百分之五十，70亿，两种": [(3, ""), (50, "%"), (7e9, ""), (2, "")],
    "GPT-4o, A100, 3D and ImageNet-1k": [(4, ""), (100, ""), (3, ""), (1, "")],
    "um 24,6 % und 1,5%, aber 1,000%": [(24.6, "%"), (1.5, "%"), (1000, "%")],
    "no number at all": [],
    "": [],
}


@pytest.mark.parametrize("text", TABLE)
def test_values_and_units(text: str) -> None:
    assert [(number.value, number.unit) for number in find(text)] == TABLE[text]


def test_a_part_of_a_name_is_the_whole_name() -> None:
    found = find("GPT-4o, Llama 3.1, ImageNet-1k and 3DGS")
    assert [(number.text, number.form) for number in found] == [
        ("GPT-4o", Form.NAME), ("3.1", Form.DIGITS), ("ImageNet-1k", Form.NAME), ("3DGS", Form.NAME),
    ]  # fmt: skip


def test_list_markers_that_count_up_are_no_numbers() -> None:
    assert find("It has (1) a pen, (2) ink and (3) paper.") == []
    assert [number.value for number in find("It has (1) a pen and (7) ink.")] == [1, 7]
    assert [number.value for number in find("(1) a, (2) b", markers=True)] == [1, 2]


KNOWN = Known(
    "Quill has 7B weights, was trained on 1,204 letters for 39.7 hours on Llama-3-8B with two nibs, and is 31% "
    "better, 2.5× faster and costs 0.87 of the ink; see GPT-4 and 256² dots, (1) this, half of that, 1.57 mm"
)


@pytest.mark.parametrize(
    "said",
    [
        "31%", "31 percent", "31퍼센트", "70억", "7B", "1,204", "1204", "2.5배", "2.5x", "about 40 hours", "약 40시간",
        "87%", "GPT-4", "gpt 4", "Llama 3", "two", "두 개", "50%", "절반", "(1)", "256", "more than 1,200 letters",
    ],
)  # fmt: skip
def test_what_a_source_has(said: str) -> None:
    assert absent(find(said, markers=True), KNOWN) == []


@pytest.mark.parametrize(
    "said",
    ["32%", "7M", "8억", "1,205", "2.6x", "40 hours", "88%", "GPT-5", "Llama 9", "three", "세 개", "1.5 mm"],
)
def test_what_a_source_does_not_have(said: str) -> None:
    assert [number.text for number in absent(find(said), KNOWN)] != []


def test_another_unit_is_told() -> None:
    assert [(number.text, own) for number, own in with_other_unit(find("31 points, 2.5%, 31%"), KNOWN)] == [
        ("31 points", "%"), ("2.5%", "x"),
    ]  # fmt: skip


def test_small_spelled_numbers_may_be_the_writer_s_own_count() -> None:
    assert [may_be_counted(number) for number in find("three parts, 3 parts, thirty parts, twice")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_names_are_squeezed_alike() -> None:
    assert squeeze("LLaMA-3 8B") == squeeze("Llama 3-8B") == "llama3·8b"
    assert squeeze("L²M and L^2M") == "l2mandl2m"
    assert squeeze("10²") == squeeze("10^2") == "10·2"


PIECES = st.sampled_from(
    ["1", "0.5", "1,000", "%", " ", "x", "-", "–", "배", "억", "만", "두 개", "三个", "half", "twenty", "-five", "A", "(1)",
     "10^", "⁵", "million", ".", ",", "B", "İ", "割", "百分之", "分", "분의 "]
) | st.text(max_size=4)  # fmt: skip


@given(st.lists(PIECES, max_size=20).map("".join))
def test_every_number_stands_where_it_says_and_a_text_has_its_own(text: str) -> None:
    found = find(text, markers=True)
    assert all(text[number.start : number.end] == number.text != "" for number in found)
    assert [number.start for number in found] == sorted(number.start for number in found)
    assert absent(found, Known(text)) == []


@given(st.integers(0, 10**9), st.sampled_from(["%", "x", "배", "", " points", "퍼센트"]))
def test_a_whole_number_is_found_in_any_grouping(value: int, unit: str) -> None:
    for written in (f"{value}", f"{value:,}"):
        [number] = find(f"it is {written}{unit} more")
        assert number.value == pytest.approx(value)


@pytest.mark.parametrize("piece", ["1", "1,", "9.", "두 ", "half ", "10^", "(1) ", "A1-", "三"])
@pytest.mark.timeout(20)  # a hang fails
def test_hostile_text_takes_no_more_than_its_length(piece: str) -> None:
    find(piece * (60_000 // len(piece)))
