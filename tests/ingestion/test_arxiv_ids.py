"""What a paper is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.ingestion.arxiv_ids import arxiv_url, normalize_arxiv_id, paper_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2409.06820", "2409.06820"),
        ("2409.06820v2", "2409.06820"),
        (" 0704.0001v12\n", "0704.0001"),
        ("arXiv:2409.06820v1", "2409.06820"),
        ("oai:arXiv.org:2604.22002v1", "2604.22002"),
        ("cs/0112017", "cs/0112017"),
        ("hep-th/9901001v3", "hep-th/9901001"),
        ("math.GT/0309136", "math/0309136"),
        ("http://arxiv.org/abs/cs/0112017v1", "cs/0112017"),
        ("https://arxiv.org/abs/2409.06820", "2409.06820"),
        ("https://www.arxiv.org/pdf/2409.06820v2.pdf", "2409.06820"),
        ("https://arxiv.org/pdf/2409.06820?download=1", "2409.06820"),
        ("https://arxiv.org/html/2409.06820v1/#S1", "2409.06820"),
        ("https://export.arxiv.org/abs/2409.06820", "2409.06820"),
        ("https://huggingface.co/papers/2409.06820", "2409.06820"),
        ("https://notarxiv.org/abs/2409.06820", None),
        ("https://arxiv.org.example.com/abs/2409.06820", None),
        ("https://arxiv.org/list/2409.06820", None),
        ("https://huggingface.co/2409.06820", None),
        ("2409.068", None),
        ("2409.06820x", None),
        ("٢٤٠٩.٠٦٨٢٠", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_arxiv_ids(text: str, expected: str | None) -> None:
    assert normalize_arxiv_id(text) == expected


def test_address_of_a_paper() -> None:
    assert arxiv_url("2409.06820v3") == "https://arxiv.org/abs/2409.06820"
    assert arxiv_url("a-blog-post") is None


def test_the_first_arxiv_reference_names_the_paper() -> None:
    assert paper_id("https://news.example.org/1", "https://arxiv.org/abs/2409.06820v1") == "2409.06820"


def test_other_papers_are_named_by_their_first_reference() -> None:
    made = paper_id("", "https://Example.org/A Paper.pdf", "https://example.org/2")
    assert made.startswith("example-org-a-paper-pdf-")
    assert made == paper_id("https://Example.org/A Paper.pdf")
    assert made != paper_id("https://example.org/A Paper.pdf")
    assert paper_id("short-name_1") == "short-name_1"


@given(st.text(st.characters(), min_size=1).filter(str.strip))
def test_made_ids_are_short_and_plain(text: str) -> None:
    made = paper_id(text)
    assert made
    assert len(made) <= 64
    assert made.isascii()
    assert not set(made) & set(" \n\\?#&<>\"'")
