"""Alerts and pings: told once, to servers that misbehave as they like, and never at the cost of a send."""

from __future__ import annotations

import email
import json
import time
from pathlib import Path

import pytest

from newsletter.app import alerting
from newsletter.database import Database
from tests.cli.command import SAMPLE, Command, assert_complains, entry, outbox, papers_file, smtp_settings
from tests.servers.hearing import Hearing
from tests.servers.papers_api import Fault, PapersApi
from tests.servers.smtp import At, SmtpSink
from tests.servers.smtp import Fault as SmtpFault

HOOK, PING = "NEWSLETTER_ALERTS__WEBHOOK", "NEWSLETTER_ALERTS__PING"
BOUND = 60.0  # seconds: a generous end of what must end at all
SCHEDULE = (
    '[editions.daily]\nschedule = { at = "07:30", days = "daily", timezone = "UTC", latest = "12:00" }\n'
)


def voices(server: Hearing, **more: str) -> dict[str, str]:
    """Return the variables that make a server hear alerts and pings."""
    return {HOOK: f"{server.url}/hook/S3CRETPATH", PING: f"{server.url}/ping/UU1D?a=b", **more}


def alerts(server: Hearing) -> list[dict[str, str]]:
    """Return the alerts that came, as our own objects."""
    return [json.loads(each.body) for each in server.heard if each.path.startswith("/hook")]


def pings(server: Hearing) -> list[str]:
    """Return the paths of the pings that came."""
    return [each.path for each in server.heard if each.path.startswith("/ping")]


def refused() -> dict[str, str]:
    """Return the variables of a mail server that is not there."""
    with SmtpSink() as sink:
        return smtp_settings(sink)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers have less time than in earnest."""
    monkeypatch.setattr(alerting, "SECONDS", 0.3)


def test_a_run_that_goes_well_pings_and_alerts_nobody(people: Command) -> None:
    with Hearing() as server:
        result = people("run", "--from", SAMPLE, env=voices(server)).ok()
    assert pings(server) == ["/ping/UU1D/start?a=b", "/ping/UU1D?a=b"]
    assert server.heard[-1].body in result.out
    assert alerts(server) == []


def test_a_dry_run_tells_nobody(people: Command) -> None:
    with Hearing() as server:
        people("run", "--from", SAMPLE, "--dry-run", env=voices(server)).ok()
    assert server.heard == []


def test_a_run_that_fails_alerts_once_and_pings_each_time(people: Command) -> None:
    env = refused()
    with Hearing() as server:
        for _ in range(3):
            assert people("run", "--from", SAMPLE, env={**env, **voices(server)}).code == 1
    (alert,) = alerts(server)
    assert (alert["kind"], alert["edition"], alert["day"]) == ("failed", "daily", "2024-09-12")
    assert "is paused" in alert["sentence"]
    assert pings(server).count("/ping/UU1D/fail?a=b") == 3


def test_it_is_told_again_after_a_day(people: Command) -> None:
    env = refused()
    with Hearing() as server:
        people("run", "--from", SAMPLE, env={**env, **voices(server)})
        database = Database(people.folder / "newsletter.db")
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE alert SET at = at - 21 * 3600000000")
        database.close()
        people("run", "--from", SAMPLE, env={**env, **voices(server)})
    assert len(alerts(server)) == 2


def test_an_error_is_told_and_stays_the_error(people: Command) -> None:
    with Hearing() as server:
        result = people("run", "--from", "missing.json", env=voices(server))
    assert_complains(result, "missing.json", code=result.code)
    assert result.code == 2
    assert [alert["kind"] for alert in alerts(server)] == ["failed"]
    assert pings(server)[-1] == "/ping/UU1D/fail?a=b"


def test_an_issue_that_waits_for_a_hand(people: Command) -> None:
    people("run", "--from", SAMPLE, env=refused())
    people("issues", "resume", "2024-09-12").ok()
    people("issues", "pause", "2024-09-12", "--reason", "ask ada@example.org first").ok()
    with Hearing() as server:
        for _ in range(2):
            people("run", "--from", SAMPLE, env=voices(server)).ok()
    (alert,) = alerts(server)
    assert alert["kind"] == "held"
    assert "by hand" in alert["sentence"]
    assert "ada@" not in "".join(each.body for each in server.heard)


def test_a_quiet_day(people: Command) -> None:
    with Hearing() as server, PapersApi(days={}) as api:
        env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url, **voices(server)}
        people("run", "--day", "2026-01-03", env={**env, "NEWSLETTER_ALERTS__ON": "failed, held"}).ok()
        assert alerts(server) == []
        for _ in range(2):
            people("run", "--day", "2026-01-03", env=env).ok()
    (alert,) = alerts(server)
    assert (alert["kind"], alert["day"]) == ("quiet", "2026-01-03")


def test_a_source_that_fails(people: Command) -> None:
    with Hearing() as server, PapersApi(faults=[Fault(status=404)] * 4) as api:
        env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url, **voices(server)}
        assert people("run", "--day", "2026-01-05", env=env).code == 1
    assert [alert["kind"] for alert in alerts(server)] == ["failed"]


@pytest.mark.parametrize("form", ["slack", "discord"])
def test_a_message_for_a_chat(people: Command, form: str) -> None:
    settings = "[theme]\nname = 'P & <Q>'\n"
    (people.folder / "newsletter.toml").write_text(settings, encoding="utf-8")
    with Hearing() as server:
        more = {"NEWSLETTER_ALERTS__WEBHOOK_FORMAT": form}
        people("run", "--from", SAMPLE, env={**refused(), **voices(server, **more)})
    (posted,) = [each for each in server.heard if each.path.startswith("/hook")]
    told = json.loads(posted.body)
    assert posted.kind == "application/json"
    if form == "slack":
        assert told["text"].startswith("*P &amp; &lt;Q&gt; (daily): a run failed*\nIssue 2024-09-12/daily")
    else:
        assert told["content"].startswith("**P & <Q> (daily): a run failed**\nIssue 2024-09-12/daily")
        assert told["allowed_mentions"] == {"parse": []}
        assert len(told["content"]) <= 2_000


FAULTS = {
    "silent": {"silent": True},
    "drips": {"drip": True},
    "closes": {"closes": True},
    "500": {"status": 500},
    "404": {"status": 404},
    "redirects": {"status": 302, "headers": {"Location": "/elsewhere"}},
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_server_that_misbehaves_costs_a_line(people: Command, fault: dict[str, object]) -> None:
    began = time.monotonic()
    with Hearing(**fault) as server:  # type: ignore[arg-type]
        result = people("run", "--from", SAMPLE, env=voices(server))
        assert (result.code, result.complaints) == (0, [])
        assert result.err.count("warning: the ping was not sent") == 2  # before and after
        assert len(outbox(people.folder)) == 3
        failing = people("run", "--from", "missing.json", env=voices(server))
        assert failing.code == 2
        assert failing.err.count("warning: the alert was not sent (alerts.webhook): ") == 1
        for secret in ("S3CRETPATH", "UU1D"):
            assert secret not in result.err + failing.err
        assert not any(each.path == "/elsewhere" for each in server.heard)
    assert time.monotonic() - began < BOUND


def test_nobody_listens(people: Command) -> None:
    with Hearing() as server:
        pass
    result = people("run", "--from", SAMPLE, env=voices(server))
    assert (result.code, result.complaints, len(outbox(people.folder))) == (0, [], 3)
    assert result.err.count("warning: ") == 3  # that of the example values, and two


@pytest.mark.usefixtures("hurried")
def test_what_was_not_taken_is_told_at_the_next_call(people: Command) -> None:
    env = refused()
    with Hearing(status=503) as server:
        people("run", "--from", SAMPLE, env={**env, **voices(server)})
        server.status = 200
        people("run", "--from", SAMPLE, env={**env, **voices(server)})
        people("run", "--from", SAMPLE, env={**env, **voices(server)})
    assert len(alerts(server)) == 2


def test_a_database_that_is_broken_is_told_each_time(command: Command) -> None:
    (command.folder / "newsletter.db").write_text("not a database, but long enough to be one" * 40)
    with Hearing() as server:
        for _ in range(2):
            assert_complains(command("run", "--from", SAMPLE, env=voices(server)), "newsletter.db", code=1)
    assert [alert["kind"] for alert in alerts(server)] == ["failed", "failed"]
    assert pings(server).count("/ping/UU1D/fail?a=b") == 2


def test_no_secret_is_told(people: Command) -> None:
    with Hearing() as server:
        more = {"NEWSLETTER_PROVIDER__SMTP__PASSWORD": "missing.json", "NEWSLETTER_SECRET": "S" * 40}
        people("run", "--from", "missing.json", env=voices(server, **more))
    assert "***" in alerts(server)[0]["sentence"]
    assert "missing.json" not in "".join(each.body for each in server.heard)


def test_the_settings_hide_the_addresses(command: Command) -> None:
    with Hearing() as server:
        shown = command("config", env=voices(server)).ok().out
    assert "S3CRETPATH" not in shown
    assert "UU1D" not in shown


@pytest.mark.parametrize("name", ["WEBHOOK", "PING"])
def test_an_address_that_is_none_is_refused(command: Command, name: str) -> None:
    result = command("run", env={f"NEWSLETTER_ALERTS__{name}": "slack.example.org/x"})
    assert_complains(result, f"alerts.{name.lower()}", "https://HOST/PATH")


class TestMail:
    def test_an_alert_is_mailed_once(self, people: Command) -> None:
        with PapersApi(days={}) as api:
            env = {
                "NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url,
                "NEWSLETTER_ALERTS__EMAIL": "boss@example.org",
            }
            for _ in range(2):
                people("run", "--day", "2026-01-03", env=env).ok()
        (raw,) = outbox(people.folder).values()
        mail = email.message_from_bytes(raw)
        assert (mail["To"], mail["Subject"]) == (
            "boss@example.org",
            "[Alert] Daily Papers (daily): no papers",
        )
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["List-Unsubscribe"] is None
        assert b"2026-01-03" in raw

    def test_another_provider_tells_that_the_first_does_not_work(self, people: Command) -> None:
        with SmtpSink() as sink:
            own = {
                f"NEWSLETTER_ALERTS__PROVIDER__{name}": value
                for name, value in (
                    ("NAME", "smtp"), ("SMTP__HOST", "127.0.0.1"), ("SMTP__PORT", str(sink.port)), ("SMTP__TLS", "none")
                )
            }  # fmt: skip
            env = {**refused(), **own, "NEWSLETTER_ALERTS__EMAIL": "boss@example.org"}
            result = people("run", "--from", SAMPLE, env=env)
        assert result.code == 1
        assert "waits to be mailed" not in result.err
        (mail,) = sink.messages
        assert mail.recipients == ("boss@example.org",)
        assert b"no connection" in mail.data

    def test_it_waits_where_no_mail_goes_out(self, people: Command) -> None:
        env = {**refused(), "NEWSLETTER_ALERTS__EMAIL": "boss@example.org"}
        result = people("run", "--from", SAMPLE, env=env)
        assert result.code == 1
        assert result.err.count("warning: an alert waits to be mailed") == 1
        (waiting,) = [each for each in people("notices", "list", "--json").json if each["kind"] == "alert"]
        assert waiting["state"] == "pending"
        database = Database(people.folder / "newsletter.db")
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE notice SET due = 0")
        database.close()
        with SmtpSink() as sink:
            again = people("run", "--from", SAMPLE, env={**env, **smtp_settings(sink)}).ok()
        assert "warning" not in again.err
        assert [mail.recipients for mail in sink.messages][-1] == ("boss@example.org",)
        assert len(sink.messages) == 4


class TestScheduled:
    @pytest.fixture
    def due(self, people: Command) -> Command:
        (people.folder / "newsletter.toml").write_text(SCHEDULE, encoding="utf-8")
        papers_file(people.folder / "day.json", [entry("2601.00001")])
        return people

    def call(self, command: Command, server: Hearing, now: str, *words: str | Path) -> int:
        return command("run", "--if-due", "--now", now, *words, env=voices(server)).code

    def test_pings_where_something_was_due(self, due: Command) -> None:
        with Hearing() as server:
            assert self.call(due, server, "2026-01-06T06:00:00Z") == 0
            assert server.heard == []
            assert self.call(due, server, "2026-01-06T07:30:00Z", "--from", "day.json") == 0
            assert pings(server) == ["/ping/UU1D/start?a=b", "/ping/UU1D?a=b"]
            for minute in (40, 50):
                assert self.call(due, server, f"2026-01-06T07:{minute}:00Z") == 0
            assert len(server.heard) == 2

    def test_a_send_that_was_missed(self, due: Command) -> None:
        with Hearing() as server:
            self.call(due, server, "2026-01-06T07:30:00Z", "--from", "day.json")
            assert self.call(due, server, "2026-01-07T12:10:00Z") == 1
            assert self.call(due, server, "2026-01-07T12:20:00Z") == 0
        (alert,) = alerts(server)
        assert alert["kind"] == "missed"
        assert "2026-01-07 was missed" in alert["sentence"]
        assert pings(server)[-1] == "/ping/UU1D/fail?a=b"

    def test_one_that_is_tried_again_is_neither_well_nor_failed(self, due: Command) -> None:
        for person in ("ada", "grace", "minjun"):
            due("subscribers", "remove", f"{person}@example.org").ok()
        with Hearing() as server:
            assert self.call(due, server, "2026-01-06T07:30:00Z", "--from", "day.json") == 0
        assert pings(server) == ["/ping/UU1D/start?a=b"]
        assert alerts(server) == []

    def test_a_failure_is_told_once_in_many_calls(self, due: Command) -> None:
        with Hearing() as server, PapersApi(faults=[Fault(status=404)] * 40) as api:
            more = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}
            for minute in (30, 40, 50):
                now = f"2026-01-06T07:{minute}:00Z"
                assert due("run", "--if-due", "--now", now, env={**more, **voices(server)}).code == 1
        assert len(alerts(server)) == 1

    def test_an_issue_that_is_not_finished_in_time(self, due: Command) -> None:
        greylisting = SmtpFault(at=At.RCPT, reply="451 4.7.1 later", times=99, recipient="grace@example.org")
        with Hearing() as server, SmtpSink(faults=[greylisting]) as sink:
            env = {**smtp_settings(sink), **voices(server), "NEWSLETTER_DELIVERY__WAIT": "0 s"}
            for now, words in (("07:30", ["--from", "day.json"]), ("12:10", []), ("12:20", [])):
                result = due("run", "--if-due", "--now", f"2026-01-06T{now}:00Z", *words, env=env)
                assert result.code == 0, result
        (alert,) = alerts(server)
        assert alert["kind"] == "missed"
        assert alert["sentence"].endswith("is not finished, and it is after 12:00 UTC.")
