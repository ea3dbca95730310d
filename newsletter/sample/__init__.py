"""One recorded day, so that everything runs without a network.

Ids, titles, authors, votes and times are those of the day; the abstracts were written anew for this project.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

SAMPLE_DAY = date(2024, 9, 12)


def sample_day_path() -> Path:
    """Return the file with the sample day as the daily papers API would have answered it."""
    return Path(__file__).parent / f"{SAMPLE_DAY.isoformat()}.json"
