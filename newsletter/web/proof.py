"""What the studio shows: one state of the letter with its figures, and the fault that keeps a newer one away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from newsletter.templating.lint.findings import Finding, described
from newsletter.templating.lint.html import MOST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A letter as the example reader would get it, and what lint finds in it, errors first."""

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
    findings: tuple[Finding, ...]

    def same_as(self, other: Proof | None) -> bool:
        """Whether a reader of the page could see a difference."""
        return other is not None and self._seen() == other._seen()

    def _seen(self) -> tuple[object, ...]:
        head = (self.sender, self.subject, self.preheader, self.notes, self.findings, self.budget)
        return (*head, self.edition, self.day, self.html, self.text, self.markdown)


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
            "clip": MOST_BYTES,
        },
        "notes": list(proof.notes),
        "findings": [described(each) for each in proof.findings],
    }
