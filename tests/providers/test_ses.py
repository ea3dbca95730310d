"""Amazon SES: what is asked of it, and what each of its answers means for the reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.recipients import delivery_id
from newsletter.errors import ConfigError, ProviderBusy, ProviderUnavailable
from newsletter.http_line import Answer
from newsletter.messages import compose
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.protocols import OnUncertain
from newsletter.providers.answers import Means
from newsletter.providers.ses import SesProvider, SesSettings, delivery_of, tag
from newsletter.providers.ses_answers import TABLE, read
from tests.providers.letters import LETTER, recipient, recipients
from tests.providers.ses import ses_provider
from tests.servers.ses import KEY_ID, REGION, SECRET, Fault, SesServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SesServer]:
    with SesServer(tmp_path) as running:
        yield running


def receipts_of(provider: SesProvider, number: int = 3) -> list[Receipt]:
    with provider.connect() as connection:
        return list(connection.send(LETTER, recipients(number)))


def outcomes(receipts: list[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def test_what_is_asked(server: SesServer) -> None:
    receipts = receipts_of(ses_provider(server, configuration_set="daily"))
    assert [receipt.provider_id for receipt in receipts] == [mail.message_id for mail in server.taken]
    assert server.connections == 1
    mail = server.taken[1]
    assert (mail.recipient, mail.sender) == ("reader2@example.org", "post@news.example.org")
    assert mail.data == compose(LETTER, recipient(2))
    assert mail.tags == {"delivery": "daily_20240912_2", "reader": "2"}
    assert mail.configuration_set == "daily"


@given(
    day=st.dates(),
    edition=st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z"),
    key=st.binary(min_size=16, max_size=16),
)
def test_a_tag_names_its_delivery(day: object, edition: str, key: bytes) -> None:
    name = delivery_id(day, edition, key)  # type: ignore[arg-type]
    assert delivery_of(tag(name)) == name
    assert len(tag(name)) <= 256
    assert set(tag(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")


EXAMPLES: list[tuple[int, str, str, Means]] = [
    (400, "LimitExceededException", "Daily message quota exceeded.", Means.NOBODY),
    (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Means.BUSY),
    (429, "", "", Means.BUSY),
    (400, "ThrottlingException", "Rate exceeded", Means.BUSY),
    (
        400, "MessageRejected",
        "Email address is not verified. The following identities failed the check in region EU-WEST-1: a@b.org",
        Means.NOBODY,
    ),
    (400, "MailFromDomainNotVerifiedException", "The domain is not set up.", Means.NOBODY),
    (400, "AccountSuspendedException", "The account is suspended.", Means.NOBODY),
    (400, "SendingPausedException", "Sending is paused.", Means.NOBODY),
    (400, "LimitExceededException", "Too many.", Means.NOBODY),
    (404, "NotFoundException", "Configuration set <x> does not exist.", Means.NOBODY),
    (400, "ConfigurationSetDoesNotExistException", "Configuration set <x> does not exist.", Means.NOBODY),
    (403, "AccessDeniedException", "not authorized to perform ses:SendEmail", Means.NOBODY),
    (401, "", "", Means.NOBODY),
    (400, "MessageRejected", "Address blacklisted.", Means.REFUSED),
    (400, "BadRequestException", "Local address contains control or whitespace", Means.REFUSED),
    (503, "ServiceUnavailable", "", Means.BUSY),
    (500, "InternalFailure", "", Means.DOUBT),
    (502, "", "Bad Gateway", Means.DOUBT),
    (504, "", "Gateway Timeout", Means.DOUBT),
    (200, "", "", Means.DOUBT),
    (202, "", "", Means.DOUBT),
    (301, "", "", Means.NOBODY),
    (413, "", "", Means.NOBODY),
    (400, "SomethingNew", "?", Means.NOBODY),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "message", "means"), EXAMPLES)
def test_an_answer_and_what_it_means(
    server: SesServer, status: int, error: str, message: str, means: Means
) -> None:
    server.faults.append(Fault(status=status, error=error, message=message, recipient="reader2@example.org"))
    if means in {Means.NOBODY, Means.BUSY}:
        with pytest.raises(ProviderUnavailable, match=f"{status} .*; nobody was rejected") as raised:
            receipts_of(ses_provider(server))
        assert isinstance(raised.value, ProviderBusy) == (means is Means.BUSY)
        return
    seen = receipts_of(ses_provider(server))
    accepted = Outcome.ACCEPTED
    second = {Means.REFUSED: Outcome.REJECTED, Means.DOUBT: Outcome.UNCERTAIN}[means]
    assert outcomes(seen) == [accepted, second, accepted]
    assert message in seen[1].reply
    assert str(status) in seen[1].reply


def test_every_row_of_the_table_has_an_example() -> None:
    met = {
        read(
            Answer(
                status=status,
                headers={"x-amzn-errortype": error},
                body=f'{{"message": "{message}"}}'.encode(),
            )
        ).row
        for status, error, message, _ in EXAMPLES
    }
    assert met | {TABLE[0]} == set(TABLE)
    assert all(row.source for row in TABLE)
    assert read(Answer(status=200, headers={}, body=b'{"MessageId": "0102"}')).row is TABLE[0]


@pytest.mark.parametrize(
    ("message", "hard"),
    [("Illegal address", True), ("Invalid domain name: 'x'", True), ("Address blacklisted.", False)],
)
def test_only_an_address_that_cannot_be_is_given_up(server: SesServer, message: str, hard: bool) -> None:
    server.faults.append(Fault(status=400, error="BadRequestException", message=message))
    assert {receipt.hard for receipt in receipts_of(ses_provider(server), 4)} == {hard}


def test_refusals_of_the_letter_are_nobody_s(server: SesServer) -> None:
    server.faults.append(Fault(status=400, error="MessageRejected", message="Invalid content.", skip=1))
    with ses_provider(server).connect() as connection:
        sent = connection.send(LETTER, recipients(5))
        assert outcomes([next(sent) for _ in range(3)]) == [Outcome.ACCEPTED, *[Outcome.REJECTED] * 2]
        with pytest.raises(ProviderUnavailable, match="3 messages were refused, one after the other"):
            next(sent)


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [({"Retry-After": "7"}, [7.0, 7.0]), ({}, [1.0, 2.0]), ({"Retry-After": "soon"}, [1.0, 2.0])],
)
def test_pauses(server: SesServer, headers: dict[str, str], pauses: list[float]) -> None:
    server.faults.append(Fault(status=429, headers=headers, times=2))
    with ses_provider(server).connect() as connection:
        for seconds in pauses:
            with pytest.raises(ProviderBusy) as caught:
                list(connection.send(LETTER, recipients(1)))
            assert caught.value.seconds == seconds
        assert outcomes(list(connection.send(LETTER, recipients(2)))) == [Outcome.ACCEPTED] * 2


@pytest.mark.parametrize("fault", [
    Fault(drops=True), Fault(drops=True, taken=True), Fault(cut=True, taken=True), Fault(delay=1.5, taken=True),
    Fault(status=200, raw=b"<html>welcome to this hotel</html>"), Fault(status=200, raw=b'{"MessageId": 7}'),
])  # fmt: skip
def test_without_an_answer_of_its_own_nobody_knows(server: SesServer, fault: Fault) -> None:
    server.faults.append(replace(fault, recipient="reader2@example.org"))
    receipts = receipts_of(ses_provider(server, timeout=0.5))
    assert outcomes(receipts) == [Outcome.ACCEPTED, Outcome.UNCERTAIN, Outcome.ACCEPTED]
    assert len(server.taken) == 2 + fault.taken


def test_what_was_not_sent_is_nobody_s(tmp_path: Path) -> None:
    with SesServer(tmp_path) as server:
        provider = ses_provider(server)
        with provider.connect() as connection:
            sent = connection.send(LETTER, recipients(3))
            assert next(sent).outcome is Outcome.ACCEPTED
            server.faults.append(Fault(drops=True))
            assert next(sent).outcome is Outcome.UNCERTAIN
            server.__exit__(None, None, None)
            with pytest.raises(ProviderBusy, match="no connection"):
                next(sent)
    with pytest.raises(ProviderUnavailable, match="no connection"), provider.connect():
        pass


def test_a_certificate_that_is_not_trusted(server: SesServer) -> None:
    with (
        pytest.raises(ProviderUnavailable, match="certificate"),
        ses_provider(server, ca_file=None).connect(),
    ):
        pass


def test_wrong_keys_reject_nobody_and_do_not_show(server: SesServer) -> None:
    provider = ses_provider(server, secret_access_key="wrong-secret")
    with pytest.raises(ProviderUnavailable, match="check the credentials") as caught:
        receipts_of(provider)
    assert "wrong-secret" not in f"{caught.value} {provider._settings}"
    assert server.taken == []


def test_addresses_beyond_ascii(server: SesServer) -> None:
    readers = [recipient(1, "zoë@example.org"), recipient(2, "zoe@exämple.org")]
    with ses_provider(server).connect() as connection:
        receipts = list(connection.send(LETTER, readers))
    assert outcomes(receipts) == [Outcome.REJECTED, Outcome.ACCEPTED]
    assert "before the @" in receipts[0].reply
    assert [mail.recipient for mail in server.taken] == ["zoe@xn--exmple-cua.org"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine without settings of AWS."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_credentials_and_region_from_where_aws_has_them(
    server: SesServer, nowhere: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "for an hour",
        "AWS_DEFAULT_REGION": REGION,
    }.items():  # fmt: skip
        nowhere.setenv(name, value)
    provider = ses_provider(server, region="", access_key_id="", secret_access_key="")
    assert outcomes(receipts_of(provider)) == [Outcome.ACCEPTED] * 3
    assert SesProvider(SesSettings())._place.base_url == "https://email.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("settings", "variables", "words"),
    [
        (SesSettings(region=REGION), {}, "there are no credentials"),
        (
            SesSettings(access_key_id=KEY_ID, secret_access_key=SECRET),
            {},
            r"provider\.ses\.region: is not set",
        ),
        (SesSettings(region=REGION), {"AWS_PROFILE": "missing"}, r"profile \(missing\) could not be found"),
    ],
)
def test_settings_that_are_missing(
    nowhere: pytest.MonkeyPatch, settings: SesSettings, variables: dict[str, str], words: str
) -> None:
    for name, value in variables.items():
        nowhere.setenv(name, value)
    with pytest.raises(ConfigError, match=words):
        SesProvider(settings)


def test_on_uncertain_is_told(server: SesServer) -> None:
    assert ses_provider(server).on_uncertain is OnUncertain.HOLD
    assert ses_provider(server, OnUncertain.RESEND).on_uncertain is OnUncertain.RESEND


@given(
    status=st.integers(100, 599), body=st.binary(max_size=200) | st.from_regex(rb'\A\{"(message|__type|MessageId)": .{0,9}\}'),
    name=st.text(max_size=30),
)  # fmt: skip
def test_any_answer_means_something(status: int, body: bytes, name: str) -> None:
    found = read(Answer(status=status, headers={"x-amzn-errortype": name}, body=body))
    assert "\n" not in found.told
    assert (found.row.means is Means.TAKEN) == bool(found.message_id)
    if found.row.means in {Means.REFUSED, Means.NOBODY, Means.BUSY}:
        assert not 200 <= status < 300
