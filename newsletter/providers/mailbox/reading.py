"""From the bytes of a mail to what it says. Never raises; time and room are bounded by `LONGEST_MAIL`."""

from __future__ import annotations

import re
from dataclasses import replace

from newsletter.delivery.feedback import DELAYED, Feedback, Happening
from newsletter.providers.mailbox.answers import (
    complainer,
    complaint_type,
    is_answer_of_machine,
    is_complaint,
    link_in,
    link_in_subject,
    link_it_came_by,
)
from newsletter.providers.mailbox.bounces import SUCCEEDED, Failure, failure
from newsletter.providers.mailbox.parts import Parts, take_apart
from newsletter.refusals import Kind

LONGEST_MAIL = 512 * 1024  # bytes that are looked at; reports stand before the mail that they return
_MESSAGE_ID = re.compile(r"<?([!-;=?-~]{1,250}@[!-;=?-~]{1,250})>?")


def read(data: bytes) -> Feedback:
    """Say what a mail is. Of a report on several addresses, the first that failed counts: a letter has one reader."""
    parts = take_apart(data[:LONGEST_MAIL])
    found = _told(parts)
    original = _MESSAGE_ID.search(parts.returned.get("message-id", ""))
    return replace(
        found, recipient=_line(found.recipient, 320), status=_line(found.status, 20), reason=_line(found.reason, 200),
        action=_line(found.action, 20), original_id=original[1] if original else "",
        link=found.link or link_in(parts.returned) or link_it_came_by(parts),
    )  # fmt: skip


def _told(parts: Parts) -> Feedback:
    complaint = complaint_type(parts)
    if complaint is not None:
        kind = Happening.COMPLAINT if is_complaint(complaint) else Happening.OTHER
        return Feedback(kind=kind, recipient=complainer(parts), reason=complaint)
    leaving = link_in_subject(parts)
    if leaving is not None:
        return Feedback(kind=Happening.UNSUBSCRIBE, recipient=parts.sender, link=leaving)
    failed = failure(parts)
    if failed is not None:
        return _failed(failed)
    kind = Happening.AUTO_REPLY if is_answer_of_machine(parts) else Happening.OTHER
    return Feedback(kind=kind, recipient=parts.sender)


def _failed(failed: Failure) -> Feedback:
    kind, reason = Happening.SOFT, failed.verdict.reason
    if failed.action in SUCCEEDED:
        kind, reason = Happening.OTHER, failed.action
    elif failed.verdict.hard and failed.action != DELAYED:
        kind = Happening.HARD
    return Feedback(
        kind=kind, recipient=failed.recipient, status=failed.status, reason=reason, action=failed.action,
        policy=failed.verdict.kind is Kind.POLICY,
    )  # fmt: skip


def _line(text: str, most: int) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * most])
    return " ".join(shown.split())[:most]
