"""`newsletter run` over SMTP: real servers, and who must be known before mail goes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import RenderError
from tests.cli.command import (
    COUNTS,
    PEOPLE,
    SAMPLE,
    SENDER,
    Command,
    assert_complains,
    entry,
    papers_file,
    run,
    smtp_settings,
)
from tests.servers.smtp import At, SmtpSink
from tests.servers.smtp import Fault as SmtpFault
from tests.support.mail import parse


def refused() -> SmtpFault:
    return SmtpFault(at=At.RCPT, reply="550 5.1.1 nobody here", recipient=PEOPLE[1])


def test_smtp(people: Command) -> None:
    with SmtpSink() as sink:
        document = run(people, "--from", SAMPLE, env=smtp_settings(sink))
        assert document["counts"]["accepted"] == 3
        assert sorted(mail.recipients[0] for mail in sink.messages) == sorted(PEOPLE)
        assert {mail.sender for mail in sink.messages} == {"news@example.org"}
        assert run(people, "--from", SAMPLE, env=smtp_settings(sink))["state"] == "finished"
        assert len(sink.messages) == 3


def test_the_settings_say_when_a_connection_is_renewed(people: Command) -> None:
    with SmtpSink() as sink:
        run(people, "--from", SAMPLE, env=smtp_settings(sink, MESSAGES_PER_CONNECTION="2"))
        assert (len(sink.messages), sink.connections) == (3, 2)


def test_a_letter_that_is_too_large_pauses_the_issue_and_rejects_nobody(people: Command) -> None:
    with SmtpSink(largest=2_000) as sink:
        document = run(people, "--from", SAMPLE, env=smtp_settings(sink), code=1)
        assert (document["state"], document["counts"]["waiting"]) == ("paused", 3)
        assert "the mail server takes 2,000 at most" in document["sentence"]
        assert sink.messages == []


def test_an_earlier_issue_that_cannot_go_on_keeps_the_newest_from_nobody(people: Command) -> None:
    with SmtpSink(largest=35_000) as sink:
        run(people, "--from", SAMPLE, env=smtp_settings(sink), code=1)
        newest = run(people, "--from", next_day(people), env=smtp_settings(sink), code=1)
    assert (newest["day"], newest["state"], newest["counts"]["accepted"]) == ("2024-09-13", "finished", 3)
    assert "2024-09-12/daily is paused" in newest["sentence"]
    assert len(sink.messages) == 3


def test_one_refused_address_concerns_nobody_else(people: Command) -> None:
    with SmtpSink(faults=[refused()]) as sink:
        document = run(people, "--from", SAMPLE, env=smtp_settings(sink))
    assert document["state"] == "finished"
    assert (document["counts"]["accepted"], document["counts"]["rejected"]) == (2, 1)


def test_an_address_that_is_not_there_is_never_written_to_again(people: Command) -> None:
    with SmtpSink(faults=[refused()]) as sink:
        assert run(people, "--from", SAMPLE, env=smtp_settings(sink))["counts"]["rejected"] == 1
        shown = people("subscribers", "show", PEOPLE[1], "--json").ok().json
        assert (shown["state"], shown["suppression"]["reason"]) == ("bounced", "550 5.1.1 nobody here")
        step = shown["history"][-1]
        assert (step["to"], step["actor"], step["reason"]) == ("bounced", "smtp", "550 5.1.1 nobody here")
        assert "by smtp: 550 5.1.1 nobody here" in people("subscribers", "show", PEOPLE[1]).ok().out
        counts = run(people, "--from", next_day(people), env=smtp_settings(sink))["counts"]
        assert (counts["prepared"], counts["accepted"]) == (2, 2)
        assert PEOPLE[1] not in [mail.recipients[0] for mail in sink.messages]


@pytest.mark.parametrize("at", [At.RCPT, At.DOT])
def test_a_refusal_by_policy_gives_nobody_up(people: Command, at: At) -> None:
    policy = SmtpFault(at=at, reply="550 5.7.1 not by our policy", recipient=PEOPLE[1])
    with SmtpSink(faults=[policy]) as sink:
        assert run(people, "--from", SAMPLE, env=smtp_settings(sink))["counts"]["rejected"] == 1
        shown = people("subscribers", "show", PEOPLE[1], "--json").ok().json
        assert (shown["state"], shown["suppression"]) == ("active", None)
        assert shown["deliveries"][0]["problem"]["reply"] == "550 5.7.1 not by our policy"
        assert run(people, "--from", next_day(people), env=smtp_settings(sink))["counts"]["accepted"] == 3


def test_a_full_mailbox_is_tried_again(people: Command) -> None:
    full = SmtpFault(at=At.RCPT, reply="452 4.2.2 mailbox full", recipient=PEOPLE[1])
    with SmtpSink(faults=[full]) as sink:
        env = smtp_settings(sink) | {"NEWSLETTER_DELIVERY__RETRY": "1 s"}
        assert run(people, "--from", SAMPLE, env=env)["counts"]["accepted"] == 3
        assert people("subscribers", "show", PEOPLE[1], "--json").ok().json["state"] == "active"


def next_day(command: Command) -> Path:
    return papers_file(command.folder / "next.json", [entry("2409.09999", day="2024-09-13")])


def test_a_wrong_password_pauses_and_rejects_nobody(people: Command) -> None:
    with SmtpSink(login=("apikey", "right")) as sink:
        wrong = smtp_settings(sink, USERNAME="apikey", PASSWORD="wrong")
        document = run(people, "--from", SAMPLE, env=wrong, code=1)
        assert document["state"] == "paused"
        assert document["counts"] == dict.fromkeys(COUNTS, 0) | {"prepared": 3, "waiting": 3}
        result = people("run", "--from", SAMPLE, env=wrong)
        assert_complains(result, "paused", "3 are waiting", code=1)
        assert "wrong" not in result.out + result.err
        assert people("issues", "show", "2024-09-12", "--json").json["state"] == "paused"
        right = smtp_settings(sink, USERNAME="apikey", PASSWORD="right")
        assert run(people, "--from", SAMPLE, env=right)["counts"]["accepted"] == 3
        assert len(sink.messages) == 3


def test_an_issue_that_was_begun_is_finished_before_the_next_day(people: Command) -> None:
    with SmtpSink(login=("apikey", "right")) as sink:
        wrong = smtp_settings(sink, USERNAME="apikey", PASSWORD="wrong")
        run(people, "--from", SAMPLE, env=wrong, code=1)
        interrupted = run(people, "--from", next_day(people), env=wrong, code=1)
        assert (interrupted["day"], interrupted["state"]) == ("2024-09-13", "paused")
        assert "2024-09-12/daily is paused" in interrupted["sentence"]
        right = smtp_settings(sink, USERNAME="apikey", PASSWORD="right")
        assert run(people, "--from", next_day(people), env=right)["day"] == "2024-09-13"
        assert len(sink.messages) == 6
        assert people("issues", "show", "2024-09-12", "--json").json["state"] == "finished"


def test_an_issue_that_cannot_go_on_does_not_keep_the_next_one(people: Command) -> None:
    quota = [SmtpFault(at=At.DOT, reply="550 5.4.5 Daily user sending limit exceeded", times=1)]
    with SmtpSink(faults=quota) as sink:
        env = smtp_settings(sink)
        first = run(people, "--from", SAMPLE, env=env, code=1)
        assert (first["state"], first["counts"]["rejected"], first["counts"]["waiting"]) == ("paused", 0, 3)
        assert "the quota is used up" in first["sentence"]
        assert run(people, "--from", SAMPLE, env=env)["state"] == "finished"
        assert len(sink.messages) == 3


def test_a_letter_that_cannot_be_composed_is_not_frozen(
    people: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> bytes:
        raise RenderError("the header has a control character", subject="List-Id")

    with monkeypatch.context() as patch:
        patch.setattr("newsletter.planning.compose", broken)
        assert_complains(people("run", "--from", SAMPLE), "control character", code=1)
    assert_complains(people("issues", "show", "2024-09-12"), "there is no such issue")
    assert run(people, "--from", SAMPLE)["state"] == "finished"


def test_any_name_makes_a_header(people: Command) -> None:
    with SmtpSink() as sink:
        for day, name in (
            ("2024-09-12", "論文‹日報>"),
            ("2024-09-13", 'Dr. "X" <a@b.org>'),
            ("2024-09-14", "\x07"),
        ):
            env = {**smtp_settings(sink), "NEWSLETTER_THEME__NAME": name, "NEWSLETTER_SENDER__NAME": name}
            papers = papers_file(people.folder / "papers.json", [entry(f"2409.0{day[-2:]}00")])
            assert run(people, "--from", papers, "--day", day, env=env)["state"] == "finished"
        headers = {str(parse(mail.data)["List-Id"]) for mail in sink.messages}
    assert headers == {
        "論文日報 <daily.example.org>", '"Dr. X a@b.org" <daily.example.org>', "<daily.example.org>",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("NEWSLETTER_SENDER__EMAIL", "sender.email"),
        ("NEWSLETTER_SENDER__POSTAL_ADDRESS", "sender.postal_address"),
        ("NEWSLETTER_WEB__PUBLIC_URL", "web.public_url or sender.unsubscribe_mailbox"),
    ],
)
def test_smtp_refuses_a_sender_who_is_not_known(command: Command, missing: str, words: str) -> None:
    env = {"NEWSLETTER_PROVIDER__NAME": "smtp", **SENDER, missing: ""}
    assert_complains(command("run", "--from", SAMPLE, env=env), words)
    assert list(command.folder.iterdir()) == []


def test_a_public_address_without_https_is_refused(command: Command) -> None:
    env = {
        "NEWSLETTER_PROVIDER__NAME": "smtp",
        **SENDER,
        "NEWSLETTER_WEB__PUBLIC_URL": "http://news.example.org",
    }
    assert_complains(command("run", "--from", SAMPLE, env=env), "web.public_url", "https")


def test_a_mailbox_does_for_leaving(people: Command) -> None:
    with SmtpSink() as sink:
        env = smtp_settings(sink) | {
            "NEWSLETTER_WEB__PUBLIC_URL": "", "NEWSLETTER_SENDER__UNSUBSCRIBE_MAILBOX": "leave@example.org",
        }  # fmt: skip
        run(people, "--from", SAMPLE, env=env)
        header = str(parse(sink.messages[0].data)["List-Unsubscribe"])
    assert header.startswith("<mailto:leave@example.org?subject=")


def test_sendgrid_needs_a_key_that_is_one(command: Command) -> None:
    env = {**SENDER, "NEWSLETTER_PROVIDER__NAME": "sendgrid"}
    assert_complains(command("run", "--from", SAMPLE, env=env), "provider.sendgrid.api_key", "is not set")
    env["NEWSLETTER_PROVIDER__SENDGRID__API_KEY"] = "SG.two words"
    assert_complains(command("run", "--from", SAMPLE, env=env), "provider.sendgrid.api_key", "white space")
    assert list(command.folder.iterdir()) == []
