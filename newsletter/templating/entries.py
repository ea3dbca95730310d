"""What templates see of one paper: plain values, cleaned here, escaped by Jinja alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsletter.models.issues import Entry
from newsletter.models.papers import PaperKind, Section, SummaryOrigin
from newsletter.templating.i18n import Words, direction_of
from newsletter.templating.links import safe_url
from newsletter.templating.once import made_once
from newsletter.templating.text import cut, first_sentence, language_of, one_line

NAME = 26  # characters at most before a title's colon to be taken for a name
TITLE = 300  # longer titles are cut in HTML; text, Markdown and JSON keep them whole
LINE = 96  # characters of the one sentence that a folded entry keeps
TALK = 2  # comments from which on a discussion is worth a link
_ARXIV, _ARXIV_PDF = "https://arxiv.org/abs/", "https://arxiv.org/pdf/"
_SITES = {"huggingface.co": "Hugging Face"}  # proper names stand for "Paper page" where they are known
KINDS = {
    PaperKind.BENCHMARK: "Benchmark",
    PaperKind.DATASET: "Dataset",
    PaperKind.MODEL: "Model",
    PaperKind.METHOD: "Method",
    PaperKind.SURVEY: "Survey",
    PaperKind.SYSTEM: "System",
    PaperKind.THEORY: "Theory",
}
# English words that lead to what is cut away behind them
_DANGLING = re.compile(
    r"(?:[ ,;:]+(?:an?|the|this|that|these|its?|of|for|in|on|at|by|to|with|from|and|or|as|is|are|which|than|into))+$",
    re.IGNORECASE,
)
PREPOSITIONS = re.compile(
    r"\s(?:for|in|on|with|via|from|by|through|under|using|without|at|towards?|into|over|across|against|beyond|as)\s",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section: its heading as the source wrote it, the label to show, and the text.

    ``lang`` and ``dir`` are the text's language and direction where they are not the letter's, else empty.
    """

    text: str
    lang: str
    dir: str
    heading: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link beside the title's own. ``about`` tells it from the same link of other papers, for screen readers."""

    label: str
    url: str
    about: str


class EntryView:
    """An entry as the templates show it; what a letter does not ask for is not made.

    ``highest`` is the most votes that any paper of the day has. ``tell_excerpt`` says of an excerpt that it is
    one; where all are, the letter says it once.
    """

    def __init__(self, entry: Entry, words: Words, highest: int, *, tell_excerpt: bool = False) -> None:
        paper = entry.paper
        self._paper, self._summary, self._words = paper, entry.summary, words
        self._carried_from = entry.carried_from
        self._tell_excerpt = tell_excerpt
        self.rank = entry.rank
        self.whole_title = one_line(paper.title)
        self.title = cut(self.whole_title, TITLE)
        # a short name before a colon, without it (may be empty); the title split after what leads it
        self.name, self.head, self.tail = _leading(self.title)
        language = language_of(self.title, "en")
        self.lang = _differs(language, words.language)
        self.dir = _differs(direction_of(language), words.direction)
        self.url = safe_url(paper.url)
        votes = paper.votes
        self.votes_taken = votes
        self.votes = "" if votes is None else words.number(votes)  # empty where there is none
        self.votes_label = "" if votes is None else words.count("{n} vote", "{n} votes", votes)
        self.share = 0 if not votes else max(2, round(100 * votes / highest))  # percent of the day's highest

    @made_once
    def image(self) -> str | None:
        """The address of the picture."""
        return safe_url(self._paper.image)

    @made_once
    def authors(self) -> tuple[str, ...]:
        """All authors."""
        return tuple(filter(None, map(one_line, self._paper.authors)))

    @made_once
    def short_authors(self) -> str:
        """All authors where they are four at most, else the first two, the last, and how many more."""
        return _short_authors(self.authors, self._words)

    @made_once
    def organization(self) -> str:
        """Who stands behind the paper."""
        return cut(one_line(self._paper.organization or ""), 60)

    @made_once
    def since(self) -> str:
        """The day it was carried from, if it was."""
        if self._carried_from is None:
            return ""
        return self._words.say("from {date}", date=self._words.short_date(self._carried_from))

    @made_once
    def byline(self) -> str:
        """Authors, organisation, and the day it was carried from."""
        return " · ".join(filter(None, (cut(self.short_authors, TITLE), self.organization, self.since)))

    @made_once
    def kind(self) -> str:
        """What the paper mainly gives, empty where that is unsure."""
        return self._words.say(KINDS[self._summary.kind]) if self._summary.kind else ""

    @made_once
    def topics(self) -> tuple[str, ...]:
        """Three short keywords at most."""
        return tuple(topic for topic in map(one_line, self._paper.keywords) if 0 < len(topic) <= NAME)[:3]

    @made_once
    def sections(self) -> tuple[SectionView, ...]:
        """The sections of the summary; none where it is the title alone."""
        if self._summary.origin is SummaryOrigin.TITLE:
            return ()
        sections = (self._section(section) for section in self._summary.sections)
        return tuple(section for section in sections if section.text)

    @made_once
    def line(self) -> SectionView:
        """One sentence; its text may be empty."""
        text = one_line(self._summary.lead)
        if not text and self._summary.origin is not SummaryOrigin.TITLE:
            first = next(filter(None, (one_line(section.text) for section in self._summary.sections)), "")
            text = first_sentence(first)
        short = cut(text, LINE)
        if short != text:
            short = f"{_DANGLING.sub('', short.removesuffix('…'))}…"
        return _said(short, self._summary.language, self._words)

    @made_once
    def note(self) -> str:
        """Where the summary came from, if that must be said."""
        excerpt = self._tell_excerpt and self._summary.origin is SummaryOrigin.EXTRACT and self.sections
        return self._words.say("In the paper’s own words") if excerpt else ""

    @made_once
    def code_links(self) -> tuple[LinkView, ...]:
        """The links that lead to code and project."""
        paper, words = self._paper, self._words
        found = ((words.say("Code"), paper.code_url), (words.say("Project page"), paper.project_url))
        return tuple(self._links(found))

    @made_once
    def links(self) -> tuple[LinkView, ...]:
        """Where else the paper can be read, tried and talked about."""
        paper, words = self._paper, self._words
        known = paper.url.startswith(_ARXIV)
        pdf = f"{_ARXIV_PDF}{paper.url.removeprefix(_ARXIV)}" if known else None
        page = paper.page_url if paper.page_url != paper.url else None
        comments = paper.comments or 0
        talk = paper.discussion_url if comments >= TALK else None
        return (
            *self._links((("PDF", paper.pdf_url or pdf), (_site(page) or words.say("Paper page"), page))),
            *self.code_links,
            *self._links([(words.count("{n} comment", "{n} comments", comments), talk)] if talk else ()),
        )

    def _links(self, found: Iterable[tuple[str, str | None]]) -> Iterator[LinkView]:
        for label, address in found:
            url = safe_url(address)
            if url:
                yield LinkView(label=label, url=url, about=f"{label}, {self.name or cut(self.head, 40)}")

    def _section(self, section: Section) -> SectionView:
        heading = one_line(section.heading)
        label = self._words.heading(heading)
        return _said(
            one_line(section.text), self._summary.language, self._words, heading=heading, label=label
        )


def _differs(value: str, usual: str) -> str:
    return "" if value == usual else value


def _said(text: str, declared: str, words: Words, *, heading: str = "", label: str = "") -> SectionView:
    language = language_of(text, declared)
    return SectionView(
        text=text,
        lang=_differs(language, words.language),
        dir=_differs(direction_of(language), words.direction),
        heading=heading,
        label=label,
    )


def _leading(title: str) -> tuple[str, str, str]:
    """Return the title's short name, and the title split after what leads it; both parts give it whole."""
    name, colon, rest = title.partition(":")
    if colon and 0 < len(name) <= NAME and rest.startswith(" ") and rest.strip():
        return name, name + colon, rest
    found = PREPOSITIONS.search(title)
    if title.isascii() and found and " " in title[: found.start()]:
        return "", title[: found.start()], title[found.start() :]
    return "", title, ""


def _short_authors(authors: tuple[str, ...], words: Words) -> str:
    if len(authors) <= 4:
        return ", ".join(authors)
    return words.count(
        "{first}, {second}, … {last} and\N{NO-BREAK SPACE}{n}\N{NO-BREAK SPACE}more",
        "{first}, {second}, … {last} and\N{NO-BREAK SPACE}{n}\N{NO-BREAK SPACE}more",
        len(authors) - 3,
        first=authors[0],
        second=authors[1],
        last=authors[-1],
    )


def _site(page: str | None) -> str:
    return next((name for site, name in _SITES.items() if page and page.startswith(f"https://{site}/")), "")
