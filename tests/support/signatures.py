"""Checking DKIM signatures as a receiver does, with a library that is not ours and a DNS that is a dictionary."""

from __future__ import annotations

from collections.abc import Mapping

import dkim


def verdicts(message: bytes, records: Mapping[str, str]) -> list[bool]:
    """Return for each signature of a message, from the top, if it holds; ``records`` are TXT records by name."""

    def answer(name: bytes, timeout: int = 5) -> bytes | None:
        found = records.get(name.decode().rstrip("."))
        return None if found is None else found.encode()

    def holds(index: int) -> bool:
        try:
            return bool(dkim.DKIM(message).verify(index, dnsfunc=answer))
        except dkim.DKIMException:
            return False

    return [holds(index) for index in range(message.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature: "))]


def signed_names(message: bytes) -> list[list[str]]:
    """Return the names that each signature covers, in its order."""
    head = message.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", "")
    signatures = [line for line in head.split("\r\n") if line.startswith("DKIM-Signature: ")]
    return [line.partition(" h=")[2].partition(";")[0].split(":") for line in signatures]
