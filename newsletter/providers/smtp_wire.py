"""An SMTP connection that is open: commands out, replies in, and what the server offers (RFC 5321)."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from dataclasses import dataclass

from newsletter.errors import one_line

# What the standard library raises for a connection that failed or a server that talks nonsense.
FAULTS = (smtplib.SMTPException, OSError, ValueError)

_LONGEST_LINE = 8_192  # octets of a line of a reply; RFC 5321 knows 512
_MOST_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server's answer: its code, -1 if it has none, and its words as they came."""

    code: int
    words: bytes

    @property
    def text(self) -> str:
        """All of it on one line, the code included."""
        text = one_line(self.words.decode("utf-8", "replace"))
        return f"{self.code} {text}".strip() if self.code >= 0 else text

    @property
    def kind(self) -> int:
        """The first digit of the code: 2 is done, 3 go on, 4 not now, 5 no."""
        return self.code // 100


class Wire:
    """The socket of a client that said hello and logged in."""

    def __init__(self, client: smtplib.SMTP) -> None:
        assert client.sock is not None
        self._socket = client.sock
        self._replies = client.file or client.sock.makefile("rb")
        self.pipelining = client.has_extn("pipelining")  # RFC 2920
        self.smtputf8 = client.has_extn("smtputf8")  # RFC 6531
        self.sizes = client.has_extn("size")  # RFC 1870
        most = client.esmtp_features.get("size", "")
        self.largest = int(most) if most.isascii() and most.isdigit() else 0  # octets; 0 is no bound

    def write(self, octets: bytes) -> None:
        """Write all of it; where this raises, the last octet was not written."""
        self._socket.sendall(octets)

    def read(self) -> Reply:
        """Read the next reply; raise `OSError` or `ValueError` where there is none."""
        lines: list[bytes] = []
        while len(lines) < _MOST_LINES:
            line = self._replies.readline(_LONGEST_LINE)
            if not line.endswith(b"\n"):
                if len(line) == _LONGEST_LINE:
                    break
                raise ConnectionError("the server closed it")
            if not line[:3].isdigit():
                return Reply(code=-1, words=line)
            lines.append(line[4:])
            if line[3:4] != b"-":
                return Reply(code=int(line[:3]), words=b" ".join(lines))
        raise ValueError("the reply is too long")

    def leave(self, seconds: float) -> None:
        """Say goodbye, within some seconds, and close the connection; nothing depends on the answer."""
        with suppress(*FAULTS):
            self._socket.settimeout(seconds)
            self.write(b"QUIT\r\n")
            self.read()
        self.close()

    def close(self) -> None:
        """Close the connection without a word."""
        with suppress(*FAULTS):
            self._replies.close()
        self._socket.close()
