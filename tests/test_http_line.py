"""Calls over one connection: what each fault proves."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
import trustme

from newsletter.errors import ConfigError
from newsletter.http_line import IDLE_SECONDS, MOST_ANSWER, Line, NoAnswer, NotSent, Place

ANSWER = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 2\r\n\r\nok"
Talk = Callable[[socket.socket, bytes], bool]


def _request(peer: socket.socket) -> bytes:
    """Return a whole request, or what came of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (more := peer.recv(65536))
        if not more:
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
    while len(body) < length and (more := peer.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


@contextmanager
def server(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[int]]]:
    """Serve on loopback: ``talk`` answers each request and says whether the connection goes on."""
    opened: list[int] = []
    over = Event()

    def converse(peer: socket.socket) -> None:
        with peer:
            while (request := _request(peer)) and talk(peer, request):
                pass

    def serve() -> None:
        while not over.is_set():
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            opened.append(1)
            try:
                converse(context.wrap_socket(peer, server_side=True) if context else peer)
            except OSError:
                continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], opened
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def answering(peer: socket.socket, _request: bytes) -> bool:
    peer.sendall(ANSWER)
    return True


def line(port: int, timeout: float = 5.0) -> Line:
    return Place(base_url=f"http://127.0.0.1:{port}/base/", timeout=timeout).open()


def test_one_connection_for_many_calls() -> None:
    seen: list[bytes] = []

    def talk(peer: socket.socket, request: bytes) -> bool:
        seen.append(request)
        return answering(peer, request)

    with server(talk) as (port, opened):
        own = line(port)
        for number in range(3):
            answer = own.call("POST", "/v3/mail", b"body %d" % number, {"Authorization": "Bearer key"})
            assert (answer.status, answer.headers["x-message-id"], answer.body) == (202, "abc", b"ok")
        own.close()
    assert len(opened) == 1
    assert seen[0].startswith(b"POST /base/v3/mail HTTP/1.1\r\n")
    assert seen[2].endswith(b"\r\n\r\nbody 2")
    assert b"Authorization: Bearer key" in seen[0]


def test_over_tls_the_connection_is_kept_too_and_the_certificate_is_checked(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with server(answering, context) as (port, opened):
        own = Place(base_url=f"https://127.0.0.1:{port}", ca_file=trusted, timeout=5).open()
        time.sleep(0.1)  # for the server's session tickets
        assert [own.call("POST", "/", b"x").status for _ in range(3)] == [202] * 3
        own.close()
        assert len(opened) == 1
        with pytest.raises(NotSent, match="certificate"):
            Place(base_url=f"https://127.0.0.1:{port}", timeout=5).open()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotSent, match=r"^no connection \(\[Errno \d+\] Connection refused\)$"):
        line(port)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        ANSWER[:8],
        ANSWER[:11],
        ANSWER[:-1],
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + ANSWER,
    ],
)
def test_an_answer_that_is_not_whole_proves_nothing(said: bytes) -> None:
    def talk(peer: socket.socket, _request: bytes) -> bool:
        peer.sendall(said)
        return False

    with server(talk) as (port, _), pytest.raises(NoAnswer):
        line(port).call("POST", "/", b"x")


@pytest.mark.parametrize("said", [ANSWER[:30], b"HTTP/1.0 202 Accepted\r\n\r\n"])
def test_a_status_is_an_answer_whatever_follows(said: bytes) -> None:
    def talk(peer: socket.socket, _request: bytes) -> bool:
        peer.sendall(said)
        return False

    with server(talk) as (port, opened):
        own = line(port)
        assert [own.call("POST", "/", b"x").status for _ in range(2)] == [202, 202]
        own.close()
    assert len(opened) == 2


def test_an_answer_without_end_is_not_read_to_it() -> None:
    def talk(peer: socket.socket, _request: bytes) -> bool:
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(2 * MOST_ANSWER))
        return False

    with server(talk) as (port, _), pytest.raises(NoAnswer, match="larger"):
        line(port).call("POST", "/", b"x")


@pytest.mark.parametrize("drips", [False, True])
def test_a_server_that_is_silent_or_drips_costs_no_more_than_the_time_out(drips: bool) -> None:
    over = Event()

    def talk(peer: socket.socket, _request: bytes) -> bool:
        for octet in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100:
            if over.wait(0.1):
                break
            if drips:
                peer.sendall(bytes([octet]))
        return False

    began = time.monotonic()
    with server(talk) as (port, _):
        with pytest.raises(NoAnswer):
            line(port, timeout=0.6).call("POST", "/", b"x")
        assert time.monotonic() - began < 3
        over.set()


def test_a_refusal_before_the_body_is_whole_is_heard() -> None:
    def talk(peer: socket.socket, _request: bytes) -> bool:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                peer.shutdown(socket.SHUT_WR)
                time.sleep(0.2)

        thread = Thread(target=refuse)
        thread.start()
        own = line(listening.getsockname()[1])
        with suppress(NotSent):  # the reset may come before what was said is read
            assert own.call("POST", "/", bytes(50_000_000)).status == 413
        thread.join(5)


def test_what_broke_off_before_the_body_was_whole_was_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = Thread(target=hang_up)
        thread.start()
        own = line(listening.getsockname()[1])
        thread.join(5)
        with pytest.raises(NotSent):
            own.call("POST", "/", bytes(50_000_000))


def test_a_connection_that_was_closed_or_idle_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(peer: socket.socket, request: bytes) -> bool:
        answering(peer, request)
        return b"stay" in request

    with server(talk) as (port, opened):
        own = line(port)
        own.call("POST", "/", b"stay")
        own.call("POST", "/", b"go")
        time.sleep(0.1)
        own.call("POST", "/", b"stay")
        assert len(opened) == 2
        now = time.monotonic()
        monkeypatch.setattr("newsletter.http_line.monotonic", lambda: now + IDLE_SECONDS + 1)
        own.close()
        own.call("POST", "/", b"stay")
        assert len(opened) == 3
        own.close()


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    for wrong in ("https://127.0.0.1:99999999", "https://[::1"):
        with pytest.raises(ConfigError, match="is no address; check its host and port"):
            Place(base_url=wrong).open()
    (tmp_path / "empty.pem").write_text("")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(ConfigError, match="PEM"):
            Place(base_url="https://127.0.0.1:1", ca_file=tmp_path / name).open()
