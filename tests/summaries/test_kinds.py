"""What kind of paper it is, and its main result."""

from __future__ import annotations

import pytest

from newsletter.models.papers import PaperKind
from newsletter.summaries.kinds import kind_of
from newsletter.summaries.results import main_result, result_sentences


@pytest.mark.parametrize(
    ("title", "said", "kind"),
    [
        ("Quill: A Benchmark for Ducks", "We introduce Quill, a benchmark of 40 writing tasks.", PaperKind.BENCHMARK),
        ("DuckWords", "We release DuckWords, a large-scale dataset of 2 million quacks.", PaperKind.DATASET),
        ("Duck-7B Technical Report", "We present Duck-7B, a family of open language models.", PaperKind.MODEL),
        ("A Survey of Pens", "This survey reviews 140 papers on pens.", PaperKind.SURVEY),
        ("pond: A Library for Ducks", "We present pond, an open-source library for simulating water.", PaperKind.SYSTEM),
        ("On the Convergence of Ducks", "We prove an upper bound on the time that it takes.", PaperKind.THEORY),
        ("Quill", "We propose Quill, a framework that holds pens.", PaperKind.METHOD),
        ("Do Ducks Write?", "We ask whether ducks can write.", None),
        ("Theory of Mind in Ducks", "We measure what ducks believe.", None),
        ("", "", None),
    ],
)  # fmt: skip
def test_kind(title: str, said: str, kind: PaperKind | None) -> None:
    assert kind_of(title, [said] if said else []) is kind


def test_a_method_with_a_dataset_of_its_own_is_a_method() -> None:
    said = ["We propose Quill, a method that holds pens.", "We also release a dataset of 300 letters."]
    assert kind_of("Quill: Holding Pens", said) is PaperKind.METHOD


def test_the_main_result_is_the_sentence_with_the_numbers() -> None:
    said = [
        "We present Quill 2.0, a pen.",
        "It costs 7 grams.",
        "It reduces errors by 12%.",
        "Experiments show that it outperforms a pencil by 31% and is 2.5x faster.",
        "Code is available.",
    ]
    assert result_sentences(said) == said[2:4]
    assert main_result(said) == said[3]
    assert main_result(said[:2]) == main_result([]) == ""
