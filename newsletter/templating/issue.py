"""The door of the room: an issue becomes a letter with placeholders, and a letter one recipient's text."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import RenderError
from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, Entry, Issue, Rendered
from newsletter.templating.budget import LENGTH, Plan, fit
from newsletter.templating.engine import Engine, engine
from newsletter.templating.i18n import words
from newsletter.templating.theme import THEME, Layout, Theme
from newsletter.templating.view import LetterView, letter_view

_PLACEHOLDER = re.compile(f"{PLACEHOLDER_OPEN}([^{PLACEHOLDER_CLOSE}]*){PLACEHOLDER_CLOSE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a letter is made. ``full`` entries carry their sections, 0 means every one.

    ``subject`` and ``preheader`` are templates with ``{names}`` (see `inbox.FIELDS`), empty for the usual ones.
    ``templates`` is a folder whose files replace the newsletter's own, one by one. ``max_bytes`` bounds the
    HTML in UTF-8; Gmail cuts at about 102,000. A recipient's value is counted with ``value_bytes``.
    """

    name: str
    full: int = 4
    layout: Layout = Layout.DIGEST
    pictures: bool = True
    theme: Theme = THEME
    subject: str = ""
    preheader: str = ""
    postal_address: str = ""
    issue_number: int | None = None
    templates: Path | None = None
    max_bytes: int = 95_000
    value_bytes: int = 320


def render(issue: Issue, design: Design, templates: Engine | None = None) -> Rendered:
    """Make a letter of an issue; the same issue and design give the same bytes.

    HTML and text hold the placeholders ``unsubscribe_url`` and ``address``. Raises `RenderError` for a fault
    in a template, with file and line, and where the first paper alone weighs more than ``max_bytes``.
    ``templates`` stands in for the engine of the design's folder.
    """
    fixed = words(issue.language)
    brief = design.layout is Layout.BRIEF
    view = letter_view(
        issue, fixed, name=design.name, postal_address=design.postal_address, number=design.issue_number,
        pictures=design.pictures, brief=brief, subject=design.subject, preheader=design.preheader,
    )  # fmt: skip
    theme = design.theme.speaking(fixed.base)
    templates = templates or engine(design.templates, theme)
    values: dict[str, object] = {"letter": view, "words": fixed, "theme": theme}

    def weigh(letter: str) -> int:
        return len(letter.encode()) + design.value_bytes * letter.count(PLACEHOLDER_OPEN)

    def html(plan: Plan) -> str:
        return templates.html(values | _told(view, plan))

    return Rendered(
        subject=view.subject,
        preheader=view.preheader,
        html=fit(len(view.entries), design.full, html, weigh, design.max_bytes, brief=brief),
        text=templates.plain("email/letter.txt.j2", values),
        markdown=templates.plain("email/issue.md.j2", values),
    )


def issue_json(issue: Issue) -> dict[str, object]:
    """Return an issue as its JSON interface has it: entries in sending order, headings as in the source."""
    return {
        "date": issue.day.isoformat(),
        "language": issue.language,
        "entries": [_entry_json(entry) for entry in issue.entries],
    }


class Blanks:
    """A text with placeholders, cut at them once, to be filled for each recipient."""

    __slots__ = ("_html", "_names", "_pieces")

    def __init__(self, template: str, *, html: bool) -> None:
        self._pieces = _PLACEHOLDER.split(template)
        self._names = self._pieces[1::2]
        self._html = html

    def fill(self, values: Mapping[str, str]) -> str:
        """Put a recipient's values in, escaped where it is HTML; raise `RenderError` where one is missing."""
        try:
            own = [values[name] for name in self._names]
        except KeyError as error:
            name = error.args[0]
            raise RenderError(
                f"a recipient has no value for {name}", remedy=f"give one or take {name} out"
            ) from None
        pieces = self._pieces.copy()
        pieces[1::2] = [markup.escape(value) for value in own] if self._html else own
        return "".join(pieces)


def fill(template: str, values: Mapping[str, str], *, html: bool) -> str:
    """Put a recipient's values into a letter, escaped where it is HTML.

    Raises `RenderError` for a placeholder without a value.
    """
    return Blanks(template, html=html).fill(values) if PLACEHOLDER_OPEN in template else template


def _told(view: LetterView, plan: Plan) -> dict[str, object]:
    """Return the entries that each kind of partial draws under a plan."""
    lines = plan.full + plan.lines
    return {
        "lead": view.entries[: min(plan.full, 1)],
        "full": view.entries[1 : plan.full],
        "lines": view.entries[plan.full : lines],
        "titles": view.entries[lines : lines + plan.titles],
        "told": plan.full,
        "shown": plan.shown,
        "lead_length": plan.lead_length,
        "length": LENGTH,
    }


def _entry_json(entry: Entry) -> dict[str, object]:
    paper, summary = entry.paper, entry.summary
    return {
        "id": paper.id,
        "title": paper.title,
        "url": paper.url,
        "votes": paper.votes,
        "authors": list(paper.authors),
        "image": paper.image,
        "summary": {
            "origin": summary.origin.value,
            "sections": [{"heading": section.heading, "text": section.text} for section in summary.sections],
        },
    }
