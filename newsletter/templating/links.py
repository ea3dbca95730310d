"""Which links a letter may carry."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from newsletter.templating.lint.address import link_fault
from newsletter.templating.text import clean

_UNSAFE = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]|\s")
# what nearly every address is, and nothing to look at twice
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?:/[A-Za-z0-9/._~%#?=&+:@,-]*)?")


def safe_url(address: str | None) -> str | None:
    """Return an http or https address fit for a letter, None for anything else.

    Characters that could end an attribute or a line are percent-encoded; an address that carries a
    user name is refused, because it shows another host than it opens. What comes back passes the lint, so that
    no source's address can stop a send.
    """
    if not address:
        return None
    if _PLAIN.fullmatch(address):
        return address
    encoded = _UNSAFE.sub(lambda match: quote(match[0]), clean(address.strip()))
    try:
        parts = urlsplit(encoded)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    return None if link_fault(encoded) else encoded
