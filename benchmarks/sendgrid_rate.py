"""A whole send by SendGrid's API with its ledger, against one prebuilt body posted again and again over the same TLS.

The server is a process of its own on loopback that reads what it is told to expect and answers 202. A second pair
answers after 150 ms, as an API far away does: there as many recipients as eight connections carry are the measure.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks.clock import medians
from benchmarks.ledger import filled, planned
from newsletter.delivery import ledger
from newsletter.delivery.recipients import Links
from newsletter.delivery.sender import Sending
from newsletter.http_line import Place
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Letter, placeholder
from newsletter.providers.sendgrid import PATH, SendGridProvider, SendGridSettings
from newsletter.providers.sendgrid_payload import MOST_RECIPIENTS, Payload
from subscribers.store import deliverable
from tests.servers.sendgrid.process import Running, running
from tests.servers.sendgrid.server import KEY

PEOPLE = int(os.environ.get("SENDGRID_PEOPLE", "100000"))
FAR_PEOPLE = 3 * PEOPLE  # so that the first small pages and the last ones count for little
CONNECTIONS = 8
FAR = 0.15  # seconds
BOUND, FAR_BOUND = 0.30, 0.8
_LINKS = Links(public_url="https://news.example.org", unsubscribe_mailbox="")


def measure(runs: int = 5) -> Iterator[str]:
    """Yield the lines of the report."""
    with _serving() as api, _whole_send(api, PEOPLE, runs + 1) as send:
        ours, theirs = medians(send, lambda: _prebuilt(api), runs=runs)
    yield (
        f"sendgrid+ledger {theirs / ours:5.2f} x a prebuilt body ({PEOPLE / ours:,.0f} recipients a second against"
        f" {PEOPLE / theirs:,.0f}; at least {BOUND})"
    )
    with _serving("--delay", str(FAR)) as api, _whole_send(api, FAR_PEOPLE, 2) as send:
        send()
        began = perf_counter()
        send()
        rate = FAR_PEOPLE / (perf_counter() - began)
    most = CONNECTIONS * MOST_RECIPIENTS / FAR
    yield (
        f"sendgrid, far   {rate / most:5.2f} x {CONNECTIONS} connections of {MOST_RECIPIENTS:,} in {FAR:.2f} s"
        f" ({rate:,.0f} recipients a second against {most:,.0f}; at least {FAR_BOUND})"
    )


@contextmanager
def _serving(*options: str) -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running("--unchecked", *options, ca_file=Path(folder) / "ca.pem") as api,
    ):
        yield api


@contextmanager
def _whole_send(api: Running, people: int, sends: int) -> Iterator[Callable[[], None]]:
    """Give what sends the next of some issues that are planned, on a database of its own."""
    letter = _letter()
    provider = SendGridProvider(SendGridSettings(api_key=KEY, base_url=api.url, ca_file=api.ca_file))
    with tempfile.TemporaryDirectory() as folder:
        database, days = filled(folder, people), itertools.count()
        issues = [planned(database, days, letter) for _ in range(sends)]

        def send() -> None:
            issue = issues.pop()
            Sending(
                database=database, provider=provider, issue=issue, letter=letter, audience=deliverable("daily"),
                connections=CONNECTIONS, clock=lambda: datetime.now(UTC), links=_LINKS,
            ).run()  # fmt: skip
            with database.read() as connection:
                if ledger.counts(connection, issue.id).accepted != people:
                    raise RuntimeError("not everybody was accepted")

        yield send
        database.close()


def _prebuilt(api: Running) -> None:
    """Post the same body until as many recipients were in it."""
    payload = Payload(_letter())
    body = payload.of([payload.person(_reader(number)) for number in range(MOST_RECIPIENTS)])
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    place = Place(base_url=api.url, ca_file=api.ca_file)

    def post(requests: int) -> None:
        line = place.open()
        for _ in range(requests):
            if line.call("POST", PATH, body, headers).status != 202:
                raise RuntimeError("not accepted")
        line.close()

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(post, [PEOPLE // MOST_RECIPIENTS // CONNECTIONS] * CONNECTIONS))


def _letter() -> Letter:
    """Return a letter as large as ours are."""
    link = placeholder("unsubscribe_url")
    line = '<p style="margin:0">A paper shows something new, with a number: 47.3 %.</p>\n'
    return Letter(
        subject="Daily papers", html=f'{line * 600}<a href="{link}">Unsubscribe</a>\n',
        text=f"{'A paper shows something new.' * 2}\n" * 100 + f"{link}\n", language="en", from_name="Paper Post",
        from_address="n@example.org", date=datetime(2026, 1, 5, tzinfo=UTC), boundary="=_b",
    )  # fmt: skip


def _reader(number: int) -> Recipient:
    link = f"https://news.example.org/u/{number:026}/1"
    return Recipient(
        subscriber_id=number, address=f"reader{number}@example.org", name="",
        delivery_id=f"20260105.daily.{number:024}", message_id=f"<20260105.daily.{number:024}@example.org>",
        values={"unsubscribe_url": link},
        headers=(("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
    )  # fmt: skip


if __name__ == "__main__":
    for each in measure():
        print(each)
