"""Reading messages in tests, and the rules of lines that every message keeps."""

from __future__ import annotations

import re
from email import message_from_string, policy
from email.message import EmailMessage


def parse(message: bytes) -> EmailMessage:
    """Return a message as the standard library understands it."""
    return message_from_string(message.decode(), policy=policy.default)


def assert_well_formed(message: bytes) -> None:
    """Check line ends, line lengths, and that no line can be taken for an end or a beginning."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message)
    assert message.endswith(b"\r\n")
    lines = message.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert b"\0" not in message
