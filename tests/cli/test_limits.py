"""What may go out a day, how fast, and what stops a send by itself, as an operator meets it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.delivery.deadline import earliest_end
from newsletter.delivery.limits import Limits
from tests.cli.command import PROGRAM, SAMPLE, Command, Result, assert_complains
from tests.cli.test_issues import DAY, readers, smtp
from tests.servers.smtp import At, Fault, SmtpSink


def test_a_day_that_is_used_up_is_said_and_carried_on(command: Command) -> None:
    readers(command, 5)
    with SmtpSink() as sink:
        env = smtp(sink, NEWSLETTER_DELIVERY__PER_DAY="3", NEWSLETTER_DELIVERY__RATE="600/s")
        today = datetime.now(UTC).date()
        first = command("run", "--from", str(SAMPLE), env=env).ok()
        ends = {f"{day} 00:00" for day in (today + timedelta(days=1), today + timedelta(days=2))}
        assert any(f"5 subscribers by smtp, 35,990 a minute, to about {end} UTC" in first.out for end in ends)
        assert "3 a day at most" in first.out
        assert "used up what the day (UTC) may send; 2 are waiting" in first.out
        again = command("run", "--from", str(SAMPLE), "--json", env=env).ok().json
        assert again["counts"]["waiting"] == 2
        assert len(sink.messages) == 3
        command("run", "--from", str(SAMPLE), env=smtp(sink)).ok()
        assert len(sink.messages) == 5


def test_an_issue_that_does_not_fit_is_held_where_that_is_wanted(command: Command) -> None:
    readers(command, 4)
    with SmtpSink() as sink:
        env = smtp(sink, NEWSLETTER_DELIVERY__PER_DAY="3", NEWSLETTER_DELIVERY__AT_CAP="hold")
        held = command("run", "--from", str(SAMPLE), env=env).ok()
        assert f"`newsletter issues resume {DAY}/daily` goes on" in held.out
        assert "nothing was sent" in command("run", "--from", str(SAMPLE), env=smtp(sink)).ok().out
        command("issues", "resume", DAY, env=env).ok()
        command("send", DAY, env=smtp(sink)).ok()
        assert len(sink.messages) == 4


def test_what_a_connection_that_was_refused_held_is_no_part_of_what_the_day_used(command: Command) -> None:
    readers(command, 25)
    with SmtpSink(faults=[Fault(at=At.CONNECT, reply="421 too many", close=True)]) as sink:
        env = smtp(sink, NEWSLETTER_DELIVERY__PER_DAY="20", NEWSLETTER_PROVIDER__SMTP__CONNECTIONS="2")
        ended = command("run", "--from", str(SAMPLE), env=env).ok()
        assert "used up what the day (UTC) may send; 5 are waiting" in ended.out
        assert len(sink.messages) == 20


def test_what_a_connection_that_was_refused_held_is_no_part_of_the_limit(command: Command) -> None:
    readers(command, 25)
    with SmtpSink() as sink:
        command("run", "--from", str(SAMPLE), env=smtp(sink, NEWSLETTER_DELIVERY__PER_DAY="1")).ok()
    with SmtpSink(faults=[Fault(at=At.CONNECT, reply="421 too many", close=True)]) as sink:
        env = smtp(sink, NEWSLETTER_PROVIDER__SMTP__CONNECTIONS="2")
        command("send", DAY, "--limit", "20", env=env).ok()
        assert len(sink.messages) == 20


def test_a_send_that_is_refused_is_paused_until_a_person_says_so(command: Command) -> None:
    readers(command, 60)
    with SmtpSink(faults=[Fault(at=At.RCPT, reply="550 5.7.1 no mail from you", times=60)]) as sink:
        stopped = command("run", "--from", str(SAMPLE), env=smtp(sink))
        assert stopped.code == 1
        assert "50 of the last 50 were refused (550 5.7.1 no mail from you)" in stopped.out + stopped.err
        assert "nothing was sent" in command("run", "--from", str(SAMPLE), env=smtp(sink)).ok().out
    command("issues", "resume", DAY).ok()
    with SmtpSink() as sink:
        command("send", DAY, env=smtp(sink)).ok()
        assert len(sink.messages) == 10


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RATE", "600/h", ("delivery.rate",)),
        ("RATE", "fast", ("delivery.rate",)),
        ("KEEP", "999999 d", ("delivery.keep",)),
        ("DOMAINS", "@gmail.com=1/s", ("delivery.domains", "'@gmail.com'")),
        ("PER_DAY", "-1", ("delivery.per_day",)),
        ("WARM_UP__BEGINS", "2026-02-30", ("delivery.warm_up.begins", "2026-02-30")),
        ("WARM_UP__GROWTH", "1", ("delivery.warm_up.growth",)),
        ("RETRY", "0 s", ("delivery.retry", "a second at least")),
        ("AT_CAP", "wait", ("delivery.at_cap", "carry")),
        ("BREAKER__REJECTED", "2", ("delivery.breaker.rejected",)),
    ],
)
def test_a_limit_that_cannot_be_is_refused(
    command: Command, name: str, value: str, words: tuple[str, ...]
) -> None:
    result = command("run", "--from", str(SAMPLE), env={f"NEWSLETTER_DELIVERY__{name}": value})
    assert_complains(result, *words)


def test_domains_have_limits_of_their_own(command: Command) -> None:
    readers(command, 3)
    settings = command.folder / "newsletter.toml"
    settings.write_text('[delivery.domains]\n"example.org" = "1200/min"\n', encoding="utf-8")
    with SmtpSink() as sink:
        command("run", "--from", str(SAMPLE), env=smtp(sink)).ok()
        assert len(sink.messages) == 3
    shown = (
        command("config", "--json", env={"NEWSLETTER_DELIVERY__DOMAINS": "a.org = 20/s, b.org=6/min"})
        .ok()
        .json
    )
    domains = next(row for row in shown if row["setting"] == "delivery.domains")
    assert domains["value"] == {"a.org": "20/s", "b.org": "6/min"}
    assert_complains(command("config", env={"NEWSLETTER_DELIVERY__DOMAINS": "a.org"}), "a.org", "NAME = TEXT")
    settings.write_text(
        "[delivery.domains]\ngmail.com = '1/s'\n", encoding="utf-8"
    )  # TOML: a table in a table
    assert_complains(command("run", "--from", str(SAMPLE)), "delivery.domains")
    settings.write_text('[delivery.domains]\n"gmail.com" = "1/d"\n', encoding="utf-8")
    assert_complains(command("run", "--from", str(SAMPLE)), "delivery.domains")


def test_a_forecast_ends_somewhere() -> None:
    now = datetime(2026, 1, 5, 8, tzinfo=UTC)
    slow = Limits(interval=timedelta(minutes=1), per_day=1)
    assert earliest_end(slow, 50_000_000, now, 1) == datetime(2036, 1, 3, 8, tzinfo=UTC)
    assert earliest_end(Limits(per_day=2), 5, now, 1) == datetime(2026, 1, 7, tzinfo=UTC)


def test_a_full_disk_is_one_line(command: Command) -> None:
    readers(command, 2)
    command("run", "--from", str(SAMPLE)).ok()
    words = [str(PROGRAM), "deliveries", "export", DAY]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            words, cwd=command.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert_complains(Result(code=done.returncode, out="", err=done.stderr), "No space left", code=1)
