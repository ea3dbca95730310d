"""What templates see of one paper: plain values, cleaned here, escaped by Jinja alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.models import Entry, Section, Summary, SummaryOrigin
from newsletter.templating.i18n import Words, direction_of
from newsletter.templating.links import safe_url
from newsletter.templating.text import cut, first_sentence, language_of, one_line

NAME = 26  # characters at most before a title's colon to be taken for a name
TITLE = 300  # longer titles are cut in HTML; text, Markdown and JSON keep them whole
LINE = 96  # characters of the one sentence that a folded entry keeps
_PREPOSITIONS = re.compile(
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
class EntryView:
    """An entry as the templates show it. ``head`` and ``tail`` are the title, split after what leads it.

    ``lang`` and ``dir`` are those of the title where they are not the letter's, else empty.
    """

    rank: int
    title: str
    whole_title: str
    name: str  # a short name before a colon, without it; may be empty
    head: str
    tail: str
    lang: str
    dir: str
    url: str | None
    image: str | None
    votes: str  # the number as the language writes it; empty where there is none
    votes_label: str
    votes_taken: int | None
    share: int  # percent of the day's highest votes
    byline: str
    authors: tuple[str, ...]
    short_authors: str
    topics: tuple[str, ...]
    sections: tuple[SectionView, ...]
    line: SectionView  # one sentence; its text may be empty
    organization: str
    since: str  # the day it was carried from, if it was
    note: str  # where the summary came from, if that must be said
    links: tuple[tuple[str, str], ...]


def entry_view(entry: Entry, words: Words, highest: int, *, tell_excerpt: bool) -> EntryView:
    """Prepare an entry; ``highest`` is the most votes that any paper of the day has.

    ``tell_excerpt`` says of an excerpt that it is one; where all are, the letter says it once.
    """
    paper, summary = entry.paper, entry.summary
    whole = one_line(paper.title)
    title = cut(whole, TITLE)
    language = language_of(title, "en")
    name, head, tail = _leading(title)
    authors = tuple(author for author in map(one_line, paper.authors) if author)
    short = _short_authors(authors, words)
    sections = _sections(summary, words)
    line = cut(one_line(summary.lead) or (first_sentence(sections[0].text) if sections else ""), LINE)
    excerpt = summary.origin is SummaryOrigin.EXTRACT and sections
    note = words.say("In the paper’s own words") if excerpt and tell_excerpt else ""
    organization = cut(one_line(paper.organization or ""), 60)
    carried = entry.carried_from
    since = words.say("from {date}", date=words.short_date(carried)) if carried is not None else ""
    byline = (cut(short, TITLE), organization, since)
    votes = paper.votes
    return EntryView(
        rank=entry.rank,
        title=title,
        whole_title=whole,
        name=name,
        head=head,
        tail=tail,
        lang=_differs(language, words.language),
        dir=_differs(direction_of(language), words.direction),
        url=safe_url(paper.url),
        image=safe_url(paper.image),
        votes="" if votes is None else words.number(votes),
        votes_taken=votes,
        votes_label="" if votes is None else words.count("{n} vote", "{n} votes", votes),
        share=0 if not votes else max(2, round(100 * votes / highest)),
        byline=" · ".join(filter(None, byline)),
        authors=authors,
        short_authors=short,
        topics=tuple(topic for topic in map(one_line, paper.keywords) if 0 < len(topic) <= NAME)[:3],
        sections=sections,
        line=_said(line, summary.language, words),
        organization=organization,
        since=since,
        note=note,
        links=_links(words, code=paper.code_url, project=paper.project_url),
    )


def _differs(value: str, usual: str) -> str:
    return "" if value == usual else value


def _sections(summary: Summary, words: Words) -> tuple[SectionView, ...]:
    if summary.origin is SummaryOrigin.TITLE:
        return ()
    return tuple(
        _section(section, summary.language, words) for section in summary.sections if section.text.strip()
    )


def _section(section: Section, declared: str, words: Words) -> SectionView:
    heading, text = one_line(section.heading), one_line(section.text)
    return _said(text, declared, words, heading=heading, label=words.heading(heading))


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
    found = _PREPOSITIONS.search(title)
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


def _links(words: Words, *, code: str | None, project: str | None) -> tuple[tuple[str, str], ...]:
    found = ((words.say("Code"), safe_url(code)), (words.say("Project page"), safe_url(project)))
    return tuple((label, url) for label, url in found if url)
