"""`newsletter serve` as a process of its own, and clients of several kinds."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from newsletter.app import App, now
from newsletter.config import load
from newsletter.delivery.recipients import key_text
from newsletter.delivery.tokens import Purpose
from subscribers.models import SubscriptionState
from tests.cli.command import PROGRAM

ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
SETTINGS = """
[sender]
email = "news@example.org"
postal_address = "1 Example Street, 12345 Exampletown"
[web]
signups_per_minute = 100000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request brought."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def heading(self) -> str:
        """The page's main heading."""
        found = re.search(r"<h1>(.*?)</h1>", self.body)
        return unescape(found[1]) if found else ""

    @property
    def token(self) -> str:
        """The token of the page's form."""
        found = re.search(r'name="token" value="([^"]*)"', self.body)
        assert found is not None, self.body
        return found[1]

    @property
    def cookie(self) -> str:
        """The cookie that came with it, as a browser sends it back."""
        return self.headers.get("set-cookie", "").partition(";")[0]


@dataclass(slots=True, kw_only=True)
class Served:
    """A server, its folder, and what it logged."""

    folder: Path
    address: str
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rpartition(":")[2])

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(status=answer.status, headers=found, body=answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page; ``accept_language`` becomes a header."""
        return self.ask("GET", path, headers=_named(headers))

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form."""
        return self.ask("POST", path, urlencode(fields), {"Content-Type": FORM, **_named(headers)})

    def one_click(self, path: str) -> Answer:
        """Unsubscribe as a mail program does."""
        return self.ask("POST", path, ONE_CLICK, {"Content-Type": FORM})

    def press(self, path: str, **fields: str) -> Answer:
        """Get a page and send its form, as a browser without a script does."""
        page = self.get(path)
        return self.post(path, {"token": page.token, **fields}, cookie=page.cookie)

    @contextmanager
    def app(self) -> Iterator[App]:
        """Open the same newsletter in this process."""
        app = App(load(self.folder / "newsletter.toml", {}), lambda _line: None)
        try:
            yield app
        finally:
            app.close()

    def subscriber(self, address: str, *, edition: str = "daily", confirmed: bool = True) -> tuple[str, str]:
        """Put somebody on the list by the form; return the paths to confirm and to leave."""
        with self.app() as app:
            people = app.people.requests()
            with app.databases.open().write() as connection:
                asked = people.ask(
                    connection, address, edition=edition, source="form", text_version="1", now=now()
                )
                assert asked.consent is not None
                assert asked.subscriber is not None
                number = people.edition_number(connection, edition)
                if confirmed:
                    people.confirm(connection, asked.consent, now=now())
            token = app.keys.links().sign(Purpose.CONFIRM, asked.consent, now=now())
        return f"/c/{token}", f"/u/{key_text(asked.subscriber.key)}/{number}"

    def watch(self) -> None:
        """Keep every sign-up from now on: the server takes away those that it has worked through."""
        with closing(sqlite3.connect(self.folder / "newsletter.db", timeout=30)) as connection:
            connection.executescript(
                "CREATE TABLE IF NOT EXISTS asked(address, payload);"
                "CREATE TRIGGER IF NOT EXISTS watch AFTER INSERT ON notice WHEN NEW.kind = 'sign-up' "
                "BEGIN INSERT INTO asked VALUES (NEW.address, NEW.payload); END;"
            )

    def asked(self) -> list[tuple[str, dict[str, object]]]:
        """Return address and content of every sign-up since `watch`."""
        with closing(sqlite3.connect(self.folder / "newsletter.db", timeout=30)) as connection:
            rows = connection.execute("SELECT address, payload FROM asked").fetchall()
        return [(address, json.loads(payload)) for address, payload in rows]

    def state(self, address: str) -> SubscriptionState:
        """Return the state of somebody's first subscription."""
        with self.app() as app, app.databases.open().read() as connection:
            return app.people.subscribers().show(connection, address).subscriptions[0].state

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def serving(folder: Path, *arguments: str, settings: str = SETTINGS, url: str = "") -> Iterator[Served]:
    """Run a server on a free port; ``url`` is the database's, an SQLite file without it."""
    database = f'[database]\nurl = "{url}"\n' if url else ""
    (folder / "newsletter.toml").write_text(settings + database, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port", "0", *arguments], cwd=folder, env=clean, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    served = Served(folder=folder, address="", process=process)
    reader = threading.Thread(target=served.log.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        line = process.stdout.readline()
        assert "http://" in line, (line, served.log)
        served.address = line[line.index("http") :].split()[0].rstrip("/")
        if not url:
            served.watch()
        yield served
    finally:
        process.kill()
        process.wait()
        reader.join(10)
        process.stdout.close()
        process.stderr.close()
