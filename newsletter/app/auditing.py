"""Audits: a digest's file against files of sources, and what is stored against the papers that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from newsletter import store
from newsletter.errors import InputError
from newsletter.ingestion.files import read_file
from newsletter.models.papers import Paper, Section, SummaryOrigin
from newsletter.summaries.audit import Audited, Auditor, audit

if TYPE_CHECKING:
    from newsletter.app import App


def audit_file(path: Path, sources: Sequence[Path]) -> tuple[list[Audited], tuple[str, ...]]:
    """Return a digest's entries, checked against the papers of other files, and what those files warned of."""
    digest = read_file(path)
    if not any(paper.sections for paper in digest.papers):
        raise InputError(
            "holds no summaries",
            subject=str(path),
            remedy="give a digest (.md); files of papers go to --sources",
        )
    read = [read_file(source) for source in sources]
    warnings = tuple(text for file in (digest, *read) for text in file.warnings)
    return audit(digest.papers, [paper for file in read for paper in file.papers]), warnings


def audit_stored(app: App, day: date | None) -> list[tuple[date, Audited]]:
    """Return the summaries of a stored day, checked: without ``day`` of the newest that has any."""
    return _audit_days(app, day, newest=day is None)


def audit_all_stored(app: App) -> list[tuple[date, Audited]]:
    """Return the summaries of all stored days, checked."""
    return _audit_days(app, None, newest=False)


def _audit_days(app: App, day: date | None, *, newest: bool) -> list[tuple[date, Audited]]:
    found: list[tuple[date, Audited]] = []
    database = app.databases.find()
    if database is None:
        return found
    with database.read() as connection:
        days = store.stored_days(connection) if day is None else [day]
        for each in reversed(days):
            found += [(each, audited) for audited in _of_day(connection, each)]
            if newest and found:
                break
    return found


def _of_day(connection: Any, day: date) -> Iterator[Audited]:
    """Yield the summaries that came with a day's papers, then those that its issues have of their own."""
    collected = store.find_day(connection, day)
    papers = {paper.id: paper for paper in collected.papers} if collected is not None else {}
    told: list[tuple[dict[str, Any], SummaryOrigin]] = []
    for record in store.issues_on(connection, day):
        for entry in record.document["entries"]:
            origin = SummaryOrigin(entry["summary"]["origin"])
            if origin not in {
                SummaryOrigin.DIGEST,
                SummaryOrigin.TITLE,
            }:  # which stands below; which says nothing
                told.append((entry, origin))
                if entry["id"] not in papers:  # carried from an earlier day
                    stored = store.find_paper(connection, entry["id"])
                    papers[entry["id"]] = stored[0] if stored is not None else _bare(entry)
    auditor = Auditor(papers.values())
    of_day = collected.papers if collected is not None else ()
    yield from (auditor.audit(paper, SummaryOrigin.DIGEST) for paper in of_day if paper.sections)
    for entry, origin in told:
        sections = msgspec.convert(entry["summary"]["sections"], tuple[Section, ...])
        yield auditor.audit(replace(papers[entry["id"]], sections=sections), origin)


def _bare(entry: dict[str, Any]) -> Paper:
    return Paper(id=entry["id"], title=entry["title"], url=entry["url"] or "")
