"""Reading and merging a stored day of 50 papers against `orjson.loads` of the same bytes."""

from __future__ import annotations

import orjson

from benchmarks.clock import medians
from newsletter.ingestion.daily_papers import parse_daily_papers
from newsletter.ingestion.merged import merge_papers

BOUND = 3.0
SENTENCE = "We show that a thing of the size of this one can be made, and that it holds in every case that was tried. "


def _day() -> bytes:
    """Return an answer as the API gives it in 2026: what is not read is there too."""
    people = [
        {
            "_id": f"6a87afc589e517cbfd75d{number:03}", "name": f"Somebody Number {number}", "hidden": False,
            "status": "claimed_verified", "statusLastChangedAt": "2026-01-07T07:54:25.329Z",
            "user": {"_id": "5e6aca39878b8b2bf9806447", "avatarUrl": "/avatars/d3f68c2eba04f269.svg", "isPro": False,
                     "fullname": f"Somebody Number {number}", "user": f"somebody{number}", "type": "user"},
        }
        for number in range(8)
    ]  # fmt: skip
    entries = [
        {
            "paper": {
                "id": f"2601.{number:05}", "authors": people, "publishedAt": "2026-01-06T00:00:00.000Z",
                "submittedOnDailyAt": "2026-01-07T00:00:00.000Z", "title": f"Paper {number}: A Title of Usual Length",
                "summary": SENTENCE * 12, "upvotes": number, "discussionId": "6a87afc589e517cbfd75dbe0",
                "projectPage": "https://example.org/project", "githubRepo": "https://example.org/code/repository",
                "ai_summary": SENTENCE, "ai_keywords": [f"keyword {n}" for n in range(10)], "githubStars": 8,
                "organization": {"_id": "5e6aca39878b8b2bf9806447", "name": "example", "fullname": "Example"},
            },
            "publishedAt": "2026-01-05T20:00:00.000Z", "title": f"Paper {number}: A Title of Usual Length",
            "summary": SENTENCE * 12, "numComments": 1, "isAuthorParticipating": False,
            "thumbnail": f"https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2601.{number:05}.png",
        }
        for number in range(50)
    ]  # fmt: skip
    return orjson.dumps(entries)


def measure(runs: int = 101) -> str:
    """Return the line of the report."""
    data = _day()
    ours, plain = medians(
        lambda: merge_papers([parse_daily_papers(data, name="day.json").papers]),
        lambda: orjson.loads(data),
        runs=runs,
    )
    times = f"{ours * 1000:.2f} ms against {plain * 1000:.2f}"
    return (
        f"reading     {ours / plain:5.2f} x `orjson.loads` of a day of 50 papers ({times}; at most {BOUND})"
    )
