"""Several sources as one: papers merged, kinds combined, one failing never the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.ingestion.merged import MergedSource, merge_papers, without_votes
from newsletter.models.papers import DayKind, DayOfPapers, Paper, Section

DAY = date(2026, 1, 7)
NOW = datetime(2026, 1, 7, 18, tzinfo=UTC)
KINDS = list(DayKind)


class Fixed:
    """A source that always says the same, or raises."""

    def __init__(self, name: str, kind: DayKind, papers: Sequence[Paper] = (), *, error: str = "") -> None:
        self.name = name
        self.kind = kind
        self.papers = tuple(papers)
        self.error = error

    def fetch(self, day: date) -> DayOfPapers:
        if self.error:
            raise SourceError(self.error)
        warnings = ("no connection",) if self.kind is DayKind.FAILED else ()
        page = f"https://example.org/{self.name}"
        return DayOfPapers(
            source=self.name,
            day=day,
            kind=self.kind,
            papers=self.papers,
            taken_at=NOW,
            page=page,
            warnings=warnings,
        )


def nothing_lacks(papers: Sequence[Paper]) -> tuple[tuple[Paper, ...], tuple[str, ...]]:
    return tuple(papers), ()


def fetch(*sources: Fixed) -> DayOfPapers:
    return MergedSource(sources, complete=nothing_lacks, clock=lambda: NOW).fetch(DAY)


def paper(key: str, source: str, votes: int | None = None, abstract: str = "") -> Paper:
    url = f"https://arxiv.org/abs/{key}"
    return Paper(
        id=key, title=f"{key} by {source}", url=url, votes=votes, abstract=abstract, sources=(source,)
    )


def test_votes_from_where_they_are_and_the_richest_text() -> None:
    day = fetch(
        Fixed("huggingface", DayKind.COMPLETE, [paper("2601.00001", "huggingface", 9, "Short.")]),
        Fixed("arxiv", DayKind.COMPLETE, without_votes([
            paper("2601.00001", "arxiv", None, "A longer abstract."), paper("2601.00002", "arxiv"),
        ])),
    )  # fmt: skip
    first, second = day.papers
    assert (first.votes, first.abstract, first.sources) == (9, "A longer abstract.", ("huggingface", "arxiv"))
    assert (second.votes, second.votable, second.sources) == (None, False, ("arxiv",))
    assert first.votable
    assert (day.source, day.page) == ("huggingface+arxiv", "https://example.org/huggingface")
    assert [(part.source, part.kind, part.papers) for part in day.parts] == [
        ("huggingface", DayKind.COMPLETE, 1), ("arxiv", DayKind.COMPLETE, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("complete failed", "complete"),
        ("complete quiet", "complete"),
        ("complete not_ready", "not_ready"),
        ("complete cut failed", "cut"),
        ("cut not_ready", "not_ready"),
        ("quiet quiet", "quiet"),
        ("quiet failed", "failed"),  # nobody knows
        ("failed failed", "failed"),
        ("not_ready failed", "not_ready"),
    ],
)
def test_what_the_parts_make_of_the_day(kinds: str, expected: str) -> None:
    sources = [Fixed(f"s{number}", DayKind(kind)) for number, kind in enumerate(kinds.split())]
    assert fetch(*sources).kind.value == expected
    assert fetch(*reversed(sources)).kind.value == expected


def test_one_that_fails_is_a_warning_with_its_name() -> None:
    good = Fixed("huggingface", DayKind.COMPLETE, [paper("2601.00001", "huggingface", 9)])
    day = fetch(
        good, Fixed("arxiv", DayKind.FAILED), Fixed("blog", DayKind.COMPLETE, error="the feed is odd")
    )
    assert day.kind is DayKind.COMPLETE
    assert len(day.papers) == 1
    assert day.warnings == ("arxiv: no connection", "blog: the feed is odd")
    assert [part.kind for part in day.parts] == [DayKind.COMPLETE, DayKind.FAILED, DayKind.FAILED]


def test_one_alone_is_as_it_is() -> None:
    day = fetch(Fixed("huggingface", DayKind.FAILED))
    assert (day.source, day.kind, day.warnings) == ("huggingface", DayKind.FAILED, ("no connection",))


def test_what_lacks_is_filled_in_and_said_where_it_could_not() -> None:
    def fill(papers: Sequence[Paper]) -> tuple[tuple[Paper, ...], tuple[str, ...]]:
        return tuple(replace(each, abstract="Filled.") for each in papers), ("arxiv: one was not completed",)

    source = Fixed("blog", DayKind.COMPLETE, [paper("2601.00001", "blog")])
    day = MergedSource([source], complete=fill, clock=lambda: NOW).fetch(DAY)
    assert (day.papers[0].abstract, day.warnings) == ("Filled.", ("arxiv: one was not completed",))


PAPERS = st.lists(
    st.builds(
        Paper,
        id=st.sampled_from(["a", "b", "c", "d"]),
        title=st.sampled_from(["T", "U"]),
        url=st.sampled_from(["", "https://x.org/", "https://y.org/"]),
        abstract=st.sampled_from(["", "short", "longer", "long as"]),
        authors=st.sampled_from([(), ("A",), ("B", "C")]),
        votes=st.none() | st.integers(0, 3),
        votable=st.booleans(),
        image=st.none() | st.just("https://x.org/i.png"),
        comments=st.none() | st.integers(0, 2),
        sections=st.sampled_from([(), (Section(heading="H", text="t"),)]),
        sources=st.sampled_from([("s",), ("t",), ("s", "t")]),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)


def merged(*groups: Sequence[Paper]) -> tuple[Paper, ...]:
    return merge_papers(groups)[0]


@given(PAPERS, PAPERS, PAPERS)
def test_merging_is_associative(first: list[Paper], second: list[Paper], third: list[Paper]) -> None:
    assert (
        merged(merged(first, second), third)
        == merged(first, merged(second, third))
        == merged(first, second, third)
    )


@given(PAPERS, PAPERS)
def test_merging_is_idempotent_and_loses_nobody(first: list[Paper], second: list[Paper]) -> None:
    once = merged(first, second)
    assert merged(once, once) == merged(once) == once
    assert merged(once, first, second) == once
    assert {each.id for each in once} == {each.id for each in [*first, *second]}
