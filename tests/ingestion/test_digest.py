"""The digest reader on arbitrary, hostile and rendered text."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.ingestion.digest import parse_digest
from newsletter.models.papers import Paper

NAME = st.text(
    st.one_of(st.characters(categories=["L", "N"]), st.sampled_from(" -.'")), min_size=1, max_size=30
).filter(lambda name: name == " ".join(name.split()) and any(map(str.isalnum, name)))
TITLE = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="\\"), min_size=1, max_size=40
)
PAPERS = st.lists(
    st.builds(
        Paper,
        id=st.from_regex(r"[0-9]{4}\.[0-9]{4,5}", fullmatch=True),
        title=st.lists(TITLE, min_size=1, max_size=3).map(" ".join),
        url=st.just(""),
        votes=st.none() | st.integers(0, 10**6),
        authors=st.lists(NAME, max_size=5).map(tuple),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda paper: paper.id,
)
PIECES = [
    "## Daily Papers (2024-01-02)",
    "### ",
    "### [T](https://arxiv.org/abs/2401.00001)",
    "### [](x)",
    "](",
]
PIECES += [
    "Vote:",
    "Vote: 3",
    "Authors: a, b",
    "Authors: ['a'",
    "- **K**: v",
    "- ***K***:",
    "- ",
    "**K:**",
    "![](/a)",
]
PIECES += [
    "  more",
    "['a', {'b': 1}]",
    "---",
    "<video",
    "[Watch Video](x)",
    "",
    "\x00\ud800",
    "\r",
    "{{ x }}",
    "- **",
]


def rendered(papers: list[Paper]) -> str:
    lines = ["## Daily Papers (2024-09-12)", ""]
    for paper in papers:
        lines += [f"### [{paper.title}](https://arxiv.org/abs/{paper.id})", ""]
        lines += [f"Vote: {'-' if paper.votes is None else paper.votes}", ""]
        lines += [f"Authors: {', '.join(paper.authors)}", "", "- **What's New**: Something.", ""]
    return "\n".join(lines)


def facts(papers: list[Paper] | tuple[Paper, ...]) -> list[tuple[str, str, int | None, tuple[str, ...]]]:
    return [(paper.id, paper.title, paper.votes, paper.authors) for paper in papers]


@given(PAPERS)
def test_a_rendered_digest_reads_back(papers: list[Paper]) -> None:
    parsed = parse_digest(rendered(papers), name="x.md")
    assert facts(parsed.papers) == facts(papers)
    assert parsed.day == date(2024, 9, 12)
    assert parsed.warnings == ()
    assert all(len(paper.sections) == 1 for paper in parsed.papers)


@given(st.text(st.characters()) | st.lists(st.sampled_from(PIECES) | st.text(max_size=9)).map("\n".join))
def test_any_text_gives_papers_or_a_source_error(text: str) -> None:
    try:
        parsed = parse_digest(text, name="x.md")
    except SourceError as error:
        assert "no papers" in str(error)  # noqa: PT017 - both ends are fine, nothing else is
        return
    assert parsed.papers
    for paper in parsed.papers:
        assert paper.id
        assert paper.title
        assert paper.url == "" or paper.url.startswith(("http://", "https://"))
        assert not set(paper.title) & set("\r\n\x00\ue000\ue001\ud800")


@pytest.mark.parametrize(
    "line",
    [
        "[" * 500_000,
        "### [" + "](" * 300_000,
        "- " + "**" * 400_000,
        "- **K**: " + "[" * 400_000 + "]" * 400_000,
        "- **K**: [" + "-" * 50_000 + "1]",
        "- **K**: [" + "{" * 50_000 + "]",
        "Authors: " + "a," * 400_000,
        "Authors: [" + "'a'," * 20_000 + "]",
        "![" * 300_000,
        "Vote: " + "9" * 500_000,
        "- **K**: v\n" * 50_000,
        "  x\n\n\n\n" * 100_000,
        "odd\n" * 200_000,
        "## 2024-99-99" * 50_000,
    ],
    ids=lambda line: line[:12],
)
@pytest.mark.timeout(20)  # a hang fails
def test_hostile_lines_take_no_time(line: str) -> None:
    parsed = parse_digest(f"### [T](https://arxiv.org/abs/2401.00001)\n{line}\n", name="x.md")
    assert parsed.papers[0].id == "2401.00001"
    assert len(parsed.warnings) <= 51


def test_warnings_are_bounded_and_counted() -> None:
    parsed = parse_digest("odd\n" * 80 + "### [T](https://arxiv.org/abs/2401.00001)\n", name="x.md")
    assert parsed.warnings[0].startswith("x.md, line 1: ")
    assert len(parsed.warnings) == 51
    assert parsed.warnings[-1].startswith("30 more warnings")


def test_the_day_may_stand_in_the_name_only() -> None:
    text = "## Daily Papers\n### [T](https://arxiv.org/abs/2401.00001)"
    assert parse_digest(text, name="out/2024-01-03.md").day == date(2024, 1, 3)
    assert parse_digest(text, name="2024-01-03/today.md").day is None


def test_names_without_end() -> None:
    names = [f"Author Number {index}" for index in range(664)]
    text = f"### [T](https://arxiv.org/abs/2401.00001)\n\nAuthors: {', '.join(names)}\n"
    assert parse_digest(text, name="x.md").papers[0].authors == tuple(names)


def test_titles_that_are_no_text_elsewhere_stay_text() -> None:
    titles = [
        "<script>alert(1)</script>",
        "{{ x }} {% y %}",
        "</mj-text><mj-include path='/etc/passwd'/>",
        "\"q\" & 'a'",
    ]
    titles += ["$\\alpha$ and \\mlee", "שלום עולם", "🦙🎉 LLaMA"]
    text = "".join(f"### [{title}](https://arxiv.org/abs/2401.0000{n})\n" for n, title in enumerate(titles))
    assert [paper.title for paper in parse_digest(text, name="x.md").papers] == titles
