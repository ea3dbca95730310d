"""The ranker through its two doors, on hand-made days and on random ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models.issues import Selection
from newsletter.models.papers import Paper
from newsletter.ranker import Candidate, Ranked, Reason, choose, explain, rank

MIDNIGHT = datetime(2026, 6, 2, tzinfo=UTC)
YESTERDAY = date(2024, 9, 11)


def paper(paper_id: str, votes: int | None = None, submitted_at: datetime | None = None) -> Paper:
    return Paper(
        id=paper_id,
        title=f"On {paper_id}",
        url=f"https://arxiv.org/abs/{paper_id}",
        votes=votes,
        submitted_at=submitted_at,
    )


def today(paper_id: str, votes: int | None = None, submitted_at: datetime | None = None) -> Candidate:
    return Candidate(paper=paper(paper_id, votes, submitted_at))


def carried(paper_id: str, votes: int | None = None) -> Candidate:
    return Candidate(paper=paper(paper_id, votes), carried_from=YESTERDAY)


def placed(candidates: list[Candidate], selection: Selection) -> list[Ranked]:
    return [each for each in choose(candidates, selection) if each.place is not None]


IDS = st.one_of(
    st.from_regex(r"(?:0[7-9]|1\d|2\d)(?:0[1-9]|1[0-2])\.\d{4,5}", fullmatch=True),
    st.from_regex(r"(?:cs|math\.AG|hep-th)/(?:9[1-9]|0[0-7])(?:0[1-9]|1[0-2])\d{3}", fullmatch=True),
    st.text(max_size=6),
)
PAPER = st.builds(
    paper,
    IDS,
    st.none() | st.integers(0, 4),
    st.none() | st.integers(0, 3).map(lambda hours: MIDNIGHT + timedelta(hours=hours)),
)
PAPERS = st.lists(PAPER, max_size=12)
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
def test_a_day_by_hand(votes: list[int], selection: Selection, chosen: int) -> None:
    day = [today(f"2409.{number:05}", count) for number, count in enumerate(votes)]
    assert [each.candidate.paper.votes for each in placed(day, selection)] == votes[:chosen]


def told(candidates: list[Candidate], selection: Selection) -> dict[str, tuple[int | None, str]]:
    """Return place and reason of every candidate by the end of its id."""
    return {
        each.candidate.paper.id[-1]: (each.place, explain(each)) for each in choose(candidates, selection)
    }


def test_everybody_is_told_why() -> None:
    day = [
        today("2409.00001", 9, MIDNIGHT + timedelta(hours=1)), today("2409.00002", 9, MIDNIGHT),
        today("2409.00003", 9, MIDNIGHT), today("2409.00004", 1), today("2409.00005"),
        replace(today("2409.00006", 40), sent_on=YESTERDAY), carried("2409.00007", 5), carried("2409.00008", 4),
        carried("2409.00009", 1),
    ]  # fmt: skip
    assert told(day, Selection(top=4, min_votes=2, fill=0)) == {
        "6": (None, "sent on 2024-09-11"),
        "1": (1, "9 votes"),
        "3": (2, "9 votes, tie broken by submission time"),
        "2": (3, "9 votes, tie broken by arXiv id"),
        "7": (4, "5 votes, carried from 2024-09-11"),
        "8": (None, "4 votes, carried from 2024-09-11, no place left"),
        "9": (None, "too few votes: 1 of 2, carried from 2024-09-11"),
        "4": (None, "too few votes: 1 of 2"),
        "5": (None, "no votes"),
    }
    filled = told(day[3:5], Selection(top=4, min_votes=2, fill=1))
    assert filled["4"] == (1, "too few votes: 1 of 2, taken to fill up")
    assert (
        told(day[:2], Selection(top=1))["2"][1] == "9 votes, tie broken by submission time, after the first 1"
    )


def test_carried_papers_only_fill_what_today_leaves() -> None:
    day = [
        *(today(f"2409.0000{n}", 5) for n in range(3)),
        carried("2408.00001", 90),
        carried("2408.00002", 80),
    ]
    assert [each.candidate.paper.id for each in placed(day, Selection(top=4))] == [
        "2408.00001", "2409.00002", "2409.00001", "2409.00000",
    ]  # fmt: skip
    assert len(placed(day, Selection(top=3))) == 3
    assert all(each.candidate.carried_from is None for each in placed(day, Selection(top=3)))
    assert all(each.candidate.carried_from is None for each in placed(day, Selection(top=0))), (
        "no bound, no gap"
    )


def test_a_paper_of_a_source_without_votes_is_not_held_to_them() -> None:
    day = [today(f"2409.{number:05}") for number in range(8)]
    assert len(placed(day, Selection(min_votes=2, fill=5))) == 5
    free = [replace(each, paper=replace(each.paper, votable=False)) for each in day]
    assert len(placed(free, Selection(min_votes=2, fill=5))) == 8
    old = [replace(each, carried_from=YESTERDAY) for each in free]
    assert placed(old, Selection(min_votes=2, fill=5)) == [], (
        "they are not carried: nothing says they are worth it"
    )


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


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        paper=st.builds(lambda each, votable: replace(each, votable=votable), PAPER, st.booleans()),
        carried_from=st.none() | st.just(YESTERDAY),
        sent_on=st.none() | st.just(YESTERDAY),
    ),
    max_size=16,
)


@given(candidates=CANDIDATES, selection=SELECTIONS, data=st.data())
def test_choosing_loses_nothing_and_keeps_its_rules(
    candidates: list[Candidate], selection: Selection, data: st.DataObject
) -> None:
    ranked = choose(candidates, selection)
    assert sorted(repr(each.candidate) for each in ranked) == sorted(map(repr, candidates))
    assert [each.candidate.paper for each in ranked] == rank(each.paper for each in candidates)
    chosen = [each for each in ranked if each.place is not None]
    assert [each.place for each in chosen] == list(range(1, len(chosen) + 1))
    bound = selection.top or len(candidates)
    assert len(chosen) <= bound
    assert not any(each.candidate.sent_on for each in chosen)
    assert all(explain(each) for each in ranked)
    worthy = [
        each for each in candidates
        if each.sent_on is None and each.carried_from is None
        and (not each.paper.votable or (each.paper.votes or 0) >= selection.min_votes)
    ]  # fmt: skip
    of_today = [each for each in chosen if each.candidate.carried_from is None]
    assert len(of_today) >= min(len(worthy), bound), "today's worthy papers never give way to carried ones"
    low = [each for each in chosen if each.reason is Reason.FILLED]
    assert not low or len(chosen) <= selection.fill
    if len({each.paper.id for each in candidates}) == len(candidates):  # as in every day
        shuffled = choose(data.draw(st.permutations(candidates)), selection)
        assert [(each.candidate, each.place, each.reason) for each in shuffled] == [
            (each.candidate, each.place, each.reason) for each in ranked
        ]


def test_ten_thousand_papers_are_ranked() -> None:
    day = [today(f"2409.{number:05}", number % 7, MIDNIGHT) for number in range(10_000)]
    assert len(placed(day, Selection(top=0, min_votes=0))) == 10_000
