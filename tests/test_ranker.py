"""The ranker through its two doors, on hand-made days and on random ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models import Paper, Selection
from newsletter.ranker import rank, select

MIDNIGHT = datetime(2026, 6, 2, tzinfo=UTC)


def paper(paper_id: str, votes: int | None = None, submitted_at: datetime | None = None) -> Paper:
    return Paper(
        id=paper_id,
        title=f"On {paper_id}",
        url=f"https://arxiv.org/abs/{paper_id}",
        votes=votes,
        submitted_at=submitted_at,
    )


IDS = st.one_of(
    st.from_regex(r"(?:0[7-9]|1\d|2\d)(?:0[1-9]|1[0-2])\.\d{4,5}", fullmatch=True),
    st.from_regex(r"(?:cs|math\.AG|hep-th)/(?:9[1-9]|0[0-7])(?:0[1-9]|1[0-2])\d{3}", fullmatch=True),
    st.text(max_size=6),
)
PAPERS = st.lists(
    st.builds(
        paper,
        IDS,
        st.none() | st.integers(0, 4),
        st.none() | st.integers(0, 3).map(lambda hours: MIDNIGHT + timedelta(hours=hours)),
    ),
    max_size=12,
)
SELECTIONS = st.builds(Selection, top=st.integers(0, 8), min_votes=st.integers(0, 4), fill=st.integers(0, 6))


def ids(papers: list[Paper] | tuple[Paper, ...]) -> list[str]:
    return [each.id for each in papers]


def test_votes_lead_and_none_follows_zero() -> None:
    day = [paper("2409.00001"), paper("2409.00002", 0), paper("2409.00003", 7), paper("2409.00004", 45)]
    assert ids(rank(day)) == ["2409.00004", "2409.00003", "2409.00002", "2409.00001"]


def test_a_tie_goes_to_the_later_submission_and_last_to_an_unknown_one() -> None:
    day = [
        paper("2409.00003", 7),
        paper("2409.00001", 7, MIDNIGHT + timedelta(hours=1)),
        paper("2409.00002", 7, MIDNIGHT),
    ]
    assert ids(rank(day)) == ["2409.00001", "2409.00002", "2409.00003"]


def test_where_everything_ties_the_newest_arxiv_id_leads() -> None:
    newest_first = [
        "2606.00010",
        "2606.00009",
        "2605.99999",
        "1501.00001",  # five digits since 2015
        "1412.9999",
        "0704.0001",
        "cs/0703001",
        "math.GT/0112017",
        "hep-th/9912001",
        "hep-th/9108001",
        "a-blog-post",
        "zenodo-77",
    ]
    assert ids(rank(paper(each, 3, MIDNIGHT) for each in reversed(newest_first))) == newest_first


def test_the_seed_day_keeps_its_order_by_submission_time() -> None:
    # Votes, and the hour and minute of submission, of the tied papers of 2024-09-12.
    tied = {
        "2409.04057": (7, 0, 56),
        "2409.07450": (7, 1, 41),
        "2409.06765": (7, 1, 14),
        "2409.07441": (5, 1, 27),
        "2409.06185": (5, 7, 12),
    }
    day = [
        paper(each, votes, datetime(2024, 9, 12, hour, minute, tzinfo=UTC))
        for each, (votes, hour, minute) in tied.items()
    ]
    assert ids(rank(day)) == ["2409.07450", "2409.06765", "2409.04057", "2409.06185", "2409.07441"]


@pytest.mark.parametrize(
    ("votes", "selection", "chosen"),
    [
        ([9, 8, 2, 1, 0], Selection(top=15, min_votes=2, fill=0), 3),
        ([9, 8, 2, 1, 0], Selection(top=15, min_votes=2, fill=5), 5),
        ([9, 8, 2, 1, 0, 0], Selection(top=4, min_votes=2, fill=5), 4),
        ([9, 8, 7, 6, 5, 4, 3], Selection(top=0, min_votes=4, fill=5), 6),
        ([9, 8, 7, 6, 5, 4, 3], Selection(top=2, min_votes=4, fill=5), 2),
        ([1], Selection(), 1),
        ([], Selection(), 0),
    ],
)
def test_select_by_hand(votes: list[int], selection: Selection, chosen: int) -> None:
    day = [paper(f"2409.{number:05}", count) for number, count in enumerate(votes)]
    assert [each.votes for each in select(day, selection).chosen] == votes[:chosen]


def test_each_paper_left_out_has_its_reason() -> None:
    day = [paper("2409.00001", 9), paper("2409.00002", 5), paper("2409.00003", 1), paper("2409.00004")]
    left_out = select(day, Selection(top=1, min_votes=2, fill=0)).left_out
    assert [(each.id, reason) for each, reason in left_out] == [
        ("2409.00002", "after the first 1"),
        ("2409.00003", "too few votes: 1 of 2"),
        ("2409.00004", "no votes"),
    ]


def test_a_paper_of_a_source_without_votes_is_not_held_to_them() -> None:
    day = [paper(f"2409.{number:05}") for number in range(8)]
    assert len(select(day, Selection(min_votes=2, fill=5)).chosen) == 5
    free = [replace(each, votable=False) for each in day]
    assert len(select(free, Selection(min_votes=2, fill=5)).chosen) == 8


def test_what_is_free_of_votes_passes_by_what_has_too_few() -> None:
    low = [paper("2409.00001", 9), paper("2409.00002", 1), paper("2409.00003", 0)]
    free = replace(paper("2409.00004"), votable=False)
    chosen = select([*low, free], Selection(top=15, min_votes=2, fill=0)).chosen
    assert [each.id for each in chosen] == ["2409.00001", "2409.00004"]
    filled = select([*low, free], Selection(top=15, min_votes=2, fill=3)).chosen
    assert [each.id for each in filled] == ["2409.00001", "2409.00002", "2409.00004"]


@given(papers=PAPERS, data=st.data())
def test_the_order_does_not_depend_on_the_order_of_the_input(
    papers: list[Paper], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(papers))
    assert rank(shuffled) == rank(papers)


@given(papers=PAPERS)
def test_ranking_loses_nothing_and_is_sorted_by_votes(papers: list[Paper]) -> None:
    ranked = rank(papers)
    assert sorted(map(repr, ranked)) == sorted(map(repr, papers))
    votes = [-1 if each.votes is None else each.votes for each in ranked]
    assert votes == sorted(votes, reverse=True)
    assert rank(ranked) == ranked


@given(first=PAPERS, second=PAPERS)
def test_what_is_added_to_a_day_does_not_reorder_the_rest(first: list[Paper], second: list[Paper]) -> None:
    together = rank([*first, *second])
    known = rank([*first, *(each for each in second if each in first)])
    assert [each for each in together if each in first] == known


@given(papers=PAPERS, selection=SELECTIONS, free=st.booleans())
def test_selection_loses_nothing_and_keeps_its_sizes(
    papers: list[Paper], selection: Selection, free: bool
) -> None:
    papers = [replace(each, votable=not free) for each in papers]
    selected = select(papers, selection)
    everything = [*selected.chosen, *(each for each, _ in selected.left_out)]
    assert sorted(map(repr, everything)) == sorted(map(repr, papers))
    assert list(selected.chosen) == rank(selected.chosen)
    assert all(reason for _, reason in selected.left_out)
    bound = selection.top or len(papers)
    assert len(selected.chosen) <= bound
    assert len(selected.chosen) >= min(selection.fill, len(papers), bound)
    if free:
        assert len(selected.chosen) == min(bound, len(papers))
    elif len(selected.chosen) > selection.fill:
        assert all((each.votes or 0) >= selection.min_votes for each in selected.chosen)


def test_ten_thousand_papers_are_ranked() -> None:
    day = [paper(f"2409.{number:05}", number % 7, MIDNIGHT) for number in range(10_000)]
    assert len(select(day, Selection(top=0, min_votes=0)).chosen) == 10_000
