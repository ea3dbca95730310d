"""What came back to a letter, as the inside sees it: the value that readers of mailboxes and events make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Happening(Enum):
    """What a mail that came back is."""

    HARD = "hard"  # the mailbox or its domain is not there
    SOFT = "soft"  # it bounced or waits, for any other reason
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    AUTO_REPLY = "auto-reply"  # a machine answered; nobody needs to read it
    OTHER = "other"  # for a person to read


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a mail says, unproven: anybody can write one.

    ``recipient`` is the address it is about (empty if none is named), ``status`` an RFC 3463 code, ``action`` that
    of RFC 3464. ``original_id`` is the Message-ID of the mail that came back, without brackets, and ``link`` the key
    and edition number of an unsubscribe link in it, or in the subject of a mail that unsubscribes.
    """

    kind: Happening
    recipient: str = ""
    status: str = ""
    reason: str = ""
    action: str = ""
    original_id: str = ""
    link: tuple[bytes, int] | None = None
