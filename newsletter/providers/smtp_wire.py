"""An SMTP connection that is open: commands out, replies in, and what the server offers (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from newsletter.errors import one_line

# What the standard library raises for a connection that failed or a server that talks nonsense.
FAULTS = (smtplib.SMTPException, OSError, ValueError)

_LONGEST_LINE = 8_192  # octets of a line of a reply; RFC 5321 knows 512
_MOST_LINES = 200
_RECORD = 16_384  # octets of a TLS record: who gets less than the whole of it gets nothing
_AT_ONCE = 65_536  # octets that are read at most


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
        if client.file is not None:  # it would keep the socket open
            client.file.close()
        self._got = b""  # what was read, and is no reply yet
        self._most = _RECORD if isinstance(client.sock, ssl.SSLSocket) else None
        self.reached = 0  # how many octets of the last write went out
        self.pipelining = client.has_extn("pipelining")  # RFC 2920
        self.smtputf8 = client.has_extn("smtputf8")  # RFC 6531
        self.sizes = client.has_extn("size")  # RFC 1870
        most = client.esmtp_features.get("size", "")
        self.largest = int(most) if most.isascii() and most.isdigit() else 0  # octets; 0 is no bound

    def write(self, octets: bytes) -> None:
        """Write all of it, within the time-out; where this raises, ``reached`` tells how far it came."""
        self.reached, left = 0, memoryview(octets)
        patience = self._socket.gettimeout()
        deadline = None if patience is None else monotonic() + patience
        while left:
            sent = self._socket.send(left[: self._most])
            self.reached += sent
            left = left[sent:]
            if left and deadline is not None and monotonic() > deadline:
                raise TimeoutError("timed out")

    def read(self) -> Reply:
        """Read the next reply; raise `OSError` or `ValueError` where there is none."""
        lines: list[bytes] = []
        while len(lines) < _MOST_LINES:
            line = self._line()
            if not line[:3].isdigit():
                return Reply(code=-1, words=line)
            lines.append(line[4:])
            if line[3:4] != b"-":
                return Reply(code=int(line[:3]), words=b" ".join(lines))
        raise ValueError("the reply is too long")

    def _line(self) -> bytes:
        while (end := self._got.find(b"\n", 0, _LONGEST_LINE)) < 0:
            if len(self._got) >= _LONGEST_LINE:
                raise ValueError("the reply is too long")
            got = self._socket.recv(_AT_ONCE)
            if not got:
                raise ConnectionError("the server closed it")
            self._got += got
        line, self._got = self._got[: end + 1], self._got[end + 1 :]
        return line

    def is_quiet(self) -> bool:
        """Tell, without waiting, whether the server has neither said more nor ended the connection."""
        if self._got:
            return False
        patience = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            self._got = self._socket.recv(_AT_ONCE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        finally:
            self._socket.settimeout(patience)
        return False

    def leave(self, seconds: float) -> None:
        """Say goodbye, within some seconds, and close the connection; nothing depends on the answer."""
        with suppress(*FAULTS):
            self._socket.settimeout(seconds)
            self.write(b"QUIT\r\n")
            self.read()
        self.close()

    def close(self) -> None:
        """Close the connection without a word."""
        self._socket.close()
