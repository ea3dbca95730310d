"""From the bytes of a mail to what it says. Never raises; time and room are bounded by `LONGEST_MAIL`."""

from __future__ import annotations

import re

from newsletter.delivery.feedback import Feedback, Happening
from newsletter.providers.mailbox.answers import (
    complainer,
    complaint_type,
    is_answer_of_machine,
    is_complaint,
    link_in,
    link_in_subject,
)
from newsletter.providers.mailbox.bounces import DELAYED, SUCCEEDED, failure
from newsletter.providers.mailbox.parts import Parts, take_apart

LONGEST_MAIL = 512 * 1024  # bytes that are looked at; reports stand before the mail that they return
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_MESSAGE_ID = re.compile(r"<?([!-;=?-~]{1,250}@[!-;=?-~]{1,250})>?")
_LONGEST_ADDRESS = 320


def read(data: bytes) -> Feedback:
    """Say what a mail is. Of a report on several addresses, the first that failed counts: a letter has one reader."""
    parts = take_apart(data[:LONGEST_MAIL])
    complaint = complaint_type(parts)
    if complaint is not None:
        kind = Happening.COMPLAINT if is_complaint(complaint) else Happening.OTHER
        return _feedback(parts, kind, recipient=complainer(parts), reason=complaint)
    leaving = link_in_subject(parts)
    if leaving is not None:
        return Feedback(kind=Happening.UNSUBSCRIBE, recipient=_line(parts.sender), link=leaving)
    failed = failure(parts)
    if failed is not None and failed.action in SUCCEEDED:
        return _feedback(
            parts, Happening.OTHER, recipient=failed.recipient, status=failed.status, action=failed.action,
            reason=failed.action,
        )  # fmt: skip
    if failed is not None:
        hard = failed.verdict.hard and failed.action != DELAYED
        return _feedback(
            parts, Happening.HARD if hard else Happening.SOFT, recipient=failed.recipient, status=failed.status,
            reason=failed.verdict.reason, action=failed.action,
        )  # fmt: skip
    if is_answer_of_machine(parts):
        return _feedback(parts, Happening.AUTO_REPLY, recipient=parts.sender)
    return Feedback(kind=Happening.OTHER, recipient=_line(parts.sender))


def _feedback(
    parts: Parts,
    kind: Happening,
    *,
    recipient: str = "",
    status: str = "",
    reason: str = "",
    action: str = "",
) -> Feedback:
    found = _MESSAGE_ID.search(parts.returned.get("message-id", ""))
    return Feedback(
        kind=kind, recipient=_line(recipient)[:_LONGEST_ADDRESS], status=status, reason=_line(reason)[:200],
        action=_line(action)[:20], original_id=found[1] if found else "", link=link_in(parts.returned),
    )  # fmt: skip


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())
