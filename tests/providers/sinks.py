"""Sending to the servers of the tests, and a server that answers by rote."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.letters import LETTER
from tests.servers.smtp import SmtpSink

MakeSink = Callable[..., SmtpSink]
ACCEPTED, RETRY, REJECTED, UNCERTAIN = (
    Outcome.ACCEPTED,
    Outcome.RETRY,
    Outcome.REJECTED,
    Outcome.UNCERTAIN,
)


def settings(sink: SmtpSink, *, timeout: float = 10, per_connection: int = 100) -> SmtpSettings:
    return SmtpSettings(
        host=sink.host, port=sink.port, tls="none", timeout=timeout, local_hostname="test.example",
        messages_per_connection=per_connection,
    )  # fmt: skip


def send(sink: SmtpSink, readers: list[Recipient], **changes: Any) -> list[Receipt]:
    with SmtpProvider(settings(sink, **changes)).connect() as connection:
        return list(connection.send(LETTER, readers))


def outcomes(receipts: list[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def taken(sink: SmtpSink) -> list[str]:
    return [mail.recipients[0] for mail in sink.messages]


@contextmanager
def scripted(answers: Mapping[str, str | bytes | list[str]]) -> Iterator[tuple[SmtpSettings, list[str]]]:
    """Serve one connection that answers a line by its first word; after octets it hangs up.

    A list has an answer for each time the word comes. Yields how to reach it, and the lines that it got.
    """
    answers = {word: [*given] if isinstance(given, list) else given for word, given in answers.items()}
    listener, got = socket.create_server(("127.0.0.1", 0)), list[str]()

    def serve() -> None:
        client, _ = listener.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(b"220 ready\r\n")
            for line in lines:
                got.append(line.decode().rstrip("\r\n"))
                answer = answers.get((got[-1].split() or [""])[0])
                if isinstance(answer, bytes):
                    client.sendall(answer)
                    break
                if isinstance(answer, list):
                    answer = answer.pop(0)
                client.sendall(f"{answer}\r\n".encode() if answer else b"")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield SmtpSettings(host="127.0.0.1", port=listener.getsockname()[1], tls="none", timeout=5), got
    finally:
        thread.join()
        listener.close()


PIPELINED: dict[str, str | bytes | list[str]] = {
    "ehlo": "250-mail.example\r\n250 PIPELINING",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}
TAKING: dict[str, str | bytes | list[str]] = {
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
}
