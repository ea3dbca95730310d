"""What a look at a finished letter finds wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """An error stops a send; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of a letter: the rule it breaks, what is wrong, where, and why that matters."""

    rule: str  # ``unsafe-link``
    severity: Severity
    what: str
    where: str  # the part, and the line and column in it: ``html:1:300``, ``subject``
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.severity.value} {self.rule}: {self.what}; {self.why}"


def described(found: Finding) -> dict[str, str]:
    """Return a finding as JSON has it."""
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "what": found.what,
        "where": found.where,
        "why": found.why,
    }
