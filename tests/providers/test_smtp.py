"""What each answer of a mail server, or the lack of one, makes of a delivery and of the connection."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from newsletter.errors import ProviderUnavailable
from newsletter.messages import compose
from newsletter.models import Outcome, Receipt, Recipient
from newsletter.protocols import Exposure
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from newsletter.providers.smtp_dialogue import Dialogue
from newsletter.providers.smtp_session import open_session
from tests.providers.letters import LETTER, recipient, recipients
from tests.servers.smtp import At, Fault, SmtpSink

MakeSink = Callable[..., SmtpSink]
ACCEPTED, RETRY, REJECTED, UNCERTAIN = (
    Outcome.ACCEPTED,
    Outcome.RETRY,
    Outcome.REJECTED,
    Outcome.UNCERTAIN,
)


@pytest.fixture(params=[False, True], ids=["one by one", "pipelined"])
def make_sink(request: pytest.FixtureRequest) -> MakeSink:
    """Return what makes a server that wants each command by itself, or takes them together: all comes to the same."""
    return partial(SmtpSink, pipelining=request.param)


def settings(sink: SmtpSink, *, timeout: float = 10, per_connection: int = 100) -> SmtpSettings:
    return SmtpSettings(
        host=sink.host, port=sink.port, tls="none", timeout=timeout, local_hostname="test.example",
        messages_per_connection=per_connection,
    )  # fmt: skip


def send(sink: SmtpSink, readers: list[Recipient], **changes: Any) -> list[Receipt]:
    with SmtpProvider(settings(sink, **changes)).connect() as connection:
        return list(connection.send(LETTER, readers))


def outcomes(receipts: list[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def taken(sink: SmtpSink) -> list[str]:
    return [mail.recipients[0] for mail in sink.messages]


def test_envelope_and_message_arrive_as_they_are(make_sink: MakeSink) -> None:
    with make_sink() as sink:
        (receipt,) = send(sink, [recipient(1)])
    (mail,) = sink.messages
    assert (mail.sender, mail.recipients) == ("post@news.example.org", ("reader1@example.org",))
    assert mail.data == compose(LETTER, recipient(1))
    assert receipt == Receipt(subscriber_id=1, outcome=ACCEPTED, reply="250 2.0.0 taken as 1")
    assert sink.commands == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"a\r\n.b\r\n"],
        [b"a\r\n", b".\r\n", b".b\r\n"],
        [b"a\r", b"\n..\r\nb\r\n"],
        [b".a\r\n"],
        [b"a", b".b\r\n"],
        [b"a\n.b\r\n"],
        [b"", b"\r\n", b"", b".\r\n"],
    ],
)
def test_lines_that_begin_with_a_dot_arrive_as_they_are(make_sink: MakeSink, pieces: list[bytes]) -> None:
    """No letter has such lines, but nothing of a letter may ever end the data or become a command."""
    with make_sink() as sink:
        dialogue = Dialogue(open_session(settings(sink), None))
        dialogue.ask([b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n"])
        assert dialogue.hand_over(pieces).kind == 2
        dialogue.leave(5)
        assert [mail.data for mail in sink.messages] == [b"".join(pieces)]


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


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 sender not allowed",
        "452 4.5.3 over quota",
        "451 4.7.0 try later",
        "530 5.7.0 log in first",
        "552 5.3.4 too big",
    ],
)
def test_a_refused_sender_concerns_nobody_in_particular(make_sink: MakeSink, reply: str) -> None:
    with (
        make_sink(faults=[Fault(at=At.MAIL, reply=reply, skip=1)]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
    ):
        receipts = connection.send(LETTER, recipients(3))
        assert next(receipts).outcome is ACCEPTED
        with pytest.raises(ProviderUnavailable) as caught:
            next(receipts)
        assert reply in str(caught.value)
        # The connection still stands, for whoever tries again.
        assert outcomes(list(connection.send(LETTER, [recipient(2)]))) == [ACCEPTED]
        assert taken(sink) == ["reader1@example.org", "reader2@example.org"]


@pytest.mark.parametrize("at", [At.RCPT, At.DATA, At.DOT])
@pytest.mark.parametrize(
    "reply",
    [
        "550 5.4.5 Daily user sending limit exceeded",
        "454 throttled: daily message quota exceeded",
        "452 4.5.3 your account has exceeded its hourly limit",
        "451 4.7.0 rate limit",
        "550 too many messages today",
    ],
)
def test_a_quota_of_the_sender_concerns_nobody_in_particular(make_sink: MakeSink, at: At, reply: str) -> None:
    with (
        make_sink(faults=[Fault(at=at, reply=reply)]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
    ):
        with pytest.raises(ProviderUnavailable, match="the quota is used up") as caught:
            list(connection.send(LETTER, recipients(1)))
        assert reply in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("452 4.2.2 over quota", RETRY),
        ("552 5.2.2 over quota", REJECTED),
        ("552 quota exceeded", REJECTED),
        ("554 the account is over quota", REJECTED),
        ("550 the mailbox has exceeded its quota", REJECTED),
        ("450 the recipient exceeded the disk quota", RETRY),
    ],
)
def test_a_quota_of_the_reader_concerns_that_reader(
    make_sink: MakeSink, reply: str, outcome: Outcome
) -> None:
    with make_sink(faults=[Fault(at=At.RCPT, reply=reply)]) as sink:
        assert outcomes(send(sink, recipients(2))) == [outcome, ACCEPTED]


@pytest.mark.parametrize(
    "reply", ["554 5.7.1 looks like spam", "550 5.1.8 bad sender", "550 no", "552 5.3.4 too large"]
)
def test_a_message_that_is_refused_again_and_again_is_not_about_the_readers(
    make_sink: MakeSink, reply: str
) -> None:
    with (
        make_sink(faults=[Fault(at=At.DOT, reply=reply, times=9)]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
    ):
        receipts = connection.send(LETTER, recipients(9))
        assert outcomes([next(receipts), next(receipts)]) == [REJECTED] * 2
        with pytest.raises(ProviderUnavailable, match="3 messages were refused, one after the other"):
            next(receipts)


@pytest.mark.parametrize(
    "reply", ["550 5.1.1 nobody", "550 no such user", "552 5.2.2 full", "550 5.2.1 disabled", "554 5.1.10 x"]
)
def test_refusals_of_readers_may_follow_one_another(make_sink: MakeSink, reply: str) -> None:
    with make_sink(faults=[Fault(at=At.DOT, reply=reply, times=5)]) as sink:
        assert outcomes(send(sink, recipients(6))) == [REJECTED] * 5 + [ACCEPTED]


def test_a_log_in_that_is_wanted_at_the_recipient_rejects_nobody(make_sink: MakeSink) -> None:
    with (
        make_sink(faults=[Fault(at=At.RCPT, reply="530 5.7.0 Authentication required")]) as sink,
        SmtpProvider(settings(sink)).connect() as connection,
        pytest.raises(ProviderUnavailable, match=r"provider\.smtp\.username"),
    ):
        list(connection.send(LETTER, recipients(1)))


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


@contextmanager
def scripted(answers: Mapping[str, str | bytes]) -> Iterator[tuple[SmtpSettings, list[str]]]:
    """Serve one connection that answers a line by its first word; after octets it hangs up.

    Yields how to reach it, and the lines that it got.
    """
    listener, got = socket.create_server(("127.0.0.1", 0)), list[str]()

    def serve() -> None:
        client, _ = listener.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(b"220 ready\r\n")
            for line in lines:
                got.append(line.decode().rstrip("\r\n"))
                answer = answers.get((got[-1].split() or [""])[0])
                if isinstance(answer, bytes):
                    client.sendall(answer)
                    break
                client.sendall(f"{answer}\r\n".encode() if answer else b"")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield SmtpSettings(host="127.0.0.1", port=listener.getsockname()[1], tls="none", timeout=5), got
    finally:
        thread.join()
        listener.close()


PIPELINED: dict[str, str | bytes] = {
    "ehlo": "250-mail.example\r\n250 PIPELINING",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


def test_a_message_takes_two_writes_where_commands_may_come_together() -> None:
    """The server answers nothing before it has all of them: who waits for the first answer waits for good."""
    together = {"DATA": "250 sender ok\r\n250 recipient ok\r\n354 go on", ".": "250 taken"}
    with scripted(PIPELINED | together) as (where, got):
        with SmtpProvider(where).connect() as connection:
            assert outcomes(list(connection.send(LETTER, recipients(2)))) == [ACCEPTED] * 2
        assert [line for line in got if line.startswith(("MAIL", "RCPT", "DATA"))] == [
            "MAIL FROM:<post@news.example.org>", "RCPT TO:<reader1@example.org>", "DATA",
            "MAIL FROM:<post@news.example.org>", "RCPT TO:<reader2@example.org>", "DATA",
        ]  # fmt: skip


@pytest.mark.parametrize("end", ["554 5.5.1 no valid recipients", "250 ok"])
def test_data_that_nobody_is_to_get_is_ended_at_once(end: str) -> None:
    refusing = {"MAIL": "250 ok", "RCPT": "550 5.1.1 nobody", "DATA": "354 go on all the same", ".": end}
    with scripted(PIPELINED | refusing) as (where, got):
        with SmtpProvider(where).connect() as connection:
            receipts = list(connection.send(LETTER, recipients(2)))
        assert [receipt.reply for receipt in receipts] == ["550 5.1.1 nobody"] * 2
        assert got[1:] == [
            "MAIL FROM:<post@news.example.org>", "RCPT TO:<reader1@example.org>", "DATA", ".", "RSET",
            "MAIL FROM:<post@news.example.org>", "RCPT TO:<reader2@example.org>", "DATA", ".", "QUIT",
        ]  # fmt: skip


def test_no_empty_message_goes_out_where_a_sender_was_refused() -> None:
    odd = {
        "MAIL": "550 not you",
        "RCPT": "250 ok",
        "DATA": "354 go on",
        ".": "250 an empty message was taken",
    }
    with scripted(PIPELINED | odd) as (where, got):
        with (
            SmtpProvider(where).connect() as connection,
            pytest.raises(ProviderUnavailable, match="550 not you"),
        ):
            list(connection.send(LETTER, recipients(1)))
        assert got[-1] == "DATA"


@pytest.mark.parametrize("answer", ["421 4.3.2 bye", b"", "what?"])
def test_a_refusal_stands_whatever_follows_it(answer: str | bytes) -> None:
    """One answer more is read where commands go out together; it cannot change what the one before it said."""
    with scripted(PIPELINED | {"MAIL": "250 ok", "RCPT": "550 5.1.1 nobody", "DATA": answer}) as (where, got):
        with SmtpProvider(where).connect() as connection:
            (receipt,) = connection.send(LETTER, recipients(1))
        assert (receipt.outcome, receipt.reply, receipt.hard) == (REJECTED, "550 5.1.1 nobody", True)
        assert got[-1] == "DATA", "nothing more is said on a connection that ends"


@pytest.mark.parametrize("half", [b"250", b"250 2.0.0 ta", b"2", b"250-2.0.0 taken\r\n250"])
def test_half_an_answer_to_the_data_is_none(half: bytes) -> None:
    answers: dict[str, str | bytes] = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": half}
    with scripted(PIPELINED | answers) as (where, _), SmtpProvider(where).connect() as connection:
        assert outcomes(list(connection.send(LETTER, recipients(1)))) == [UNCERTAIN]


def test_a_connection_that_breaks_inside_the_data_is_not_uncertain() -> None:
    """More octets than the sockets hold: the end of data cannot have been written."""
    letter = replace(LETTER, text="a line of the letter\nend\n" * 500_000)
    answers: dict[str, str | bytes] = {
        "ehlo": "250 mail.example",
        "MAIL": "250 ok",
        "RCPT": "250 ok",
        "DATA": "354 go on",
        "end": b"",
    }
    with scripted(answers) as (where, _), SmtpProvider(where).connect() as connection:
        (receipt,) = connection.send(letter, recipients(1))
    assert receipt.outcome is RETRY


def test_the_size_is_told_where_the_server_asks_for_it(make_sink: MakeSink) -> None:
    readers = [recipient(1), recipient(2, address="편지@example.org")]
    with make_sink() as sink:
        send(sink, readers)
        assert [mail.options for mail in sink.messages] == [
            (f"SIZE={len(sink.messages[0].data)}",),
            (f"SIZE={len(sink.messages[1].data)}", "SMTPUTF8", "BODY=8BITMIME"),
        ]
    with make_sink(largest=None) as sink:
        send(sink, readers)
        assert [mail.options for mail in sink.messages] == [(), ("SMTPUTF8", "BODY=8BITMIME")]


@pytest.mark.parametrize("offer", ["SIZE", "SIZE 0", "SIZE many"])
def test_a_server_may_ask_for_the_size_and_name_no_bound(offer: str) -> None:
    answers = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken"}
    with scripted(PIPELINED | {"ehlo": f"250-mail.example\r\n250 {offer}"} | answers) as (where, got):
        with SmtpProvider(where).connect() as connection:
            assert outcomes(list(connection.send(LETTER, recipients(1)))) == [ACCEPTED]
        assert got[1] == f"MAIL FROM:<post@news.example.org> SIZE={len(compose(LETTER, recipient(1)))}"


def test_a_letter_that_is_too_large_for_the_server_is_not_sent_and_rejects_nobody(
    make_sink: MakeSink,
) -> None:
    most = len(compose(LETTER, recipient(1)))
    with make_sink(largest=most) as sink:
        assert outcomes(send(sink, recipients(1))) == [ACCEPTED]
    with make_sink(largest=most - 1) as sink:
        with pytest.raises(ProviderUnavailable) as caught:
            send(sink, recipients(1))
        assert sink.commands == ["EHLO", "QUIT"]
    assert f"the letter has {most:,} octets, and the mail server takes {most - 1:,} at most" in str(
        caught.value
    )


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


def test_no_receipt_repeats_what_the_letter_says(make_sink: MakeSink) -> None:
    secret = base64.b64encode(b"in the letter only").decode()
    letter = replace(LETTER, text=secret, html=secret)
    faults = [Fault(at=At.DOT, reply="554 5.7.1 no"), Fault(at=At.DATA, close=True, skip=1)]
    with make_sink(faults=faults) as sink, SmtpProvider(settings(sink)).connect() as connection:
        receipts = list(connection.send(letter, recipients(2)))
    assert outcomes(receipts) == [REJECTED, RETRY]
    assert not any(secret in receipt.reply for receipt in receipts)
