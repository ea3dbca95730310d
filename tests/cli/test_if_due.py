"""`newsletter run --if-due`: called every few minutes, it sends each scheduled day once, or says why not."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import time_machine

from newsletter.database import Database
from tests.cli.command import (
    PEOPLE,
    SAMPLE,
    Command,
    assert_complains,
    entry,
    finish,
    outbox,
    papers_file,
    smtp_settings,
    snapshot,
)
from tests.servers.papers_api import Fault, PapersApi
from tests.servers.smtp import At, SmtpSink
from tests.servers.smtp import Fault as SmtpFault
from tests.support.issues import add_readers
from tests.support.stored import stored

SCHEDULE = '[editions.daily]\nschedule = { at = "07:30", days = "mon-fri", timezone = "Asia/Seoul", latest = "12:00" }\n'
TODAY = "2026-01-06"  # a Tuesday
BEFORE, AT, WITHIN, LATE, EVENING = (
    f"{TODAY}T{each}:00+09:00" for each in ("07:20", "07:30", "09:00", "12:01", "20:00")
)
NEXT_DAY = "2026-01-07T07:35:00+09:00"


@pytest.fixture
def ready(people: Command) -> Command:
    """Return the command with three readers, a schedule, and a file of papers without a day of its own."""
    (people.folder / "newsletter.toml").write_text(SCHEDULE, encoding="utf-8")
    (people.folder / "papers.json").write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return people


def look(
    command: Command, now: str, *words: str | Path, code: int = 0, env: Mapping[str, str] | None = None
) -> Any:
    """Call it at a time with the file of papers; return its document."""
    given = words or ("--from", "papers.json")
    result = command("run", "--if-due", "--json", "--now", now, *given, env=env)
    assert result.code == code, result
    document = result.json
    assert list(document) == ["day", "edition", "kind", "state", "counts", "sentence"]
    return document


def mails(command: Command) -> int:
    return len(outbox(command.folder))


def source(api: PapersApi) -> dict[str, str]:
    return {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}


def test_before_the_time_nothing_is_done_and_the_next_send_is_named(ready: Command) -> None:
    document = look(ready, BEFORE)
    assert (document["edition"], document["state"], document["day"]) == ("daily", None, None)
    assert document["sentence"] == (
        "Nothing is due for daily: the next send is on Tue 2026-01-06 at 07:30 Asia/Seoul (2026-01-05 22:30 UTC)."
    )
    assert mails(ready) == 0
    assert ready("run", "--if-due", "--now", BEFORE).ok().out.strip() == document["sentence"]


@pytest.mark.parametrize("now", [AT, WITHIN, f"{TODAY}T11:59:59+09:00", f"{TODAY}T12:00:00+09:00"])
def test_from_its_time_to_the_latest_it_is_sent_once(ready: Command, now: str) -> None:
    assert look(ready, now)["state"] == "finished"
    for later in (now, WITHIN, LATE, EVENING):
        document = look(ready, later)
        assert document["sentence"].startswith("Nothing is due for daily: the next send is on Wed 2026-01-07")
    assert mails(ready) == len(PEOPLE)


def test_after_the_latest_nothing_is_begun_and_that_is_said_once(ready: Command) -> None:
    result = ready("run", "--if-due", "--now", LATE, "--from", "papers.json")
    assert_complains(
        result, f"send of daily on {TODAY} was missed", "nobody looked from 07:30 to 12:00 KST", code=1
    )
    assert "Nothing is due" in look(ready, EVENING)["sentence"]
    assert mails(ready) == 0
    ready("run", "--from", "papers.json").ok()
    assert mails(ready) == len(PEOPLE), "by hand it is never too late"


def test_on_a_day_without_a_send_nothing_is_due(ready: Command) -> None:
    for now in ("2026-01-10T09:00:00+09:00", "2026-01-11T13:00:00+09:00"):
        assert "the next send is on Mon 2026-01-12" in look(ready, now)["sentence"]


def test_every_day_that_was_missed_is_told(ready: Command) -> None:
    look(ready, WITHIN)
    document = look(ready, "2026-01-09T20:00:00+09:00", code=1)
    for day in ("2026-01-07", "2026-01-08", "2026-01-09"):
        assert f"on {day} was missed" in document["sentence"]
    assert "the next send is on Mon 2026-01-12" in document["sentence"]


def test_a_day_that_is_not_ready_is_waited_for(ready: Command) -> None:
    days = {"2026-01-05": [entry("2601.00001", votes=30)]}
    late = {"NEWSLETTER_SOURCES__HUGGINGFACE__CLOSES_AT": "15:00"}
    faults = [Fault(status=404, body=b"no")] * 9
    with PapersApi(days=days, faults=faults) as api:
        failed = ready("run", "--if-due", "--now", AT, env={**source(api), **late})
        assert_complains(failed, "failed for 2026-01-05", "tried again until 12:00 KST", code=1)
        api.faults.clear()
        document = look(ready, WITHIN, "--edition", "daily", env=source(api))
    assert (document["day"], document["state"]) == ("2026-01-05", "finished")


def test_a_source_that_never_comes_holds_the_day_with_its_reason(ready: Command) -> None:
    (ready.folder / "papers.json").write_text("[", encoding="utf-8")
    for now in (AT, WITHIN):
        broken = ready("run", "--if-due", "--now", now, "--from", "papers.json")
        assert_complains(broken, "papers.json", "the JSON ends in the middle")
    missed = look(ready, LATE, code=1)
    assert "was missed, it is after 12:00 KST: papers.json: the JSON ends in the middle" in missed["sentence"]
    assert "Nothing is due" in look(ready, EVENING)["sentence"]


def test_a_quiet_day_is_no_miss(ready: Command) -> None:
    with PapersApi(days={}) as api:
        document = look(ready, AT, "--edition", "daily", env=source(api))
        assert document["kind"] == "quiet"
        assert "quiet days" in document["sentence"]
        requests = len(api.requests)
        for now in (WITHIN, LATE):
            assert "Nothing is due" in look(ready, now, "--edition", "daily", env=source(api))["sentence"]
        assert len(api.requests) == requests, "a day that is over is not asked for again"


def test_a_day_that_was_sent_by_hand_is_done(ready: Command) -> None:
    with PapersApi(days={"2026-01-05": [entry("2601.00001", votes=30)]}) as api:
        ready("run", "--day", "2026-01-05", env=source(api)).ok()
        assert "already sent" in look(ready, AT, "--edition", "daily", env=source(api))["sentence"]
        assert "Nothing is due" in look(ready, LATE, "--edition", "daily", env=source(api))["sentence"]
    assert mails(ready) == len(PEOPLE)


def smtp(sink: SmtpSink, **more: str) -> dict[str, str]:
    return {**smtp_settings(sink), "NEWSLETTER_DELIVERY__WAIT": "0 s", **more}


def test_an_issue_of_which_nothing_went_out_in_time_is_held(ready: Command) -> None:
    with SmtpSink() as sink:
        env = smtp(sink)
    for now in (AT, WITHIN):  # the server is gone
        assert look(ready, now, code=1, env=env)["state"] == "paused"
    held = look(ready, LATE, code=1, env=env)
    assert (
        f"Issue {TODAY[:-1]}5/daily is held" in held["sentence"]
        or "is held: nothing of it was sent" in held["sentence"]
    )
    assert "by 2026-01-06 12:00 KST" in held["sentence"]
    (row,) = ready("issues", "list", "--json").ok().json
    assert (row["state"], row["counts"]["waiting"]) == ("held", len(PEOPLE))
    with SmtpSink() as sink:
        assert "Nothing is due" in look(ready, EVENING, env=smtp(sink))["sentence"]
        assert sink.messages == []
        ready("issues", "resume", row["issue"]).ok()
        assert look(ready, EVENING, env=smtp(sink))["state"] == "finished"
        assert len(sink.messages) == len(PEOPLE)


def test_what_was_begun_in_time_is_ended_after_it(ready: Command) -> None:
    faults = [SmtpFault(at=At.RCPT, reply="451 4.7.1 come back later", times=1)]
    with SmtpSink(faults=faults) as sink:
        assert look(ready, WITHIN, env=smtp(sink))["counts"]["waiting"] == 1
        assert look(ready, LATE, env=smtp(sink))["state"] == "finished"
        assert len(sink.messages) == len(PEOPLE)


def test_limits_that_cannot_meet_the_latest_hold_the_issue_before_it_begins(ready: Command) -> None:
    with SmtpSink() as sink:
        slow = smtp(sink, NEWSLETTER_DELIVERY__RATE="1/min")
        now = f"{TODAY}T11:59:00+09:00"
        held = look(ready, now, code=1, env=slow)
        assert held["state"] == "held"
        assert "3 messages take until 2026-01-06 12:01 KST" in held["sentence"]
        papers_file(ready.folder / "papers.json", [entry("2601.00001", day="2026-01-06")])
        few = smtp(sink, NEWSLETTER_DELIVERY__PER_DAY="2")
        capped = look(ready, "2026-01-07T10:00:00+09:00", code=1, env=few)
        assert capped["state"] == "held"
        assert "3 messages take until 2026-01-08 09:00 KST" in capped["sentence"]
        assert sink.messages == []
        papers_file(ready.folder / "papers.json", [entry("2601.00002", day="2026-01-07")])
        fits = look(ready, "2026-01-08T07:30:00+09:00", env=few)
        assert fits["counts"]["accepted"] == 2, "the third has its place after midnight UTC"


def test_so_do_the_limits_of_a_domain(ready: Command) -> None:
    with SmtpSink() as sink:
        slow = smtp(sink, NEWSLETTER_DELIVERY__DOMAINS="example.org=1/min, example.com=1/min")
        held = look(ready, f"{TODAY}T11:59:00+09:00", code=1, env=slow)
        assert held["state"] == "held"
        assert "3 messages take until 2026-01-06 12:01 KST" in held["sentence"]
        assert sink.messages == []
        elsewhere = smtp(sink, NEWSLETTER_DELIVERY__DOMAINS="example.com=1/min")
        ready("issues", "resume", f"{held['day']}/daily").ok()
        assert look(ready, f"{TODAY}T11:59:00+09:00", env=elsewhere)["counts"]["accepted"] == len(PEOPLE)


def test_two_at_once_send_it_once(ready: Command) -> None:
    opened = Database(ready.folder / "newsletter.db")
    add_readers(opened, 60)
    opened.close()
    words = ("run", "--if-due", "--now", AT, "--from", "papers.json")
    with SmtpSink() as sink:
        for process in [ready.start(*words, env=smtp(sink)) for _ in range(2)]:
            finish(process).ok()
        assert len({mail.recipients for mail in sink.messages}) == len(sink.messages) == 63
    assert len(ready("issues", "list", "--json").ok().json) == 1


@pytest.mark.parametrize("number", [1, 40])
def test_killed_in_the_middle_the_next_call_ends_it_even_after_the_latest(
    ready: Command, number: int
) -> None:
    opened = Database(ready.folder / "newsletter.db")
    add_readers(opened, 97)
    opened.close()
    process = ready.start("run", "--if-due", "--now", WITHIN, "--from", "papers.json")
    deadline = time.monotonic() + 30
    while mails(ready) < 40 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    assert finish(process).code == -signal.SIGKILL
    assert 40 <= mails(ready) < 100
    assert look(ready, LATE)["state"] == "finished"
    assert mails(ready) == 100
    assert "Nothing is due" in look(ready, EVENING)["sentence"]


def test_killed_while_it_waited_for_the_source_the_reason_says_so(ready: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = ready.start(
            "run", "--if-due", "--now", WITHIN, env={"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": url}
        )
        with silent.accept()[0]:
            process.kill()
            assert finish(process).code == -signal.SIGKILL
    missed = look(ready, LATE, code=1)["sentence"]
    assert "was missed, it is after 12:00 KST: a call at 00:00 UTC did not come to its end" in missed


def claims(command: Command) -> list[bool]:
    """Return of each claim whether it is held: between two of them for a moment none is."""
    return [
        held == 1 for (held,) in stored(command.folder, "SELECT closed_at IS NULL FROM claim ORDER BY id")
    ]


def test_a_call_leaves_alone_what_another_one_sends(ready: Command) -> None:
    with SmtpSink() as sink:
        env = smtp(sink, NEWSLETTER_DELIVERY__RATE="6/min")
        process = ready.start("run", "--if-due", "--now", WITHIN, "--from", "papers.json", env=env)
        deadline = time.monotonic() + 30
        while claims(ready) != [False, True] and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        for now in (WITHIN, LATE):
            said = look(ready, now, env=env)["sentence"]
            assert said.endswith("Issue 2024-09-12/daily is being sent by another process.")
        process.send_signal(signal.SIGTERM)
        assert finish(process).code == 1
        assert look(ready, LATE, env=smtp(sink))["state"] == "finished"
        assert len(sink.messages) == len(PEOPLE)


def test_what_became_of_the_last_sends_is_told(ready: Command) -> None:
    assert "No send was due yet" in ready("next", "--past").ok().out
    look(ready, WITHIN)
    with PapersApi(days={}) as api:
        look(ready, NEXT_DAY, "--edition", "daily", env=source(api))
    look(ready, "2026-01-08T20:00:00+09:00", code=1)
    rows = ready("next", "--past", "--json").ok().json
    assert [list(row) for row in rows] == [["edition", "day", "issue", "state", "reason"]] * 3
    assert [(row["day"], row["issue"], row["state"]) for row in rows] == [
        ("2026-01-08", None, "missed"), ("2026-01-07", None, "nothing"), (TODAY, "2024-09-12/daily", "finished"),
    ]  # fmt: skip
    assert [row["reason"] for row in rows] == [
        "nobody looked from 07:30 to 12:00 KST",
        "No papers on 2026-01-02 to 2026-01-06 (quiet days); nothing was sent.",
        "",
    ]
    text = ready("next", "--past", "--count", "2").ok().out
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [
        ["daily", "2026-01-08"],
        ["daily", "2026-01-07"],
    ]


def test_editions_go_by_their_own_time(ready: Command) -> None:
    (ready.folder / "newsletter.toml").write_text(
        SCHEDULE
        + '[editions.german]\nlanguage = "de"\nschedule = { at = "08:00", timezone = "Asia/Tokyo" }\n[editions.odd]\n'
    )
    ready("subscribers", "add", "karl@example.org", "--edition", "german").ok()
    both = ready("run", "--if-due", "--json", "--now", AT, "--from", "papers.json").ok().json
    assert [(row["edition"], row["state"]) for row in both] == [("daily", "finished"), ("german", None)]
    one = look(ready, f"{TODAY}T08:00:00+09:00", "--edition", "german", "--from", "papers.json")
    assert (one["edition"], one["counts"]["accepted"]) == ("german", 1)
    assert_complains(ready("run", "--if-due", "--edition", "odd"), "edition odd: has no schedule")


def test_one_edition_that_fails_keeps_no_other_from_it(ready: Command) -> None:
    (ready.folder / "newsletter.toml").write_text(
        SCHEDULE + '[editions.also]\nschedule = { timezone = "Asia/Seoul" }\n', encoding="utf-8"
    )
    ready("subscribers", "add", "karl@example.org", "--edition", "also").ok()
    with PapersApi(days={"2026-01-05": [entry("2601.00001", votes=3)]}, faults=[Fault(status=404)]) as api:
        both = ready("run", "--if-due", "--json", "--now", AT, env=source(api))
    assert both.code == 1
    assert [(row["edition"], row["state"]) for row in both.json] == [("also", None), ("daily", "finished")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--if-due", "--day", TODAY], ("--if-due does not go with --day",)),
        (["--now", AT], ("--now goes with --if-due alone",)),
        (["--if-due", "--now", "soon"], ("--now", "'soon' is no time")),
        (["--if-due", "--edition", "weekly"], ("there is no edition 'weekly'",)),
    ],
)
def test_what_does_not_go_together(ready: Command, words: list[str], said: tuple[str, ...]) -> None:
    assert_complains(ready("run", *words), *said)


def test_a_time_that_is_yet_to_come_uses_up_no_send(ready: Command) -> None:
    """It would be put down as sent, and the real send of that day would not be made."""
    words = ("run", "--if-due", "--from", "papers.json")
    before = snapshot(ready.folder)
    ahead = ("--now", "2026-01-07T07:35:00+09:00")
    with time_machine.travel("2026-01-06T20:00:00+09:00", tick=False):
        assert_complains(ready(*words, *ahead), "2026-01-06 22:35 UTC is yet to come", "add --dry-run")
        dry = ready(*words, *ahead, "--dry-run").ok().out
        early = ready(*words, "--now", "2026-01-07T07:20:00+09:00", "--dry-run", "--json").ok().json
    assert "Dry run: issue 2024-09-12/daily would go to 3 subscribers" in dry
    assert early["sentence"].startswith("Nothing is due for daily: the next send is on Wed 2026-01-07")
    after = snapshot(ready.folder)
    assert {name: after[name] for name in before} == before, "a log that is empty may stand beside it"
    with time_machine.travel("2026-01-07T07:30:00+09:00", tick=False):
        ready(*words, "--now", "2026-01-07T07:32:00+09:00").ok()
    assert mails(ready) == len(PEOPLE)


def test_a_dry_look_of_several_editions_tells_of_each(ready: Command) -> None:
    (ready.folder / "newsletter.toml").write_text(
        SCHEDULE + '[editions.also]\nschedule = { at = "09:00", timezone = "Asia/Seoul" }\n', encoding="utf-8"
    )
    words = ("run", "--if-due", "--dry-run", "--json", "--now", AT, "--from", "papers.json")
    also, daily = ready(*words).ok().json
    assert "Nothing is due for also" in also["sentence"]
    assert "2024-09-12" in daily["sentence"]
    assert look(ready, AT, "--edition", "daily", "--from", "papers.json")["state"] == "finished"


def test_without_a_schedule_it_says_what_to_set(people: Command) -> None:
    assert_complains(people("run", "--if-due"), "no edition has a schedule", "[editions.daily]")


def test_a_paper_file_with_a_day_is_that_day(ready: Command) -> None:
    papers_file(ready.folder / "papers.json", [entry("2601.00001", votes=3, day="2026-01-05")])
    assert look(ready, AT)["day"] == "2026-01-05"
    assert "already sent" in look(ready, NEXT_DAY)["sentence"]
