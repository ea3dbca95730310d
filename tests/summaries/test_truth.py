"""What `make truth` measures holds: on the project's own samples, and on recorded ones where they are at hand."""

from __future__ import annotations

import random

import pytest

from tools.truth import excerpting, pairs, report
from tools.truth.faults import FAULTS
from tools.truth.measure import Measured, measure

OWN = pairs.own()
recorded = pytest.mark.skipif(
    pairs.corpus() is OWN, reason="the recorded papers are not beside this checkout"
)


def caught(measured: Measured, fault: str, *, as_error: bool = True) -> float:
    found = next(each for each in measured.faults if each.fault == fault)
    return (found.as_error if as_error else found.found) / found.tried


def test_every_fault_changes_the_summary_that_it_is_put_into() -> None:
    found = pairs.korean(OWN)
    for pair in found:
        for fault, inject in FAULTS.items():
            faulty = inject(pair, found, random.Random(1))
            if faulty is not None:
                changed = [each.text for each in faulty.sections] != [
                    each.text for each in pair.said.sections
                ]
                assert changed or faulty.language != pair.said.language, fault


@pytest.mark.parametrize(
    "found", [pairs.korean(OWN), pairs.excerpts(OWN, told=False), pairs.excerpts(OWN, told=True)]
)
def test_faults_in_our_own_samples_are_found(found: list[pairs.Pair]) -> None:
    measured = measure("own", found)
    assert measured.pairs == 14
    assert measured.flagged == 0
    assert caught(measured, "another paper's summary, of the same day") >= 0.9
    assert caught(measured, "a number that the source does not have", as_error=False) == 1
    for fault in ("LaTeX left", "a section cut in the middle", "a section emptied", "another language"):
        assert caught(measured, fault) == 1


def test_any_change_of_an_excerpt_of_ours_is_an_error() -> None:
    measured = measure("own", pairs.excerpts(OWN, told=True))
    assert all(each.as_error == each.tried for each in measured.faults if each.fault != "the results dropped")


def test_excerpts_of_our_own_samples() -> None:
    kept = excerpting.excerpted(OWN)
    assert kept.own_sentences
    assert kept.words <= 0.6
    assert kept.names >= 0.98
    assert kept.numbers >= 0.85
    assert min(kept.sections.values()) >= 0.89


def test_the_page_has_both_parts() -> None:
    page = report.page(list(report.figures(OWN)), ["shared figures"])
    assert (
        page.index("own samples") < page.index("Korean digests: 14 true pairs") < page.index("shared figures")
    )


@recorded
def test_excerpts_of_recorded_papers() -> None:
    known = pairs.corpus()
    kept = excerpting.excerpted(known)
    assert kept.own_sentences
    assert kept.sections["What's New"] >= 0.99
    assert kept.sections["Technical Details"] >= 0.85
    assert kept.sections["Performance Highlights"] >= 0.89
    assert kept.numbers >= 0.85
    assert kept.names >= 0.98
    assert kept.words <= 0.6
    held_out = excerpting.sorted_right(known, "held-out")
    assert held_out is not None
    assert held_out.papers == 150
    assert held_out.right >= 0.85 * held_out.sentences
    assert held_out.shown_right >= 0.84 * held_out.shown


@recorded
def test_faults_in_recorded_digests_are_found() -> None:
    measured = measure("Korean", pairs.korean(pairs.corpus()))
    assert measured.alarms["wrong-paper", "error"] <= 0.015 * measured.pairs
    assert caught(measured, "another paper's summary, of the same day") >= 0.97
    assert caught(measured, "a number that the source does not have", as_error=False) >= 0.995
    assert caught(measured, "a digit changed at random", as_error=False) >= 0.94


@recorded
def test_faults_in_recorded_english_summaries_are_found() -> None:
    measured = measure("English", pairs.short_summaries(pairs.corpus()))
    assert measured.alarms["wrong-paper", "error"] <= 0.01 * measured.pairs
    assert caught(measured, "another paper's summary, of the same day") >= 0.99
