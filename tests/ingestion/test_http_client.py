"""The client against a real server that misbehaves."""

from __future__ import annotations

import gzip
import json
import socket
import time

import pytest

from newsletter import __version__
from newsletter.errors import SourceError
from newsletter.http_client import HttpClient
from tests.servers.papers_api import Fault, PapersApi, gzip_bomb, redirect, too_many_requests

PATH = "/api/daily_papers?date=2024-09-12"
DAYS = {"2024-09-12": [{"paper": {"id": "2409.06820"}}]}


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> HttpClient:
    return HttpClient(clock=clock, sleep=clock.sleep)


def test_get_returns_status_headers_and_body(client: HttpClient) -> None:
    with PapersApi(days=DAYS) as api:
        response = client.get(
            f"{api.url}/api/daily_papers", params={"date": "2024-09-12"}, headers={"Accept": "text/x"}
        )
        assert response.status == 200
        assert response.headers["content-type"] == "application/json"
        assert json.loads(response.body)[0]["paper"]["id"] == "2409.06820"
        assert api.requests == [PATH]
        assert api.headers[0]["User-Agent"] == f"daily-papers-newsletter/{__version__}"
        assert api.headers[0]["Accept"] == "text/x"


def test_client_errors_are_answers(client: HttpClient, clock: Clock) -> None:
    with PapersApi() as api:
        assert client.get(f"{api.url}/nowhere").status == 404
        assert client.get(f"{api.url}/api/daily_papers").status == 400
        assert len(api.requests) == 2
    assert clock.slept == []


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=503), Fault(drop=0), Fault(drop=5)])
def test_passing_faults_are_tried_again(client: HttpClient, clock: Clock, fault: Fault) -> None:
    with PapersApi(days=DAYS, faults=[fault, fault, None]) as api:
        assert client.get(api.url + PATH).status == 200
        assert len(api.requests) == 3
    first, second = clock.slept
    assert 0.5 <= first <= 0.75
    assert 1.0 <= second <= 1.5


def test_lasting_faults_become_one_error(client: HttpClient) -> None:
    with (
        PapersApi(faults=[Fault(status=502)] * 9) as api,
        pytest.raises(SourceError, match=r"answered 502, 4 times; try again later"),
    ):
        client.get(api.url + PATH)
    assert len(api.requests) == 4


def test_retry_after_is_honoured(client: HttpClient, clock: Clock) -> None:
    with PapersApi(days=DAYS, faults=[too_many_requests("7"), too_many_requests()]) as api:
        assert client.get(api.url + PATH).status == 200
    assert clock.slept[0] == 7
    assert clock.slept[1] < 2


def test_unreadable_retry_after_is_ignored(client: HttpClient, clock: Clock) -> None:
    with PapersApi(days=DAYS, faults=[too_many_requests("soon")]) as api:
        assert client.get(api.url + PATH).status == 200
    assert clock.slept[0] < 1


def test_retry_after_never_waits_past_the_total_time(client: HttpClient, clock: Clock) -> None:
    with (
        PapersApi(days=DAYS, faults=[too_many_requests("300")]) as api,
        pytest.raises(SourceError, match=r"answered 429.*try again in 300 s or later"),
    ):
        client.get(api.url + PATH)
    assert clock.slept == []


def test_nobody_listens(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match=r"no connection.*refused.*4 times; try again later"):
        client.get(f"http://127.0.0.1:{port}/")


def test_a_silent_server_ends_in_time() -> None:
    with PapersApi(faults=[Fault(delay=1)] * 2) as api, pytest.raises(SourceError, match="no answer in time"):
        HttpClient(read=0.1, tries=2, backoff=0.01).get(api.url + PATH)


@pytest.mark.timeout(20)  # a hang fails
def test_a_dripping_server_ends_at_the_total_time() -> None:
    with (
        PapersApi(faults=[Fault(body=b"x" * 40, drip=0.1)]) as api,
        pytest.raises(SourceError, match=r"took longer than 1 s"),
    ):
        HttpClient(total=1).get(api.url + PATH)


@pytest.mark.timeout(20)  # a hang fails
def test_headers_that_drip_end_at_the_total_time() -> None:
    with PapersApi(faults=[Fault(drip_headers=0.05)]) as api:  # about 15 s of them
        began = time.monotonic()
        with pytest.raises(SourceError, match="no answer in time"):
            HttpClient(total=0.5).get(api.url + PATH)
        assert time.monotonic() - began < 5


def test_gzip_is_unpacked(client: HttpClient) -> None:
    packed = Fault(body=gzip.compress(b"[]"), headers={"Content-Encoding": "gzip"})
    with PapersApi(faults=[packed]) as api:
        assert client.get(api.url + PATH).body == b"[]"


def test_damaged_gzip_is_tried_again(client: HttpClient) -> None:
    damaged = Fault(body=b"no gzip at all", headers={"Content-Encoding": "gzip"})
    with PapersApi(days=DAYS, faults=[damaged]) as api:
        assert client.get(api.url + PATH).status == 200


def test_a_gzip_bomb_stops_at_the_limit(client: HttpClient) -> None:
    with PapersApi(faults=[gzip_bomb(64)]) as api, pytest.raises(SourceError, match="larger than 32 MB"):
        client.get(api.url + PATH)
    assert len(api.requests) == 1


def test_a_large_answer_stops_at_the_limit() -> None:
    with (
        PapersApi(faults=[Fault(body=b"x" * 3_000_000)]) as api,
        pytest.raises(SourceError, match="larger than 2 MB"),
    ):
        HttpClient(max_bytes=2 * 1024 * 1024).get(api.url + PATH)


def test_redirects_are_followed(client: HttpClient) -> None:
    with PapersApi(days=DAYS) as api:
        api.faults = [redirect(PATH), redirect(f"{api.url}{PATH}&limit=3", 308)]
        assert client.get(api.url + "/old").status == 200
        assert api.requests == ["/old", PATH, f"{PATH}&limit=3"]


def test_redirects_end(client: HttpClient) -> None:
    with (
        PapersApi(faults=[redirect("/again")] * 9) as api,
        pytest.raises(SourceError, match="redirects more than 5 times"),
    ):
        client.get(api.url)
    assert len(api.requests) == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/x", "http://[", "javascript:alert(1)"]
)
def test_redirects_leave_the_web_never(client: HttpClient, target: str) -> None:
    with PapersApi(faults=[redirect(target)]) as api, pytest.raises(SourceError, match="check the address"):
        client.get(api.url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/x", "example", "", "http://", "http://["]
)
def test_only_the_web_is_fetched(client: HttpClient, url: str) -> None:
    with pytest.raises(SourceError, match="check the address"):
        client.get(url)


def test_errors_show_neither_password_nor_query(client: HttpClient) -> None:
    with PapersApi(faults=[Fault(status=500)] * 4) as api, pytest.raises(SourceError) as caught:
        client.get(api.url.replace("//", "//me:hidden@") + "/feed?token=hidden")
    assert "hidden" not in str(caught.value)
    assert f"{api.url}/feed" in str(caught.value)
