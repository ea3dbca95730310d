"""Splitting sentences and telling a language by its script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.scripts import language_of
from newsletter.summaries.sentences import split

# Sentences, and the text that must give them back when they are joined by a space.
JOINED = [
    ["We follow Kerbl et al. (2023) here.", "It works."],
    ["The plan is by Moreau et al.", "The proof is ours."],
    ["It helps small models, i.e. those of 3.5B, e.g. on phones vs. desks.", "Others lose."],
    ["See Fig. 2, Eq. (3) and Sec. 4.1 of vol. 7.", "They agree."],
    ["Dr. Lee and J. W. Young disagree, cf. Ref. 9.", "So do we."],
    ["Is it so?", "Yes!", "It may be... perhaps.", "Done."],
    ["The answer is no.", "No. 3 is wrong."],
    ["Accuracy rises to 91.", "Version 2.0 adds 0.5 points."],
    ["We present a library.", "gsplat is its name."],
    ["It was made in the U.S.", "We thank them."],
    ["He said “stop.”", "Nobody did."],
    ["(It is short.)", "The end."],
    ["The list: 1. nothing is kept.", "All is lost."],
    ["The network torch.nn stays whole.", "Code is at https://example.org/A.B now."],
    ["이 논문은 새로운 방법을 제안합니다.", "정확도가 3.5% 올랐습니다.", "AWM은 빠르다."],
]
UNJOINED = {
    "They end in `step by step'.This habit is old.": ["They end in `step by step'.", "This habit is old."],
    "It finds one pattern.ECHO then repeats it.": ["It finds one pattern.", "ECHO then repeats it."],
    "성능이 좋습니다.또한 빠릅니다.": ["성능이 좋습니다.", "또한 빠릅니다."],
    "这是第一句。这是第二句！真的吗？是的": ["这是第一句。", "这是第二句！", "真的吗？", "是的"],
    "これは文です。「はい。」と言った。次です": ["これは文です。", "「はい。」と言った。", "次です"],
    "line one\n  goes on. Line two.": ["line one goes on.", "Line two."],
    "": [],
    " \n ": [],
}


@pytest.mark.parametrize("sentences", JOINED, ids=lambda sentences: sentences[0])
def test_joined_by_spaces(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


@pytest.mark.parametrize("text", UNJOINED)
def test_not_joined_by_spaces(text: str) -> None:
    assert split(text) == UNJOINED[text]


@given(
    st.lists(
        st.sampled_from([". ", "! ", "。", "e.g. ", "A", "b", "1", "'", ")", " ", "다.", "…"]) | st.text()
    )
)
def test_nothing_is_lost_and_the_order_is_kept(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    assert all(sentence and sentence in " ".join(text.split()) for sentence in split(text))


@pytest.mark.parametrize("piece", ["a. ", ".", "A.", "다.", "。」と", ".\"'", "x"])
@pytest.mark.timeout(20)  # a hang fails
def test_hostile_text_takes_no_more_than_its_length(piece: str) -> None:
    split(piece * (200_000 // len(piece)))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We propose a method.", "en"),
        ("Nous proposons une méthode.", "en"),  # a script tells no more
        ("AWM은 Mind2Web에서 성공률을 높였다.", "ko"),
        ("我们提出一种新的方法。", "zh"),
        ("新しい手法を提案する。", "ja"),
        ("نقترح طريقة جديدة.", "ar"),
        ("Мы предлагаем новый метод.", "ru"),
        ("We test the word 안녕 in twelve other languages.", "en"),
        ("12.5 %", "en"),
        ("", "en"),
    ],
)
def test_language_by_script(text: str, language: str) -> None:
    assert language_of(text) == language
