"""Addresses that content names: a redirect never leads into a network that is not public."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from newsletter.errors import SourceError
from newsletter.http_client import HttpClient
from newsletter.public_address import is_public, public_pool
from tests.servers.papers_api import Fault, PapersApi, redirect


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    ],
)  # fmt: skip
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]
)
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data/", "http://localhost:1/", "http://[::1]:1/", "http://2130706433/",
     "http://0x7f.1/", "https://127.0.0.1/"],
)  # fmt: skip
def test_a_redirect_into_a_private_network_is_refused(target: str) -> None:
    with (
        PapersApi(faults=[redirect(target)]) as api,
        pytest.raises(SourceError, match=r"not a public address|is not known"),
    ):
        HttpClient(tries=1).get(f"{api.url}/feed")


def test_a_name_that_leads_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **more: Any) -> Any:
        if host != "rebind.example.org":
            return real(host, *args, **more)
        return [(2, 1, 6, "", ("93.184.215.14", 80)), (2, 1, 6, "", ("10.0.0.7", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with (
        PapersApi(faults=[redirect("http://rebind.example.org/")]) as api,
        pytest.raises(SourceError, match=r"10\.0\.0\.7, which is not a public address"),
    ):
        HttpClient(tries=1).get(f"{api.url}/feed")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def resolve(host: str, port: int, **_more: object) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.215.14", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    pool, host, path = public_pool("https://papers.example.org:8443/a?b=c")
    assert (pool.host, pool.port, host, path) == ("93.184.215.14", 8443, "papers.example.org:8443", "/a?b=c")
    assert pool.conn_kw["server_hostname"] == "papers.example.org", "the certificate is the name's"
    assert asked == ["papers.example.org"], "and no second look-up can say something else"


def test_a_redirect_to_the_same_place_is_followed_with_the_callers_headers() -> None:
    with PapersApi(contents={"/b": b"here"}, faults=[redirect("/b")]) as api:
        response = HttpClient().get(f"{api.url}/a", headers={"Authorization": "Bearer x"})
    assert response.body == b"here"
    assert api.headers[1]["Authorization"] == "Bearer x"


def test_another_host_does_not_get_the_callers_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    with PapersApi(contents={"/b": b"there"}) as other, PapersApi(faults=[redirect(f"{other.url}/b")]) as api:
        monkeypatch.setattr("newsletter.public_address.is_public", lambda _address: True)
        assert HttpClient().get(f"{api.url}/a", headers={"Authorization": "Bearer x"}).body == b"there"
    assert "Authorization" not in other.headers[0]
    assert other.headers[0]["Host"] == other.url.removeprefix("http://")


class TestRateLimit:
    @pytest.mark.parametrize(
        "headers",
        [
            {"RateLimit": '"api";r=0;t=7'},
            {"RateLimit": '"api";r=0;t=7, "day";r=90;t=9000'},
            {"RateLimit": "limit=100, remaining=0, reset=7"},
            {"RateLimit-Limit": "100", "RateLimit-Remaining": "0", "RateLimit-Reset": "7"},
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7"},
        ],
    )
    def test_a_server_that_is_used_up_is_not_asked_before_the_reset(self, headers: dict[str, str]) -> None:
        slept: list[float] = []
        now = [0.0]

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            now[0] += seconds

        with PapersApi(contents={"/a": b"1"}, faults=[Fault(headers=headers)]) as api:
            client = HttpClient(clock=lambda: now[0], sleep=sleep)
            client.get(f"{api.url}/a")
            assert slept == []
            client.get(f"{api.url}/a")
        assert slept == [7.0]

    @pytest.mark.parametrize(
        "headers",
        [
            {"RateLimit": '"api";r=3;t=60'},
            {"RateLimit": "limit=100, remaining=3, reset=60"},
            {"RateLimit-Remaining": "3", "RateLimit-Reset": "60"},
        ],
    )
    def test_what_remains_is_used(self, headers: dict[str, str]) -> None:
        slept: list[float] = []
        with PapersApi(contents={"/a": b"1"}, faults=[Fault(headers=headers)]) as api:
            client = HttpClient(sleep=slept.append)
            client.get(f"{api.url}/a")
            client.get(f"{api.url}/a")
        assert slept == []

    def test_clients_may_share_what_a_server_said(self) -> None:
        said: dict[str, float] = {}
        limit = Fault(headers={"RateLimit": '"api";r=0;t=300'})
        with PapersApi(contents={"/a": b"1"}, faults=[limit]) as api:
            HttpClient(free_at=said).get(f"{api.url}/a")
            with pytest.raises(SourceError, match="the rate limit is used up"):
                HttpClient(total=60, tries=1, free_at=said).get(f"{api.url}/a")
            assert len(api.requests) == 1

    def test_a_reset_that_is_too_far_is_said(self) -> None:
        with PapersApi(
            contents={"/a": b"1"}, faults=[Fault(headers={"RateLimit": '"api";r=0;t=300'})]
        ) as api:
            client = HttpClient(total=60, sleep=lambda _seconds: pytest.fail("it must not wait"))
            client.get(f"{api.url}/a")
            with pytest.raises(SourceError, match="the rate limit is used up; try again in 300 s"):
                client.get(f"{api.url}/a")

    def test_a_429_waits_as_the_limit_says(self) -> None:
        slept: list[float] = []
        limited = Fault(status=429, body=b"", headers={"RateLimit": '"api";r=0;t=4'})
        now = [0.0]

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            now[0] += seconds

        with PapersApi(contents={"/a": b"1"}, faults=[limited]) as api:
            assert HttpClient(clock=lambda: now[0], sleep=sleep).get(f"{api.url}/a").body == b"1"
        assert slept == [4.0]
