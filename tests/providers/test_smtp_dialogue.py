"""What goes over the wire, and when: commands together, dots, sizes, half answers."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from newsletter.errors import ProviderUnavailable, RenderError
from newsletter.messages import compose
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from newsletter.providers.smtp_dialogue import ConnectionLostError, Dialogue
from newsletter.providers.smtp_session import open_session
from tests.providers.authority import Authority
from tests.providers.letters import LETTER, recipient, recipients
from tests.providers.sinks import (
    ACCEPTED,
    PIPELINED,
    REJECTED,
    RETRY,
    TAKING,
    UNCERTAIN,
    MakeSink,
    outcomes,
    scripted,
    send,
    settings,
    taken,
)
from tests.servers.leaving_smtp import SECONDS, Going, leaving_server
from tests.servers.smtp import At, Fault, SmtpSink


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


def test_a_message_takes_one_round_trip_where_commands_may_come_together() -> None:
    """The server answers nothing before it has all of them: who waits for the first answer waits for good."""
    envelope = "250 sender ok\r\n250 recipient ok\r\n354 go on"
    together = {"DATA": [envelope, f"250 taken\r\n{envelope}"], ".": ["", "250 taken too"]}
    with scripted(PIPELINED | together) as (where, got):
        with SmtpProvider(where).connect() as connection:
            receipts = list(connection.send(LETTER, recipients(2)))
        assert [receipt.reply for receipt in receipts] == ["250 taken", "250 taken too"]
        assert [line for line in got if line.startswith(("MAIL", "RCPT", "DATA"))] == [
            "MAIL FROM:<post@news.example.org>", "RCPT TO:<reader1@example.org>", "DATA",
            "MAIL FROM:<post@news.example.org>", "RCPT TO:<reader2@example.org>", "DATA",
        ]  # fmt: skip
        assert got[-1] == "QUIT"


def wait_for_data(got: list[str]) -> None:
    """Wait until the server has come to the next DATA."""
    while got[-1] != "DATA":
        time.sleep(0.01)


def test_the_data_of_the_next_waits_for_the_receipt_before_it_to_be_taken() -> None:
    with scripted(PIPELINED | TAKING) as (where, got):
        with SmtpProvider(where).connect() as connection:
            receipts = connection.send(LETTER, recipients(2))
            assert next(receipts).outcome is ACCEPTED
            wait_for_data(got)
            time.sleep(0.1)
            assert got[-2:] == ["RCPT TO:<reader2@example.org>", "DATA"]
            assert outcomes(list(receipts)) == [ACCEPTED]
        assert got.count(".") == 2


def test_who_was_named_and_is_not_to_be_written_to_any_more_gets_nothing() -> None:
    """A goodbye would be data by then, so the connection ends without one."""
    with scripted(PIPELINED | TAKING) as (where, got), SmtpProvider(where).connect() as connection:
        assert next(connection.send(LETTER, recipients(2))).outcome is ACCEPTED
        wait_for_data(got)
    assert got[-2:] == ["RCPT TO:<reader2@example.org>", "DATA"]
    assert got.count(".") == 1


def test_who_was_named_is_not_taken_for_somebody_else() -> None:
    with SmtpSink(pipelining=True) as sink, SmtpProvider(settings(sink)).connect() as connection:
        assert next(connection.send(LETTER, recipients(2))).outcome is ACCEPTED
        others = [recipient(7), recipient(8)]
        assert outcomes(list(connection.send(LETTER, others))) == [ACCEPTED] * 2
        assert taken(sink) == [f"reader{number}@example.org" for number in (1, 7, 8)]
        assert sink.connections == 2


def test_a_refused_message_leaves_the_next_one_as_it_is() -> None:
    fault = Fault(at=At.DOT, reply="554 5.7.1 no such words here", recipient="reader1@example.org")
    with SmtpSink(pipelining=True, faults=[fault]) as sink:
        assert outcomes(send(sink, recipients(3))) == [REJECTED, ACCEPTED, ACCEPTED]
        assert (sink.connections, sink.commands.count("RSET")) == (1, 0)


@pytest.mark.parametrize("address", ["two@at@example.org", "편지@example.org"])
def test_who_cannot_be_written_to_is_not_named(address: str) -> None:
    readers = [recipient(1), recipient(2, address=address), recipient(3)]
    with SmtpSink(pipelining=True, smtputf8=False) as sink:
        assert outcomes(send(sink, readers)) == [ACCEPTED, REJECTED, ACCEPTED]
        assert sink.commands.count("MAIL") == 2


def test_an_end_of_data_that_was_written_is_uncertain_whatever_follows_it() -> None:
    """The server hangs up after the dot, and what was to follow is more than the sockets hold."""
    following = [b"NOOP " + b"x" * 500 + b"\r\n"] * 40_000
    answers = TAKING | {".": b""}
    with scripted(PIPELINED | answers) as (where, _):
        dialogue = Dialogue(open_session(where, None))
        dialogue.ask([b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n"])
        with pytest.raises(ConnectionLostError) as caught:
            dialogue.hand_over([b"hello\r\n"], following)
        dialogue.leave(5)
    assert caught.value.outcome is UNCERTAIN


def test_who_was_named_gets_the_letter_that_is_asked_for() -> None:
    other, (first, second) = replace(LETTER, subject="Another letter"), recipients(2)
    with SmtpSink(pipelining=True) as sink, SmtpProvider(settings(sink)).connect() as connection:
        assert next(connection.send(LETTER, [first, second])).outcome is ACCEPTED
        assert outcomes(list(connection.send(other, [second]))) == [ACCEPTED]
        assert b"\r\nSubject: Another letter\r\n" in sink.messages[1].data


def test_who_cannot_be_composed_does_not_stop_the_one_before() -> None:
    readers = [recipient(1), recipient(2)._replace(headers=(("To", "twice"),))]
    with SmtpSink(pipelining=True) as sink, SmtpProvider(settings(sink)).connect() as connection:
        receipts = connection.send(LETTER, readers)
        assert next(receipts).outcome is ACCEPTED
        with pytest.raises(RenderError):
            next(receipts)
        assert taken(sink) == ["reader1@example.org"]


@pytest.mark.parametrize("going", Going)
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_server_that_goes_while_a_receipt_is_settled_took_nothing_more(
    authority: Authority, going: Going, encrypted: bool
) -> None:
    """It has asked for the next one's data by then; not an octet of that is written."""
    certificate = authority.server("localhost") if encrypted else None
    with leaving_server(going=going, certificate=certificate) as (port, messages):
        where = SmtpSettings(
            host="localhost", port=port, tls="implicit" if encrypted else "none", timeout=5, ca_file=authority.file
        )  # fmt: skip
        with SmtpProvider(where).connect() as connection:
            receipts = connection.send(LETTER, recipients(3))
            assert next(receipts).outcome is ACCEPTED
            time.sleep(3 * SECONDS)
            assert outcomes([next(receipts), next(receipts)]) == [RETRY, ACCEPTED]
        assert len(messages) == 2


def test_a_server_that_loses_what_comes_behind_the_data_is_met_without() -> None:
    """Against RFC 2920, but it would cost a time-out for every other reader."""
    with leaving_server(forgets=True) as (port, messages):
        where = SmtpSettings(host="127.0.0.1", port=port, tls="none", timeout=0.3)
        with SmtpProvider(where).connect() as connection:
            receipts = list(connection.send(LETTER, recipients(6)))
        assert outcomes(receipts) == [ACCEPTED, RETRY, *[ACCEPTED] * 4]
        assert len(messages) == 5


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
    answers = TAKING | {".": half}
    with scripted(PIPELINED | answers) as (where, _), SmtpProvider(where).connect() as connection:
        assert outcomes(list(connection.send(LETTER, recipients(1)))) == [UNCERTAIN]


@pytest.mark.parametrize("offer", ["PIPELINING", "HELP"])
def test_a_connection_that_breaks_inside_the_data_is_not_uncertain(offer: str) -> None:
    """More octets than the sockets hold: the end of data cannot have been written, nor what follows it."""
    letter = replace(LETTER, text="a line of the letter\nend\n" * 500_000)
    answers = TAKING | {"ehlo": f"250-mail.example\r\n250 {offer}", "end": b""}
    with scripted(PIPELINED | answers) as (where, _), SmtpProvider(where).connect() as connection:
        assert next(connection.send(letter, recipients(2))).outcome is RETRY


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
    with scripted(PIPELINED | TAKING | {"ehlo": f"250-mail.example\r\n250 {offer}"}) as (where, got):
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


def test_a_server_of_old_gets_plain_commands() -> None:
    old: dict[str, str | bytes] = {"ehlo": "502 what?", "helo": "250 hello", "QUIT": "221 bye"}
    with scripted(old | TAKING) as (where, got):
        with SmtpProvider(where).connect() as connection:
            assert outcomes(list(connection.send(LETTER, recipients(1)))) == [ACCEPTED]
        assert got[2:5] == ["MAIL FROM:<post@news.example.org>", "RCPT TO:<reader1@example.org>", "DATA"]
