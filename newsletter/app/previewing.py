"""A preview: an issue made to be looked at. Nothing of it is written to the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.app.summarizing import summarizer
from newsletter.models.issues import Issue, Rendered
from newsletter.models.papers import DayOfPapers

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.templating.lint.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An issue as an example reader would get it: its files, and what lint finds in them, errors first.

    ``notes`` are what its sources and summaries warn of. ``budget`` are the bytes of HTML from which on less is told.
    """

    rendered: Rendered
    files: dict[str, bytes]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    sender: str
    budget: int


def make_preview(
    app: App, *, paths: Sequence[Path], day: date | None, edition: str | None, language: str | None,
    top: int | None, min_votes: int | None,
) -> Issue:  # fmt: skip
    """Return the issue to preview: of files, else of a collected day, else the bundled one, else fetched.

    None means what the edition's settings say. What its sources warned of stands in the issue.
    """
    name = app.editions.name(edition)  # a name that there is not is told before anything is fetched
    collected = app.days.for_preview(paths, day)
    return preview_of(app, collected, edition=name, language=language, top=top, min_votes=min_votes)


def preview_of(
    app: App, collected: DayOfPapers, *, edition: str | None, language: str | None, top: int | None,
    min_votes: int | None,
) -> Issue:  # fmt: skip
    """Return the issue of a day that is there already, by the settings of now."""
    from newsletter.pipeline import make_issue

    name = app.editions.name(edition)
    return make_issue(
        collected,
        edition=name,
        language=language or app.settings.edition(name).language,
        selection=app.editions.selection(name, top, min_votes),
        summarizer=summarizer(collected.papers),
    )


def show(app: App, issue: Issue, made_at: datetime) -> Shown:
    """Render an issue by the settings of now, with example values for what is not set, and look it over.

    The postal address that lint asks for is the one of the settings: an example one does for a preview, not for mail.
    """
    from newsletter.letters import example_reader, files_of, looked_over, make_letter
    from newsletter.pipeline import refusals
    from newsletter.templating.issue import render

    design, identity = app.letters.design(issue.edition), app.letters.identity(example=True)
    rendered = render(issue, design)
    letter = make_letter(rendered, issue, identity, made_at)
    settings = app.settings
    findings = looked_over(
        letter, issue, identity, postal_address=settings.sender.postal_address,
        real_mail=settings.provider.own.real_mail,
    )  # fmt: skip
    return Shown(
        rendered=rendered,
        files=files_of(rendered, letter, example_reader(letter, issue, identity), issue),
        findings=tuple(findings),
        notes=(*issue.warnings, *refusals(issue)),
        sender=identity.from_name,
        budget=design.max_bytes,
    )
