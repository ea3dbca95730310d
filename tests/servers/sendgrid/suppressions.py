"""The addresses that SendGrid itself sends nothing to: five lists, read a page at a time, one that can be added to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from tests.servers.sendgrid.answers import errors, refusal
from tests.servers.sendgrid.rules import Broken, is_address
from tests.servers.sendgrid.wire import Answer, Head

LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
_GLOBAL = "/v3/asm/suppressions/global"
_MOST = 500  # entries of a page
_MORE: dict[str, dict[str, str]] = {
    "bounces": {"reason": "550 5.1.1 The mailbox is not there", "status": "5.1.1"},
    "blocks": {"reason": "550 5.7.1 Refused by policy", "status": "5.7.1"},
    "invalid_emails": {"reason": "Mail domain mentioned in email address is unknown"},
    "spam_reports": {"ip": "192.0.2.7"},
    "unsubscribes": {},
}


class Lists:
    """The lists by name, each from address to entry, the newest first as they are answered."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in LISTS}

    def add(self, name: str, addresses: Iterable[str], *, created: float | None = None) -> None:
        """Put addresses on a list; ``created`` is in seconds, now if not given."""
        for address in addresses:
            entry = {"created": int(created or time.time()), "email": address, **_MORE[name]}
            self._entries[name].setdefault(address.lower(), entry)

    def addresses(self, name: str) -> list[str]:
        """Return the addresses of a list, in the order they came."""
        return [entry["email"] for entry in self._entries[name].values()]

    def answered(self, head: Head, body: bytearray) -> Answer | None:
        """Answer a call that is about the lists; None for any other."""
        path = head.path
        if path.startswith("/v3/suppression/") and (name := path.rpartition("/")[2]) in LISTS:
            return self._page(name, head) if head.method == "GET" else refusal(405, "method not allowed")
        if path == _GLOBAL:
            return self._added(body) if head.method == "POST" else refusal(405, "method not allowed")
        if path.startswith(_GLOBAL + "/"):
            found = self._entries["unsubscribes"].get(unquote(path.rpartition("/")[2]).lower())
            return _json(200, {} if found is None else {"recipient_email": found["email"]})
        return None

    def _page(self, name: str, head: Head) -> Answer:
        asked = parse_qs(head.target.partition("?")[2])
        try:
            limit, offset, start, end = (
                int(asked.get(key, [default])[0])
                for key, default in (
                    ("limit", "500"),
                    ("offset", "0"),
                    ("start_time", "0"),
                    ("end_time", "9" * 12),
                )
            )
        except ValueError:
            return refusal(400, "A number is expected.")
        if not 1 <= limit <= _MOST or offset < 0:
            return refusal(400, "The limit is from 1 to 500.", field="limit")
        there = [entry for entry in self._entries[name].values() if start <= entry["created"] <= end]
        return _json(200, there[::-1][offset : offset + limit])

    def _added(self, body: bytearray) -> Answer:
        try:
            addresses = orjson.loads(body)["recipient_emails"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return refusal(400, "recipient_emails is required.", field="recipient_emails")
        wrong = [each for each in addresses if not is_address(each)]
        if wrong:
            broken = (Broken(message=f"{each} is no address", field="recipient_emails") for each in wrong)
            kind = {"Content-Type": "application/json"}
            return Answer(status=400, headers=kind, body=errors(*broken))
        self.add("unsubscribes", addresses)
        return _json(201, {"recipient_emails": addresses})


def _json(status: int, document: Any) -> Answer:
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=orjson.dumps(document))
