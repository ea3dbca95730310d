"""Amazon SES tells of bounces and complaints in JSON, mailed by SNS: here it becomes fields of RFC 3464 and RFC 5965.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Fields = dict[str, str]

_MARKS = ('"notificationType"', '"eventType"')
_NO_MAILBOX = "NoEmail"  # the sub-type of a bounce whose address does not exist


def notification(text: str) -> tuple[Fields, Fields]:
    """Return the fields of a notification in a text, and the headers of the letter; both empty if there is none."""
    if not any(mark in text.replace("\\", "") for mark in _MARKS):
        return {}, {}
    document = _document(text)
    if isinstance(document.get("Message"), str):  # as SNS wraps it
        document = _document(document["Message"])
    kind = document.get("notificationType") or document.get("eventType")
    told = _table(document, str(kind).lower())
    first = next(_recipients(told), {})
    fields: Fields = {}
    match kind:
        case "Bounce":
            no_mailbox = told.get("bounceSubType") == _NO_MAILBOX
            fields = {
                "final-recipient": str(first.get("emailAddress") or ""), "action": str(first.get("action") or "failed"),
                "status": str(first.get("status") or ("5.1.1" if no_mailbox else "")),
                "diagnostic-code": str(first.get("diagnosticCode") or ""),
            }  # fmt: skip
        case "Complaint":
            fields = {
                "feedback-type": str(told.get("complaintFeedbackType") or "abuse"),
                "original-rcpt-to": str(first.get("emailAddress") or ""),
            }
        case "Delivery":
            fields = {"action": "delivered"}
    return fields, _original(document)


def _document(text: str) -> dict[str, Any]:
    start = text.find("{")
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text, max(start, 0))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _recipients(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("bouncedRecipients", "complainedRecipients"):
        found = told.get(name)
        yield from (each for each in (found if isinstance(found, list) else []) if isinstance(each, dict))


def _original(document: dict[str, Any]) -> Fields:
    headers = _table(document, "mail").get("headers")
    return {
        str(each.get("name", "")).lower(): str(each.get("value", ""))
        for each in (headers if isinstance(headers, list) else [])
        if isinstance(each, dict)
    }
