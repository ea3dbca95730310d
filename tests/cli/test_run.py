"""`newsletter run`: each subscriber once, and a true account of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from tests.cli.command import (
    COUNTS,
    PEOPLE,
    SAMPLE,
    Command,
    api_settings,
    assert_complains,
    entry,
    load,
    outbox,
    run,
    snapshot,
)
from tests.servers.papers_api import Fault, PapersApi
from tests.support.mail import parse

PAPERS = [entry(f"2601.0000{n}", f"Paper {n}", votes=n) for n in range(1, 9)]


def test_the_first_run_sends_and_the_second_sends_nothing(people: Command) -> None:
    first = people("run", "--from", SAMPLE).ok()
    steps = [line.split()[0] for line in first.out.splitlines()]
    assert steps == ["collect", "rank", "summarise", "render", "plan", "send", "send", "Issue"]
    assert "3 of 3 accepted" in first.out.splitlines()[-1]
    sent = outbox(people.folder)
    assert sorted(str(parse(message)["To"]) for message in sent.values()) == sorted(PEOPLE)
    second = people("run", "--from", SAMPLE).ok()
    assert "already sent" in second.out
    assert outbox(people.folder) == sent
    assert run(people, "--from", SAMPLE, "--day", "2024-09-12")["state"] == "finished"
    assert outbox(people.folder) == sent


def test_the_object_on_standard_output(people: Command) -> None:
    document = run(people, "--from", SAMPLE)
    assert (document["day"], document["edition"], document["kind"]) == ("2024-09-12", "daily", "complete")
    assert document["state"] == "finished"
    assert document["counts"] == dict.fromkeys(COUNTS, 0) | {"prepared": 3, "accepted": 3}


def test_every_reader_gets_a_message_of_their_own(people: Command) -> None:
    run(people, "--from", SAMPLE)
    mails = [parse(message) for message in outbox(people.folder).values()]
    for header in ("To", "Message-ID", "List-Unsubscribe"):
        assert len({str(mail[header]) for mail in mails}) == 3
    assert len({str(mail["Subject"]) for mail in mails}) == 1
    for mail in mails:
        assert [str(part.get_content_type()) for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_later_subscribers_get_the_next_issue_only(people: Command) -> None:
    run(people, "--from", SAMPLE)
    people("subscribers", "add", "late@example.org").ok()
    assert run(people, "--from", SAMPLE)["counts"]["prepared"] == 3
    assert len(outbox(people.folder)) == 3
    assert run(people, "--from", SAMPLE, "--day", "2024-09-13")["counts"]["accepted"] == 4


def test_those_who_left_get_nothing(people: Command) -> None:
    people("subscribers", "remove", PEOPLE[0]).ok()
    assert run(people, "--from", SAMPLE)["counts"]["prepared"] == 2
    assert PEOPLE[0] not in {str(parse(message)["To"]) for message in outbox(people.folder).values()}


def test_a_dry_run_changes_nothing(people: Command) -> None:
    before = snapshot(people.folder)
    document = run(people, "--dry-run", "--from", SAMPLE)
    assert (document["state"], document["counts"]["prepared"]) == (None, 0)
    assert "would go to 3 subscribers" in document["sentence"]
    after = snapshot(people.folder)
    after.pop("newsletter.db-shm", None)
    if "newsletter.db-wal" in after:
        assert (people.folder / "newsletter.db-wal").stat().st_size == 0
        after.pop("newsletter.db-wal")
    assert after == before


def test_a_dry_run_in_an_empty_folder_leaves_it_empty(command: Command) -> None:
    assert "Nobody is subscribed" in run(command, "--dry-run", "--from", SAMPLE)["sentence"]
    assert list(command.folder.iterdir()) == []


def test_a_dry_run_of_a_sent_issue_says_so(people: Command) -> None:
    run(people, "--from", SAMPLE)
    assert "already sent" in run(people, "--dry-run", "--from", SAMPLE)["sentence"]


def test_without_subscribers_nothing_is_frozen(command: Command) -> None:
    document = run(command, "--from", SAMPLE)
    assert document["state"] is None
    assert "Nobody is subscribed to daily; nothing" in document["sentence"]
    (command.folder / "q.csv").write_text("email\nada@example.org\ngrace@example.org\n")
    command("subscribers", "import", "q.csv").ok()
    sentence = run(command, "--from", SAMPLE)["sentence"]
    assert "Nobody is subscribed to daily, 2 are pending; nothing was sent" in sentence
    assert "`newsletter subscribers confirm --send`" in sentence
    assert not (command.folder / "outbox").exists()
    command("subscribers", "add", "ada@example.org").ok()
    assert run(command, "--from", SAMPLE)["state"] == "finished"


@time_machine.travel(datetime(2026, 1, 5, 7, 30, tzinfo=UTC))
def test_monday_morning_takes_fridays_papers(people: Command) -> None:
    with PapersApi(days={"2026-01-02": PAPERS}, today=datetime.now(UTC).date()) as api:
        document = run(people, env=api_settings(api))
        assert (document["day"], document["state"]) == ("2026-01-02", "finished")
        requests = len(api.requests)
        again = people("run", env=api_settings(api)).ok()
        assert "already sent" in again.out
        assert len(api.requests) == requests + 2  # Sunday and Saturday are looked at again
    assert len(outbox(people.folder)) == 3


@time_machine.travel(datetime(2026, 1, 5, 16, 30, tzinfo=UTC))
def test_a_day_counts_from_the_hour_at_which_it_closes(people: Command) -> None:
    days = {"2026-01-02": PAPERS, "2026-01-05": PAPERS}
    with PapersApi(days=days, today=datetime.now(UTC).date()) as api:
        late = {**api_settings(api), "NEWSLETTER_SOURCES__HUGGINGFACE__CLOSES_AT": "17:00"}
        assert run(people, "--dry-run", env=late)["day"] == "2026-01-02"
        assert run(people, env=api_settings(api))["day"] == "2026-01-05"


@time_machine.travel(datetime(2026, 1, 5, 7, 30, tzinfo=UTC))
def test_nothing_but_quiet_days(people: Command) -> None:
    with PapersApi(today=datetime.now(UTC).date()) as api:
        document = run(people, env=api_settings(api))
    assert document["kind"] == "quiet"
    assert "2025-12-31 to 2026-01-04" in document["sentence"]


def test_a_quiet_day_is_said_and_sends_nothing(people: Command) -> None:
    with PapersApi(days={"2026-01-03": []}) as api:
        document = run(people, "--day", "2026-01-03", env=api_settings(api))
    assert (document["day"], document["kind"], document["state"]) == ("2026-01-03", "quiet", None)
    assert not (people.folder / "outbox").exists()


@time_machine.travel(datetime(2026, 1, 5, 10, 0, tzinfo=UTC))
@pytest.mark.parametrize("day", ["2026-01-05", "2026-01-06"])
def test_a_day_that_is_not_over_is_not_sent(people: Command, day: str) -> None:
    with PapersApi(days={"2026-01-05": PAPERS}, today=datetime.now(UTC).date()) as api:
        document = run(people, "--day", day, env=api_settings(api))
    assert (document["kind"], document["state"]) == ("not_ready", None)
    assert "run again later" in document["sentence"]
    assert not (people.folder / "outbox").exists()


def test_a_failed_day_exits_with_1_and_sends_nothing(people: Command) -> None:
    faults = [Fault(status=404, body=b"no")] * 20
    with PapersApi(days={"2026-01-05": PAPERS}, faults=faults) as api:
        env = {**api_settings(api), "NEWSLETTER_SOURCES__HUGGINGFACE__TIMEOUT": "0.5"}
        assert_complains(
            people("run", "--day", "2026-01-05", env=env), "failed for 2026-01-05", "nothing was sent", code=1
        )
        assert run(people, "--day", "2026-01-05", env=env, code=1)["kind"] == "failed"
        api.faults.clear()
        assert run(people, "--day", "2026-01-05", env=env)["state"] == "finished"


def test_a_source_that_breaks_off_in_the_middle_sends_nothing(people: Command) -> None:
    many = [entry(f"2601.{n:05}", votes=5) for n in range(1, 151)]
    faults = [None, *([Fault(status=404, body=b"gone")] * 5)]
    with PapersApi(days={"2026-01-05": many}, faults=faults) as api:
        document = run(people, "--day", "2026-01-05", env=api_settings(api))
    assert (document["kind"], document["state"]) == ("cut", None)
    assert not (people.folder / "outbox").exists()


def test_editions_are_apart(command: Command) -> None:
    (command.folder / "newsletter.toml").write_text(
        '[editions.daily]\ntop = 3\n[editions.korean]\nlanguage = "ko"\ntop = 2\n'
    )
    command("subscribers", "add", "ada@example.org").ok()
    command("subscribers", "add", "minjun@example.org", "--edition", "korean").ok()
    assert run(command, "--from", SAMPLE)["counts"]["accepted"] == 1
    korean = run(command, "--from", SAMPLE, "--edition", "korean")
    assert (korean["edition"], korean["counts"]["accepted"]) == ("korean", 1)
    shown = command("issues", "show", "2024-09-12/korean", "--json").ok().json
    assert (shown["language"], len(shown["entries"])) == ("ko", 2)
    assert len(command("issues", "show", "2024-09-12", "--json").ok().json["entries"]) == 3
    assert_complains(command("run", "--edition", "weekly"), "weekly", "daily, korean")


def test_issues_show(people: Command) -> None:
    document = run(people, "--from", SAMPLE)
    people("preview", "--from", SAMPLE).ok()
    shown = people("issues", "show", "2024-09-12", "--json").ok().json
    assert list(shown) == ["date", "language", "entries", "state", "counts", "outcomes", "events", "figures"]
    previewed = load(people.folder / "preview" / "issue.json")
    assert {key: shown[key] for key in previewed} == previewed
    assert (shown["state"], shown["counts"]) == ("finished", document["counts"])
    assert people("issues", "show", "2024-09-12/daily", "--json").json == shown
    text = people("issues", "show", "2024-09-12").ok().out
    assert "PingPong" in text
    assert "3 accepted" in text


@pytest.mark.parametrize("name", ["2024-09-13", "yesterday", "2024-09-12/weekly", "", "2024-09-12/daily/x"])
def test_an_issue_that_is_not_there(command: Command, name: str) -> None:
    assert_complains(command("issues", "show", name))


def test_settings_stand_where_they_are_given(command: Command) -> None:
    home = command.folder / "home"
    command("init", home).ok()
    settings = home / "newsletter.toml"
    settings.write_text('[database]\nurl = "sqlite:///data/my.db"\n[provider.outbox]\npath = "mails"\n')
    command("--config", settings, "subscribers", "add", "ada@example.org").ok()
    command("--config", settings, "run", "--from", SAMPLE).ok()
    assert len(list((home / "mails" / "new").iterdir())) == 1
    assert (home / "data" / "my.db").is_file()
    assert [path.name for path in command.folder.iterdir()] == ["home"]


def test_the_other_editions_are_named(people: Command) -> None:
    (people.folder / "newsletter.toml").write_text('[editions.daily]\n[editions.korean]\nlanguage = "ko"\n')
    line = "edition   korean is not in this run: `newsletter run --edition korean`\n"
    result = people("run", "--from", SAMPLE, "--json").ok()
    assert line in result.err
    assert result.json["edition"] == "daily"
    assert line in people("run", "--from", SAMPLE).ok().out
    nobody = people("run", "--from", SAMPLE, "--edition", "korean").ok().out
    assert "is not in this run" not in nobody
    assert "(`newsletter subscribers add EMAIL --edition korean`)" in nobody
