"""From what somebody typed to an address that mail can be sent to, and to the one key of its person."""

from __future__ import annotations

import hashlib
import hmac

from email_validator import EmailNotValidError, validate_email

from subscribers.errors import InvalidAddress
from subscribers.models import Address

LONGEST_ADDRESS = 254  # RFC 5321, erratum 1690
_SHOWN = 60


def parse_address(text: str) -> Address:
    """Return the address in ``text``, or raise `InvalidAddress`. Nothing is looked up in the DNS.

    ``email`` keeps the local part as typed and has the domain in its ASCII form, which every mail server
    takes; ``key`` is folded in case, so that one mailbox is one person. Spaces around it are dropped.
    """
    subject = _quoted(text)
    candidate = text.strip(" ")
    if not candidate:
        raise InvalidAddress("there is no address", subject=subject, remedy="write it as name@example.org")
    if len(candidate) > LONGEST_ADDRESS:
        raise InvalidAddress(f"an address has at most {LONGEST_ADDRESS} characters", subject=subject)
    unseen = next((character for character in candidate if not character.isprintable()), None)
    if unseen is not None:
        problem = (
            f"an address cannot hold a line break, a control or an invisible character (U+{ord(unseen):04X})"
        )
        raise InvalidAddress(problem, subject=subject, remedy="take it out")
    if "<" in candidate or ">" in candidate:
        remedy = "give only what stands between < and >, and the name apart"
        raise InvalidAddress("an address has no name and no angle brackets", subject=subject, remedy=remedy)
    try:
        # A local part beyond ASCII needs a server with SMTPUTF8 on every hop: it is refused here, where
        # somebody sees it, and not by the mail server in the middle of an issue.
        checked = validate_email(candidate, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        problem = str(error).rstrip(".")
        raise InvalidAddress(problem, subject=subject, remedy="write it as name@example.org") from error
    local, domain = checked.local_part, checked.ascii_domain.lower()
    return Address(email=f"{local}@{domain}", key=f"{local.casefold()}@{domain}")


def address_hash(key: bytes, address_key: str) -> bytes:
    """Return the HMAC-SHA256 of an `Address.key` under a secret ``key``: what is left of it after erasure."""
    return hmac.digest(key, address_key.encode(), hashlib.sha256)


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
