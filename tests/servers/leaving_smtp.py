"""An SMTP server that takes messages and then goes, or forgets, between two of them: at no command of the client."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

SECONDS = 0.1  # after it asked for the second message's data


class Going(Enum):
    """How the connection ends."""

    CLOSED = "closed"
    RESET = "reset"
    SAID = "421"


@contextmanager
def leaving_server(
    *, going: Going | None = None, forgets: bool = False, certificate: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Serve any number of connections; yield the port, and the messages that were taken.

    ``going`` ends the first connection when it has asked for the data of its second message. With ``forgets`` what came
    behind the end of a message is dropped.
    """
    listener, messages = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve(client: socket.socket, *, goes: bool) -> None:
        client.sendall(b"220 ready\r\n")
        buffer, in_data, asked = b"", False, 0
        while got := client.recv(65_536):
            buffer += got
            while True:
                head, found, rest = buffer.partition(b"\r\n.\r\n" if in_data else b"\r\n")
                if not found:
                    break
                buffer = rest
                if in_data:
                    messages.append(head)
                    in_data, buffer = False, b"" if forgets else rest
                    client.sendall(b"250 taken\r\n")
                    continue
                verb = head[:4].upper()
                in_data = verb == b"DATA"
                offer = b"250-leaving\r\n250 PIPELINING\r\n" if verb == b"EHLO" else b"250 ok\r\n"
                client.sendall(b"354 go on\r\n" if in_data else b"221 bye\r\n" if verb == b"QUIT" else offer)
                asked += in_data
                if goes and asked == 2:
                    threading.Event().wait(SECONDS)
                    return

    def end(client: socket.socket) -> None:
        if going is Going.SAID:
            client.sendall(b"421 4.3.2 going down\r\n")
        elif going is Going.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif isinstance(client, ssl.SSLSocket):
            client.settimeout(0.05)
            client.unwrap()

    def accept() -> None:
        first = True
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with suppress(OSError):
                    if certificate is not None:
                        client = certificate.wrap_socket(client, server_side=True)
                    with client:
                        serve(client, goes=first and going is not None)
                        if first:
                            end(client)
                first = False

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], messages
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
