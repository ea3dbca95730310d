"""Papers from several sources become one list."""

from __future__ import annotations

from newsletter.ingestion.merged import merge_papers
from newsletter.models.papers import Paper, Section


def paper(paper_id: str, **fields: object) -> Paper:
    known = {"title": paper_id, "url": f"https://arxiv.org/abs/{paper_id}", **fields}
    return Paper(id=paper_id, **known)  # type: ignore[arg-type]


def test_order_is_that_of_first_occurrence() -> None:
    merged, warnings = merge_papers([[paper("b"), paper("a")], [paper("c"), paper("a"), paper("b")]])
    assert [item.id for item in merged] == ["b", "a", "c"]
    assert warnings == ()


def test_the_richest_of_each_stays() -> None:
    section = Section(heading="What's New", text="x")
    first = paper(
        "a", votes=45, abstract="short", sources=("digest",), sections=(section,), image="https://i/1"
    )
    other = paper(
        "a",
        votes=43,
        abstract="a longer one",
        authors=("Ada",),
        comments=0,
        keywords=("k",),
        image="https://i/2",
        sources=("huggingface", "digest"),
    )
    [merged], _ = merge_papers([[first], [other]])
    assert merged.votes == 45
    assert merged.abstract == "a longer one"
    assert merged.authors == ("Ada",)
    assert merged.sections == (section,)
    assert merged.image == "https://i/1"
    assert merged.comments == 0
    assert merged.keywords == ("k",)
    assert merged.sources == ("digest", "huggingface")


def test_no_votes_are_completed_and_zero_votes_are_known() -> None:
    [unknown, zero], _ = merge_papers(
        [[paper("a"), paper("b", votes=0)], [paper("a", votes=3), paper("b", votes=3)]]
    )
    assert unknown.votes == 3
    assert zero.votes == 0


def test_twice_in_one_list_is_a_warning_that_names_the_id() -> None:
    merged, warnings = merge_papers([[paper("a"), paper("b"), paper("a", votes=1)]])
    assert [item.id for item in merged] == ["a", "b"]
    assert merged[0].votes == 1
    assert warnings == ("paper a is listed more than once; its entries are merged",)


def test_nothing_merges_to_nothing() -> None:
    assert merge_papers([]) == ((), ())
