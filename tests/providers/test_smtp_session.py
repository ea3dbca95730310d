"""Reaching the mail server: encryption that is never given up, log-in, and what an operator is told."""

from __future__ import annotations

import base64
import traceback
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ProviderUnavailable
from newsletter.models.deliveries import Outcome
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.authority import Authority
from tests.providers.letters import LETTER, recipients
from tests.servers.smtp import At, Fault, SmtpSink

PASSWORD = "correct-horse-battery"


def attempt(sink: SmtpSink, **changes: Any) -> list[Outcome]:
    settings = SmtpSettings(**{"host": sink.host, "port": sink.port, "timeout": 10, **changes})
    with SmtpProvider(settings).connect() as connection:
        return [receipt.outcome for receipt in connection.send(LETTER, recipients(2))]


def refused(sink: SmtpSink, **changes: Any) -> str:
    with pytest.raises(ProviderUnavailable) as caught:
        attempt(sink, **changes)
    assert sink.messages == []
    shown = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in shown
    assert not any(
        base64.b64encode(sent.encode()).decode() in shown for sent in (PASSWORD, f"\0ada\0{PASSWORD}")
    )
    assert str(sink.port) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_starttls_encrypts_then_logs_in(authority: Authority) -> None:
    with SmtpSink(certificate=authority.server("127.0.0.1"), login=("ada", PASSWORD)) as sink:
        sent = attempt(sink, username="ada", password=PASSWORD, ca_file=authority.file)
        assert sent == [Outcome.ACCEPTED] * 2
        assert sink.commands[:5] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL"]


@pytest.mark.parametrize("pipelining", [False, True])
def test_every_new_connection_is_encrypted_and_logged_in(authority: Authority, pipelining: bool) -> None:
    certificate, login = authority.server("127.0.0.1"), ("ada", PASSWORD)
    with SmtpSink(certificate=certificate, login=login, pipelining=pipelining) as sink:
        sent = attempt(
            sink, username="ada", password=PASSWORD, ca_file=authority.file, messages_per_connection=1
        )
        assert sent == [Outcome.ACCEPTED] * 2
        once = ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
        assert sink.commands == once * 2


def test_a_server_that_offers_starttls_no_more_gets_nothing_in_plain_text(authority: Authority) -> None:
    faults = [Fault(at=At.EHLO, reply="250 sink.example", skip=2)]
    certificate, login = authority.server("127.0.0.1"), ("ada", PASSWORD)
    with SmtpSink(certificate=certificate, login=login, faults=faults) as sink:
        with pytest.raises(ProviderUnavailable, match="does not offer STARTTLS"):
            attempt(
                sink, username="ada", password=PASSWORD, ca_file=authority.file, messages_per_connection=1
            )
        assert len(sink.messages) == 1
        assert sink.commands[-1] == "EHLO"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_server_may_know_one_way_to_log_in(authority: Authority, mechanism: str) -> None:
    certificate, login = authority.server("127.0.0.1"), ("ada", PASSWORD)
    with SmtpSink(certificate=certificate, login=login, mechanisms=[mechanism]) as sink:
        sent = attempt(sink, username="ada", password=PASSWORD, ca_file=authority.file)
        assert sent == [Outcome.ACCEPTED] * 2
        assert sink.logins == [mechanism]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_refused_by_either_way(mechanism: str) -> None:
    with SmtpSink(login=("ada", "another"), mechanisms=[mechanism]) as sink:
        told = refused(sink, tls="none", username="ada", password=PASSWORD)
        assert "log-in refused: 535 5.7.8" in told
        assert sink.logins == [mechanism]


def test_a_server_that_knows_no_way_that_is_known_here() -> None:
    with SmtpSink(login=("ada", PASSWORD), mechanisms=[]) as sink:
        assert "offers no" in refused(sink, tls="none", username="ada", password=PASSWORD)
        assert "AUTH" not in sink.commands


def test_implicit_tls(authority: Authority) -> None:
    certificate = authority.server("127.0.0.1")
    with SmtpSink(certificate=certificate, implicit_tls=True, login=("ada", PASSWORD)) as sink:
        sent = attempt(sink, tls="implicit", username="ada", password=PASSWORD, ca_file=authority.file)
        assert sent == [Outcome.ACCEPTED] * 2
        assert sink.commands[:3] == ["EHLO", "AUTH", "MAIL"]


def test_a_server_without_starttls_gets_nothing_in_plain_text() -> None:
    with SmtpSink(login=("ada", PASSWORD)) as sink:
        assert "does not offer STARTTLS" in refused(sink, username="ada", password=PASSWORD)
        assert set(sink.commands) <= {"EHLO"}


@pytest.mark.parametrize(
    "fault",
    [
        {"reply": "454 4.7.0 TLS not available"},
        {"reply": "220 but I go away", "close": True},
        {"close": True},
        {"stall": True},
        {"reply": "nonsense"},
    ],
)
def test_a_starttls_that_fails_ends_the_connection(authority: Authority, fault: dict[str, Any]) -> None:
    faults = [Fault(at=At.STARTTLS, **fault)]
    with SmtpSink(certificate=authority.server("127.0.0.1"), faults=faults) as sink:
        refused(sink, username="ada", password=PASSWORD, ca_file=authority.file, timeout=0.5)
        assert sink.commands == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_of_another_host_or_authority_is_refused(authority: Authority, tls: str) -> None:
    implicit = tls == "implicit"
    with SmtpSink(certificate=authority.server("other.example"), implicit_tls=implicit) as sink:
        assert "certificate" in refused(sink, tls=tls, ca_file=authority.file)
    with SmtpSink(certificate=authority.server("127.0.0.1"), implicit_tls=implicit) as sink:
        assert "certificate" in refused(sink, tls=tls)


def test_implicit_tls_to_a_plain_port_says_what_to_check() -> None:
    with SmtpSink() as sink:
        assert "provider.smtp.tls" in refused(sink, tls="implicit", timeout=2)


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        settings = SmtpSettings(host="127.0.0.1", port=9, tls="implicit", ca_file=tmp_path / name, timeout=1)
        with pytest.raises(ProviderUnavailable, match=name), SmtpProvider(settings).connect():
            pass


def test_a_refused_log_in_says_so_and_keeps_the_password() -> None:
    with SmtpSink(login=("ada", "another")) as sink:
        told = refused(sink, tls="none", username="ada", password=PASSWORD)
        assert "log-in refused: 535 5.7.8" in told
        assert "provider.smtp.password" in told


@pytest.mark.parametrize(
    "reply",
    [
        f"535 bad password {PASSWORD}",
        f"501 what is AUTH PLAIN {base64.b64encode(f'{chr(0)}ada{chr(0)}{PASSWORD}'.encode()).decode()}?",
    ],
)
def test_a_server_that_repeats_the_password_is_not_quoted(reply: str) -> None:
    with SmtpSink(login=("ada", "another"), faults=[Fault(at=At.AUTH, reply=reply, times=9)]) as sink:
        assert "not shown" in refused(sink, tls="none", username="ada", password=PASSWORD)


@pytest.mark.parametrize(
    "fault",
    [
        {"close": True},
        {"stall": True},
        {"reply": "454 4.7.0 later"},
        {"reply": "421 4.3.2 bye", "close": True},
        {"reply": "334 not-base64"},
        {"reply": "hello"},
    ],
)
def test_every_fault_of_the_log_in_is_unavailable(fault: dict[str, Any]) -> None:
    with SmtpSink(login=("ada", PASSWORD), faults=[Fault(at=At.AUTH, times=9, **fault)]) as sink:
        told = refused(sink, tls="none", username="ada", password=PASSWORD, timeout=0.5)
        assert "log-in refused" in told


def test_a_server_that_offers_no_log_in(authority: Authority) -> None:
    with SmtpSink(certificate=authority.server("127.0.0.1")) as sink:  # it offers AUTH after STARTTLS only
        assert "offers no log-in" in refused(sink, tls="none", username="ada", password=PASSWORD)


def test_a_password_beyond_ascii_is_not_shown() -> None:
    with SmtpSink(login=("ada", PASSWORD)) as sink:
        assert "must be ASCII" in refused(sink, tls="none", username="ada", password=f"{PASSWORD}é")


@pytest.mark.parametrize(
    "fault",
    [
        {"reply": "421 4.3.2 too busy"},
        {"reply": "554 5.7.1 your address is blocked"},
        {"close": True},
        {"stall": True},
        {"reply": "    I am no mail server"},
    ],
)
def test_a_greeting_that_is_none(fault: dict[str, Any]) -> None:
    with SmtpSink(faults=[Fault(at=At.CONNECT, **fault)]) as sink:
        told = refused(sink, tls="none", timeout=0.5)
        assert fault.get("reply", "no connection").strip() in told
        assert sink.commands == []


def test_a_server_that_refuses_hello() -> None:
    with SmtpSink(faults=[Fault(at=At.EHLO, close=True)]) as sink:
        assert "no connection" in refused(sink, tls="none")


@pytest.mark.parametrize("host", ["127.0.0.1", "mail..example", "no-such-host.invalid"])
def test_a_server_that_is_not_there(host: str) -> None:
    with SmtpSink() as sink:
        pass
    assert "no connection" in refused(sink, host=host, tls="none", timeout=2)


def test_the_password_is_not_in_the_repr() -> None:
    assert PASSWORD not in repr(SmtpSettings(host="mail.example", port=587, password=PASSWORD))


def test_starttls_is_the_default() -> None:
    assert SmtpSettings(host="mail.example", port=587).tls == "starttls"
