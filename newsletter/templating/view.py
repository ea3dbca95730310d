"""What templates see of an issue. Every string that leaves here is clean and on one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from newsletter.models.issues import Issue, Occasion
from newsletter.models.papers import SummaryOrigin
from newsletter.templating.entries import EntryView
from newsletter.templating.i18n import Words
from newsletter.templating.inbox import preheader_of, subject_of
from newsletter.templating.links import safe_url
from newsletter.templating.text import one_line

BAR = 72  # pixels of the tallest bar
_BARS = 60
_LARGE = frozenset({"ar", "fa", "ur"})  # written in a script whose letters are small for their size


class Setting(TypedDict):
    """How a language is set."""

    direction: str
    start: str
    end: str
    arrow: str
    body: int
    leading: int
    small: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """An issue as the templates show it. ``start`` and ``end`` are the sides on which reading does so."""

    name: str
    language: str
    direction: str
    start: str
    end: str
    arrow: str
    keep_all: bool  # Korean: lines break between words only
    body: int  # pixels of running text, of its lines, and of small text
    leading: int
    small: int
    pictures: bool
    brief: bool
    day: str
    date: str
    long_date: str
    standing: tuple[str, ...]
    message: str  # why this letter is not as others are, if it is not
    note: str  # what holds for every summary, if that must be said
    number: str
    subject: str
    preheader: str
    bars: tuple[int, ...]
    bars_label: str
    entries: tuple[EntryView, ...]
    of_day: int  # the papers that its source has
    source_url: str | None
    postal_address: str


def letter_view(
    issue: Issue, words: Words, *, name: str, postal_address: str = "", number: int | None = None,
    pictures: bool = True, brief: bool = False, subject: str = "", preheader: str = "",
) -> LetterView:  # fmt: skip
    """Prepare an issue for the templates. ``subject`` and ``preheader`` are templates, empty for the usual ones."""
    highest = max((entry.paper.votes or 0 for entry in issue.entries), default=0)
    excerpts = {entry.summary.origin for entry in issue.entries if entry.summary.sections} == {
        SummaryOrigin.EXTRACT
    }
    entries = tuple(EntryView(entry, words, highest, tell_excerpt=not excerpts) for entry in issue.entries)
    name = one_line(name)
    korean = words.base == "ko" or any(entry.line.lang == "ko" for entry in entries)
    return LetterView(
        name=name,
        language=one_line(words.language),
        **setting_of(words),
        keep_all=korean,
        pictures=pictures,
        brief=brief,
        day=issue.day.isoformat(),
        date=words.short_date(issue.day),
        long_date=words.long_date(issue.day),
        standing=_standing(issue, words),
        message=_message(issue, words),
        note=words.say("Excerpts, in each paper’s own words") if excerpts else "",
        number=words.say("No. {number}", number=str(number)) if number is not None else "",
        subject=subject_of(issue, entries, name, words, subject),
        preheader=preheader_of(issue, entries, name, words, preheader) or _message(issue, words),
        bars=_bars(entries, highest),
        bars_label=_bars_label(entries, words),
        entries=entries,
        of_day=issue.collected,
        source_url=safe_url(issue.source_url) if issue.collected else None,  # never a page of nothing
        postal_address=one_line(postal_address),
    )


def setting_of(words: Words) -> Setting:
    """Return how a language is set: the side it begins on, its sizes in pixels."""
    rtl, large = words.direction == "rtl", words.base in _LARGE
    return {
        "direction": words.direction,
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
        "arrow": "←" if rtl else "→",
        "body": 17 if large else 16,
        "leading": 29 if large else 26,
        "small": 14 if large else 13,
    }


def _carried(issue: Issue) -> int:
    return sum(entry.carried_from is not None for entry in issue.entries)


def _message(issue: Issue, words: Words) -> str:
    if issue.occasion is Occasion.PARTIAL:
        return words.say("The day was not complete when this letter was made.")
    if issue.occasion is Occasion.QUIET:
        return words.say("No papers today: nobody submitted any. The next letter comes with the next papers.")
    if issue.occasion is Occasion.ROLL_UP:
        return words.say("A quiet day. These are the best papers of the last days that no letter had yet.")
    return ""


def _standing(issue: Issue, words: Words) -> tuple[str, ...]:
    """Return weekday, how many papers of how many, and their votes where the day has any."""
    carried, total = _carried(issue), issue.collected
    n = len(issue.entries) - carried
    parts = [words.weekday(issue.day)]
    if total > n:
        parts.append(
            words.count("{shown} of {n} paper", "{shown} of {n} papers", total, shown=words.number(n))
        )
    elif n:
        parts.append(words.count("{n} paper", "{n} papers", n))
    if carried:
        parts.append(words.count("{n} of earlier days", "{n} of earlier days", carried))
    if any(entry.paper.votes is not None for entry in issue.entries):
        parts.append(words.count("{n} vote", "{n} votes", issue.votes))
    return tuple(parts)


def _bars(entries: Sequence[EntryView], highest: int) -> tuple[int, ...]:
    """Return the bars' heights in pixels; none for a day without votes or of one paper."""
    if not highest or len(entries) < 2:
        return ()
    return tuple(max(4, round(BAR * (entry.votes_taken or 0) / highest)) for entry in entries[:_BARS])


def _bars_label(entries: Sequence[EntryView], words: Words) -> str:
    votes = [entry.votes_taken or 0 for entry in entries[:_BARS]] or [0]
    return words.say(
        "Votes paper by paper, from {highest} to {lowest}",
        highest=words.number(max(votes)),
        lowest=words.number(min(votes)),
    )
