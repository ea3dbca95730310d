"""`newsletter serve`: how it starts, ends and is asked for its health; what it sends with every page and what it logs."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.sendgrid_posts import SendGridSigner
from tests.support.serving import SETTINGS, Served, serving

HEADERS = {"referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
OF_PAGES = {"x-frame-options": "DENY", "cross-origin-resource-policy": "same-origin"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as served:
        assert served.get("/health").body == "alive\n"
        idle = socket.create_connection(("127.0.0.1", served.port))
        assert served.end(number) == 0
        idle.close()
    assert not [line for line in served.log if "Traceback" in line or "rror" in line]


def test_without_its_packages_it_says_which(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['uvicorn'] = None; sys.modules['starlette'] = None\n"
        "from newsletter.cli import main; main(['serve', '--port', '0'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'daily-papers-newsletter[web]'" in done.stderr


def test_readiness_is_about_the_database(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        assert (served.get("/ready").status, served.get("/ready").body) == (200, "ready\n")
        with closing(sqlite3.connect(tmp_path / "newsletter.db")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
            connection.commit()
        assert (served.get("/ready").status, served.get("/ready").body) == (
            503,
            "the database has another schema\n",
        )
        with closing(sqlite3.connect(tmp_path / "newsletter.db")) as connection:
            connection.execute("DROP TABLE subscription")
            connection.execute("DROP TABLE edition")
            connection.commit()
        broken = served.one_click("/u/" + "a" * 26 + "/1")
        assert served.get("/health").status == 200
        page = served.get("/u/" + "a" * 26 + "/1")
        assert (page.status, page.heading, page.headers["retry-after"]) == (503, "That did not work", "30")
        assert "edition" not in page.body
        assert broken.status in {200, 503}


def test_every_answer_has_its_headers(served: Served) -> None:
    confirm, leave = served.subscriber("headers@example.org")
    for path in ("/", "/subscribe", "/embed", confirm, leave, "/c/x", "/nothing", "/health", "/ready"):
        answer = served.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        if answer.headers["content-type"].startswith("text/html"):
            assert {name: answer.headers.get(name) for name in OF_PAGES} == OF_PAGES, path
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        head = served.ask("HEAD", path)
        assert (head.status, head.body) == (answer.status, "")
        assert "<script" not in answer.body
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.body)
    page = served.get(leave)
    assert "SameSite=lax" in page.headers["set-cookie"]
    assert "HttpOnly" in page.headers["set-cookie"]
    assert len(page.body) < 8_000
    assert served.get("/robots.txt").body == "User-agent: *\nDisallow: /c/\nDisallow: /u/\n"
    assert served.get("/icon.svg").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QQQ"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    assert served.ask(method, "/subscribe").status == 405
    assert served.ask(method, "/u/x/1").status == 405


def test_the_log_has_no_token_and_no_address(served: Served) -> None:
    confirm, leave = served.subscriber("logged@example.org", confirmed=False)
    page = served.get("/?lang=en&email=logged@example.org%0d%0aFAKE")
    served.post("/subscribe?x=logged@example.org", {"email": "logged@example.org", "token": page.token})
    served.press(confirm)
    served.press(leave, action="leave")
    served.get("/nothing/logged@example.org", user_agent="logged@example.org")
    time.sleep(0.3)
    lines = "".join(served.log)
    key = leave.split("/")[2]
    for secret in (
        "logged@",
        confirm.removeprefix("/c/"),
        key,
        page.token,
        page.cookie.partition("=")[2],
        "FAKE",
    ):
        assert secret not in lines
    assert re.search(r"^\S+Z POST /c/\{token\} 200 \d+ ms$", lines, re.MULTILINE)
    assert re.search(r"^\S+Z GET \(no page\) 404 \d+ ms$", lines, re.MULTILINE)
    assert all(re.fullmatch(r"\S+Z [A-Z?]+ \S+( page\))? \d{3} \d+ ms\n", line) for line in served.log), (
        served.log
    )


def test_quiet_logs_no_requests_but_what_is_refused(tmp_path: Path) -> None:
    key = SendGridSigner().verification_key
    with serving(
        tmp_path, "--quiet", settings=f'{SETTINGS}[provider.sendgrid]\nwebhook_key = "{key}"\n'
    ) as served:
        served.get("/")
        assert served.ask("POST", "/events/sendgrid", b"[]").status == 401
        assert served.end() == 0
    (line,) = served.log
    assert "events of sendgrid refused: is not signed" in line


def test_links_work_below_a_path(tmp_path: Path) -> None:
    """Whether the proxy takes the path away or leaves it."""
    with serving(tmp_path, settings=SETTINGS + 'public_url = "https://example.org/papers/"\n') as served:
        for path in ("/", "/papers", "/papers/", "/papers/subscribe"):
            page = served.get(path, host="evil.example")
            assert page.status == 200
            assert 'action="/papers/subscribe?lang=en"' in page.body
            assert "evil.example" not in page.body
        assert "Path=/papers;" in page.headers["set-cookie"]
        assert "Secure" in page.headers["set-cookie"]
        assert "https://example.org/papers/subscribe" in served.get("/embed").body
        _, leave = served.subscriber("below@example.org")
        assert served.one_click(f"/papers{leave}").status == 200
        assert served.get("/papersx").status == 404
        assert served.get("/robots.txt").body.count("/papers/") == 2
        wide = served.get("/c/x")
        assert 'href="/papers/?lang=en"' in wide.body


def test_it_listens_on_ipv6_too(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(tmp_path, "--host", "::1") as served:
        assert served.address.startswith("http://[::1]:")
        with socket.create_connection(("::1", served.port)) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.makefile("rb").read().endswith(b"alive\n")


def test_what_is_wrong_with_sending_is_told_and_pages_go_on(tmp_path: Path) -> None:
    settings = SETTINGS + (
        'public_url = "https://news.example.org"\n[provider]\nname = "smtp"\n'
        '[provider.smtp]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\n'
    )
    with serving(tmp_path, settings=settings) as served:
        page = served.get("/")
        time.sleep(2.1)
        served.post("/subscribe", {"email": "a@example.org", "token": page.token}, cookie=page.cookie)
        end = time.monotonic() + 10
        while time.monotonic() < end and not any("127.0.0.1" in line for line in served.log):
            time.sleep(0.05)
        faults = [line for line in served.log if line.startswith("newsletter: ")]
        assert len(faults) == 1, served.log
        assert "@" not in faults[0]
        assert served.get("/").status == 200
