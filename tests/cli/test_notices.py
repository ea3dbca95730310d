"""Sign-ups become mails to confirm; who confirmed is welcomed; through the command, on a real database and outbox."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from newsletter.app import App
from newsletter.config import load
from newsletter.delivery import notices
from newsletter.delivery.notices import SignUp
from newsletter.delivery.tokens import Purpose
from newsletter.models.deliveries import Outcome
from subscribers.requests import Answer, Asked
from tests.cli.command import SAMPLE, SENDER, Command

NOW = datetime.now(UTC)
ENV = SENDER


@pytest.fixture
def app(command: Command, monkeypatch: pytest.MonkeyPatch) -> App:
    """Return the parts, as the command builds them."""
    monkeypatch.chdir(command.folder)
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    return App(load(None), lambda _line: None)


def sign_up(app: App, address: str, *, language: str = "en", at: datetime = NOW) -> None:
    form = SignUp(edition="daily", language=language, source="form", text_version="1", network=None, at=at)
    with app.databases.open().write() as connection:
        notices.ask(connection, address, form)


def mails(command: Command) -> list[EmailMessage]:
    new = command.folder / "outbox" / "new"
    files = sorted(new.iterdir(), key=lambda file: file.stat().st_mtime_ns) if new.exists() else []
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def follow(app: App, mail: EmailMessage) -> Asked:
    """Confirm by the link of a mail, as the page does."""
    found = re.search(r"https://news\.example\.org/c/(\S+)", text_of(mail))
    assert found is not None
    assert found[0] in text_of(mail, "html")
    consent = app.keys.links().read(found[1], Purpose.CONFIRM, now=datetime.now(UTC))
    with app.databases.open().write() as connection:
        asked = app.people.requests().confirm(connection, consent, now=datetime.now(UTC))
        notices.welcome(connection, asked, "en", datetime.now(UTC))
    return asked


def sent(command: Command, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = command("notices", "send", "--json", env=ENV, **options).ok().json
    return result


def state_of(command: Command, who: str) -> str:
    return str(command("subscribers", "show", who, "--json").ok().json["subscriptions"][0]["state"])


def test_a_sign_up_is_asked_to_confirm_and_then_welcomed(command: Command, app: App) -> None:
    sign_up(app, "Mara@Example.org")
    assert sent(command) == {"signed_up": 1, "sent": 1, "failed": 0, "dropped": 0, "waiting": 0, "fault": ""}
    (mail,) = mails(command)
    assert state_of(command, "mara@example.org") == "pending"
    assert mail["To"] == "Mara@example.org"
    assert mail["Subject"] == "Confirm that you want Daily Papers"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert follow(app, mail).answer is Answer.DONE
    assert state_of(command, "mara@example.org") == "active"
    assert sent(command)["sent"] == 1
    welcome = mails(command)[-1]
    assert welcome["Subject"] == "Welcome to Daily Papers"
    assert re.fullmatch(r"<https://news\.example\.org/u/\w+/1>", str(welcome["List-Unsubscribe"]))
    assert follow(app, mail).answer is Answer.ALREADY, "a second click changes nothing"
    assert sent(command)["sent"] == 0


def test_a_link_that_was_used_does_not_bring_back_who_left(command: Command, app: App) -> None:
    sign_up(app, "mara@example.org")
    sent(command)
    (mail,) = mails(command)
    follow(app, mail)
    command("subscribers", "remove", "mara@example.org").ok()
    assert follow(app, mail).answer is Answer.REFUSED
    assert state_of(command, "mara@example.org") == "unsubscribed"


def test_whom_nothing_is_sent_to_gets_no_mail_by_a_form(command: Command, app: App) -> None:
    barred = app.people.suppressions()
    with app.databases.open().write() as connection:
        barred.suppress(connection, "no@example.org", reason="asked by letter", actor="op", now=NOW)
    sign_up(app, "no@example.org")
    assert sent(command)["sent"] == 0
    assert mails(command) == []


def test_who_gets_it_already_is_told_so(command: Command, app: App) -> None:
    command("subscribers", "add", "mara@example.org").ok()
    sign_up(app, "mara@example.org", language="ko")
    sent(command)
    (mail,) = mails(command)
    assert "이미 구독" in str(mail["Subject"])
    assert state_of(command, "mara@example.org") == "active"


def test_a_form_cannot_fill_somebodys_inbox(command: Command, app: App) -> None:
    for _ in range(50):
        sign_up(app, "mara@example.org")
    sent(command)
    assert len(mails(command)) == notices.MOST_A_DAY


def test_nothing_that_a_visitor_typed_stands_in_the_mail(command: Command, app: App) -> None:
    sign_up(app, "buy-cheap-things-at-evil.example@example.org")
    sent(command)
    (mail,) = mails(command)
    assert "evil" not in text_of(mail) + text_of(mail, "html") + str(mail["Subject"])


@pytest.mark.parametrize(("wish", "count"), [("none", 0), ("short", 1), ("newest-issue", 2)])
def test_the_welcome_is_as_the_edition_says(command: Command, app: App, wish: str, count: int) -> None:
    (command.folder / "newsletter.toml").write_text(
        f'[editions.daily]\nwelcome = "{wish}"\n', encoding="utf-8"
    )
    command("subscribers", "add", "first@example.org").ok()
    command("run", "--from", str(SAMPLE)).ok()
    before = len(mails(command))
    sign_up(app, "mara@example.org")
    sent(command)
    follow(app, mails(command)[-1])
    sent(command)
    new = mails(command)[before + 1 :]
    assert len(new) == count
    if count == 2:
        assert new[1]["Subject"] == mails(command)[0]["Subject"]
        command("run", "--from", str(SAMPLE)).ok()
        assert len(mails(command)) == before + 3, "the newest issue comes once"


def test_all_who_are_pending_are_asked_once_a_week(command: Command, app: App) -> None:
    for name in ("a", "b"):
        sign_up(app, f"{name}@example.org", at=NOW)
    sent(command)
    asked = command("subscribers", "confirm", "--send", "--json", env=ENV).ok().json
    assert asked == {"asked": 0, "too soon": 2, "sent": 0}


def test_the_operator_confirms_by_word(command: Command, app: App) -> None:
    sign_up(app, "mara@example.org")
    sent(command)
    command("subscribers", "confirm", "mara@example.org", "--consent", "on paper, 12 September").ok()
    shown = command("subscribers", "show", "mara@example.org", "--json").ok().json
    assert shown["subscriptions"][0]["state"] == "active"
    assert shown["consents"][-1]["source"] == "on paper, 12 September"


def test_a_server_that_is_away_loses_no_mail(command: Command, app: App) -> None:
    sign_up(app, "mara@example.org")
    smtp = {
        "NEWSLETTER_PROVIDER__NAME": "smtp",
        "NEWSLETTER_PROVIDER__SMTP__PORT": "1",
        "NEWSLETTER_PROVIDER__SMTP__TLS": "none",
    }
    failed = command("notices", "send", "--json", env=ENV | smtp)
    assert failed.code == 1
    assert failed.json["waiting"] == 1
    assert len(failed.complaints) == 1
    with app.databases.open().read() as connection:
        (waiting,) = notices.listing(connection)
    assert waiting.due > NOW + timedelta(seconds=30)


def test_notices_need_pages(command: Command) -> None:
    env = ENV | {
        "NEWSLETTER_WEB__PUBLIC_URL": "",
        "NEWSLETTER_SENDER__UNSUBSCRIBE_MAILBOX": "leave@example.org",
    }
    result = command("notices", "send", env=env)
    assert result.code == 2
    assert "web.public_url" in result.err


def test_nothing_follows_from_a_notice_that_is_gone(command: Command, app: App) -> None:
    sign_up(app, "gone@example.org")
    sent(command)
    follow(app, mails(command)[-1])
    with app.databases.open().write() as connection:
        taken = notices.claim(connection, datetime.now(UTC))
    assert taken is not None
    command("subscribers", "erase", "gone@example.org", "--yes").ok()
    with app.databases.open().write() as connection:
        assert notices.settle(connection, taken, Outcome.ACCEPTED, datetime.now(UTC)) is None
        assert [each.address for each in notices.listing(connection)] == []


def test_a_mail_that_cannot_be_made_keeps_no_other_back(command: Command, app: App) -> None:
    sign_up(app, "mara@example.org")
    sent(command)
    follow(app, mails(command)[-1])
    folder = command.folder / "own" / "email"
    folder.mkdir(parents=True)
    (folder / "notice.mjml.j2").write_text("{{ nothing.here }}", encoding="utf-8")
    sign_up(app, "jun@example.org")
    env = ENV | {"NEWSLETTER_THEME__TEMPLATES": str(command.folder / "own")}
    failed = command("notices", "send", "--json", env=env)
    assert (failed.code, failed.json["waiting"], failed.json["sent"]) == (1, 2, 0)
    assert "notice.mjml.j2" in failed.json["fault"]


def test_who_asks_for_mails_hears_that_none_could_be_sent(command: Command, app: App) -> None:
    sign_up(app, "mara@example.org")
    down = {
        "NEWSLETTER_PROVIDER__NAME": "smtp",
        "NEWSLETTER_PROVIDER__SMTP__PORT": "1",
        "NEWSLETTER_PROVIDER__SMTP__TLS": "none",
    }
    command("notices", "send", env=ENV | down)
    (command.folder / "pending.csv").write_text("email\njun@example.org\n", encoding="utf-8")
    command("subscribers", "import", "pending.csv").ok()
    failed = command("subscribers", "confirm", "--send", "--json", env=ENV | down)
    assert failed.code == 1
    assert failed.json["asked"] == 1
    assert len(failed.complaints) == 1


def test_what_is_due_is_found_by_an_index(app: App) -> None:
    with app.databases.open().read() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM notice WHERE state < 2 AND due <= 1 ORDER BY due, id LIMIT 1"
        ).all()
    assert "ix_notice_open" in str(plan)
