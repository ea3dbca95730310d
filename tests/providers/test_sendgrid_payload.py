"""What SendGrid is asked: the same as its own package builds, with values where they belong."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sendgrid.helpers import mail as helpers

from newsletter.errors import MessageRejected, RenderError
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, Letter, placeholder
from newsletter.providers.sendgrid_payload import Payload
from newsletter.templating.issue import fill
from tests.providers.letters import LETTER, recipient, recipients

LIST = replace(
    LETTER,
    html=LETTER.html + f"<p>Sent to {placeholder('address')}</p>",
    headers=(("List-Id", '"Paper Post" <daily.news.example.org>'), ("Precedence", "bulk")),
)


def reader(number: int, address: str = "", name: str = "") -> Recipient:
    own = recipient(number, address, name)
    link = own.values["unsubscribe_url"]
    return own._replace(
        values={**own.values, "address": own.address},
        headers=(("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
    )


def built(letter: Letter, readers: list[Recipient], **options: bool) -> dict[str, Any]:
    payload = Payload(letter, **options)
    made: dict[str, Any] = orjson.loads(payload.of([payload.person(each) for each in readers]))
    return made


def substituted(request: dict[str, Any], number: int) -> tuple[str, str, str]:
    """Return subject, text and HTML as SendGrid would fill them in."""
    parts = [request["subject"], *(each["value"] for each in request["content"])]
    for key, value in request["personalizations"][number]["substitutions"].items():
        parts = [part.replace(key, value) for part in parts]
    return parts[0], parts[1], parts[2]


def oracle(letter: Letter, readers: list[Recipient], request: dict[str, Any]) -> dict[str, Any]:
    """Build the same request with the helpers of SendGrid's package; only the marks are ours."""
    mail = helpers.Mail()
    mail.from_email = helpers.From(letter.from_address, letter.from_name)
    mail.subject = helpers.Subject(letter.subject)
    for each, made in zip(readers, request["personalizations"], strict=True):
        person = helpers.Personalization()
        person.add_to(helpers.To(each.address, each.name or None))
        person.add_header(helpers.Header("Message-ID", each.message_id))
        for name, value in each.headers:
            person.add_header(helpers.Header(name, value))
        for key, value in made["substitutions"].items():
            person.add_substitution(helpers.Substitution(key, value))
        person.add_custom_arg(helpers.CustomArg("delivery", each.delivery_id))
        person.add_custom_arg(helpers.CustomArg("reader", str(each.subscriber_id)))
        mail.add_personalization(person)
    for part in request["content"]:
        mail.add_content(helpers.Content(part["type"], part["value"]))
    for name, value in letter.headers:
        mail.add_header(helpers.Header(name, value))
    tracking = helpers.TrackingSettings()
    tracking.click_tracking = helpers.ClickTracking(enable=False, enable_text=False)
    tracking.open_tracking = helpers.OpenTracking(enable=False)
    tracking.subscription_tracking = helpers.SubscriptionTracking(enable=False)
    tracking.ganalytics = helpers.Ganalytics(enable=False)
    mail.tracking_settings = tracking
    wanted: dict[str, Any] = mail.get()
    wanted["personalizations"].reverse()  # the package turns them round
    return wanted


def test_it_is_what_the_package_builds() -> None:
    readers = [reader(1), reader(2, "o'neil&co@example.org", "Ōkubo, 光"), reader(3)._replace(name="")]
    request = built(LIST, readers)
    assert request == oracle(LIST, readers, request)


def test_the_sandbox_is_what_the_package_builds() -> None:
    mail = helpers.Mail()
    mail.mail_settings = helpers.MailSettings()
    mail.mail_settings.sandbox_mode = helpers.SandBoxMode(enable=True)
    assert built(LIST, [reader(1)], sandbox=True)["mail_settings"] == mail.get()["mail_settings"]


def test_every_part_has_its_values_escaped_as_it_needs() -> None:
    readers = [reader(1, "o'neil&co@example.org"), reader(2)]
    request = built(LIST, readers)
    for number, each in enumerate(readers):
        assert substituted(request, number) == (
            LIST.subject, fill(LIST.text, each.values, html=False), fill(LIST.html, each.values, html=True),
        )  # fmt: skip
    assert "o&#x27;neil&amp;co@" in substituted(request, 0)[2]


@given(
    text=st.text().filter(lambda text: PLACEHOLDER_OPEN not in text and PLACEHOLDER_CLOSE not in text),
    name=st.text(max_size=40),
    value=st.text(max_size=40),
)
def test_any_text_stays_what_it_is(text: str, name: str, value: str) -> None:
    encodable = text.encode("utf-8", "ignore").decode()
    letter = replace(
        LETTER, subject=f"{encodable}{placeholder('v')}", text=f"{placeholder('v')}{encodable}",
        html=f"{html.escape(encodable)}{placeholder('v')}",
    )  # fmt: skip
    own = value.encode("utf-8", "ignore").decode()
    each = recipient(1, name=name.encode("utf-8", "ignore").decode())._replace(values={"v": own})
    found = substituted(built(letter, [each]), 0)
    assert found == (
        f"{encodable}{own}", f"{own}{encodable}", f"{html.escape(encodable)}{html.escape(own)}",
    )  # fmt: skip


def test_a_mark_that_stands_in_the_text_is_not_taken() -> None:
    keys = built(LIST, [reader(1)])["personalizations"][0]["substitutions"]
    first = next(iter(keys))
    letter = replace(LIST, text=f"A paper about {first} here.\n{LIST.text}")
    request = built(letter, [reader(1)])
    assert first not in request["personalizations"][0]["substitutions"]
    assert f"about {first} here" in substituted(request, 0)[1]


def test_headers_that_are_not_ascii_are_encoded_on_one_line() -> None:
    letter = replace(
        LIST, headers=(("List-Id", f"논문 소식 {'아주 긴 이름 ' * 12}<daily.news.example.org>"),)
    )
    value = built(letter, [reader(1)])["headers"]["List-Id"]
    assert value.isascii()
    assert "=?utf-8?" in value
    assert "\n" not in value


def test_what_sendgrid_cannot_carry_is_refused() -> None:
    for name in ("Reply-To", "X-SG-ID", "DKIM-Signature"):
        with pytest.raises(RenderError, match=name):
            Payload(replace(LIST, headers=((name, "x"),)))
    payload = Payload(LIST)
    for address in ("", "a b@example.org", "x@y\r\nBcc: z@example.org", "grün@example.org"):
        with pytest.raises(MessageRejected, match="address"):
            payload.person(reader(1)._replace(address=address))
    with pytest.raises(RenderError, match="address"):
        payload.person(recipient(1))


def test_an_internationalised_domain_goes_in_ascii() -> None:
    assert built(LIST, [reader(1, "leser@grün.example")])["personalizations"][0]["to"][0]["email"] == (
        "leser@xn--grn-ioa.example"
    )


def test_a_thousand_are_a_thousand() -> None:
    request = built(LETTER, recipients(1000))
    assert [each["custom_args"]["reader"] for each in request["personalizations"]] == [
        str(number) for number in range(1, 1001)
    ]
