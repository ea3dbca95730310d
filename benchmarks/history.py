"""`newsletter rank` with 600 days of history against 10 days: 20 papers a day, 100,000 observations of votes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.clock import medians
from newsletter import store
from newsletter.database import Database
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from newsletter.states import IssueState

BOUND = 1.5
PAPERS = 20
OBSERVATIONS = 100_000
LAST = date(2026, 1, 7)


def _fill(path: Path, days: int) -> None:
    database = Database(path)
    database.ensure_schema()
    again = OBSERVATIONS // (600 * PAPERS)
    for back in range(days):
        day = LAST - timedelta(days=back)
        morning = datetime(day.year, day.month, day.day, 16, tzinfo=UTC)
        papers = tuple(
            Paper(
                id=f"{day:%y%m}.{back:03}{number:02}", title=f"Paper {number}", url="https://example.org/",
                votes=number, abstract="We show a thing. " * 60, sources=("huggingface",),
            )
            for number in range(PAPERS)
        )  # fmt: skip
        with database.write() as connection:
            for turn in range(again):
                store.save_day(
                    connection,
                    DayOfPapers(
                        source="huggingface", day=day, kind=DayKind.COMPLETE, papers=papers,
                        taken_at=morning + timedelta(hours=turn),
                    ),
                )  # fmt: skip
            if back == 0:
                continue
            document = {"entries": [{"id": paper.id} for paper in papers[5:]]}
            issue = store.create_issue(
                connection, edition="daily", day=day, kind=DayKind.COMPLETE, document=document, now=morning
            )
            issue = store.move_issue(connection, issue, IssueState.SENDING, morning)
            store.move_issue(connection, issue, IssueState.FINISHED, morning)
    database.close()


def measure(runs: int = 9) -> str:
    """Return the line of the report."""
    command = str(Path(sys.executable).with_name("newsletter"))
    with tempfile.TemporaryDirectory() as folder:
        places = {days: Path(folder) / str(days) for days in (600, 10)}
        for days, place in places.items():
            place.mkdir()
            _fill(place / "newsletter.db", days)

        def rank(days: int) -> None:
            subprocess.run(
                [command, "rank", "--json"], cwd=places[days], check=True, stdout=subprocess.DEVNULL
            )

        long, short = medians(lambda: rank(600), lambda: rank(10), runs=runs)
    times = f"{long * 1000:.0f} ms against {short * 1000:.0f}"
    return f"history     {long / short:5.2f} x `newsletter rank` with 10 days of history ({times}; at most {BOUND})"
