"""A person in the loop: a draft is mailed, and nothing is sent but what that person approved."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tests.cli.command import SAMPLE, Command, assert_complains
from tests.cli.test_issues import DAY, readers, smtp
from tests.servers.smtp import SmtpSink

SETTINGS = """
[alerts]
email = "boss@example.org"
[editions.daily]
schedule = { at = "07:30", days = "daily", timezone = "Asia/Seoul", latest = "12:00", approve = true }
"""
MORNING, NOON, LATER = "2024-09-13T08:00+09:00", "2024-09-13T11:50+09:00", "2024-09-13T12:10+09:00"


@pytest.fixture
def office(command: Command) -> Command:
    (command.folder / "newsletter.toml").write_text(SETTINGS, encoding="utf-8")
    readers(command, 2)
    return command


def due(office: Command, sink: SmtpSink, now: str, code: int = 0) -> str:
    result = office("run", "--if-due", "--now", now, "--from", str(SAMPLE), env=smtp(sink))
    assert result.code == code, result
    return result.out + result.err


def mails(sink: SmtpSink, to: str) -> list[EmailMessage]:
    return [
        message_from_bytes(mail.data, policy=policy.default)
        for mail in sink.messages
        if mail.recipients == (to,) or list(mail.recipients) == [to]
    ]


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_nothing_is_sent_before_the_word_and_then_exactly_what_was_shown(office: Command) -> None:
    with SmtpSink() as sink:
        told = due(office, sink, MORNING)
        assert "is a draft and waits for a word until 2024-09-13 12:00 KST; boss@example.org is asked" in told
        (draft,) = mails(sink, "boss@example.org")
        assert len(sink.messages) == 1
        assert "waits for a word until 12:00 KST" in due(office, sink, MORNING)
        assert len(sink.messages) == 1
        assert "nothing was sent" in office("run", "--from", str(SAMPLE), env=smtp(sink)).ok().out
        approved = office("issues", "approve", DAY, "--json").ok().json
        assert approved["state"] == "approved"
        due(office, sink, NOON)
        (letter,) = mails(sink, "reader0@example.org")
        assert len(sink.messages) == 3
    assert draft["Subject"] == f"[Draft] {letter['Subject']}"
    link = re.search(r"https://news\.example\.org/d/\S+", body(draft, "plain"))
    assert link is not None
    assert link.group() in body(draft, "html")
    without_reader = re.compile(r"/u/[a-z2-7]{26}/\d+|\w+@example\.org")
    shown = without_reader.sub("/u", body(draft, "plain").replace("\r", "")).partition("\n\n")[2]
    assert shown == without_reader.sub("/u", body(letter, "plain").replace("\r", ""))


def test_without_a_word_the_issue_is_held(office: Command) -> None:
    with SmtpSink() as sink:
        due(office, sink, MORNING)
        assert "is held: no word came by 2024-09-13 12:00 KST" in due(office, sink, LATER, code=1)
        assert mails(sink, "reader0@example.org") == []
        office("issues", "approve", DAY).ok()
        due(office, sink, LATER)
        assert len(mails(sink, "reader0@example.org")) == 1


def test_what_is_held_stays(office: Command) -> None:
    with SmtpSink() as sink:
        due(office, sink, MORNING)
        held = office("issues", "hold", DAY, "--reason", "a wrong name").ok().out
        assert "is held (held by" in held
        assert "a wrong name" in held
        due(office, sink, NOON)
        assert mails(sink, "reader0@example.org") == []
        assert_complains(office("issues", "approve", "2024-01-01"), "there is no such issue")
        office("issues", "approve", DAY).ok()
        due(office, sink, NOON)
    done = office("issues", "hold", DAY)
    assert done.code == 1
    assert "is finished; only a draft waits" in done.err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (SETTINGS.replace("boss@example.org", ""), ("schedule.approve", "alerts.email")),
        (SETTINGS.replace("boss@example.org", "nobody"), ("alerts.email", "nobody")),
    ],
)
def test_somebody_must_be_asked(command: Command, lines: str, words: tuple[str, ...]) -> None:
    readers(command, 1)
    (command.folder / "newsletter.toml").write_text(lines, encoding="utf-8")
    result = command("run", "--if-due", "--now", MORNING, "--from", str(SAMPLE))
    assert result.code == 2
    assert all(word in result.err for word in words)


def test_a_link_must_lead_somewhere(office: Command) -> None:
    with SmtpSink() as sink:
        env = smtp(
            sink, NEWSLETTER_WEB__PUBLIC_URL="", NEWSLETTER_SENDER__UNSUBSCRIBE_MAILBOX="u@example.org"
        )
        result = office("run", "--if-due", "--now", MORNING, "--from", str(SAMPLE), env=env)
    assert result.code == 2
    assert "web.public_url" in result.err


def test_an_edit_is_mailed_and_only_the_new_letter_can_be_approved(office: Command) -> None:
    with SmtpSink() as sink:
        due(office, sink, MORNING)
        env = smtp(sink)
        (first,) = mails(sink, "boss@example.org")
        shown = office("issues", "show", DAY, "--json").ok().json["entries"]
        dropped, lead = shown[1]["id"], shown[0]
        sentence = lead["summary"]["sections"][0]["text"].split(". ")[0]
        told = office(
            "issues", "edit", DAY, "--subject", "Something better", "--drop", dropped, "--replace", sentence,
            "Said otherwise", env=env,
        ).ok()  # fmt: skip
        assert "is edited; it is mailed again" in told.out
        office("issues", "edit", DAY, "--drop", shown[2]["id"], env=env).ok()
        now = office("issues", "show", DAY, "--json").ok().json
        assert now["state"] == "draft"
        assert [entry["id"] for entry in now["entries"]] == [
            shown[0]["id"],
            *(each["id"] for each in shown[3:]),
        ]
        office("issues", "approve", DAY).ok()
        due(office, sink, NOON)
        (letter,) = mails(sink, "reader0@example.org")
    assert letter["Subject"] == "Something better"
    assert "Said otherwise" in body(letter, "html")
    assert sentence not in body(letter, "plain").replace("\r\n", " ")
    assert dropped in body(first, "html")
    assert dropped not in body(letter, "html")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--subject, --drop or --replace"),
        (("--drop", "2409.99999"), "is no paper of the issue; it has 2409.06820"),
        (("--replace", "words that nobody wrote", "x"), "stands in no summary"),
        (("--replace", "the", "x"), "papers"),
        (("--subject", " "), "is no subject"),
        (("--subject", "a\nb"), "is no subject"),
    ],
)
def test_an_edit_that_fits_nothing_changes_nothing(
    office: Command, arguments: tuple[str, ...], words: str
) -> None:
    with SmtpSink() as sink:
        due(office, sink, MORNING)
        before = office("issues", "show", DAY, "--json").ok().json
        assert_complains(office("issues", "edit", DAY, *arguments, env=smtp(sink)), words)
        assert office("issues", "show", DAY, "--json").ok().json == before
        assert len(mails(sink, "boss@example.org")) == 1


def test_what_was_sent_cannot_be_edited(office: Command) -> None:
    office("run", "--from", str(SAMPLE)).ok()
    result = office("issues", "edit", DAY, "--subject", "Too late")
    assert result.code == 1
    assert f"issue {DAY}/daily: was not made as a draft" in result.err


def test_an_issue_that_went_out_to_some_is_not_edited(office: Command) -> None:
    with SmtpSink() as sink:
        due(office, sink, MORNING)
        office("issues", "approve", DAY).ok()
        office("send", DAY, "--limit", "1", env=smtp(sink)).ok()
    with closing(sqlite3.connect(office.folder / "newsletter.db")) as driver, driver:
        driver.execute("UPDATE issue SET state = 'held'")  # as after a restore
    result = office("issues", "edit", DAY, "--subject", "Too late")
    assert_complains(result, "has gone out to some already", code=1)
