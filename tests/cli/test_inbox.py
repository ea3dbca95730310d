"""`newsletter inbox read`: what comes back changes the list and the ledger once, and only with proof."""

from __future__ import annotations

import json
import mailbox
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine
import trustme

from tests.cli.command import PEOPLE, SAMPLE, SENDER, Command, assert_complains, outbox
from tests.servers.imap import PASSWORD, USER, ImapServer
from tests.support.mail import parse

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "mailbox"
ADA, GRACE, MINJUN = PEOPLE
HARD = "550 5.1.1 user unknown"
FULL = "552 5.2.2 mailbox full"
BLOCKED = "550 5.7.1 blocked for spam"


def bounce(address: str, reply: str, letter: str = "", *, action: str = "failed", number: int = 0) -> str:
    """Return a report in the form of RFC 3464, with the headers of a letter."""
    status = reply.split()[1]
    return (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: Undelivered mail {number}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"\n\n'
        "--=_b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {reply}\n\n"
        f"--=_b\nContent-Type: text/rfc822-headers\n\n{letter}\n--=_b--\n"
    )


def complaint(letter: str) -> str:
    return (
        "From: fbl@example.net\nSubject: complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"\n\n'
        f"--=_b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n"
        f"--=_b\nContent-Type: message/rfc822\n\n{letter}\nHello\n--=_b--\n"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A newsletter whose first issue went out, and a Maildir for what comes back."""

    command: Command
    letters: dict[str, str]  # headers, by reader

    @property
    def box(self) -> Path:
        return self.command.folder / "back"

    def put(self, *mails: str | bytes) -> None:
        for mail in mails:
            mailbox.Maildir(self.box).add(mail if isinstance(mail, bytes) else mail.encode())

    def read(self) -> list[str]:
        """Read the Maildir; return what became of each mail, in the words of the last line."""
        out = self.command("inbox", "read", "--maildir", self.box, env=SENDER).ok().out
        return out.splitlines()[-1].rstrip(".").split(", ")

    def state(self, address: str) -> str:
        return str(self.command("subscribers", "show", address, "--json", env=SENDER).ok().json["state"])

    def outcomes(self) -> dict[str, str]:
        rows = self.command("deliveries", "list", "2024-09-12", "--json", env=SENDER).ok().json
        return {row["email"]: row["outcome"] for row in rows}

    def without_key(self, address: str) -> str:
        """Return a letter's headers as a server returns them that keeps but a few."""
        lines = self.letters[address].splitlines()
        return next(line for line in lines if line.startswith("Message-ID:")) + "\n"


@pytest.fixture
def sent(people: Command) -> Sent:
    people("run", "--from", SAMPLE, env=SENDER).ok()
    mailbox.Maildir(people.folder / "back")
    mails = [parse(mail) for mail in outbox(people.folder).values()]
    heads = {str(mail["To"]): "".join(f"{name}: {value}\n" for name, value in mail.items()) for mail in mails}
    return Sent(command=people, letters=heads)


def test_a_hard_bounce_of_a_letter_suppresses_once(sent: Sent) -> None:
    sent.put(bounce(ADA, HARD, sent.letters[ADA]))

    assert sent.read() == ["1 suppressed"]
    assert sent.state(ADA) == "bounced"
    assert sent.outcomes() == {ADA: "bounced", GRACE: "unknown", MINJUN: "unknown"}
    assert sent.read() == ["There is no new mail"]
    [path] = (sent.box / "cur").iterdir()
    assert path.name.endswith(":2,S")
    listed = sent.command("subscribers", "suppressions", "list", "--json", env=SENDER).ok().json
    assert [(row["email"], row["reason"]) for row in listed] == [(ADA, "bounced: the mailbox does not exist")]


def test_the_token_of_the_message_id_is_proof_for_its_reader_alone(sent: Sent) -> None:
    sent.put(bounce(ADA, HARD, sent.without_key(GRACE)))
    assert sent.read() == ["1 counted"]
    assert sent.state(ADA) == sent.state(GRACE) == "active"

    sent.put(bounce(ADA, HARD, sent.without_key(ADA)))
    assert sent.read() == ["1 suppressed"]
    assert sent.outcomes() == {ADA: "bounced", GRACE: "unknown", MINJUN: "unknown"}


def test_a_forged_bounce_is_no_proof(sent: Sent) -> None:
    guessed = "Message-ID: <20240912.daily.0123456789abcdef01234567@example.org>\n"
    sent.put(*(bounce(ADA, HARD, guessed, number=number) for number in range(20)))

    assert sent.read() == ["20 counted"]  # one day's forgeries count once
    assert sent.state(ADA) == "active"
    assert set(sent.outcomes().values()) == {"unknown"}


def test_a_complaint_suppresses_with_proof_and_is_left_without(sent: Sent) -> None:
    sent.put(complaint(sent.letters[GRACE]), complaint(f"To: {ADA}\n"))

    assert sent.read() == ["1 complained", "1 left to you"]
    assert (sent.state(GRACE), sent.state(ADA)) == ("complained", "active")
    assert sent.outcomes()[GRACE] == "complained"
    assert len(list((sent.box / "new").iterdir())) == 1

    sent.put(bounce(GRACE, HARD, sent.letters[GRACE]))  # a later bounce does not take the complaint back
    sent.read()
    assert (sent.state(GRACE), sent.outcomes()[GRACE]) == ("complained", "complained")


def test_a_mail_unsubscribes_by_the_link_of_the_letter(sent: Sent) -> None:
    link = next(line for line in sent.letters[MINJUN].split() if "/u/" in line)
    key_and_number = "/".join(link.strip("<>,").split("/")[-2:])
    sent.put(f"From: somebody-else@example.com\nSubject: unsubscribe {key_and_number}\n\n")
    sent.put("From: x@example.com\nSubject: unsubscribe aaaaaaaaaaaaaaaaaaaaaaaaaa/1\n\n")

    assert sorted(sent.read()) == ["1 concerns nobody on the list", "1 unsubscribed"]
    shown = sent.command("subscribers", "show", MINJUN, "--json", env=SENDER).ok().json
    assert shown["subscriptions"][0]["state"] == "unsubscribed"
    assert "mailto" in json.dumps(shown)


def test_soft_bounces_add_up_but_not_those_of_our_own_making(sent: Sent) -> None:
    settings = "[inbox]\nsoft_bounces = 3\nsoft_days = 10\n"
    (sent.command.folder / "newsletter.toml").write_text(settings)
    states = []
    for day in (1, 2, 20, 21, 22):
        with time_machine.travel(f"2024-10-{day:02} 08:00Z", tick=True):
            sent.put(
                bounce(ADA, FULL, number=day), bounce(GRACE, BLOCKED, number=day),
                bounce(MINJUN, FULL, number=day, action="delayed"),
            )  # fmt: skip
            sent.read()
            states.append(sent.state(ADA))

    assert states == ["active", "active", "active", "active", "bounced"]
    assert sent.state(GRACE) == sent.state(MINJUN) == "active"


def test_a_letter_counts_once_however_often_it_comes_back(sent: Sent) -> None:
    (sent.command.folder / "newsletter.toml").write_text("[inbox]\nsoft_bounces = 2\n")
    for day in (14, 15, 16):
        with time_machine.travel(f"2024-09-{day} 08:00Z", tick=True):
            sent.put(bounce(ADA, FULL, sent.letters[ADA], number=day))
            assert sent.read() == ["1 counted"]


def test_mail_of_people_is_left(sent: Sent) -> None:
    person = (SAMPLES / "person.eml").read_bytes()
    sent.put(person, (SAMPLES / "vacation-de.eml").read_bytes())

    assert sent.read() == ["1 ignored", "1 left to you"]
    [left] = (sent.box / "new").iterdir()
    assert left.read_bytes() == person
    assert sent.read() == ["1 left to you"]


def test_json_is_what_is_promised(command: Command) -> None:
    box = command.folder / "back"
    mailbox.Maildir(box)
    for name in ("qmail.eml", "person.eml"):
        (box / "new" / name).write_bytes((SAMPLES / name).read_bytes())

    dry = command("inbox", "read", "--maildir", box, "--dry-run", "--json").ok()

    assert dry.json == {
        "messages": [
            {"message": "person.eml", "kind": "other", "recipient": "nora@example.net", "status": "", "reason": ""},
            {
                "message": "qmail.eml", "kind": "hard", "recipient": "nora@example.net", "status": "5.1.1",
                "reason": "the mailbox does not exist",
            },
        ]
    }  # fmt: skip
    assert sorted(path.name for path in (box / "new").iterdir()) == ["person.eml", "qmail.eml"]
    assert not (command.folder / "newsletter.db").exists()
    assert command("inbox", "read", "--maildir", box, "--json").ok().json == dry.json


def test_an_mbox_is_read_and_not_changed(sent: Sent) -> None:
    file = sent.command.folder / "back.mbox"
    box = mailbox.mbox(file)
    for mail in (bounce(ADA, HARD, sent.letters[ADA]), complaint(sent.letters[GRACE])):
        box.add(mail.encode())
    box.close()
    before = file.read_bytes()

    first = sent.command("inbox", "read", "--mbox", file, env=SENDER).ok().out
    second = sent.command("inbox", "read", "--mbox", file, env=SENDER).ok().out

    assert first.splitlines()[-1] == "1 complained, 1 suppressed."
    assert second.splitlines()[-1] == "2 known already."
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "inbox.host: names no mail server; set it, or give --maildir or --mbox"),
        (("--maildir", "nowhere"), "is no Maildir"),
        (("--mbox", "newsletter.toml"), "is no mbox file"),
        (("--imap", "--mbox", "x"), "give one of --maildir, --mbox and --imap"),
    ],
)
def test_wrong_use(command: Command, arguments: tuple[str, ...], words: str) -> None:
    (command.folder / "newsletter.toml").write_text("# nothing is set\n")

    assert_complains(command("inbox", "read", *arguments), words)


def test_a_file_that_is_not_there(command: Command) -> None:
    assert_complains(command("inbox", "read", "--mbox", "gone.mbox"), "gone.mbox", code=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates of a server on this machine."""

    context: ssl.SSLContext
    ca_file: Path


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return Tls(context=context, ca_file=file)


def imap_settings(server: ImapServer, tls: Tls, **changed: Any) -> dict[str, str]:
    values = {
        "host": "localhost", "port": server.port, "username": USER, "password": PASSWORD, "ca_file": tls.ca_file
    } | changed  # fmt: skip
    return SENDER | {f"NEWSLETTER_INBOX__{name.upper()}": str(value) for name, value in values.items()}


def test_imap(sent: Sent, tls: Tls) -> None:
    mails = [
        bounce(ADA, HARD, sent.letters[ADA]).encode(),
        (SAMPLES / "person.eml").read_bytes(),
        b"A" * 3_000_000,
    ]
    with ImapServer(tls.context, {"Bounces of a day": mails}) as server:
        env = imap_settings(server, tls, folder="Bounces of a day")
        dry = sent.command("inbox", "read", "--imap", "--dry-run", "--json", env=env).ok().json
        assert [(mail["message"], mail["kind"]) for mail in dry["messages"]] == [
            ("101", "hard"), ("102", "other"), ("103", "other")
        ]  # fmt: skip
        assert server.seen == set()

        read = sent.command("inbox", "read", env=env).ok().out

        assert read.splitlines()[-1] == "2 left to you, 1 suppressed."
        assert server.seen == {101}
        assert sent.command("inbox", "read", env=env).ok().out.splitlines()[-1] == "2 left to you."
    assert sent.state(ADA) == "bounced"


@pytest.mark.parametrize(
    ("changed", "drop_at", "code", "words"),
    [
        ({"password": "mistaken"}, "", 2, "inbox.username: the mail server refused the log-in"),
        (
            {"password": "schlüssel"},
            "",
            2,
            "inbox.password: holds letters that the log-in of IMAP cannot carry",
        ),
        ({"folder": "Nowhere"}, "", 2, "inbox.folder: the mail server has no such folder"),
        ({"ca_file": ""}, "", 1, "no connection: "),
        ({"port": 1}, "", 1, "localhost:1: no connection: "),
        ({}, "LOGIN", 1, "the connection was lost"),
        ({}, "UID FETCH", 1, "the connection was lost"),
    ],
)
def test_imap_faults(
    command: Command, tls: Tls, changed: dict[str, Any], drop_at: str, code: int, words: str
) -> None:
    with ImapServer(tls.context, {"INBOX": [b"Subject: x\n\n"]}, drop_at=drop_at) as server:
        result = command("inbox", "read", "--imap", env=imap_settings(server, tls, **changed))

    assert_complains(result, words, code=code)
    assert "mistaken" not in result.err
