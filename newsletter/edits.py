"""What a person changes in a draft: the subject, a paper that is dropped, a sentence that is said otherwise. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from newsletter.errors import InputError
from newsletter.models.issues import Entry, Issue


class EditKind(Enum):
    """What is changed; the words are stored."""

    SUBJECT = "subject"
    DROP = "drop"
    SENTENCE = "sentence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change: ``before`` is a paper's id or the words that stood there, ``after`` what stands there now."""

    kind: EditKind
    before: str = ""
    after: str = ""


def edited(issue: Issue, edits: Sequence[Edit]) -> tuple[Issue, str]:
    """Return an issue after all edits, and its subject, empty where that is the issue's own.

    Raise `InputError` for an edit that fits nothing.
    """
    subject = ""
    for edit in edits:
        if edit.kind is EditKind.SUBJECT:
            subject = _subject(edit.after)
        elif edit.kind is EditKind.DROP:
            issue = _without(issue, edit.before)
        else:
            issue = _said_otherwise(issue, edit.before, edit.after)
    return issue, subject


def _subject(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise InputError("is no subject", subject=repr(text), remedy="give one line of words")
    return text.strip()


def _without(issue: Issue, paper: str) -> Issue:
    staying = [entry for entry in issue.entries if entry.paper.id != paper]
    if len(staying) == len(issue.entries):
        known = ", ".join(entry.paper.id for entry in issue.entries)
        raise InputError("is no paper of the issue", subject=paper, remedy=f"it has {known}")
    if not staying:
        raise InputError("is the only paper", subject=paper, remedy="hold or cancel the issue instead")
    entries = tuple(replace(entry, rank=rank) for rank, entry in enumerate(staying, 1))
    return replace(issue, entries=entries, left_out=(*issue.left_out, (paper, "dropped by hand")))


def _said_otherwise(issue: Issue, before: str, after: str) -> Issue:
    """Say something otherwise wherever one paper's summary has it."""
    if not before.strip():
        raise InputError("the words that are to be changed are missing")
    changed = tuple(_entry(entry, before, after) for entry in issue.entries)
    papers = [new.paper.id for old, new in zip(issue.entries, changed, strict=True) if old != new]
    if len(papers) != 1:
        where = f"stands in {len(papers)} papers ({', '.join(papers)})" if papers else "stands in no summary"
        raise InputError(
            where, subject=repr(before), remedy="give words that stand in one paper's summary alone"
        )
    return replace(issue, entries=changed)


def _entry(entry: Entry, before: str, after: str) -> Entry:
    summary = entry.summary
    sections = tuple(
        replace(section, text=section.text.replace(before, after)) for section in summary.sections
    )
    return replace(
        entry,
        summary=replace(
            summary, sections=sections, lead=summary.lead.replace(before, after),
            result=summary.result.replace(before, after),
        ),
    )  # fmt: skip
