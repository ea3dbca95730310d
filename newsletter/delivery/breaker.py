"""Stops a send in which too much is refused or fails: that is no longer about single readers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from newsletter.errors import BreakerTripped
from newsletter.models import Outcome, Receipt

_FAILED = frozenset({Outcome.RETRY, Outcome.UNCERTAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What share of the last ``window`` answers may be refused for good, or fail; tells from ``least`` answers on.

    A share of 1 is never passed.
    """

    rejected: float = 0.2
    failed: float = 0.5
    window: int = 200
    least: int = 50


THRESHOLD = Threshold()


@dataclass(slots=True)
class Breaker:
    """Looks at the answers to one process's send."""

    threshold: Threshold = THRESHOLD
    _outcomes: deque[Outcome] = field(init=False)

    def __post_init__(self) -> None:
        self._outcomes = deque(maxlen=self.threshold.window)

    def count(self, receipt: Receipt) -> None:
        """Take an answer into account; raise `BreakerTripped` where too many of the last ones were bad."""
        self._outcomes.append(receipt.outcome)
        if receipt.outcome is Outcome.ACCEPTED or len(self._outcomes) < self.threshold.least:
            return
        rejected = self._outcomes.count(Outcome.REJECTED)
        failed = sum(outcome in _FAILED for outcome in self._outcomes)
        for number, share, what, name in (
            (rejected, self.threshold.rejected, "were refused", "rejected"),
            (failed, self.threshold.failed, "failed", "failed"),
        ):
            if number > share * len(self._outcomes):
                raise BreakerTripped(
                    f"{number} of the last {len(self._outcomes)} {what} ({receipt.reply or 'no reply'})",
                    remedy=f"find out why, then resume the issue; delivery.breaker.{name} sets how many may",
                )
