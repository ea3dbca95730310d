"""Every real file of the shared data is read without losing a paper; skipped where that data is absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.ingestion.files import read_file

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded days are not beside this checkout")


def files(kind: str) -> list[Path]:
    return sorted((SHARED / kind).glob("*"))


@pytest.mark.parametrize("path", files("digests"), ids=lambda path: path.stem)
def test_digest(path: Path) -> None:
    headings = {line for line in path.read_text(encoding="utf-8").split("\n") if line.startswith("### ")}
    parsed = read_file(path)
    assert parsed.kind == "digest"
    assert parsed.day is not None
    assert parsed.day.isoformat() == path.stem
    assert len(parsed.papers) == len({line.rpartition("](")[2] for line in headings})
    assert parsed.warnings == ()
    assert all(paper.sections and paper.url for paper in parsed.papers)


@pytest.mark.parametrize("path", files("huggingface"), ids=lambda path: path.stem)
def test_huggingface(path: Path) -> None:
    entries = json.loads(path.read_bytes())
    parsed = read_file(path)
    assert parsed.kind == "huggingface"
    assert str(parsed.day) == path.stem
    assert [paper.id for paper in parsed.papers] == [entry["paper"]["id"] for entry in entries]
    assert [paper.votes for paper in parsed.papers] == [entry["paper"]["upvotes"] for entry in entries]
    assert [paper.abstract for paper in parsed.papers] == [entry["paper"]["summary"] for entry in entries]
    assert parsed.warnings == ()


@pytest.mark.parametrize("path", files("arxiv"), ids=lambda path: path.stem)
def test_arxiv(path: Path) -> None:
    if "400" in path.name or "empty" in path.name:
        with pytest.raises(InputError, match=r"incorrect id format for abc|has no papers"):
            read_file(path)
        return
    text = path.read_text(encoding="utf-8")
    parsed = read_file(path)
    assert parsed.kind == "arxiv"
    assert len(parsed.papers) == text.count("</item>") + text.count("</entry>")
    assert all(paper.abstract and paper.authors for paper in parsed.papers)
    assert all(paper.url == f"https://arxiv.org/abs/{paper.id}" for paper in parsed.papers)


def test_the_seed() -> None:
    papers = read_file(SHARED / "digests" / "2024-09-12.md").papers
    assert len(papers) == 14
    assert (papers[0].votes, papers[-1].votes) == (45, 1)
    assert sum(len(paper.sections) for paper in papers) == 43
    assert all(paper.authors and paper.image for paper in papers)
