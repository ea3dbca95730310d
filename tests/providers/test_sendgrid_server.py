"""The local SendGrid keeps SendGrid's rules: a server that takes everything would prove nothing of the sender."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail import (
    Category,
    Content,
    CustomArg,
    Email,
    Header,
    Mail,
    MailSettings,
    Personalization,
    SandBoxMode,
    Substitution,
    To,
)

from newsletter.http_line import NoAnswer, NotSent, Place
from tests.servers.sendgrid import Cut, Fate, Fault, SendGridApi, Webhook, proxy_error, seeded
from tests.servers.sendgrid.process import running
from tests.servers.sendgrid.server import KEY, SEND
from tests.support.sendgrid_posts import SIGNATURE, TIMESTAMP


@pytest.fixture(scope="module")
def api() -> Iterator[SendGridApi]:
    with SendGridApi() as server:
        yield server


def post(api: SendGridApi, payload: Any, *, key: str = KEY) -> Any:
    """Post a request by the package's own client; return its response, also one that it raises."""
    client = SendGridAPIClient(key, host=api.url)
    client.client.timeout = 10
    try:
        return client.client.mail.send.post(request_body=payload)
    except HTTPError as refused:
        return refused


def errors_of(answer: Any) -> list[tuple[str, str]]:
    """Return field and message of each error."""
    return [(each["field"], each["message"]) for each in json.loads(answer.body)["errors"]]


def mail_to(*addresses: str) -> dict[str, Any]:
    """Return a good request, made by the package's helpers."""
    mail = Mail()
    mail.from_email = Email("daily@example.org", "Daily")
    mail.subject = "Papers for %name%"
    for address in addresses:
        block = Personalization()
        block.add_to(To(address, "Ada"))
        block.add_substitution(Substitution("%name%", address.partition("@")[0]))
        block.add_header(Header("List-Unsubscribe", f"<https://example.org/u/{address}>"))
        block.add_custom_arg(CustomArg("delivery", f"d-{address}"))
        mail.add_personalization(block)
    mail.add_content(Content("text/plain", "Hello %name%"))
    mail.add_content(Content("text/html", "<p>Hello %name%</p>"))
    mail.add_header(Header("X-Issue", "7"))
    mail.add_custom_arg(CustomArg("issue", "7"))
    mail.add_category(Category("daily"))
    request: dict[str, Any] = mail.get()
    request["personalizations"].reverse()  # the helpers turn them round
    return request


def test_a_good_request_becomes_a_mail_for_each_recipient() -> None:
    with SendGridApi() as api:
        answer = post(api, mail_to("ada@example.org", "bob@example.org"))
        ada = next(each for each in api.delivered if each.address == "ada@example.org")
        assert (answer.status_code, answer.body) == (202, b"")
        assert answer.headers["X-Message-Id"] == ada.message_id
        assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(answer.headers)
        assert (ada.name, ada.sender, ada.subject) == ("Ada", "daily@example.org", "Papers for ada")
        assert (ada.text, ada.html) == ("Hello ada", "<p>Hello ada</p>")
        assert ada.headers == {"X-Issue": "7", "List-Unsubscribe": "<https://example.org/u/ada@example.org>"}
        assert ada.custom_args == {"issue": "7", "delivery": "d-ada@example.org"}
        assert (ada.categories, ada.request) == (("daily",), 1)
        assert api.counts == {"ada@example.org": 1, "bob@example.org": 1}


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda request: request.pop(name)


def changed(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda request: request.update(values)


def first(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda request: request["personalizations"][0].update(values)


BIG = {"key": "x" * 9_998}
BROKEN = {
    "an unknown key": (changed(colour="red"), "colour"),
    "an unknown key of a personalization": (first(colour="red"), "personalizations.0.colour"),
    "no from": (without("from"), "from.email"),
    "a malformed from": (changed(**{"from": {"email": "daily"}}), "from.email"),
    "no subject": (without("subject"), "subject"),
    "no content": (without("content"), "content"),
    "an empty content": (changed(content=[]), "content"),
    "an empty value": (changed(content=[{"type": "text/plain", "value": ""}]), "content.0.value"),
    "html before text": (
        changed(content=[{"type": "text/html", "value": "a"}, {"type": "text/plain", "value": "a"}]),
        "content",
    ),
    "no personalization": (changed(personalizations=[]), "personalizations"),
    "nobody to send to": (first(to=[]), "personalizations.0.to"),
    "to as an object": (first(to={"email": "a@example.org"}), "personalizations.0.to"),
    "a malformed address": (first(to=[{"email": "ada@@example.org"}]), "personalizations.0.to.0.email"),
    "an address with a dot at its end": (first(to=[{"email": "ada.@x.org"}]), "personalizations.0.to.0.email"),
    "an address with a line": (first(to=[{"email": "a\n@example.org"}]), "personalizations.0.to.0.email"),
    "a malformed cc": (first(cc=[{"email": "nobody"}]), "personalizations.0.cc.0.email"),
    "an address twice, in other letters": (first(to=[{"email": "BOB@Example.org"}]), "personalizations.1"),
    "an address in to and bcc": (first(bcc=[{"email": "ada@example.org"}]), "personalizations.0"),
    "a header that is not text": (first(headers={"X-A": 7}), "personalizations.0.headers.X-A"),
    "a header of two lines": (first(headers={"X-A": "a\r\nBcc: b"}), "personalizations.0.headers.X-A"),
    "a header's name with a space": (changed(headers={"X A": "a"}), "headers.X A"),
    "substitutions too large": (first(substitutions=BIG), "personalizations.0.substitutions"),
    "a substitution that is not text": (first(substitutions={"%n%": 7}), "personalizations.0.substitutions"),
    "custom_args too large": (first(custom_args=BIG), "personalizations.0.custom_args"),
    "custom_args too large together": (
        lambda request: (changed(custom_args={"a": "x" * 5_000})(request), first(custom_args={"b": "x" * 5_000})(request)),
        "personalizations.0.custom_args",
    ),
    "an integer in custom_args": (changed(custom_args={"issue": 7}), "personalizations.0.custom_args"),
    "custom_args as text": (changed(custom_args="{}"), "personalizations.0.custom_args"),
    "a category twice": (changed(categories=["daily", "daily"]), "categories"),
    "eleven categories": (changed(categories=[f"c{number}" for number in range(11)]), "categories"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_refuses_the_whole_request(case: str, api: SendGridApi) -> None:
    change, field = BROKEN[case]
    request = mail_to("ada@example.org", "bob@example.org")
    change(request)
    before = len(api.delivered)
    answer = post(api, request)
    assert answer.status_code == 400
    assert field in [each for each, _ in errors_of(answer)]
    assert all(set(each) == {"message", "field", "help"} for each in json.loads(answer.body)["errors"])
    assert len(api.delivered) == before


PROTECTED = (
    "x-sg-id", "X-SG-EID", "Received", "DKIM-Signature", "Content-Type", "Content-Transfer-Encoding", "To", "From",
    "Subject", "Reply-To", "CC", "BCC",
)  # fmt: skip


@pytest.mark.parametrize("name", PROTECTED)
def test_a_protected_header_is_refused_for_the_message_and_for_a_recipient(
    name: str, api: SendGridApi
) -> None:
    for change, field in (
        (changed(headers={name: "a"}), f"headers.{name}"),
        (first(headers={name: "a"}), f"personalizations.0.headers.{name}"),
    ):
        request = mail_to("ada@example.org")
        change(request)
        assert [each for each, _ in errors_of(post(api, request))] == [field]


def test_limits_are_taken_to_the_last_one(api: SendGridApi) -> None:
    request = mail_to("ada@example.org")
    block = request["personalizations"][0]
    request["categories"] = [f"c{number}" for number in range(10)]
    block["substitutions"] = {"%name%": "x" * 9_994}
    request["custom_args"] = {"a": "x" * 4_999}
    block["custom_args"] = {"b": "x" * 4_999}
    assert post(api, request).status_code == 202
    request["personalizations"] = [{"to": [{"email": f"r{number}@example.org"}]} for number in range(1_000)]
    assert post(api, request).status_code == 202
    request["personalizations"][0]["cc"] = [{"email": "one-more@example.org"}]
    assert [field for field, _ in errors_of(post(api, request))] == ["personalizations"]
    del request["personalizations"][0]["cc"]
    request["personalizations"].append({"to": [{"email": "one-more@example.org"}]})
    assert {field for field, _ in errors_of(post(api, request))} == {"personalizations"}


def test_thirty_megabytes_are_too_large(api: SendGridApi) -> None:
    request = mail_to("ada@example.org")
    request["content"][0]["value"] = "x" * 30 * 1024 * 1024
    assert post(api, request).status_code == 413


def test_keys_senders_paths_and_the_sandbox() -> None:
    with SendGridApi(senders=["daily@example.org"], forbidden=["/v3/scopes"]) as api:
        request = mail_to("ada@example.org")
        assert post(api, request, key="SG.other").status_code == 401
        assert post(api, [1]).status_code == 400
        request["from"] = {"email": "evil@example.org"}
        assert errors_of(post(api, request))[0][0] == "from"
        client = SendGridAPIClient(KEY, host=api.url).client
        for call, status in (
            (client.scopes.get, 403),
            (client.nothing.get, 404),
            (client.mail.send.get, 405),
        ):
            with pytest.raises(HTTPError) as refused:
                call()
            assert refused.value.status_code == status
        request = mail_to("ada@example.org")
        mail = Mail()
        mail.mail_settings = MailSettings(sandbox_mode=SandBoxMode(True))
        assert post(api, request | mail.get()).status_code == 200
        assert api.delivered == []


def test_calls_over_the_rate_are_put_off_until_the_reset() -> None:
    with SendGridApi(rate=(2, 0.6)) as api:
        answers = [post(api, mail_to(f"r{number}@example.org")) for number in range(3)]
        assert [each.status_code for each in answers] == [202, 202, 429]
        assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["1", "0", "0"]
        assert int(answers[2].headers["X-RateLimit-Reset"]) - time.time() < 2
        time.sleep(0.6)
        assert post(api, mail_to("late@example.org")).status_code == 202
        assert set(api.counts) == {"r0@example.org", "r1@example.org", "late@example.org"}


def call(api: SendGridApi, *addresses: str, timeout: float = 5) -> Any:
    line = Place(base_url=api.url, timeout=timeout).open()
    try:
        body = json.dumps(mail_to(*addresses)).encode()
        return line.call(
            "POST", SEND, body, {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
        )
    finally:
        line.close()


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"cut": Cut.AFTER}, {"cut": Cut.ANSWER}])
def test_a_fault_hides_whether_the_mail_was_taken(fault: dict[str, Any], taken: bool) -> None:
    with SendGridApi(faults=[Fault(**fault, taken=taken)]) as api:
        if "status" in fault:
            assert call(api, "ada@example.org").status == fault["status"]
        else:
            with pytest.raises(NoAnswer):
                call(api, "ada@example.org")
        assert len(api.delivered) == int(taken)
        assert call(api, "bob@example.org").status == 202


def test_a_request_that_is_not_read_is_not_taken() -> None:
    with SendGridApi(
        faults=[Fault(cut=Cut.BEFORE), Fault(cut=Cut.BODY), Fault(cut=Cut.BEFORE, status=503)]
    ) as api:
        for _ in range(2):
            with pytest.raises((NotSent, NoAnswer)):
                call(api, *(f"r{number}@example.org" for number in range(1_000)))
        assert call(api, "ada@example.org").status == 503
        assert api.delivered == []


def test_answers_that_are_late_slow_from_a_proxy_or_not_true() -> None:
    faults = [
        Fault(delay=0.5), Fault(drip=0.05), proxy_error(504), Fault(nameless=True),
        Fault(status=429, reset=60), Fault(status=401), Fault(status=403), Fault(status=413),
    ]  # fmt: skip
    with SendGridApi(faults=faults) as api:
        for name in ("late", "slow"):
            with pytest.raises(NoAnswer):
                call(api, f"{name}@example.org", timeout=0.2)
        page = call(api, "proxy@example.org")
        assert (page.status, page.headers["content-type"]) == (504, "text/html")
        nameless = call(api, "nameless@example.org")
        assert nameless.status == 202
        assert "x-message-id" not in nameless.headers
        limited = call(api, "limited@example.org")
        assert (limited.status, limited.headers["x-ratelimit-remaining"]) == (429, "0")
        assert 55 < int(limited.headers["x-ratelimit-reset"]) - time.time() < 65
        assert [call(api, "a@example.org").status for _ in range(3)] == [401, 403, 413]
        assert set(api.counts) == {"late@example.org", "slow@example.org", "nameless@example.org"}


def test_a_seeded_script_is_the_same_again_and_meets_its_share() -> None:
    script = seeded(7, 0.3, delay=1)
    faults = [script(number) for number in range(1, 2_001)]
    assert faults == [seeded(7, 0.3, delay=1)(number) for number in range(1, 2_001)]
    assert 500 < sum(each is not None for each in faults) < 700
    assert len({str(each) for each in faults}) > 12


def test_many_connections_over_tls_keep_alive(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(certificate)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    answers: list[int] = []

    def several(url: str, name: int) -> None:
        line = Place(base_url=url, ca_file=tmp_path / "ca.pem").open()
        for number in range(5):
            body = json.dumps(mail_to(f"r{name}-{number}@example.org")).encode()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
            answers.append(line.call("POST", SEND, body, headers).status)
        line.close()

    with SendGridApi(certificate=certificate) as server:
        threads = [threading.Thread(target=several, args=(server.url, name)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (answers, len(server.counts), server.connections) == ([202] * 40, 40, 8)


def test_a_process_of_its_own_tells_what_it_took(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text(
        json.dumps([None, {"status": 503, "taken": True}, {"cut": "after"}])
    )
    with running("--faults", str(tmp_path / "faults.json"), ca_file=tmp_path / "ca.pem") as api:
        line = Place(base_url=api.url, ca_file=api.ca_file).open()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
        bodies = [json.dumps(mail_to(f"r{number}@example.org")).encode() for number in range(3)]
        assert [line.call("POST", SEND, body, headers).status for body in bodies[:2]] == [202, 503]
        with pytest.raises(NoAnswer):
            line.call("POST", SEND, bodies[2], headers)
        line.close()
        state = api.state()
        assert (state["requests"], state["counts"]) == (3, {"r0@example.org": 1, "r1@example.org": 1})


def test_lists_of_suppressions_are_read_by_pages_and_only_one_is_added_to() -> None:
    with SendGridApi() as server:
        client = SendGridAPIClient(KEY, host=server.url).client
        server.suppressions.add(
            "bounces", (f"r{number}@example.org" for number in range(1_001)), created=1_000
        )
        server.suppressions.add("bounces", ["new@example.org"], created=2_000)
        for name in ("blocks", "invalid_emails", "spam_reports", "unsubscribes"):
            server.suppressions.add(name, [f"{name}@example.org"])
            (entry,) = json.loads(getattr(client.suppression, name).get().body)
            assert entry["email"] == f"{name}@example.org"
        bounces = client.suppression.bounces
        pages = [
            json.loads(bounces.get(query_params={"limit": 500, "offset": at}).body) for at in (0, 500, 1_000)
        ]
        assert [len(page) for page in pages] == [500, 500, 2]
        assert len({entry["email"] for page in pages for entry in page}) == 1_002
        assert {"created", "email", "reason", "status"} == set(pages[0][0])
        since = json.loads(bounces.get(query_params={"start_time": 2_000}).body)
        assert [entry["email"] for entry in since] == ["new@example.org"]
        everywhere = client.asm.suppressions._("global")
        added = everywhere.post(
            request_body={"recipient_emails": ["a@example.org", "Unsubscribes@example.org"]}
        )
        assert added.status_code == 201
        assert server.suppressions.addresses("unsubscribes") == ["unsubscribes@example.org", "a@example.org"]
        assert json.loads(everywhere._("a@example.org").get().body) == {"recipient_email": "a@example.org"}
        for call, given, status in (
            (bounces.get, {"query_params": {"limit": 501}}, 400),
            (everywhere.post, {"request_body": {"recipient_emails": ["nobody"]}}, 400),
            (everywhere.get, {}, 405),
        ):
            with pytest.raises(HTTPError) as refused:
                call(**given)
            assert refused.value.status_code == status


Posted = list[tuple[dict[str, str], bytes]]


@contextmanager
def listening(*statuses: int) -> Iterator[tuple[str, Posted]]:
    """A webhook that answers with the given statuses in turn, then 200."""
    posted: Posted = []
    answers = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(next(answers, 200))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(posted: Posted) -> list[dict[str, Any]]:
    return [event for _, body in posted for event in json.loads(body)]


def test_events_are_signed_and_tell_each_fate() -> None:
    fates = {f"{fate.name.lower()}@example.org": fate for fate in Fate}
    with listening() as (url, posted), SendGridApi(webhook=Webhook(url=url, fate=fates.__getitem__)) as api:
        assert api.poster is not None
        request = mail_to(*fates)
        request["personalizations"][0]["headers"]["Message-ID"] = "<own@example.org>"
        message_id = post(api, request).headers["X-Message-Id"]
        assert api.poster.settle()
        public_key = api.poster.state()["public_key"]
    reader = EventWebhook()
    key = reader.convert_public_key_to_ecdsa(public_key)
    for headers, body in posted:
        given = [headers[name] for name in (SIGNATURE, TIMESTAMP)]
        assert reader.verify_signature(body.decode(), *given, key)
        assert not reader.verify_signature(body.decode() + " ", *given, key)
    events = told(posted)
    for address, fate in fates.items():
        names = [each["event"] for each in events if each["email"] == address]
        assert names == [{"blocked": "bounce"}.get(name, name) for name in fate.value]
    assert len({each["sg_event_id"] for each in events}) == len(events)
    assert all(each["sg_message_id"].startswith(message_id + ".") for each in events)
    assert all((each["issue"], each["delivery"]) == ("7", f"d-{each['email']}") for each in events)
    assert sum(each["smtp-id"] == "<own@example.org>" for each in events) == 2


def test_events_come_late_twice_out_of_order_or_never() -> None:
    addresses = [f"r{number}@example.org" for number in range(20)]
    with listening() as (url, posted):
        with SendGridApi(webhook=Webhook(url=url, late=0.3, copies=2, shuffled=True, batch=7)) as api:
            post(api, mail_to(*addresses))
            assert posted == []
            assert api.poster is not None
            assert api.poster.settle()
        events = told(posted)
        assert max(len(json.loads(body)) for _, body in posted) == 7
        assert len(events) == 80
        assert len({each["sg_event_id"] for each in events}) == 40
        ids = [each["event"] for each in events if each["email"] == addresses[0]]
        assert sorted(ids) == ["delivered", "delivered", "processed", "processed"]
        assert [each["event"] for each in events] != ["processed", "delivered"] * 40
        posted.clear()
        with SendGridApi(webhook=Webhook(url=url, never=True)) as api:
            post(api, mail_to(*addresses))
            assert api.poster is not None
            assert api.poster.settle()
        assert posted == []


def test_a_post_that_is_refused_is_made_again_and_given_up_in_the_end() -> None:
    with listening(500, 401) as (url, posted):
        with SendGridApi(webhook=Webhook(url=url, pause=0.01)) as api:
            post(api, mail_to("ada@example.org"))
            assert api.poster is not None
            assert api.poster.settle()
            assert api.poster.posts == [500, 401, 200]
        assert len({body for _, body in posted}) == 1
    with SendGridApi(webhook=Webhook(url="http://127.0.0.1:9/", retries=1, pause=0.01)) as api:
        post(api, mail_to("ada@example.org"))
        assert api.poster is not None
        assert api.poster.settle()
        assert (api.poster.posts, api.poster.lost) == ([0, 0], 2)
