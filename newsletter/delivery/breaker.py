"""Stops a send in which too much is refused or fails: that is no longer about single readers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice, repeat

from newsletter.errors import BreakerTripped
from newsletter.models.deliveries import Outcome, Receipt

FEW_REQUESTS, MANY_REQUESTS = 3, 10  # that a failure of many letters at once is told from, and looked for in
_FAILED = frozenset({Outcome.RETRY, Outcome.UNCERTAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What share of the last ``window`` answers may be refused for good, or fail; tells from ``least`` answers on.

    And what share of the accepted letters may bounce for good, or be complained about (`watch`). A share of 1 is never
    passed.
    """

    rejected: float = 0.2
    failed: float = 0.5
    bounced: float = 0.05
    complained: float = 0.003
    window: int = 200
    least: int = 50


THRESHOLD = Threshold()


class Breaker:
    """Looks at the answers to one process's send. One answer of the provider may hold for ``batch`` letters."""

    def __init__(self, threshold: Threshold = THRESHOLD, *, batch: int = 1) -> None:
        self._rejected = _Share(threshold.rejected, threshold.window, threshold.least)
        requests = (FEW_REQUESTS * batch, MANY_REQUESTS * batch) if batch > 1 else (0, 0)
        self._failed = _Share(
            threshold.failed, max(threshold.window, requests[1]), max(threshold.least, requests[0])
        )

    def count_accepted(self, number: int) -> None:
        """Take so many acceptances into account."""
        self._rejected.add_good(number)
        self._failed.add_good(number)

    def count(self, receipt: Receipt) -> None:
        """Take an answer into account; raise `BreakerTripped` where too many of the last ones were bad."""
        rejected = self._rejected.is_passed(bad=receipt.outcome is Outcome.REJECTED)
        failed = self._failed.is_passed(bad=receipt.outcome in _FAILED)
        for is_passed, share, what, name in (
            (rejected, self._rejected, "were refused", "rejected"),
            (failed, self._failed, "failed", "failed"),
        ):
            if is_passed:
                raise BreakerTripped(
                    f"{share.bad} of the last {share.seen} {what} ({receipt.reply or 'no reply'})",
                    remedy=f"find out why, then resume the issue; delivery.breaker.{name} sets how many may",
                )


class _Share:
    """How many of the last answers were bad."""

    def __init__(self, most: float, window: int, least: int) -> None:
        self._most, self._least = most, least
        self._lately: deque[bool] = deque(maxlen=window)
        self.bad = 0

    @property
    def seen(self) -> int:
        return len(self._lately)

    def add_good(self, number: int) -> None:
        """Take so many answers into account that were not bad."""
        window = self._lately.maxlen or 0
        number = min(number, window)
        self.bad -= sum(islice(self._lately, max(0, len(self._lately) + number - window)))
        self._lately.extend(repeat(False, number))

    def is_passed(self, *, bad: bool) -> bool:
        """Take an answer into account; say whether it is bad, and one too many."""
        lately = self._lately
        if len(lately) == lately.maxlen:
            self.bad -= lately[0]
        lately.append(bad)
        if not bad:
            return False
        self.bad += 1
        return len(lately) >= self._least and self.bad > self._most * len(lately)
