"""What each answer of a mail server, or the lack of one, makes of a delivery and of the connection."""

from __future__ import annotations

import pytest

from newsletter.errors import ProviderUnavailable
from newsletter.messages import compose
from newsletter.models.deliveries import Outcome, Receipt
from newsletter.protocols import Exposure
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from tests.providers.letters import LETTER, recipient, recipients
from tests.providers.sinks import (
    ACCEPTED,
    REJECTED,
    RETRY,
    UNCERTAIN,
    MakeSink,
    outcomes,
    send,
    settings,
    taken,
)
from tests.servers.smtp import At, Fault


def test_envelope_and_message_arrive_as_they_are(make_sink: MakeSink) -> None:
    with make_sink() as sink:
        (receipt,) = send(sink, [recipient(1)])
    (mail,) = sink.messages
    assert (mail.sender, mail.recipients) == ("post@news.example.org", ("reader1@example.org",))
    assert mail.data == compose(LETTER, recipient(1))
    assert receipt == Receipt(subscriber_id=1, outcome=ACCEPTED, reply="250 2.0.0 taken as 1")
    assert sink.commands == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


def test_one_connection_for_a_page(make_sink: MakeSink) -> None:
    with make_sink() as sink:
        assert outcomes(send(sink, recipients(20))) == [ACCEPTED] * 20
        assert sink.connections == 1


@pytest.mark.parametrize(("most", "connections"), [(0, 1), (1, 7), (3, 3), (7, 1)])
def test_a_connection_is_renewed_after_some_messages(
    make_sink: MakeSink, most: int, connections: int
) -> None:
    refusal = Fault(at=At.RCPT, reply="550 5.1.1 nobody", recipient="reader3@example.org")
    with make_sink(faults=[refusal]) as sink:
        receipts = outcomes(send(sink, recipients(7), per_connection=most))
        assert receipts == [ACCEPTED, ACCEPTED, REJECTED, *[ACCEPTED] * 4]
        assert sink.connections == sink.commands.count("QUIT") == connections


def test_a_connection_counts_over_pages_and_begins_anew_when_it_was_lost(make_sink: MakeSink) -> None:
    lost = Fault(at=At.MAIL, reply="421 4.7.0 that is enough for one connection", close=True, skip=2)
    with make_sink(faults=[lost]) as sink:
        with SmtpProvider(settings(sink, per_connection=4)).connect() as connection:
            first, second = recipients(4), recipients(3)
            sent = [outcomes(list(connection.send(LETTER, page))) for page in (first, second)]
        assert sent == [[ACCEPTED, ACCEPTED, RETRY, ACCEPTED], [ACCEPTED] * 3]
        assert (sink.connections, sink.commands.count("QUIT")) == (2, 1)


def test_a_server_that_does_not_open_again_is_unavailable(make_sink: MakeSink) -> None:
    with make_sink(faults=[Fault(at=At.CONNECT, reply="421 4.3.2 too many connections", skip=1)]) as sink:
        with SmtpProvider(settings(sink, per_connection=2)).connect() as connection:
            receipts = connection.send(LETTER, recipients(3))
            assert outcomes([next(receipts), next(receipts)]) == [ACCEPTED] * 2
            with pytest.raises(ProviderUnavailable, match="too many connections"):
                next(receipts)
        assert len(sink.messages) == 2


def test_only_the_first_unsettled_recipient_is_in_doubt() -> None:
    assert SmtpProvider(SmtpSettings(host="mail.example", port=587)).exposure is Exposure.FIRST


@pytest.mark.parametrize("at", [At.RCPT, At.DATA, At.DOT])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("550 5.1.1 <reader2@example.org>: no such user", REJECTED),
        ("450 4.2.1 greylisted, come back later", RETRY),
        ("452 4.2.2 mailbox full", RETRY),
    ],
)
def test_a_refusal_concerns_that_recipient_alone(
    make_sink: MakeSink, at: At, reply: str, outcome: Outcome
) -> None:
    with make_sink(faults=[Fault(at=at, reply=reply, recipient="reader2@example.org")]) as sink:
        receipts = send(sink, recipients(3))
    assert outcomes(receipts) == [ACCEPTED, outcome, ACCEPTED]
    assert receipts[1].reply == reply
    assert [receipt.hard for receipt in receipts] == [False, outcome is REJECTED, False]
    assert taken(sink) == ["reader1@example.org", "reader3@example.org"]
    assert sink.connections == 1
    assert sink.commands.count("RSET") == (0 if at is At.DOT else 1)


def test_a_reply_of_several_lines_is_kept_on_one_and_cannot_steer_a_terminal(make_sink: MakeSink) -> None:
    with make_sink(faults=[Fault(at=At.RCPT, reply="550-5.1.1 no\r\n550 5.1.1 such \x1b[31mé")]) as sink:
        (receipt,) = send(sink, [recipient(1)])
    assert receipt.reply == "550 5.1.1 no 5.1.1 such [31mé"


@pytest.mark.parametrize("at", [At.MAIL, At.RCPT, At.DATA, At.DOT])
def test_a_server_that_closes_after_421_is_met_again(make_sink: MakeSink, at: At) -> None:
    with make_sink(faults=[Fault(at=at, reply="421 4.3.2 going down", close=True, skip=1)]) as sink:
        receipts = send(sink, recipients(3))
    assert outcomes(receipts) == [ACCEPTED, RETRY, ACCEPTED]
    assert receipts[1].reply == "421 4.3.2 going down"
    assert taken(sink) == ["reader1@example.org", "reader3@example.org"]
    assert sink.connections == 2


@pytest.mark.parametrize("at", [At.MAIL, At.RCPT, At.DATA])
@pytest.mark.parametrize(
    "fault",
    [
        {"close": True},
        {"stall": True},
        {"reply": "what was that?"},
        {"reply": "199 odd"},
        {"reply": "250-first of several", "close": True},
        {"reply": "250 " + "x" * 9000},
        {"reply": "250-and so on\r\n" * 999 + "250 ok"},
    ],
)
def test_no_answer_before_the_data_means_it_was_not_taken(
    make_sink: MakeSink, at: At, fault: dict[str, object]
) -> None:
    with make_sink(faults=[Fault(**{"at": at, "skip": 1, **fault})]) as sink:  # type: ignore[arg-type]
        receipts = send(sink, recipients(3), timeout=0.4)
    assert outcomes(receipts) == [ACCEPTED, RETRY, ACCEPTED]
    assert receipts[1].reply
    assert taken(sink) == ["reader1@example.org", "reader3@example.org"]
    assert sink.connections == 2


def test_data_that_is_answered_without_having_been_asked_for_is_not_accepted(make_sink: MakeSink) -> None:
    with make_sink(faults=[Fault(at=At.DATA, reply="250 ok")]) as sink:
        assert outcomes(send(sink, recipients(2))) == [RETRY, ACCEPTED]
        assert taken(sink) == ["reader2@example.org"]


@pytest.mark.parametrize("was_taken", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        {"close": True},
        {"stall": True},
        {"reply": "what was that?"},
        {"reply": "354 go on"},
        {"reply": "250-first of several", "close": True},
    ],
)
def test_no_answer_after_the_data_is_uncertain(
    make_sink: MakeSink, fault: dict[str, object], was_taken: bool
) -> None:
    scripted = Fault(**{"at": At.DOT, "skip": 1, "taken": was_taken, **fault})  # type: ignore[arg-type]
    with make_sink(faults=[scripted]) as sink:
        receipts = send(sink, recipients(3), timeout=0.4)
    assert outcomes(receipts) == [ACCEPTED, UNCERTAIN, ACCEPTED]
    assert receipts[1].reply
    assert ("reader2@example.org" in taken(sink)) == was_taken
    assert taken(sink)[-1] == "reader3@example.org"
    assert sink.connections == 2


@pytest.mark.parametrize(
    ("at", "outcome"), [(At.MAIL, RETRY), (At.RCPT, RETRY), (At.DATA, RETRY), (At.DOT, UNCERTAIN)]
)
def test_connections_lost_one_after_the_other_end_the_page(
    make_sink: MakeSink, at: At, outcome: Outcome
) -> None:
    with make_sink(faults=[Fault(at=at, close=True, skip=1, times=99)]) as sink:
        with SmtpProvider(settings(sink)).connect() as connection:
            receipts = connection.send(LETTER, recipients(9))
            assert outcomes([next(receipts), next(receipts), next(receipts)]) == [ACCEPTED, outcome, outcome]
            with pytest.raises(ProviderUnavailable, match="lost 2 times"):
                next(receipts)
        assert taken(sink) == ["reader1@example.org"]


def test_lost_connections_with_success_between_them_do_not_end_the_page(make_sink: MakeSink) -> None:
    faults = [Fault(at=At.RCPT, close=True, recipient=f"reader{number}@example.org") for number in (1, 3, 5)]
    with make_sink(faults=faults) as sink:
        assert outcomes(send(sink, recipients(6))) == [RETRY, ACCEPTED] * 3


def test_a_server_that_is_gone_is_unavailable_and_nobody_is_refused(make_sink: MakeSink) -> None:
    with make_sink(faults=[Fault(at=At.RCPT, close=True), Fault(at=At.CONNECT, close=True, skip=1)]) as sink:
        with SmtpProvider(settings(sink)).connect() as connection:
            receipts = connection.send(LETTER, recipients(3))
            assert next(receipts).outcome is RETRY
            with pytest.raises(ProviderUnavailable, match="no connection"):
                next(receipts)
        assert sink.messages == []


@pytest.mark.parametrize("fault", [{"close": True}, {"reply": "500 what?"}, {"stall": True}])
def test_a_reset_that_fails_opens_another_connection(make_sink: MakeSink, fault: dict[str, object]) -> None:
    refusal = Fault(at=At.RCPT, reply="550 5.1.1 nobody")
    with make_sink(faults=[refusal, Fault(**{"at": At.RSET, **fault})]) as sink:  # type: ignore[arg-type]
        assert outcomes(send(sink, recipients(2), timeout=0.4)) == [REJECTED, ACCEPTED]
        assert sink.connections == 2


@pytest.mark.parametrize("fault", [{"close": True}, {"reply": "500 no"}, {"stall": True}])
def test_a_bad_goodbye_changes_nothing(make_sink: MakeSink, fault: dict[str, object]) -> None:
    with make_sink(faults=[Fault(**{"at": At.QUIT, **fault})]) as sink:  # type: ignore[arg-type]
        assert outcomes(send(sink, recipients(1), timeout=0.3)) == [ACCEPTED]


@pytest.mark.parametrize("address", ["편지@example.org", "편지@뉴스.example"])
def test_addresses_beyond_ascii_need_smtputf8(make_sink: MakeSink, address: str) -> None:
    readers = [recipient(1, address=address), recipient(2)]
    with make_sink() as sink:
        assert outcomes(send(sink, readers)) == [ACCEPTED, ACCEPTED]
        assert taken(sink)[0].startswith("편지@")
        assert sink.messages[0].data == compose(LETTER, readers[0])
    with make_sink(smtputf8=False) as sink:
        receipts = send(sink, readers)
        assert outcomes(receipts) == [REJECTED, ACCEPTED]
        assert "SMTPUTF8" in receipts[0].reply


def test_an_international_domain_goes_out_in_ascii(make_sink: MakeSink) -> None:
    with make_sink(smtputf8=False) as sink:
        assert outcomes(send(sink, [recipient(1, address="ada@bücher.example")])) == [ACCEPTED]
        assert taken(sink) == ["ada@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a@example.org> SMTPUTF8",
        "<a@example.org>",
        "a b@example.org",
        '"a"@example.org',
    ],
)
def test_a_dangerous_address_is_refused_before_anything_is_written(make_sink: MakeSink, address: str) -> None:
    with make_sink() as sink:
        assert outcomes(send(sink, [recipient(1, address=address)])) == [REJECTED]
        assert sink.commands == ["EHLO", "QUIT"]
