"""Addresses that bounces come back to: the envelope's sender, one for all or one a reader, and what it proves."""

from __future__ import annotations

import mailbox
import re

import pytest

from tests.cli.command import PEOPLE, SAMPLE, Command, assert_complains, run, smtp_settings
from tests.cli.test_inbox import HARD, Sent, bounce, complaint
from tests.servers.smtp import At, Fault, SmtpSink
from tests.support.mail import parse

ADA, GRACE, MINJUN = PEOPLE
OWN = {"NEWSLETTER_INBOX__RETURN_PATH": "bounces@example.org", "NEWSLETTER_INBOX__VERP": "true"}


def senders(sink: SmtpSink) -> dict[str, str]:
    """Return the sender of the envelope, by reader."""
    return {mail.recipients[0]: mail.sender for mail in sink.messages}


@pytest.fixture
def back(people: Command) -> Sent:
    """Return a newsletter whose first issue went out with VERP; for ``letters`` it has where each comes back to."""
    mailbox.Maildir(people.folder / "back")
    with SmtpSink() as sink:
        run(people, "--from", SAMPLE, env=smtp_settings(sink) | OWN)
        return Sent(command=people, letters=senders(sink))


def test_every_reader_has_an_address_of_their_own(back: Sent) -> None:
    assert len(set(back.letters.values())) == 3
    for sender in back.letters.values():
        assert re.fullmatch(r"bounces\+[a-z2-7]{26}-1@example\.org", sender)


def test_without_verp_all_have_one_and_without_either_it_is_the_from(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink)
        run(
            people, "--from", SAMPLE, env=env | {"NEWSLETTER_INBOX__RETURN_PATH": OWN["NEWSLETTER_INBOX__RETURN_PATH"]}
        )  # fmt: skip
        assert set(senders(sink).values()) == {"bounces@example.org"}
        assert {str(parse(mail.data)["From"]) for mail in sink.messages} == {
            "Daily Papers <news@example.org>"
        }
    with SmtpSink() as sink:
        assert people("send", "2024-09-12", "--test", "me@example.org", env=smtp_settings(sink)).code == 0
        assert set(senders(sink).values()) == {"news@example.org"}
    with SmtpSink() as sink:
        verp = {"NEWSLETTER_INBOX__VERP": "true"}
        assert (
            people("send", "2024-09-12", "--test", "me@example.org", env=smtp_settings(sink) | verp).code == 0
        )
        [sender] = senders(sink).values()
        assert sender.startswith("news+")


def test_a_bounce_that_quotes_nothing_is_proven_by_where_it_came_to(back: Sent) -> None:
    back.put(f"Delivered-To: {back.letters[ADA]}\n" + bounce("another@example.net", HARD))
    back.put(f"To: {back.letters[GRACE]}\n" + complaint("To: (removed)\n"))

    assert sorted(back.read()) == ["1 complained", "1 suppressed"]
    assert [back.state(each) for each in PEOPLE] == ["bounced", "complained", "active"]


def test_a_forged_address_does_nothing(back: Sent) -> None:
    guessed = f"bounces+{'a' * 26}-1@example.org"
    cut = back.letters[ADA].replace("-1@", "-2@").replace("+", "+a")
    other_edition = back.letters[GRACE].replace("-1@", "-7@")
    for number, address in enumerate((guessed, cut, other_edition, "bounces@example.org")):
        back.put(f"To: {address}\n" + bounce(f"nobody{number}@example.net", HARD))

    assert back.read() == ["4 concerns nobody on the list"]
    assert [back.state(each) for each in PEOPLE] == ["active"] * 3


def test_an_answer_to_such_an_address_is_left_to_a_person_or_ignored(back: Sent) -> None:
    to = f"To: {back.letters[ADA]}\nFrom: {ADA}\n"
    back.put(
        f"{to}Auto-Submitted: auto-replied\nSubject: Away\n\nI am away.\n",
        f"{to}Subject: Hello\n\nThank you!\n",
    )

    assert sorted(back.read()) == ["1 ignored", "1 left to you"]
    assert back.state(ADA) == "active"


def test_confirmations_come_back_to_it_too(command: Command) -> None:
    (command.folder / "readers.csv").write_text(f"email,status\n{ADA},pending\n")
    command("subscribers", "import", "readers.csv").ok()
    with SmtpSink() as sink:
        command("subscribers", "confirm", "--send", env=smtp_settings(sink) | OWN).ok()
    [sender] = senders(sink).values()
    assert sender.startswith("bounces+")


def test_a_refusal_that_quotes_the_sender_tells_no_key(back: Sent) -> None:
    reply = f"550 5.7.1 <{back.letters[ADA]}>: not yours"
    with SmtpSink(faults=[Fault(at=At.MAIL, reply=reply)]) as sink:
        again = back.command("send", "2024-09-12", "--test", "me@example.org", env=smtp_settings(sink) | OWN)
    assert again.code == 1
    assert (
        "the sender bounces+*@example.org is refused: 550 5.7.1 <bounces+*@example.org>: not yours"
        in again.err
    )


@pytest.mark.parametrize("address", ["a" * 28 + "@example.org", "bücher@example.org", "no address"])
def test_an_address_that_leaves_no_room_is_refused(people: Command, address: str) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink) | OWN | {"NEWSLETTER_INBOX__RETURN_PATH": address}
        assert_complains(people("run", "--from", SAMPLE, env=env), "inbox.return_path")
        assert not sink.messages


def test_the_longest_address_fits(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink) | OWN | {"NEWSLETTER_INBOX__RETURN_PATH": "a" * 27 + "@example.org"}
        run(people, "--from", SAMPLE, env=env)
        assert {len(each.partition("@")[0]) for each in senders(sink).values()} == {27 + 29}
