"""Checks anybody's digest: every entry against its paper, where the paper is at hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from newsletter.models.papers import Paper, Section, SummaryOrigin
from newsletter.scripts import language_of
from newsletter.summaries.findings import Finding, Said
from newsletter.summaries.grounding import check, errors
from newsletter.summaries.sources import MOST_OTHERS, Day


class Status(Enum):
    """What became of an entry: without a source only what shows by itself can be checked."""

    OK = "ok"
    FAILED = "failed"
    NO_SOURCE = "no-source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """An entry with what is wrong with it; ``origin`` is where its summary came from, None for anybody's."""

    paper: Paper
    origin: SummaryOrigin | None
    status: Status
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Errors, then warnings."""
        return (*self.errors, *self.warnings)

    def section_of(self, finding: Finding) -> Section | None:
        """Return the section that a finding stands in, None if it concerns the whole entry."""
        return None if finding.section is None else self.paper.sections[finding.section]


class Auditor:
    """Checks entries against the papers of a day."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._day = Day(papers)

    def audit(self, entry: Paper, origin: SummaryOrigin | None = None) -> Audited:
        """Check the sections of an entry; ``origin`` is where they come from, None for anybody's."""
        source = self._day.source(entry.id)
        language = entry.sections_language or "en"
        if source is not None and origin is SummaryOrigin.EXTRACT:
            language = language_of(source.abstract)
        said = Said(sections=entry.sections, language=language, origin=origin)
        if source is not None and origin is not None and not source.abstract:
            source = None  # the source never had a text; of anybody's digest it is an error to summarise that
        found = check(said, source, self._day)
        failed = tuple(errors(found))
        status = Status.FAILED if failed else Status.NO_SOURCE if source is None else Status.OK
        warnings = tuple(found[len(failed) :])  # errors come first
        return Audited(paper=entry, origin=origin, status=status, errors=failed, warnings=warnings)


def audit(entries: Sequence[Paper], sources: Iterable[Paper]) -> list[Audited]:
    """Check the sections of every entry; ``sources`` are papers with their abstracts, of the entries and others."""
    known = list(sources)
    if len(known) > MOST_OTHERS:
        ids = {entry.id for entry in entries}
        known = [paper for paper in known if paper.id in ids]
    auditor = Auditor(known)
    return [auditor.audit(entry) for entry in entries]
