"""Events that a provider posts to `newsletter serve`: believed or not, kept, worked through, and lost never."""

from __future__ import annotations

import contextlib
import http.client
import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.database import Database
from newsletter.delivery.recipients import delivery_id
from newsletter.web.events import MOST_BYTES, MOST_HELD
from subscribers.store import keys_of
from tests.support.issues import DAY, add_readers, plan_issue
from tests.support.sendgrid_posts import SIGNATURE, SendGridSigner, body_of, posted
from tests.support.serving import SETTINGS, Answer, Served, serving
from tests.support.stored import stored
from tests.support.torture import length, tell

SIGNER = SendGridSigner()
OURS = f'{SETTINGS}[provider.sendgrid]\nwebhook_key = "{SIGNER.verification_key}"\n'
READERS = 40
ACCEPTED, BOUNCED = 2, 2


@pytest.fixture(scope="module")
def taking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server that takes SendGrid's events, with an issue on its way."""
    with serving(tmp_path_factory.mktemp("taking"), settings=OURS) as served:
        plan(served.folder)
        yield served


def plan(folder: Path) -> None:
    database = Database(folder / "newsletter.db")
    add_readers(database, READERS)
    plan_issue(database)
    database.close()


def names(folder: Path) -> dict[int, str]:
    """Return the name of each reader's delivery."""
    database = Database(folder / "newsletter.db")
    with database.read() as connection:
        keys = keys_of(connection, range(1, READERS + 1))
    database.close()
    return {number: delivery_id(DAY, "daily", key) for number, key in keys.items()}


def about(folder: Path, event: str, number: int, **fields: Any) -> dict[str, Any]:
    return posted(event, number, delivery=names(folder)[number], reader=str(number), **fields)


def post(served: Served, body: bytes) -> Answer:
    return served.ask("POST", "/events/sendgrid", body, SIGNER.headers(body, datetime.now(UTC)))


def wait(folder: Path, seconds: float = 60) -> None:
    """Wait until no event waits."""
    end = time.monotonic() + seconds
    while stored(folder, "SELECT 1 FROM event WHERE state = 0 LIMIT 1"):
        assert time.monotonic() < end, "events wait and nobody works them through"
        time.sleep(0.05)


def test_events_are_put_down_and_worked_through(taking: Served) -> None:
    body = body_of(
        [
            about(taking.folder, "processed", 1),
            about(
                taking.folder, "bounce", 1, status="5.1.1", reason="550 5.1.1 <reader1@example.org> unknown"
            ),
            about(taking.folder, "unsubscribe", 2),
            posted("spamreport", 3),
        ]
    )

    assert (post(taking, body).status, post(taking, body).body) == (200, "0 new of 4\n")
    wait(taking.folder)
    settled = stored(taking.folder, "SELECT state, outcome FROM delivery WHERE subscriber_id IN (1, 2, 3)")
    assert settled == [(ACCEPTED, BOUNCED), (ACCEPTED, 0), (0, 0)]
    assert stored(taking.folder, "SELECT state FROM subscriber WHERE id IN (1, 2, 3)") == [
        (11,),
        (10,),
        (10,),
    ]
    left = stored(taking.folder, "SELECT state FROM subscription WHERE subscriber_id IN (1, 2, 3)")
    assert left == [(1,), (3,), (1,)]
    assert not [row for row in stored(taking.folder, "SELECT payload FROM event") if b"@" in row[0]]


def test_what_is_not_proven_is_refused_and_told_without_its_words(taking: Served) -> None:
    before = stored(taking.folder, "SELECT count(*) FROM event")
    body = body_of([posted("spamreport", 7)])
    forged = SendGridSigner().headers(body, datetime.now(UTC))
    old = SIGNER.headers(body, datetime(2024, 9, 12, tzinfo=UTC))
    answers = [
        taking.ask("POST", "/events/sendgrid", body, headers)
        for headers in ({}, forged, old, {**forged, SIGNATURE: "é"})
    ]

    assert {(answer.status, answer.body) for answer in answers} == {(401, "not proven\n")}
    assert stored(taking.folder, "SELECT count(*) FROM event") == before
    taking.get("/health")
    log = "".join(taking.log)
    assert "events of sendgrid refused: has a wrong signature" in log
    assert "POST /events/{provider} 401" in log
    assert "reader7" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("path", ["/events/ses", "/events/", "/events/sendgrid/more", "/events/SENDGRID"])
def test_who_is_not_configured_is_not_there(taking: Served, path: str) -> None:
    assert taking.ask("POST", path, b"[]").status == 404
    assert taking.ask("GET", "/events/sendgrid").status == 405
    taking.get("/health")
    if path == "/events/ses":
        assert "events refused: nobody's are taken at that address, but at /events/sendgrid" in "".join(
            taking.log
        )


def test_serve_says_where_events_are_taken(tmp_path: Path) -> None:
    settings = OURS.replace("[web]\n", '[web]\npublic_url = "https://news.example.org/papers/"\n')
    with serving(tmp_path, settings=settings) as served:
        assert served.process.stdout is not None
        said = served.process.stdout.readline()
    assert said == "Events of sendgrid are taken at https://news.example.org/papers/events/sendgrid\n"


def test_without_a_key_nothing_is_taken(served: Served) -> None:
    assert (
        served.ask("POST", "/events/sendgrid", b"[]", SIGNER.headers(b"[]", datetime.now(UTC))).status == 404
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[" * 100_000, b"null", b"[[[]]]", b'[{"event":1}]', b"\x00" * 50, b'[{"sg_event_id":"\\ud800"}]'],
)  # fmt: skip
def test_no_bytes_are_a_fault(taking: Served, body: bytes) -> None:
    assert post(taking, body).status in {200, 401}
    wait(taking.folder)
    assert "Traceback" not in "".join(taking.log)


def test_ten_megabytes_are_taken_and_no_byte_more(taking: Served) -> None:
    events = [
        posted("delivered", number, sg_event_id=f"large {number}", note="x" * 900) for number in range(9_000)
    ]
    body = body_of(events)
    body = body[:-1] + b" " * (MOST_BYTES - len(body)) + b"]"

    assert (post(taking, body).status, len(body)) == (200, MOST_BYTES)
    assert taking.ask("POST", "/events/sendgrid", b"", {"Content-Length": str(MOST_BYTES + 1)}).status == 413
    connection = http.client.HTTPConnection("127.0.0.1", taking.port, timeout=30)
    with closing(connection):
        try:
            chunks = (b"x" * 2**16 for _ in range(MOST_BYTES // 2**16 + 2))
            connection.request("POST", "/events/sendgrid", chunks, encode_chunked=True)
            assert connection.getresponse().status == 413
        except (BrokenPipeError, ConnectionResetError):
            pass  # it hung up while we wrote on
    assert taking.ask("POST", "/subscribe", b"x" * 20_000).status == 413, "a form stays small"
    wait(taking.folder)
    assert stored(taking.folder, "SELECT count(*) FROM event WHERE event_id LIKE 'large %'") == [(9_000,)]


def test_bodies_that_do_not_end_fill_no_memory_and_keep_nobody_out(taking: Served) -> None:
    head = f"POST /events/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: {MOST_BYTES}\r\n\r\n".encode()
    idle = [socket.create_connection(("127.0.0.1", taking.port)) for _ in range(MOST_HELD // MOST_BYTES + 1)]
    try:
        for connection in idle:
            connection.sendall(head + b"[")
        assert post(taking, b"[]").body == "0 new of 0\n"
        for connection in idle:
            with contextlib.suppress(OSError):
                connection.sendall(b" " * (MOST_BYTES - 2))
        refused = select.select(idle, [], [], 10)[0][0]  # one of them, whichever was the last to be read
        try:
            said = refused.recv(100)
        except ConnectionResetError:
            said = b""
        assert said.startswith(b"HTTP/1.1 503 ") or not said  # it hangs up while we write on
    finally:
        for connection in idle:
            connection.close()
    end = time.monotonic() + 20
    while post(taking, b"[" + b" " * (MOST_BYTES - 2) + b"]").status != 200:
        assert time.monotonic() < end


def test_a_broken_database_is_told_so_that_it_is_posted_again(taking: Served) -> None:
    body = body_of([about(taking.folder, "click", 5)])
    stored(taking.folder, "ALTER TABLE event RENAME TO gone")
    try:
        assert post(taking, body).status == 503
    finally:
        stored(taking.folder, "ALTER TABLE gone RENAME TO event")
    assert post(taking, body).body == "1 new of 1\n"


def test_a_burst_in_several_posts_twice_and_out_of_order(tmp_path: Path) -> None:
    number, size, chance = length(5_000, 100_000), 1_000, random.Random(3)
    with serving(tmp_path, settings=OURS) as served:
        plan(tmp_path)
        named = names(tmp_path)
        events = [
            posted(
                kind, reader, sg_event_id=f"{each}-{kind}", delivery=named[reader], reader=str(reader)
            )
            for each in range(number // 2)
            for reader in [each % READERS + 1]
            for kind in ("processed", "delivered")
        ]  # fmt: skip
        chance.shuffle(events)
        bodies = [body_of(events[begin : begin + size]) for begin in range(0, number, size)] * 2
        chance.shuffle(bodies)
        answers: list[Answer] = []
        began = time.monotonic()
        threads = [
            threading.Thread(target=lambda part=part: answers.extend(post(served, body) for body in part))
            for part in (bodies[0::2], bodies[1::2])
        ]
        for thread in threads:
            thread.start()
        _, leave = served.subscriber("leaves@example.org")
        clicked = [served.one_click(leave).status for _ in range(5)]
        for thread in threads:
            thread.join()
        taken = time.monotonic()
        wait(tmp_path, 300)
        ended = time.monotonic()

        assert Counter(answer.status for answer in answers) == {200: len(bodies)}
        assert sum(int(answer.body.split()[0]) for answer in answers) == number
        assert clicked == [200] * 5
        assert stored(tmp_path, "SELECT state, count(*) FROM event GROUP BY state") == [(1, number)]
        assert stored(tmp_path, "SELECT DISTINCT state, outcome FROM delivery") == [(ACCEPTED, 1)]
    tell(
        f"{number:,} events posted twice in {taken - began:.1f} s, worked through {ended - taken:.1f} s later"
    )


def test_nothing_is_lost_when_it_is_killed_while_it_works(tmp_path: Path) -> None:
    chance, size, sent = random.Random(7), length(600, 1_500), 0
    for kill in range(length(2, 12)):
        with serving(tmp_path, settings=OURS) as served:
            if not kill:
                plan(tmp_path)
            named = names(tmp_path)
            body = body_of(
                [
                    posted(
                        "bounce", reader, sg_event_id=f"{kill}-{each}", delivery=named[reader], reader=str(reader),
                        status="5.2.2", reason="552 5.2.2 mailbox full",
                    )
                    for each in range(size)
                    for reader in [each % READERS + 1]
                ]
            )  # fmt: skip
            assert post(served, body).body == f"{size} new of {size}\n"
            sent += size
            time.sleep(chance.uniform(0, 0.2))
            served.process.kill()
            served.process.wait()
        assert stored(tmp_path, "SELECT count(*) FROM event") == [(sent,)], "what was answered is on the disk"
    assert stored(tmp_path, "SELECT 1 FROM event WHERE state = 0 LIMIT 1"), (
        "it was killed before all was done"
    )
    with serving(tmp_path, settings=OURS):
        wait(tmp_path)
    assert stored(tmp_path, "SELECT state, count(*) FROM event GROUP BY state") == [(1, sent)]
    assert stored(tmp_path, "SELECT DISTINCT state, outcome FROM delivery") == [(ACCEPTED, BOUNCED)]
    assert stored(tmp_path, "SELECT DISTINCT state FROM subscriber") == [(10,)], "each letter counts once"
