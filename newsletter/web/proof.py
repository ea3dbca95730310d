"""What the studio shows: one state of the letter with its figures, and the fault that keeps a newer one away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from newsletter.templating.findings import Finding, Severity

CLIP = 102_000  # bytes of HTML at which Gmail cuts a letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A letter as the example reader would get it. ``findings`` is None where nobody looked for any."""

    edition: str
    day: date
    language: str
    entries: int
    collected: int
    sender: str
    subject: str
    preheader: str
    html: str
    text: str
    markdown: str
    message: bytes
    budget: int  # bytes of HTML from which on less is told
    made_at: datetime
    notes: tuple[str, ...]
    findings: tuple[Finding, ...] | None

    def same_as(self, other: Proof | None) -> bool:
        """Whether a reader of the page could see a difference."""
        return other is not None and self._seen() == other._seen()

    def _seen(self) -> tuple[object, ...]:
        head = (self.sender, self.subject, self.preheader, self.notes, self.findings, self.budget)
        return (*head, self.edition, self.day, self.html, self.text, self.markdown)


Lint = Callable[[Proof], Sequence[Finding]]


def checked(proof: Proof, lint: Lint | None) -> Proof:
    """Return a proof with what a lint finds in it: the one place that calls the lint."""
    return proof if lint is None else replace(proof, findings=tuple(lint(proof)))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The last letter that could be made, and the one line about why there is no newer one (empty if there is none)."""

    version: str
    proof: Proof | None = None
    fault: str = ""


def as_json(state: State) -> dict[str, object]:
    """Return a state as the page takes it; every text is plain text."""
    return {
        "version": state.version,
        "fault": state.fault,
        "proof": _proof_json(state.proof) if state.proof is not None else None,
    }


def _proof_json(proof: Proof) -> dict[str, object]:
    return {
        "edition": proof.edition,
        "day": proof.day.isoformat(),
        "language": proof.language,
        "entries": proof.entries,
        "collected": proof.collected,
        "sender": proof.sender,
        "subject": proof.subject,
        "preheader": proof.preheader,
        "made_at": proof.made_at.isoformat(),
        "bytes": {
            "html": len(proof.html.encode()),
            "text": len(proof.text.encode()),
            "message": len(proof.message),
            "budget": proof.budget,
            "clip": CLIP,
        },
        "notes": list(proof.notes),
        "findings": _findings_json(proof.findings),
    }


def _findings_json(findings: Sequence[Finding] | None) -> list[dict[str, str]] | None:
    """Return the findings, errors first."""
    if findings is None:
        return None
    return [
        {
            "rule": each.rule,
            "severity": each.severity.value,
            "what": each.what,
            "where": each.where,
            "why": each.why,
        }
        for each in sorted(findings, key=lambda each: each.severity is not Severity.ERROR)
    ]
