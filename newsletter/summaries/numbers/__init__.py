"""The numbers of a text, whichever way they are written: 51.1 %, 3×, 1,000, 4.5T, 두 배, 10억, 三つ, 百分之五十.

A number is compared by its value and, where both sides have one, by its unit.
"""

from __future__ import annotations

from newsletter.summaries.numbers.digits import find
from newsletter.summaries.numbers.known import Known, absent, may_be_counted, squeeze, with_other_unit
from newsletter.summaries.numbers.values import Form, Number

__all__ = ["Form", "Known", "Number", "absent", "find", "may_be_counted", "squeeze", "with_other_unit"]
