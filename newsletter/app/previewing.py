"""A preview: an issue made to be looked at. Nothing of it is written to the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.models import DayOfPapers, Issue

if TYPE_CHECKING:
    from newsletter.app import App


def make_preview(
    app: App, *, paths: Sequence[Path], day: date | None, edition: str | None, language: str | None,
    top: int | None, min_votes: int | None,
) -> Issue:  # fmt: skip
    """Return the issue to preview: of files, else of a collected day, else the bundled one, else fetched.

    None means what the edition's settings say. What its sources warned of stands in the issue.
    """
    name = app.edition_name(edition)  # a name that there is not is told before anything is fetched
    collected = app.day_for_preview(paths, day)
    return preview_of(app, collected, edition=name, language=language, top=top, min_votes=min_votes)


def preview_of(
    app: App, collected: DayOfPapers, *, edition: str | None, language: str | None, top: int | None,
    min_votes: int | None,
) -> Issue:  # fmt: skip
    """Return the issue of a day that is there already, by the settings of now."""
    from newsletter.pipeline import make_issue

    name = app.edition_name(edition)
    return make_issue(
        collected,
        edition=name,
        language=language or app.settings.edition(name).language,
        selection=app.selection(name, top, min_votes),
        summarizer=app.summarizer(collected.papers),
    )
