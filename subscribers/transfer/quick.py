"""The addresses that most lists are made of, without asking email-validator about each.

Only what is plainly an address is taken here; all else, and each domain the first time, goes to `parse_address`,
which stays the judge: the tests hold one against the other.
"""

from __future__ import annotations

import re

from subscribers.addresses import LONGEST_ADDRESS, parse_address
from subscribers.errors import InvalidAddress

_LONGEST_LOCAL = 64
_REMEMBERED = 20_000
_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]+", re.ASCII)


class Addresses:
    """Reads addresses as `parse_address` does; it remembers what that said of a domain."""

    def __init__(self) -> None:
        self._domains: dict[str, str | None] = {}

    def read(self, text: str) -> tuple[str, str]:
        """Return ``email`` and ``key`` of an address, or raise `InvalidAddress`."""
        local, at, domain = text.partition("@")
        if at and len(local) <= _LONGEST_LOCAL and _LOCAL.fullmatch(local):
            known = self._domains.get(domain) or self._look(domain)
            if known is not None and len(local) + 1 + len(known) <= LONGEST_ADDRESS:
                return f"{local}@{known}", f"{local.lower()}@{known}"
        address = parse_address(text)
        return address.email, address.key

    def _look(self, domain: str) -> str | None:
        """Return a domain as addresses have it, None where `parse_address` has to be asked each time."""
        if domain in self._domains:
            return self._domains[domain]
        if len(self._domains) >= _REMEMBERED:
            self._domains.clear()
        found = None
        if _DOMAIN.fullmatch(domain):
            try:
                found = parse_address(f"a@{domain}").email.partition("@")[2]
            except InvalidAddress:
                found = None
        self._domains[domain] = found
        return found
