"""What an inbox shows before a letter is opened: the subject, and the preheader behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from newsletter.errors import ConfigError
from newsletter.models.issues import Issue, Occasion
from newsletter.templating.entries import PREPOSITIONS, EntryView
from newsletter.templating.i18n import Words
from newsletter.templating.text import cut, one_line

SUBJECT = 70  # characters; more is cut by every inbox
SHORT = 20  # a subject of fewer characters says too little
PREHEADER = 140
_OTHER = 60  # characters of a paper's name beside others
_FIELD = re.compile(r"\{([^{}]*)\}")
# what a template of a subject or preheader may hold
FIELDS = ("title", "name", "second", "third", "n", "votes", "date", "newsletter")


def check_template(template: str, setting: str) -> str:
    """Return a template of a subject or preheader; raise `ConfigError` for a field that there is not."""
    for field in _FIELD.findall(template):
        if field not in FIELDS:
            raise ConfigError(
                f"there is no {{{field}}}", subject=setting,
                remedy="use " + ", ".join(f"{{{known}}}" for known in FIELDS),
            )  # fmt: skip
    return one_line(template)


def subject_of(issue: Issue, entries: Sequence[EntryView], name: str, words: Words, template: str) -> str:
    """Return the subject: the template filled, else the first paper's title, cut where a phrase of it ends."""
    if not entries:
        if issue.occasion is Occasion.QUIET:
            return words.say("{name}: no papers on {date}", name=name, date=words.long_date(issue.day))
        return f"{name}, {words.long_date(issue.day)}"
    wanted = _filled(template, issue, entries, name, words)
    if wanted:
        return cut(wanted, SUBJECT)
    title = _phrase(entries[0].whole_title, SUBJECT)
    if len(title) >= SHORT or len(entries) == 1:
        return title
    second = _shortly(entries[1])
    if len(entries) == 2:
        return cut(words.say("{first} and {second}", first=title, second=second), SUBJECT)
    more = len(entries) - 2
    line = words.count(
        "{first}, {second} and {n} more", "{first}, {second} and {n} more", more, first=title, second=second
    )
    return cut(line, SUBJECT)


def preheader_of(issue: Issue, entries: Sequence[EntryView], name: str, words: Words, template: str) -> str:
    """Return the line after the subject: the template filled, else the next papers and how many more."""
    if not entries:
        return ""
    wanted = _filled(template, issue, entries, name, words)
    if wanted:
        return cut(wanted, PREHEADER)
    others = [_shortly(entry) for entry in entries[1:3]]
    first = entries[0].line.text
    if not others:
        return first
    if len(others) == 1:
        return cut(f"{words.say('Also: {second}.', second=others[0])} {first}".strip(), PREHEADER)
    second, third = others
    if len(entries) == 3:
        line = words.say("Also: {second} and {third}.", second=second, third=third)
        return cut(f"{line} {first}".strip(), PREHEADER)
    total = words.count("{n} vote in all.", "{n} votes in all.", issue.votes) if issue.votes else ""
    return words.count(
        "Also: {second}, {third} and {n} more.",
        "Also: {second}, {third} and {n} more.",
        len(entries) - 3,
        second=second,
        third=third,
        total=total,
    ).strip()


def _shortly(entry: EntryView) -> str:
    """Return what a paper is called beside others: its short name, else its title."""
    return entry.name or _phrase(entry.title, _OTHER)


def _phrase(title: str, limit: int) -> str:
    """Return a title of at most ``limit`` characters that ends before a preposition where it can."""
    if len(title) <= limit:
        return title
    ends = [match.start() for match in PREPOSITIONS.finditer(title, 0, limit + 1)]
    return title[: ends[-1]] if ends and ends[-1] >= limit // 2 else cut(title, limit)


def _filled(template: str, issue: Issue, entries: Sequence[EntryView], name: str, words: Words) -> str:
    """Return the template filled; empty where it names a paper, or more of them, that this day does not have."""
    fields = set(_FIELD.findall(template))
    named = bool(fields & {"title", "name"}) + ("second" in fields) + ("third" in fields)
    more = len(entries) - named
    if ("second" in fields and len(entries) < 2) or ("third" in fields and len(entries) < 3):
        return ""
    if "n" in fields and more < 1:
        return ""
    others = [_shortly(entry) for entry in entries[1:3]] + ["", ""]
    values: Mapping[str, str] = {
        "title": entries[0].whole_title,
        "name": _shortly(entries[0]),
        "second": others[0],
        "third": others[1],
        "n": words.number(more),
        "votes": words.number(issue.votes),
        "date": words.short_date(issue.day),
        "newsletter": name,
    }
    return one_line(_FIELD.sub(lambda match: values.get(match[1], match[0]), template))
