"""One issue by its name: a part of it, the rest, and a test letter that is no copy of it."""

from __future__ import annotations

from email import message_from_bytes, policy

from tests.cli.command import SAMPLE, Command, assert_complains
from tests.cli.test_issues import DAY, readers, smtp
from tests.servers.smtp import SmtpSink


def accepted(command: Command) -> int:
    return int(command("issues", "show", DAY, "--json").ok().json["counts"]["accepted"])


def test_a_part_first_and_then_the_rest(command: Command) -> None:
    readers(command, 30)
    with SmtpSink() as sink:
        env = smtp(sink, NEWSLETTER_PROVIDER__SMTP__CONNECTIONS="3")
        command("run", "--from", str(SAMPLE), "--dry-run", env=env).ok()
        assert_complains(command("send", DAY, env=env), "there is no such issue")
        with SmtpSink(delay=0.05) as slow:
            run = command.start("run", "--from", str(SAMPLE), env=smtp(slow))
            while len(slow.messages) < 2:
                pass
            command("issues", "pause", DAY).ok()
            run.communicate(timeout=20)
        before = accepted(command)
        command("issues", "resume", DAY).ok()
        part = command("send", DAY, "--limit", "5", "--json", env=env).ok()
        result = part.json
        assert "5 subscribers by smtp" in part.err
        assert result["counts"]["accepted"] == before + 5
        assert "not finished" in result["sentence"]
        assert command("send", DAY, "--json", env=env).ok().json["counts"]["accepted"] == 30
        assert len(sink.messages) == 30 - before
        assert "already sent" in command("send", DAY, env=env).ok().out


def test_a_test_letter_is_the_real_one_and_counts_for_nothing(command: Command) -> None:
    readers(command, 1)
    with SmtpSink() as sink:
        env = smtp(sink)
        early = command("send", DAY, "--test", "me@example.org", env=env)
        assert "no issue of" in early.err
        command("run", "--from", str(SAMPLE), env=env).ok()
        told = command(
            "send", DAY, "--test", "me@example.org", "--test", "you@example.org", "--json", env=env
        ).json
        assert [row["outcome"] for row in told] == ["accepted", "accepted"]
    assert [mail.recipients[0] for mail in sink.messages] == [
        "me@example.org", "reader0@example.org", "me@example.org", "you@example.org",
    ]  # fmt: skip
    _, real, test, _ = (message_from_bytes(mail.data, policy=policy.default) for mail in sink.messages)
    assert test["Subject"] == f"[Test] {real['Subject']}"
    assert test["Message-ID"] != real["Message-ID"]
    link = str(test["List-Unsubscribe"])
    assert link != str(real["List-Unsubscribe"])
    assert "/u/aaaaaaaaaaaaaaaaaaaaaaaaaa/0" in link
    assert accepted(command) == 1
    assert command("issues", "show", DAY, "--json").ok().json["counts"]["prepared"] == 1


def test_a_wrong_address_sends_nothing(command: Command) -> None:
    with SmtpSink() as sink:
        result = command("send", DAY, "--test", "me@example.org", "--test", "nobody", env=smtp(sink))
        assert_complains(result, "nobody", "name@example.org")
    assert sink.messages == []
    assert_complains(command("send", DAY, "--test", "me@example.org", "--limit", "1"), "--limit")
