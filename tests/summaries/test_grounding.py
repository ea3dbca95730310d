"""Every check, beside a summary that it finds fault with and one that it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models.papers import Paper, Section, SummaryOrigin
from newsletter.summaries.findings import Check, Finding, Said, Severity
from newsletter.summaries.grounding import check, errors
from newsletter.summaries.sentences import placed
from newsletter.summaries.sources import Day, Source

QUILL = Paper(
    id="2409.00001",
    title="Quill: Fine-Tuning Ducks to Write Letters",
    url="https://arxiv.org/abs/2409.00001",
    abstract=(
        "Ducks write badly, and most pens were made for hands. We present Quill, a pen that a duck can hold in its bill "
        "while it swims. Specifically, a reservoir of ink (RIK, Reservoir of Ink in Keratin) feeds two nibs, and a small "
        "gyroscope keeps them upright on waves. Experiments on DuckBench show that Quill outperforms the best earlier "
        "pen by 31% in legibility and writes 2.5x faster, at a cost of 7 grams. Novel view synthesis of the letters "
        "runs at 30 fps. Code is available."
    ),
)
OTHERS = [
    Paper(
        id=f"2409.0001{number}",
        title=title,
        url="",
        abstract=abstract,
    )
    for number, (title, abstract) in enumerate(
        [
            (
                "Sourdough: Bread that Bakes Itself",
                (
                    "Bread takes long to bake. We introduce Sourdough, an oven with a starter culture in its walls. The "
                    "dough rises by fermentation while a thermostat schedules heat, flour and water. In a study with 40 "
                    "bakers, crust quality improves by 12% over a baker's oven."
                ),
            ),
            (
                "Lighthouse Scheduling with Sparse Lamps",
                (
                    "Lighthouses waste light. We propose a scheduler which turns lamps on where ships are, from radar and "
                    "tide tables. Across 14 harbours, energy falls by 48% without a single collision."
                ),
            ),
        ]
    )
]
DAY = Day([QUILL, *OTHERS])
TRUE = (
    "Quill is a pen that ducks can hold in the bill while they swim.",
    "A reservoir feeds two nibs, and a gyroscope keeps them upright on waves.",
    "On DuckBench it outperforms the best earlier pen by 31% in legibility and writes 2.5x faster.",
)
KOREAN = (
    "Quill은 오리가 부리로 물고 글씨를 쓸 수 있는 펜(pen)입니다. 헤엄치면서도 쓸 수 있습니다.",
    "잉크 저장소(reservoir)가 두 개의 펜촉(nib)에 잉크를 보내고, 자이로스코프(gyroscope)가 균형을 잡습니다.",
    "DuckBench에서 기존 펜을 가독성(legibility) 31% 차이로 능가했고 2.5배 빠릅니다.",
)


def said(*texts: str, language: str = "en", **more: object) -> Said:
    headings = ["What's New", "Technical Details", "Performance Highlights"]
    sections = [Section(heading=heading, text=text) for heading, text in zip(headings, texts, strict=False)]
    return Said(sections=sections, language=language, **more)  # type: ignore[arg-type]


def found(summary: Said, source: Source | None = None, *, alone: bool = False) -> list[Finding]:
    return check(summary, source or DAY.source(QUILL.id), None if alone else DAY)


def names(findings: Sequence[Finding]) -> list[str]:
    return [f"{finding.severity.value} {finding.check.value}" for finding in findings]


def changed(place: int, text: str, texts: Sequence[str] = TRUE, **more: object) -> Said:
    edited = list(texts)
    edited[place] = text
    return said(*edited, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("summary", [said(*TRUE), said(*KOREAN, language="ko")], ids=["en", "ko"])
def test_a_true_summary_passes(summary: Said) -> None:
    assert found(summary) == found(summary, alone=True) == []


@pytest.mark.parametrize(
    ("summary", "expected", "text"),
    [
        pytest.param(changed(1, r"A reservoir feeds \nibs, and a gyroscope helps."), "error latex", r"\nibs", id="macro"),
        pytest.param(changed(1, "It costs $O(n)$ steps, in two nibs."), "error latex", "$O(n)$", id="formula"),
        pytest.param(changed(1, "A textbf{reservoir} feeds two nibs."), "error latex", "textbf{", id="no backslash"),
        pytest.param(changed(1, "A {{reservoir feeds two nibs."), "error latex", "{{", id="template"),
        pytest.param(changed(1, ""), "error empty-section", "", id="empty"),
        pytest.param(changed(1, "N/A"), "error empty-section", "N/A", id="not available"),
        pytest.param(changed(1, "A reservoir feeds two nibs, and a"), "error cut-section", "feeds two nibs, and a", id="cut"),
        pytest.param(changed(1, "A reservoir feeds ..."), "error cut-section", "A reservoir feeds ...", id="dots"),
        pytest.param(changed(0, "As an AI language model, I see Quill, a pen."), "error prompt", "As an AI language model,", id="robot"),
        pytest.param(changed(0, "Quill의 초록이 제공되지 않았습니다.", KOREAN, language="ko"), "error prompt", "초록이 제공되지 않았습니다", id="sorry"),
        pytest.param(said(*TRUE, language="ko"), "error wrong-language", "", id="English for Korean"),
        pytest.param(said(*KOREAN), "error wrong-language", "", id="Korean for English"),
        pytest.param(changed(2, "It outperforms the best pen by 32% in legibility and is 2.5x faster."), "warning number", "32%", id="number"),
        pytest.param(changed(2, "It outperforms the best pen by 31% and is 2.5x faster than GPT-4."), "warning number", "GPT-4", id="model"),
        pytest.param(changed(2, "It outperforms the best pen by 31 points and is 2.5x faster."), "warning unit", "31 points", id="unit"),
        pytest.param(changed(2, "It underperforms the best pen by 31% and is 2.5x faster."), "warning direction", "underperform", id="way"),
        pytest.param(changed(2, "On DuckBench it is very good at letters."), "warning result", "", id="no result"),
        pytest.param(changed(1, "Its RIK (Royal Kitchen) feeds two nibs."), "warning acronym", "RIK (Royal Kitchen)", id="acronym"),
        pytest.param(changed(0, "소설 뷰 합성을 하는 Quill 펜(pen)을 오리에게 줍니다.", KOREAN, language="ko"), "warning rendering", "소설 뷰", id="rendering"),
        pytest.param(changed(0, "It is a pen that ducks can hold in the bill."), "warning name", "", id="name"),
        pytest.param(changed(0, " ".join(["Quill is a pen for ducks that swim."] * 90)), "warning length", "", id="long"),
        pytest.param(
            changed(2, "It wins by 31% in legibility. Ovens full of flour schedule thermostats, bakers and fermentation."),
            "warning sentence", "Ovens full of flour schedule thermostats, bakers and fermentation.", id="sentence",
        ),
        pytest.param(said(*TRUE[:1]), "warning result", "", id="results dropped"),
    ],
)  # fmt: skip
def test_a_fault_is_found_in_its_place(summary: Said, expected: str, text: str) -> None:
    findings = found(summary)
    assert names(findings) == [expected]
    [finding] = findings
    assert finding.text == text
    assert finding.why
    if finding.section is not None:
        assert summary.sections[finding.section].text[finding.start : finding.end] == text


def test_another_paper_s_summary_is_found_with_and_without_its_own_source() -> None:
    other = said(
        "Sourdough is an oven with a starter culture in its walls.",
        "The dough rises by fermentation while a thermostat schedules flour and water.",
        "Crust quality improves by 12% over the oven of a baker.",
    )
    assert "error wrong-paper" in names(found(other))
    assert "error wrong-paper" in names(found(other, alone=True))
    assert check(other, DAY.source(OTHERS[0].id), DAY) == []


def test_a_short_text_cannot_be_told_from_another_paper_s() -> None:
    assert names(errors(found(said("An oven for bread.")))) == []


def test_a_number_is_an_error_where_the_source_is_all_that_there_was() -> None:
    summary = changed(2, "It outperforms the best pen by 32% and is 2.5x faster.", exact=True)
    assert names(found(summary)) == ["error number"]
    counted = changed(1, "Three parts, a reservoir, a gyroscope and two nibs, work on waves.", exact=True)
    assert names(found(counted)) == ["warning number"], "it may be the writer's own count"


def test_exchanged_numbers_are_found() -> None:
    summary = changed(
        2, "It outperforms the best pen by 2.5x in legibility and writes 31% faster, at 7 grams."
    )
    assert "warning exchanged" in names(found(summary))


def test_a_copied_prompt_is_found() -> None:
    prompt = "Summarise. Say in the first section what is new about the paper and nothing else."
    summary = changed(
        0, "Say in the first section what is new about the paper and nothing else.", prompt=prompt
    )
    assert "error prompt" in names(found(summary))


def test_what_the_source_says_itself_is_no_prompt() -> None:
    refusals = replace(
        QUILL, abstract=f"{QUILL.abstract} It answers: I cannot summarize, please provide the ink."
    )
    summary = changed(0, "Quill answers: I cannot summarize, please provide the ink.")
    assert names(check(summary, Source(refusals))) == []
    assert "error prompt" in names(found(summary))


def test_a_source_without_a_text_is_found() -> None:
    empty = Source(Paper(id="1", title="Quill: A Pen", url=""))
    assert names(check(said(*TRUE), empty)) == ["error empty-source"]


def test_without_a_source_what_shows_by_itself_is_found() -> None:
    assert check(said(*TRUE), None) == []
    assert names(check(changed(1, r"A \reservoir of ink."), None)) == ["error latex"]


OWN = Source(QUILL).sentences


def excerpt(*texts: str) -> Said:
    return said(*texts, origin=SummaryOrigin.EXTRACT)


def test_an_excerpt_is_its_source_s_word_for_word() -> None:
    assert found(excerpt(OWN[1], OWN[2], f"{OWN[3]} {OWN[4]}")) == []


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    "change", [("31%", "32%"), ("a ", "the "), (".", ""), ("pen", "pens"), ("Quill", "Quell")]
)
def test_any_change_of_an_excerpt_is_an_error(place: int, change: tuple[str, str]) -> None:
    texts = [OWN[1], OWN[2], OWN[3]]
    texts[place] = texts[place].replace(*change, 1)
    expected = [] if texts == [OWN[1], OWN[2], OWN[3]] else ["error excerpt"]
    assert names(errors(found(excerpt(*texts)))) == expected


def test_anybody_s_excerpt_is_told_by_its_quotations() -> None:
    changed_one = said(OWN[1], OWN[2], OWN[3].replace("31%", "32%"))
    assert "error excerpt" in names(found(changed_one))


def test_an_excerpt_that_leaves_every_result_out_is_warned_of() -> None:
    assert names(found(excerpt(OWN[1], OWN[2]))) == ["warning result"]


TEXTS = st.lists(
    st.sampled_from([*TRUE, *KOREAN, *OWN, r"\x", "$a$", "12%", "(A Big Cat (ABC))", "İ", "…", "\n", "N/A"]) | st.text(max_size=20),
    max_size=8,
).map(" ".join)  # fmt: skip


@given(
    st.lists(TEXTS, max_size=4),
    st.sampled_from(["en", "ko", "ja", "zh", "de", "xx"]),
    st.sampled_from([None, *SummaryOrigin]),
)
def test_whatever_is_said_every_finding_stands_where_it_says(
    texts: list[str], language: str, origin: SummaryOrigin | None
) -> None:
    summary = said(*texts, language=language, origin=origin)
    for finding in found(summary):
        assert isinstance(finding.check, Check)
        if finding.section is None:
            assert finding.text == ""
        else:
            assert 0 <= finding.start <= finding.end <= len(summary.sections[finding.section].text)
            assert summary.sections[finding.section].text[finding.start : finding.end] == finding.text
    assert [each.severity for each in found(summary)] == sorted(
        (each.severity for each in found(summary)), key=lambda each: each is Severity.WARNING
    )


@pytest.mark.parametrize(
    "piece", ["A Big Cat (ABC) ", "(", "{", "\\", "$", "가", "12% ", "[", "improve ", "a. "]
)
@pytest.mark.timeout(20)  # a hang fails
def test_hostile_text_takes_no_more_than_its_length(piece: str) -> None:
    found(said(piece * (60_000 // len(piece))))


def test_places_are_right_whatever_the_white_space() -> None:
    text = "On  DuckBench it  does well,\nby 31%. Its  RIK(Royal  Kitchen) is small.  It  costs   32% more."
    there = {each.check: each for each in found(changed(2, text))}
    assert there[Check.NUMBER].text == "32%"
    assert placed(text)[2] == (text.index("It  costs"), "It costs 32% more.")


@pytest.mark.parametrize(
    "text",
    [
        "Quill est une plume que les canards tiennent dans le bec, avec une réserve d'encre et deux pointes pour écrire.",
        "Quill ist eine Feder, die Enten im Schnabel halten, mit einem Vorrat an Tinte und zwei Spitzen für die Briefe.",
        "Quill es una pluma que los patos sostienen en el pico, con una reserva de tinta y dos puntas para escribir.",
    ],
)
def test_other_languages_in_latin_letters_are_no_error(text: str) -> None:
    assert errors(found(said(text, text, text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "데이터를 한국어로 번역해 구축했으며, 긴 문서를 요약해 주는 Quill 펜(pen)입니다.",
        "Quill은 정확도 향상 효과가 있는 펜(pen)으로, 문제 정의와 좋은 결과를 보입니다.",
    ],
)
def test_everyday_words_are_no_prompt(text: str) -> None:
    assert errors(found(changed(0, text, KOREAN, language="ko"))) == []


@pytest.mark.parametrize(
    "end",
    [
        "A pen 🦆", "See https://example.org/quill", "Uses tools, e.g. web search", "31% better (on DuckBench)",
        "정확도 향상 효과",
    ],
)  # fmt: skip
def test_what_ends_as_texts_do_is_not_cut(end: str) -> None:
    assert Check.CUT_SECTION not in {each.check for each in check(said(end), None)}


@pytest.mark.timeout(20)  # a hang fails
@pytest.mark.parametrize(
    "piece",
    [
        "We introduce aaaaaaaaaaaaaaaaaaaaaa ", "1.", "It costs 1.5 and 2.5 and 3.5 grams. ", "half 5 ", "about 7.3 ",
        "It improves. It degrades. ", "10⁻⁻⁵ ", "(1) ",
    ],
)  # fmt: skip
def test_hostile_sources_take_no_more_than_their_length(piece: str) -> None:
    hostile = replace(QUILL, abstract=piece * (40_000 // len(piece)))
    for origin in (None, SummaryOrigin.EXTRACT):
        check(said(piece * (20_000 // len(piece)), origin=origin), Source(hostile), Day([hostile, *OTHERS]))


@pytest.mark.parametrize(
    "text",
    [
        r"It logs to C:\Users\quill\logs and reads \\server\share\ink.",
        r"It splits at \s+ and keeps \d+\s\w+ apart.",
    ],
)
def test_paths_and_patterns_are_no_latex(text: str) -> None:
    assert errors(found(changed(1, text))) == []


@pytest.mark.parametrize(
    "text", ["[Insert the main contribution here]", "Summarize the key innovation of the paper in one line."]
)
def test_instructions_that_were_left_are_found(text: str) -> None:
    assert errors(check(said(text), None)) != []


def test_the_name_of_another_paper_of_the_day_decides_where_its_own_is_missing() -> None:
    day = Day([QUILL, replace(OTHERS[0], title="OvenBench: Bread that Bakes Itself")])
    swapped = changed(
        0, "OvenBench는 오리가 부리로 물고 글씨를 쓸 수 있는 펜(pen)입니다.", KOREAN, language="ko"
    )
    assert names(errors(check(swapped, day.source(QUILL.id), day))) == ["error wrong-paper"]
    both = changed(0, "Quill은 OvenBench와 달리 오리가 부리로 무는 펜(pen)입니다.", KOREAN, language="ko")
    assert errors(check(both, day.source(QUILL.id), day)) == []


def test_somebody_s_own_words_beside_quotations_are_a_warning() -> None:
    own_words = said(OWN[1], OWN[2], f"{OWN[3]} Worth a look if you keep ponds.")
    assert "warning excerpt" in names(found(own_words))
    assert errors(found(own_words)) == []
    shortened = said(OWN[1], OWN[2], OWN[3].replace(" on DuckBench", ""))
    assert errors(found(shortened)) == []
