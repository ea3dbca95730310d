"""The links of mails: confirm, leave, come back; with links that are right, and with all kinds that are not."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.app import now
from newsletter.delivery.tokens import LinkKeys, Purpose
from newsletter.web.leaving import ONE_CLICK_ANSWER
from subscribers.models import SubscriptionState, Through
from tests.support.serving import FORM, ONE_CLICK, Served

ACTIVE, PENDING, LEFT = SubscriptionState.ACTIVE, SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED
MULTIPART = b'--xx\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xx--\r\n'
UNKNOWN = "/u/" + "a" * 26 + "/1"


def history(served: Served, address: str) -> list[tuple[Through, str]]:
    """Return way and reason of each step of somebody."""
    with served.app() as app, app.databases.open().read() as connection:
        return [
            (each.step.through, each.step.reason)
            for each in app.people.subscribers().show(connection, address).history
        ]


def test_a_link_is_confirmed_by_its_button_and_not_by_looking(served: Served) -> None:
    confirm, _ = served.subscriber("confirm@example.org", confirmed=False)
    for _ in range(3):
        page = served.get(confirm)
        assert (page.status, page.heading) == (200, "Confirm that you want Daily Papers")
        assert served.ask("HEAD", confirm).status == 200
    assert served.state("confirm@example.org") is PENDING
    assert served.press(confirm).heading == "You are subscribed"
    assert served.state("confirm@example.org") is ACTIVE
    end = time.monotonic() + 10
    while time.monotonic() < end:
        box = served.folder / "outbox" / "new"
        mails = [file.read_text() for file in box.iterdir()] if box.exists() else []
        if any("confirm@example.org" in mail and "Subject: Welcome" in mail for mail in mails):
            break
        time.sleep(0.05)
    else:
        raise AssertionError("nobody was welcomed")
    assert served.press(confirm).heading == "You are subscribed", "pressed twice"


def forged(token: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(token + "=="))
    raw[-1] ^= 1
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def swapped(token: str) -> str:
    """Return a token that names the next consent under the same signature."""
    raw = bytearray(base64.urlsafe_b64decode(token + "=="))
    raw[14] ^= 1
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    ("spoil", "status", "heading"),
    [
        (forged, 404, "This link is not complete"),
        (swapped, 404, "This link is not complete"),
        (lambda token: token[:-1], 404, "This link is not complete"),
        (lambda token: token[:20], 404, "This link is not complete"),
        (lambda token: token + "=", 404, "This link is not complete"),
        (lambda token: token + "AAAA", 404, "This link is not complete"),
        (lambda _token: "%00", 404, "This link is not complete"),
        (lambda _token: "%C3%A9%0d%0aX-Evil:%201", 404, "This link is not complete"),
        (lambda token: token + "/", 404, "There is no such page"),
    ],
    ids=["forged", "swapped", "one short", "truncated", "padded", "longer", "a NUL", "a header", "a path"],
)
def test_a_spoilt_link_confirms_nothing(
    served: Served, spoil: Callable[[str], str], status: int, heading: str
) -> None:
    address = f"spoilt{id(spoil)}@example.org"
    confirm, _ = served.subscriber(address, confirmed=False)
    path = "/c/" + spoil(confirm.removeprefix("/c/"))
    honest = served.get(confirm)
    for answer in (
        served.get(path),
        served.post(path, {"token": honest.token}, cookie=honest.cookie, sec_fetch_site="same-origin"),
    ):
        assert (answer.status, answer.heading) == (status, heading)
        assert "x-evil" not in answer.headers
    assert served.state(address) is PENDING


def test_links_that_are_too_old_or_for_something_else(served: Served) -> None:
    served.subscriber("old@example.org", confirmed=False)
    with served.app() as app:
        keys = app.keys.links()
    late = keys.sign(Purpose.CONFIRM, 1, now=now() - timedelta(days=8))
    answer = served.get(f"/c/{late}")
    assert (answer.status, answer.heading) == (410, "This link does not work any more")
    assert 'href="/?lang=en"' in answer.body
    for wrong in (
        keys.sign(Purpose.MANAGE, 1, now=now()),
        LinkKeys(b"another secret, 32 bytes long....").sign(Purpose.CONFIRM, 1, now=now()),
    ):
        assert served.get(f"/c/{wrong}").heading == "This link is not complete"
    nobody = keys.sign(Purpose.CONFIRM, 999_999, now=now())
    assert served.get(f"/c/{nobody}").status == 410


def test_a_link_is_of_no_use_after_leaving(served: Served) -> None:
    confirm, leave = served.subscriber("reused@example.org")
    assert served.one_click(leave).status == 200
    answer = served.press(confirm)
    assert (answer.status, answer.heading) == (410, "This link does not work any more")
    assert served.state("reused@example.org") is LEFT


def test_a_foreign_form_confirms_nothing(served: Served) -> None:
    confirm, leave = served.subscriber("foreign@example.org", confirmed=False)
    honest = served.get(confirm)
    other = served.get(leave)
    for fields, headers in (
        ({}, {}),
        ({"token": honest.token}, {}),
        ({"token": honest.token}, {"sec_fetch_site": "cross-site", "cookie": honest.cookie}),
        ({"token": other.token}, {"cookie": other.cookie}),
        ({"token": served.get("/").token}, {"sec_fetch_site": "same-origin"}),
    ):
        answer = served.post(confirm, fields, **headers)
        assert answer.status == 403
        assert "Please press the button once more." in answer.body
        answer = served.post(leave, {"action": "leave", **fields}, **headers)
        assert (answer.status, answer.heading) in {
            (403, "Unsubscribe from Daily Papers?"), (200, "You are unsubscribed"),
        }  # fmt: skip
        assert (answer.status == 200) == (fields.get("token") == other.token)
        if answer.status == 200:
            assert served.post(leave, {"action": "undo", **fields}, **headers).heading == "Look in your inbox"
    assert served.state("foreign@example.org") is PENDING


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, ONE_CLICK),
        (f"{FORM}; charset=UTF-8", ONE_CLICK + b"\r\n"),
        ("multipart/form-data; boundary=xx", MULTIPART),
        ('Multipart/Form-Data; boundary="xx"', MULTIPART),
        ("text/plain", ONE_CLICK),
        ("", b"list-unsubscribe=one-click"),
    ],
)
def test_one_click_unsubscribes_at_once(served: Served, kind: str, body: bytes) -> None:
    address = f"click{abs(hash((kind, body)))}@example.org"
    _, leave = served.subscriber(address)
    first = served.ask("POST", leave, body, {"Content-Type": kind})
    assert served.state(address) is LEFT
    answers = [
        first, served.ask("POST", leave, body, {"Content-Type": kind}),
        served.ask("POST", UNKNOWN, body, {"Content-Type": kind}),
        served.ask("POST", "/u/nonsense/x", body, {"Content-Type": kind}),
    ]  # fmt: skip
    assert {(each.status, each.body) for each in answers} == {(200, ONE_CLICK_ANSWER)}
    assert all("set-cookie" not in each.headers and "location" not in each.headers for each in answers)
    assert [way for way, _ in history(served, address)][-1:] == [Through.ONE_CLICK]
    assert len(history(served, address)) == 3, "asked, confirmed, left: and not left twice"


def test_the_case_of_a_key_does_not_matter(served: Served) -> None:
    _, leave = served.subscriber("case@example.org")
    _, _, key, number = leave.split("/")
    assert served.one_click(f"/u/{key.upper()}/{number}").status == 200
    assert served.state("case@example.org") is LEFT


@pytest.mark.parametrize("number", ["2", "0", "-1", "1x", "9" * 5000, "٣", "1%0a"])
def test_a_link_for_another_edition_changes_nothing(served: Served, number: str) -> None:
    address = f"edition{abs(hash(number))}@example.org"
    _, leave = served.subscriber(address)
    other = f"{leave.rpartition('/')[0]}/{number if number.isascii() else '%D9%A3'}"
    assert served.one_click(other).body == ONE_CLICK_ANSWER
    assert served.get(other).heading == "Unsubscribe from Daily Papers?"
    assert served.state(address) is ACTIVE


def test_leaving_by_the_page_with_a_reason_and_back(served: Served) -> None:
    _, leave = served.subscriber("page@example.org")
    for _ in range(2):
        assert served.get(leave).heading == "Unsubscribe from Daily Papers?"
    assert served.state("page@example.org") is ACTIVE
    left = served.press(leave, action="leave")
    assert left.heading == "You are unsubscribed"
    assert served.state("page@example.org") is LEFT
    told = served.press(
        leave, action="reason", reason="many", words="three a\r\nday\x00 is\u202etoo much" + "x" * 300
    )
    assert "Thank you for telling us." in told.body
    through, reason = history(served, "page@example.org")[-1]
    assert (through, reason[:44]) == (Through.FORM, "too many letters: three a day is too muchxxx")
    assert len(reason) <= 200
    assert served.press(leave, action="undo").heading == "You are subscribed again"
    assert served.state("page@example.org") is ACTIVE
    served.press(leave, action="reason", reason="many")
    assert served.state("page@example.org") is ACTIVE, "a reason of another tab ends nothing"


def test_who_is_unknown_sees_the_same_pages(served: Served) -> None:
    _, leave = served.subscriber("same@example.org")

    def plain(body: str, token: str) -> str:
        return body.replace(token, "")

    pairs = []
    for path in (leave, UNKNOWN):
        page = served.get(path)
        left = served.post(path, {"token": page.token, "action": "leave"}, cookie=page.cookie)
        pairs.append((plain(page.body, page.token), plain(left.body, left.token)))
    assert pairs[0] == pairs[1]
    assert "same@example.org" not in pairs[0][0] + pairs[0][1]
    assert served.press(UNKNOWN, action="undo").status == 410


def test_who_complained_is_not_brought_back(served: Served) -> None:
    _, leave = served.subscriber("barred@example.org")
    served.one_click(leave)
    with served.app() as app, app.databases.open().write() as connection:
        app.people.suppressions().suppress(
            connection, "barred@example.org", reason="complained", actor="test", now=now()
        )
    assert served.press(leave, action="undo").status == 410
    assert served.state("barred@example.org") is LEFT
