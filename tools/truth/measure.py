"""Measures the checks: what they flag of true summaries, and how much of each fault they catch."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.summaries.findings import Check, Finding, Said, Severity
from newsletter.summaries.grounding import check
from tools.truth.faults import FAULTS
from tools.truth.pairs import Pair

SEED = 20240912


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """How much of a fault was caught: of ``tried`` summaries, by any new finding, and by an error."""

    fault: str
    tried: int
    found: int
    as_error: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the checks do with a set of true pairs. ``alarms`` counts pairs by check and severity."""

    name: str
    pairs: int
    alarms: Counter[tuple[str, str]]
    flagged: int  # pairs with an error
    faults: tuple[Caught, ...]


def measure(name: str, pairs: Sequence[Pair], *, seed: int = SEED) -> Measured:
    """Check every pair as it is, and with one fault of each kind."""
    alarms: Counter[tuple[str, str]] = Counter()
    flagged = 0
    caught = {fault: [0, 0, 0] for fault in FAULTS}
    for pair in pairs:
        before = _check(pair, pair.said)
        alarms.update({(each.check.value, each.severity.value) for each in before})
        flagged += any(each.severity is Severity.ERROR for each in before)
        known = Counter((each.check, each.text) for each in before)
        for fault, inject in FAULTS.items():
            rng = random.Random(f"{seed} {fault} {pair.paper.id}")
            said = inject(pair, pairs, rng)
            if said is None:
                continue
            new = _beside(known, _check(pair, said))
            tried, found, as_error = caught[fault]
            error = any(each.severity is Severity.ERROR for each in new)
            caught[fault] = [tried + 1, found + bool(new), as_error + error]
    return Measured(
        name=name,
        pairs=len(pairs),
        alarms=alarms,
        flagged=flagged,
        faults=tuple(
            Caught(fault=fault, tried=tried, found=found, as_error=as_error)
            for fault, (tried, found, as_error) in caught.items()
            if tried
        ),
    )


def _check(pair: Pair, said: Said) -> list[Finding]:
    return check(said, pair.day.source(pair.paper.id), pair.day)


def _beside(known: Counter[tuple[Check, str]], findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that were not there before."""
    left = Counter(known)
    new: list[Finding] = []
    for finding in findings:
        if left[finding.check, finding.text]:
            left[finding.check, finding.text] -= 1
        else:
            new.append(finding)
    return new
