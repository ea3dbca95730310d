"""A small IMAP server over TLS: as much of IMAP4rev1 as reading a folder takes, and told faults.

::

    with ImapServer(tls, {"INBOX": [b"..."]}) as server:
        ...  # connect to localhost, server.port as ada, "a b"
        server.seen
"""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

USER, PASSWORD = "ada", 'a "b" c'
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')
_RANGE = re.compile(rb"BODY\.PEEK\[\]<0\.(\d+)>")


class ImapServer(socketserver.ThreadingTCPServer):
    """Folders of mails whose UIDs count from 101; `seen` are the UIDs flagged so. ``drop_at`` closes at a command."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext, folders: dict[str, list[bytes]], drop_at: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.tls, self.folders, self.drop_at = tls, folders, drop_at
        self.seen: set[int] = set()
        self.commands: list[str] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that refuse the certificate are part of the tests."""


class _Session(socketserver.StreamRequestHandler):
    mails: Sequence[bytes] = ()

    def setup(self) -> None:
        self.request = cast(ImapServer, self.server).tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def handle(self) -> None:
        server = cast(ImapServer, self.server)
        self.say(b"* OK ready")
        for line in self.rfile:
            tag, _, rest = line.strip().partition(b" ")
            words = [re.sub(rb"\\(.)", rb"\1", quoted) or bare for quoted, bare in _WORD.findall(rest)]
            name = b" ".join(words[:2] if words[0] == b"UID" else words[:1]).decode().upper()
            server.commands.append(name)
            if name == server.drop_at:
                return
            self.say(tag + b" " + self.answer(server, name, words, rest))
            if name == "LOGOUT":
                return

    def answer(self, server: ImapServer, name: str, words: list[bytes], line: bytes) -> bytes:
        match name:
            case "CAPABILITY":
                self.say(b"* CAPABILITY IMAP4rev1")
            case "LOGIN":
                if [word.decode() for word in words[1:]] != [USER, PASSWORD]:
                    return b"NO [AUTHENTICATIONFAILED] wrong name or password"
            case "SELECT":
                folder = words[1].decode()
                if folder not in server.folders:
                    return b"NO no folder of this name"
                self.mails = server.folders[folder]
                self.say(b"* %d EXISTS" % len(self.mails))
            case "UID SEARCH":
                uids = [101 + at for at in range(len(self.mails)) if 101 + at not in server.seen]
                self.say(b" ".join([b"* SEARCH", *(b"%d" % uid for uid in uids)]))
            case "UID FETCH":
                limit = _RANGE.search(line)
                assert limit is not None
                data = self.mails[int(words[2]) - 101][: int(limit[1])]
                self.say(b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n%s)" % (words[2], len(data), data))
            case "UID STORE":
                server.seen.add(int(words[2]))
            case "LOGOUT":
                self.say(b"* BYE")
            case _:
                return b"BAD what?"
        return b"OK done"
