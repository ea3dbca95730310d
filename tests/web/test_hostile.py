"""Requests that nobody honest sends: the server answers or hangs up, lives on, and tells nobody anything."""

from __future__ import annotations

import contextlib
import random
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.web import patience
from newsletter.web.guard import MOST_BODY_BYTES
from tests.support.serving import FORM, Served, serving

SEED = 20_260_105
FUZZED = 2_000
PATHS = [
    "/",
    "/subscribe",
    "/embed",
    "/c/",
    "/c/{}",
    "/u/{}/1",
    "/u/{}/{}",
    "/health",
    "/ready",
    "/robots.txt",
    "/{}",
]
FIELDS = ["email", "token", "edition", "action", "reason", "words", "subject", "List-Unsubscribe", "lang"]
VALUES = [
    "", "a@example.org", "a@b", "One-Click", "undo", "reason", "leave", "daily", "\x00", "\r\nX-Evil: 1", "é" * 50,
    "\ud7ff\u202e", "'; DROP TABLE subscriber; --", "<script>alert(1)</script>", "{{ 7*7 }}", "../../etc/passwd", "%s%n",
    "9" * 400, "a" * 300, "=?utf-8?q?x?=", "🦄@example.org",
]  # fmt: skip
KINDS = [
    FORM, "multipart/form-data; boundary=xx", "multipart/form-data", "application/json", "text/plain", "é",
    "multipart/form-data; boundary=" + "x" * 300, "multipart/form-data; boundary*=utf-8''%00", "multipart/mixed; boundary=xx",
]  # fmt: skip
BODIES = [
    b"--xx\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--xx--",
    b"--xx\r\n" * 500, b"--xx\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=email\r\n\r\n!!!\r\n--xx--",
    b"--xx\r\nContent-Type: multipart/mixed; boundary=yy\r\n\r\n--yy\r\n\r\n--yy--\r\n--xx--", b"\xff\xfe\x00", b"&&&===%%%",
    b"a=1&" * 200, b"%u0000=%zz", b"{" * 1000,
]  # fmt: skip


def some(chance: random.Random) -> bytes:
    """Return one request that is more or less wrong."""

    def part() -> str:
        text = chance.choice([*VALUES, "a" * 26, "x" * 42])
        return "".join(
            f"%{byte:02x}" if chance.random() < 0.9 else chr(byte) for byte in text.encode("utf-8", "replace")
        )

    path = chance.choice(PATHS)
    path = path.format(*[part() for _ in range(path.count("{}"))])
    if chance.random() < 0.3:
        path += "?" + "&".join(f"{chance.choice(FIELDS)}={part()}" for _ in range(chance.randint(1, 5)))
    method = chance.choice(["GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "get", "OPTIONS"])
    body = chance.choice(BODIES)
    if chance.random() < 0.5:
        body = "&".join(f"{chance.choice(FIELDS)}={part()}" for _ in range(chance.randint(0, 30))).encode(
            "latin-1", "replace"
        )
    headers = [
        b"Host: " + chance.choice([b"x", b"", b"evil.example", b"a" * 300]),
        b"Content-Type: " + chance.choice(KINDS).encode("latin-1"),
        b"Content-Length: %d" % (len(body) if chance.random() < 0.9 else chance.choice([0, 5, 10**6, 10**15])),
        b"Cookie: newsletter_form=" + chance.choice([b"A" * 22, b"", b'"', b"\xff", b"x=y; " * 50]),
        b"X-Forwarded-For: " + chance.choice([b"1.2.3.4", b"::1, nonsense", b"," * 300, b"1.2.3.4:99", b"[::1]:8"]),
        b"Accept-Language: " + chance.choice([b"ko", b"*;q=9", b"q" * 3000, b"en;q=nan,\xe9", b"-"]),
        b"Connection: close",
    ]  # fmt: skip
    chance.shuffle(headers)
    raw = f"{method} {path} HTTP/1.1\r\n".encode("latin-1", "replace") + b"\r\n".join(
        headers[: chance.randint(3, 7)]
    )
    raw += b"\r\n\r\n" + body
    if chance.random() < 0.15:
        where = chance.randrange(len(raw))
        raw = raw[:where] + bytes([chance.randrange(256)]) * chance.randint(1, 4) + raw[where + 1 :]
    if chance.random() < 0.05:
        raw = raw[: chance.randrange(1, len(raw))]
    return raw


def exchanged(port: int, raw: bytes) -> bytes:
    """Send some bytes, and return what comes back until the server hangs up."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.timeout(300)
def test_two_thousand_odd_requests(served: Served) -> None:
    chance = random.Random(SEED)
    statuses: dict[bytes, int] = {}
    for number in range(FUZZED):
        raw = some(chance)
        answer = exchanged(served.port, raw)
        status = answer[9:12]
        statuses[status] = statuses.get(status, 0) + 1
        assert not status.startswith(b"5"), (number, raw, answer)
        assert b"Traceback" not in answer
        assert b"\r\nX-Evil" not in answer.partition(b"\r\n\r\n")[0]
        assert b"<script" not in answer
    assert served.get("/health").body == "alive\n"
    assert served.process.poll() is None
    assert not [line for line in served.log if "Traceback" in line or "failed" in line or "Evil" in line]
    assert {b"200", b"403", b"404", b"405", b"422", b"400", b"413"} <= statuses.keys(), statuses


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\n" + b"a" * 16385, b"413"),
        (b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999\r\n\r\n", b"413"),
        (b"POST /u/x/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"a" * 4096 + b"\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad\x00: 1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n", b"200"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00", b"400"),
    ],
    ids=["body", "declared", "chunked", "header", "path", "NUL", "upgrade", "TLS"],
)  # fmt: skip
def test_what_is_too_large_or_no_http(served: Served, raw: bytes, status: bytes) -> None:
    more = b"1000\r\n" + b"a" * 4096 + b"\r\n"
    answer = exchanged(served.port, raw + more * 5 if b"chunked" in raw else raw)
    assert answer[9:12] == status or (answer[9:12] in {b"", b"400"} and status != b"200"), answer[:100]
    assert served.get("/health").status == 200
    assert MOST_BODY_BYTES == 16_384


def test_a_header_in_a_path_stays_in_the_path(served: Served) -> None:
    for path in (
        "/%0d%0aSet-Cookie:x=1",
        "/c/%0d%0aX-Evil:1",
        "/u/a%0d%0aX-Evil:1/1",
        "/?lang=%0d%0aX-Evil:1",
    ):
        answer = served.get(path)
        assert "x-evil" not in answer.headers
        assert "x=1" not in answer.headers.get("set-cookie", "")


def contents(file: Path) -> list[str]:
    """Return every row of a database."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        return list(connection.iterdump())


def test_looking_changes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        confirm, leave = served.subscriber("look@example.org", confirmed=False)
        before = contents(tmp_path / "newsletter.db")
        for path in ("/", "/subscribe?email=a@b.org&token=x", "/embed", confirm, leave, "/ready", "/health", "/robots.txt",
                     f"{leave}?List-Unsubscribe=One-Click", f"{confirm}?token=x", "/no"):  # fmt: skip
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
                served.ask(method, path, b"List-Unsubscribe=One-Click", {"Content-Type": FORM})
        assert contents(tmp_path / "newsletter.db") == before


@pytest.fixture
def hurried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Return a server whose patience is a second."""
    script = tmp_path / "sitecustomize.py"
    script.write_text(
        "import newsletter.web.patience as p\np.REQUEST_SECONDS = 1.0\np.MOST_CONNECTIONS = 20\np.IDLE_SECONDS = 1\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(patience.__file__).parents[2]}")
    with serving(tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    "begun",
    [
        b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea",
    ],
    ids=["nothing", "half a header", "half a body", "half of the next"],
)  # fmt: skip
def test_who_dawdles_is_hung_up_on(hurried: Served, begun: bytes) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", hurried.port), timeout=10) as connection:
        connection.sendall(begun)
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            while time.monotonic() - began < 8:
                connection.settimeout(0.3)
                try:
                    if not connection.recv(65536):
                        break
                except TimeoutError:
                    if begun:
                        connection.sendall(b"X")
    assert 0.5 < time.monotonic() - began < 5
    assert hurried.get("/health").status == 200


def test_many_connections_do_not_take_the_server(hurried: Served) -> None:
    held = [socket.create_connection(("127.0.0.1", hurried.port), timeout=5) for _ in range(60)]
    time.sleep(1.5)
    assert hurried.get("/health").status == 200
    for connection in held:
        connection.close()


def test_who_does_not_read_is_no_burden(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError, ConnectionError):
            for _ in range(200):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert served.get("/health").status == 200
