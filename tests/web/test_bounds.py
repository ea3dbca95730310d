"""From whom a request comes, how many sign-ups are taken, what a form's token says, kinds of addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import ConfigError
from newsletter.web.bounds import SignUpLimits, client_of, network_of, networks
from newsletter.web.forms import Browser, FormKeys, Seen, fields
from subscribers.addresses import parse_address
from subscribers.kinds import is_disposable, is_role

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PROXIES = networks(["127.0.0.0/8", "10.0.0.0/8", "::1"], "web.trusted_proxies")


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("203.0.113.9", [], "203.0.113.0/24"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.0/24"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.0/24"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.0/24"),
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1, 10.1.2.3"], "198.51.100.0/24"),
        ("127.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.0/24"),
        ("127.0.0.1", [], "127.0.0.0/24"),
        ("::1", ["2001:db8:1:2::7"], "2001:db8:1::/48"),
        ("127.0.0.1", ["[2001:db8:1:2::7]:443"], "2001:db8:1::/48"),
        ("127.0.0.1", ["198.51.100.1:5000"], "198.51.100.0/24"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.0/24"),
        ("127.0.0.1", ["1.1.1.1, nonsense"], ""),
        ("127.0.0.1", ["1.1.1.1, "], ""),
        ("", ["1.1.1.1"], ""),
    ],
)
def test_only_our_proxies_are_believed(peer: str, forwarded: list[str], network: str) -> None:
    assert network_of(client_of(peer, forwarded, PROXIES)) == network


def test_a_network_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match=r"^web\.metrics: .* is no network"):
        networks(["10.0.0.0/99"], "web.metrics")


def test_a_network_has_its_hour_and_all_have_their_minute() -> None:
    limits = SignUpLimits(per_network=2, per_minute=3)
    assert [limits.take("a", NOW) for _ in range(3)] == [True, True, False]
    assert [limits.take("b", NOW) for _ in range(2)] == [True, False]
    later = NOW + timedelta(minutes=1)
    assert [limits.take(name, later) for name in ("a", "b", "b", "c")] == [False, True, False, True]
    assert limits.take("a", NOW + timedelta(hours=1))


def test_what_a_token_says() -> None:
    keys, own = FormKeys(b"k" * 32), Browser(cookie="c" * 22, site="")
    token = keys.sign("subscribe", own, now=NOW)

    def seen(
        *, purpose: str = "subscribe", browser: Browser = own, after: timedelta = timedelta(seconds=3)
    ) -> Seen:
        return keys.read(token, purpose, browser, now=NOW + after)

    assert seen() is Seen.GOOD
    assert seen(purpose="c x") is Seen.FORGED
    assert seen(browser=Browser(cookie="d" * 22, site="")) is Seen.FOREIGN
    assert seen(browser=Browser(cookie="", site="same-origin")) is Seen.GOOD
    assert seen(browser=Browser(cookie="c" * 22, site="cross-site")) is Seen.FOREIGN
    assert seen(browser=Browser(cookie="c" * 22, site="none")) is Seen.GOOD
    assert seen(after=timedelta(seconds=1.9)) is Seen.FAST
    assert seen(after=timedelta(hours=24, seconds=1)) is Seen.STALE
    assert seen(after=-timedelta(seconds=1)) is Seen.STALE
    assert FormKeys(b"l" * 32).read(token, "subscribe", own, now=NOW) is Seen.FORGED
    assert keys.read("", "subscribe", own, now=NOW) is Seen.MISSING


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=%C3%A9+x&a=2", {"a": "1", "b": "é x"}),
        ("application/x-www-form-urlencoded", b"a=%ff", {"a": "\ufffd"}),
        ("application/x-www-form-urlencoded", b"\xff", {}),
        ("application/x-www-form-urlencoded", b"a=1&" * 30, {}),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xc3\xa9\r\n--x--', {"a": "é"}),
        ("multipart/form-data", b"--x", {}),
    ],
    ids=["plain", "no UTF-8", "no ASCII", "too many", "parts", "no boundary"],
)  # fmt: skip
def test_forms_are_read(kind: str, body: bytes, found: dict[str, str]) -> None:
    assert fields(kind, body) == found


@pytest.mark.parametrize(
    ("address", "role", "disposable"),
    [
        ("info@example.org", True, False),
        ("INFO+news@example.org", True, False),
        ("information@example.org", False, False),
        ("ada@mailinator.com", False, True),
        ("ada@x.y.Mailinator.com", False, True),
        ("ada@mailinator.com.example.org", False, False),
    ],
)
def test_kinds_of_addresses(address: str, *, role: bool, disposable: bool) -> None:
    parsed = parse_address(address)
    assert (is_role(parsed), is_disposable(parsed)) == (role, disposable)
