"""The fast way to read an answer gives what the tolerant way gives, or gives up."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.ingestion.daily_papers import _SUBMISSION_TIMES_END, read_page, read_tolerantly
from newsletter.ingestion.daily_papers_fast import read_plain
from newsletter.sample import sample_day_path

PIECES = [*"aZ 0.$", "  ", "\n", "\t", "\\", '"', "/", "<", "é", "한", "\u2028", "\xa0", "\x85", "\u200b", "\ue000", "\ue001",
          "\ufffe", "🦙"]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)
URL = st.sampled_from(
    ["", "https://example.org/a.png", "http://example.org", "https://example.org/a b", "ftp://x.org/y", "javascript:x",
     "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2601.00001.png", "https://example.org/v.mp4",
     "https://exämple.org/", "https://example.org/p.JPG?x=1", " https://example.org/ ", "https://user@example.org/x"]
)  # fmt: skip
TIME = st.sampled_from(["2026-01-07T00:00:00.000Z", "2024-09-12T05:00:02.430Z", "2024-09-12T05:00:02+09:00"])
COUNT = st.integers(0, 2_000_000_000)
PLACE = st.fixed_dictionaries({}, optional={"name": TEXT, "fullname": TEXT})
PAPER = st.fixed_dictionaries(
    {"id": st.sampled_from(["2601.00001", "0704.1234", "2601.12345"]), "title": TEXT.map(lambda text: f"T{text}")},
    optional={
        "summary": TEXT, "upvotes": COUNT, "publishedAt": TIME, "submittedOnDailyAt": TIME, "ai_summary": TEXT,
        "authors": st.lists(st.fixed_dictionaries({"name": TEXT}, optional={"hidden": st.booleans()}), max_size=3),
        "ai_keywords": st.lists(TEXT, max_size=3), "githubRepo": URL, "githubStars": COUNT, "projectPage": URL,
        "organization": PLACE,
    },
)  # fmt: skip
ENTRY = st.fixed_dictionaries(
    {"paper": PAPER},
    optional={
        "title": TEXT, "summary": TEXT, "publishedAt": TIME, "thumbnail": URL, "mediaUrl": URL, "numComments": COUNT,
        "organization": PLACE, "other": st.integers(),
    },
)  # fmt: skip
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, True, 1.5, 2_000_000_001, "", " ", "x", "2601.00001v2", "cs/0112017", "yesterday", "2024-09-12",
     "2024-09-12T05:00:02", "0001-01-01T00:00:00+14:00", "a\r\nb", "\x00", "\x07bell", "\x7f", [], {}, [None], [{}],
     {"name": 1}]
)  # fmt: skip


def agree(entries: list[dict[str, Any]], *, as_ascii: bool) -> bool:
    """Check both ways against each other; return whether the fast one answered."""
    data = json.dumps(entries, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass")
    plain = read_plain(data, _SUBMISSION_TIMES_END)
    if plain is None:
        return False
    page = read_tolerantly(data, name="day.json")
    assert page.warnings == ()
    assert [paper for paper, _, _ in plain] == list(page.papers)
    assert read_page(data, name="day.json") == page
    return True


@settings(max_examples=300)
@given(st.lists(ENTRY, max_size=3))
def test_both_ways_agree_on_what_is_not_odd(entries: list[dict[str, Any]]) -> None:
    assert agree(entries, as_ascii=False), "and the fast way answers"


@settings(max_examples=300)
@given(ENTRY, st.data(), st.booleans())
def test_both_ways_agree_or_the_fast_one_gives_up(
    entry: dict[str, Any], data: st.DataObject, as_ascii: bool
) -> None:
    part = data.draw(st.sampled_from([entry, entry["paper"]]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(ODD)
    agree([entry], as_ascii=as_ascii)


def test_a_day_as_it_comes_is_read_the_fast_way() -> None:
    data = sample_day_path().read_bytes()
    plain = read_plain(data, _SUBMISSION_TIMES_END)
    assert plain is not None
    assert len(plain) == 14
    assert read_page(data, name="x.json") == read_tolerantly(data, name="x.json")


def test_a_day_with_something_odd_is_not() -> None:
    day = json.loads(sample_day_path().read_bytes())
    for change in ({"id": "cs/0112017"}, {"upvotes": -1}, {"title": ""}, {"authors": "nobody"}):
        odd = [dict(day[0], title="", paper={**day[0]["paper"], **change}), *day[1:]]
        assert read_plain(json.dumps(odd).encode(), _SUBMISSION_TIMES_END) is None
